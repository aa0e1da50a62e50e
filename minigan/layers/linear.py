"""The affine layer: y = x W + b."""

import numpy as np

from .._checks import Count
from .base import Array, Cache, Layer


class Linear(Layer):
    """y = x @ W + b

    x (N, in), W (in, out), b (out,), y (N, out).

    backward, from dy = dL/dy (N, out):
        dx = dy @ W'                    (N, in)
        dW = x' @ dy                    (in, out)
        db = sum of dy over the batch   (out,)
    By indices, y_no = sum_i x_ni W_io + b_o. So dL/dx_ni = sum_o dy_no W_io, which sums over the
    second index of W: dy @ W'. And dL/dW_io = sum_n x_ni dy_no sums over the first of x: x' @ dy.
    tangent:   y_dot = x_dot @ W  (the bias does not move)
    curvature: dW is the only gradient with an x in it, so dW_dot = x_dot' @ dy.

    W starts from N(0, 2 / in), b from 0 (He et al. 2015). With F = in features and E[x^2] = s, a
    sum of F products has the variance F Var(W) s. A ReLU behind it halves the mean square, so with
    Var(W) = 2 / F the next layer again sees E[x^2] = s, at any depth.
    """

    piecewise_linear = True

    def __init__(self, in_features: Count, out_features: Count, *, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features, self.bias = in_features, out_features, bias
        self.add_parameter("weight", (in_features, out_features))
        if bias:
            self.add_parameter("bias", (out_features,))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        weight = self.params["weight"]
        weight[...] = rng.normal(0, np.sqrt(2 / self.in_features), weight.shape)

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", self.in_features)
        return x @ self.params["weight"] + self.params.get("bias", 0), x

    def backward_input(self, dy: Array, x: Array) -> Array:
        return dy @ self.params["weight"].T

    def backward_params(self, dy: Array, x: Array) -> None:
        self.grads["weight"] += x.T @ dy
        if "bias" in self.grads:
            self.grads["bias"] += dy.sum(axis=0, dtype=np.float64)

    def tangent(self, x_dot: Array, x: Array) -> Array:
        return x_dot @ self.params["weight"]

    def curvature(self, dy: Array, x: Array, x_dot: Array) -> None:
        self.grads["weight"] += x_dot.T @ dy

    def __repr__(self) -> str:
        bias = "" if "bias" in self.params else ", bias=False"
        return f"Linear({self.in_features}, {self.out_features}{bias})"
