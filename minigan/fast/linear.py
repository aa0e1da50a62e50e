"""Compiled counterparts of Linear, with the activation after it, and of FourierFeatures."""

from typing import Any

import numpy as np

from ..layers.features import FourierFeatures
from .fused import FusedStage
from .kernels.products import (
    linear_backward,
    linear_backward_input,
    linear_backward_params,
    linear_forward,
    matmul,
)
from .kernels.vectors import scale_and_add


class LinearStage(FusedStage):
    """y = phi(x @ W + b): bias and leaky ReLU are applied within the product, tanh and the sigmoid
    to its result. The cache is (x, y)."""

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        layer = self.layer
        x = layer.as_input(x, "N", layer.in_features)
        y = linear_forward(x, layer.params["weight"], layer.params.get("bias"), *self.phi)
        return y, (x, y)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return linear_backward_input(dy, cache[1], self.layer.params["weight"], *self.phi)

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        x, y = cache
        grads = self.layer.grads
        linear_backward_params(dy, y, x, grads["weight"], grads.get("bias"), *self.phi)

    def backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        weight, grads = self.layer.params["weight"], self.layer.grads
        return linear_backward(dy, y, x, weight, grads["weight"], grads.get("bias"), *self.phi)

    def inner_tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        return linear_forward(x_dot, self.layer.params["weight"], None)

    def inner_curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> None:
        linear_backward_params(dy, None, x_dot, self.layer.grads["weight"], None)

    def backward_merged(
        self, dy: np.ndarray, scale: np.ndarray, cache: Any, x_dot: np.ndarray
    ) -> None:
        """backward_params(scale dy) and curvature(dy, x_dot) in one product, scale (N, 1):

        dW += (scale x + x_dot)' dy,    db += scale' dy
        """
        grads = self.layer.grads
        x = scale_and_add(scale, cache[0], x_dot)
        linear_backward_params(dy, None, x, grads["weight"], None)
        if "bias" in grads:
            grads["bias"] += matmul(scale, dy, transpose_a=True)[0]


class FourierStage(FourierFeatures):
    """FourierFeatures, with its two products compiled."""

    def __init__(self, layer):
        self.__dict__ = vars(layer)  # the layer's own attributes: std may be changed later

    def _phase(self, x):
        return 2 * np.pi * matmul(x, self.buffers["frequencies"])

    def _phase_backward(self, dphase):
        return 2 * np.pi * matmul(dphase, self.buffers["frequencies"], transpose_b=True)
