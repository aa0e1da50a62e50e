"""Activations: y = phi(x), elementwise.

    backward:  dx     = phi'(x) dy
    tangent:   y_dot  = phi'(x) x_dot
    curvature: dx_dot = phi''(x) x_dot dy      (dx is phi'(x) dy, and phi' moves with x)

The Jacobian is diagonal, so backward and tangent are the same product. The cache is x or y: the one
from which phi' takes fewer operations.
"""

import numpy as np

from .._checks import NotNegative
from .base import Array, Cache, Layer


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow: the exponential is taken of -|x|."""
    with np.errstate(under="ignore"):  # an underflow to zero is the correctly rounded answer
        small = np.exp(-np.abs(x))  # in (0, 1]
        return np.where(x >= 0, 1, small) / (1 + small)


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), without overflow."""
    with np.errstate(under="ignore"):
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


class LeakyReLU(Layer):
    """y = x if x > 0 else s x;  phi' = 1 or s,  phi'' = 0   (Maas et al. 2013)

    negative_slope: s >= 0. At x = 0, where there is no derivative, phi' = s. The cache is y.
    """

    piecewise_linear = True

    def __init__(self, negative_slope: NotNegative = 0.2) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x)
        y = np.where(x > 0, x, self.negative_slope * x)
        return y, y

    def backward_input(self, dy: Array, y: Array) -> Array:
        return np.where(y > 0, dy, self.negative_slope * dy)

    def tangent(self, x_dot: Array, y: Array) -> Array:
        return np.where(y > 0, x_dot, self.negative_slope * x_dot)

    def curvature(self, dy: Array, y: Array, x_dot: Array) -> Array | None:
        return None  # phi'' = 0 wherever it exists

    def __repr__(self) -> str:
        return f"LeakyReLU({self.negative_slope:g})"


class ReLU(LeakyReLU):
    """y = max(x, 0): LeakyReLU with slope 0 (Nair and Hinton 2010)."""

    def __init__(self) -> None:
        super().__init__(0.0)

    def __repr__(self) -> str:
        return "ReLU()"


class Tanh(Layer):
    """y = tanh(x);  phi' = 1 - y^2,  phi'' = -2 y (1 - y^2). The cache is y."""

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        y = np.tanh(self.as_input(x))
        return y, y

    def backward_input(self, dy: Array, y: Array) -> Array:
        return (1 - y * y) * dy

    def tangent(self, x_dot: Array, y: Array) -> Array:
        return (1 - y * y) * x_dot

    def curvature(self, dy: Array, y: Array, x_dot: Array) -> Array | None:
        return -2 * y * (1 - y * y) * x_dot * dy


class Sigmoid(Layer):
    """y = sigmoid(x) = 1 / (1 + exp(-x));  phi' = y (1 - y),  phi'' = y (1 - y) (1 - 2 y).

    The cache is y.
    """

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        y = sigmoid(self.as_input(x))
        return y, y

    def backward_input(self, dy: Array, y: Array) -> Array:
        return y * (1 - y) * dy

    def tangent(self, x_dot: Array, y: Array) -> Array:
        return y * (1 - y) * x_dot

    def curvature(self, dy: Array, y: Array, x_dot: Array) -> Array | None:
        return y * (1 - y) * (1 - 2 * y) * x_dot * dy


class Softplus(Layer):
    """y = softplus(x) = log(1 + exp x);  phi' = s,  phi'' = s (1 - s),  s = sigmoid(x).

    The cache is x.
    """

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x)
        return softplus(x), x

    def backward_input(self, dy: Array, x: Array) -> Array:
        return sigmoid(x) * dy

    def tangent(self, x_dot: Array, x: Array) -> Array:
        return sigmoid(x) * x_dot

    def curvature(self, dy: Array, x: Array, x_dot: Array) -> Array | None:
        s = sigmoid(x)
        return s * (1 - s) * x_dot * dy


class SiLU(Layer):
    """y = x s;  phi' = s (1 + x (1 - s)),  phi'' = s (1 - s) (2 + x (1 - 2 s)),  s = sigmoid(x).

    (Elfwing et al. 2018; "swish" in Ramachandran et al. 2017.) The cache is x.
    """

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x)
        return x * sigmoid(x), x

    def backward_input(self, dy: Array, x: Array) -> Array:
        s = sigmoid(x)
        return s * (1 + x * (1 - s)) * dy

    def tangent(self, x_dot: Array, x: Array) -> Array:
        s = sigmoid(x)
        return s * (1 + x * (1 - s)) * x_dot

    def curvature(self, dy: Array, x: Array, x_dot: Array) -> Array | None:
        s = sigmoid(x)
        return s * (1 - s) * (2 + x * (1 - 2 * s)) * x_dot * dy
