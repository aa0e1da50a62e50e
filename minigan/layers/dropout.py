"""Dropout: random values of a batch are set to zero in training."""

import numpy as np

from .._checks import Decay
from .base import Array, Cache, Layer


class Dropout(Layer):
    """y = x m / (1 - p)   m ~ Bernoulli(1 - p) drawn at each training pass; y = x in evaluation.

    backward: dx = dy m / (1 - p)   tangent: y_dot = x_dot m / (1 - p)   curvature: none, y is
    linear in x once m is drawn. The cache is the scaled mask, so all three use the mask of their
    forward pass. The scaling keeps the mean of y at x (Srivastava et al. 2014). 0 <= p < 1.
    """

    piecewise_linear = True

    def __init__(self, p: Decay) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x)
        if not training or self.p == 0:
            return x, None
        kept = self.rng.random(x.shape, np.float32) >= self.p
        mask = kept.astype(x.dtype) / (1 - self.p)
        return x * mask, mask

    def backward_input(self, dy: Array, mask: Array) -> Array:
        return dy if mask is None else dy * mask

    def tangent(self, x_dot: Array, mask: Array) -> Array:
        return x_dot if mask is None else x_dot * mask

    def curvature(self, dy: Array, mask: Array, x_dot: Array) -> Array | None:
        return None

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
