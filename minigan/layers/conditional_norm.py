"""Batch norm with a scale and a shift for each class."""

import math

import numpy as np

from .._checks import Classes, Epsilon, Shape, Share, shown
from .base import Array, Cache, flat_rows, flat_samples
from .conditional import class_of_code
from .normalisation import BatchStatistics, column_mean


class ConditionalBatchNorm(BatchStatistics):
    """y = [gamma_k x_hat + beta_k, c],  [x, c] the input,  k = argmax c   (de Vries et al. 2017)

    The features of all classes are normalised together, x_hat = (x - mean) / sqrt(var + eps) as in
    `BatchNorm`; then each class has a scale and a shift of its own. So the class reaches every
    level of a generator, not its input alone (Miyato and Koyama 2018).

    A row is the flattened features and then the code c of K values, which is copied to the output:
    x, y (N, F + K) with F the size of `shape`. gamma, beta (K, C), C the last axis of `shape`.

    backward, with g = dy gamma_k and means over the batch and all positions:
        dx      = (g - mean(g) - x_hat mean(g x_hat)) / sqrt(var + eps),  dc is passed on
        dgamma_k = sum of dy x_hat, dbeta_k = sum of dy, over the samples of class k
    In evaluation mean and var are the running statistics, which are constants.

    Parameters
    ----------
    shape : of the features, such as (7, 7, 64) or (100,)
    classes : K >= 2
    eps : > 0
    momentum : in [0, 1], of the running statistics

    Raises ValueError in training for a batch with fewer than two values per channel.
    """

    def __init__(
        self, shape: Shape, classes: Classes, *, eps: Epsilon = 1e-5, momentum: Share = 0.1
    ) -> None:
        channels = shape[-1]
        super().__init__(channels, eps, momentum)
        self.shape, self.classes = shape, classes
        self.add_parameter("gamma", (classes, channels))
        self.add_parameter("beta", (classes, channels))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        self.params["gamma"][...] = 1

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", math.prod(self.shape) + self.classes)
        features, code = self._split(x)
        labels = class_of_code(x, self.classes)
        mean, variance = self.statistics(flat_rows(features), training)
        inv_std = 1 / np.sqrt(variance + self.eps)
        x_hat = (features - mean) * inv_std
        y = self._of_class("gamma", labels) * x_hat + self._of_class("beta", labels)
        return self._join(y, code), (x_hat, inv_std, labels, training)

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        d_features, dc = self._split(dy)
        return self._join(self._through(self._scaled(d_features, cache), cache), dc)

    def backward_params(self, dy: Array, cache: Cache) -> None:
        x_hat, _, labels, _ = cache
        dy, _ = self._split(dy)
        np.add.at(self.grads["gamma"], labels, (dy * x_hat).sum(axis=1))
        np.add.at(self.grads["beta"], labels, dy.sum(axis=1))

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        features_dot, c_dot = self._split(x_dot)
        return self._join(self._scaled(self._through(features_dot, cache), cache), c_dot)

    def _through(self, g, cache):
        """dx from g = dL/dx_hat; and, x_hat's Jacobian being symmetric, x_hat_dot from x_dot."""
        x_hat, inv_std, _, training = cache
        if not training:
            return inv_std * g
        return inv_std * (g - channel_mean(g) - x_hat * channel_mean(g * x_hat))

    def _scaled(self, x, cache):
        """x times the scale of each sample's class."""
        return x * self._of_class("gamma", cache[2])

    def _of_class(self, name, labels):
        """The scale or shift of each sample, (N, 1, C)."""
        return self.params[name][labels][:, None]

    def _split(self, rows):
        """Rows as features (N, positions, C) and code (N, K)."""
        features, code = rows[:, : -self.classes], rows[:, -self.classes :]
        positions = math.prod(self.shape[:-1])
        return features.reshape(len(rows), positions, self.shape[-1]), code

    def _join(self, features, code):
        """The reverse of `_split`."""
        return np.concatenate([flat_samples(features), code], axis=1)

    def __repr__(self) -> str:
        return f"ConditionalBatchNorm({shown(self.shape)}, {self.classes})"


def channel_mean(x: Array) -> Array:
    """The mean of each channel over samples and positions, (C,)."""
    return column_mean(x.reshape(-1, x.shape[-1]))
