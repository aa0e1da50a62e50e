"""Compiled counterparts of the activations: one pass over memory, without intermediate arrays."""

from typing import Any

import numpy as np

from ..layers.activations import LeakyReLU, Sigmoid, Tanh
from .kernels.codes import LEAKY_RELU, SIGMOID, TANH
from .kernels.elementwise import activate, activate_backward, sigmoid, silu, silu_backward, softplus
from .stage import Stage


def fused_activation(layer: Any) -> tuple[int, float] | None:
    """(code, slope) of an activation for the kernels (see `codes`); None if it cannot be fused."""
    if isinstance(layer, LeakyReLU):
        return LEAKY_RELU, layer.negative_slope
    return {Tanh: (TANH, 0.0), Sigmoid: (SIGMOID, 0.0)}.get(type(layer))


class ActivationStage(Stage):
    """y = phi(x) for LeakyReLU, ReLU, Tanh or Sigmoid; dx = phi'(x) dy, phi' computed from y."""

    def __init__(self, layer):
        super().__init__(layer)
        self.phi = fused_activation(layer)

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        y = activate(self.layer.as_input(x), *self.phi)
        return y, y

    def backward_input(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return activate_backward(dy, y, *self.phi)

    def tangent(self, x_dot: np.ndarray, y: np.ndarray) -> np.ndarray:
        return activate_backward(x_dot, y, *self.phi)

    def curvature(self, dy: np.ndarray, y: np.ndarray, x_dot: np.ndarray) -> np.ndarray | None:
        return self.layer.curvature(dy, y, x_dot)


class SoftplusStage(Stage):
    """y = log(1 + exp x),  dx = sigmoid(x) dy."""

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.layer.as_input(x)
        return softplus(x), x

    def backward_input(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return sigmoid(x) * dy

    def tangent(self, x_dot: np.ndarray, x: np.ndarray) -> np.ndarray:
        return sigmoid(x) * x_dot

    def curvature(self, dy: np.ndarray, x: np.ndarray, x_dot: np.ndarray) -> np.ndarray | None:
        return self.layer.curvature(dy, x, x_dot)


class SiLUStage(Stage):
    """y = x s,  dx = s (1 + x (1 - s)) dy,  s = sigmoid(x)."""

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.layer.as_input(x)
        return silu(x), x

    def backward_input(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return silu_backward(dy, x)

    def tangent(self, x_dot: np.ndarray, x: np.ndarray) -> np.ndarray:
        return silu_backward(x_dot, x)

    def curvature(self, dy: np.ndarray, x: np.ndarray, x_dot: np.ndarray) -> np.ndarray | None:
        return self.layer.curvature(dy, x, x_dot)
