"""The affine layer: y = x W + b."""

import numpy as np

from .. import kernels
from ..checks import flag
from .base import Layer, positive_int


class Linear(Layer):
    """y = x @ W + b

    x (N, in), W (in, out), b (out,), y (N, out).

    backward, from dy = dL/dy (N, out):
        dx = dy @ W'          (N, in)
        dW = x' @ dy          (in, out)
        db = sum over rows of dy  (out,)
    tangent: y moves by dx @ W; the bias does not move.
    curvature: of the backward pass, only dW has an x in it: it moves by x_dot' @ dy.

    W starts from N(0, 2 / in) (He et al. 2015), b from 0.
    """

    piecewise_linear = True

    def __init__(self, in_features, out_features, *, bias=True):
        super().__init__()
        self.in_features = positive_int("Linear", "in_features", in_features)
        self.out_features = positive_int("Linear", "out_features", out_features)
        self.add_parameter("weight", (self.in_features, self.out_features))
        if flag("Linear", "bias", bias):
            self.add_parameter("bias", (self.out_features,))
        self.initialize(self.rng)

    def initialize(self, rng):
        weight = self.params["weight"]
        weight[...] = rng.normal(0, np.sqrt(2 / self.in_features), weight.shape)

    def forward(self, x, training=True):
        x = self.as_input(x, 2, self.in_features)
        return kernels.linear_forward(x, self.params["weight"], self.params.get("bias")), x

    def backward_input(self, dy, x):
        return kernels.linear_backward_input(dy, None, self.params["weight"])

    def backward_params(self, dy, x):
        kernels.linear_backward_params(dy, None, x, self.grads["weight"], self.grads.get("bias"))

    def tangent(self, dx, x):
        return kernels.linear_forward(dx, self.params["weight"], None)

    def curvature(self, dy, x, x_dot):
        kernels.linear_backward_params(dy, None, x_dot, self.grads["weight"], None)

    def backward_merged(self, dy, scale, x, x_dot):
        """backward_params(scale * dy) and curvature(dy, x_dot), in one product:
        dW += (scale x + x_dot)' dy,  db += scale' dy,  for a scale (N, 1) per sample."""
        self.curvature(dy, x, kernels.scale_and_add(scale, x, x_dot))
        if "bias" in self.grads:
            self.grads["bias"] += kernels.matmul(scale, dy, transpose_a=True)[0]

    def __repr__(self):
        bias = "" if "bias" in self.params else ", bias=False"
        return f"Linear({self.in_features}, {self.out_features}{bias})"
