"""A last layer of D that gives its features beside its logit."""

from typing import Any

import numpy as np

from .base import Array, Cache, Layer


class LogitWithFeatures(Layer):
    """y = [f(x), x]: the logit that a layer f makes of features x, and the features behind it.

    x (N, F), y (N, 1 + F) for f = Linear(F, 1). For losses that look at D's features:
    see `minigan.models.feature_matching`.

    backward, dy = [df, dx']:  dx = f's dx from df, plus dx'.  tangent, curvature: f's, likewise.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.children = {"layer": layer}
        self.mixes_samples = layer.mixes_samples

    @property
    def inner(self) -> Layer:
        return self.children["layer"]

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", "F")
        y, cache = self.inner.forward(x, training)
        return np.concatenate([y, x], axis=1), (y.shape[1], cache)

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        width, inner = cache
        return self.inner.backward_input(dy[:, :width], inner) + dy[:, width:]

    def backward_params(self, dy: Array, cache: Cache) -> None:
        width, inner = cache
        self.inner.backward_params(dy[:, :width], inner)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        return np.concatenate([self.inner.tangent(x_dot, cache[1]), x_dot], axis=1)

    def curvature(self, dy: Array, cache: Cache, x_dot: Array) -> Any:
        width, inner = cache
        return self.inner.curvature(dy[:, :width], inner, x_dot)

    def __repr__(self) -> str:
        return f"LogitWithFeatures({self.inner})"
