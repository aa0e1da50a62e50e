"""A last layer of D whose output is the logit and the features."""

import numpy as np

from .base import Array
from .input_layers import WithInput


class LogitWithFeatures(WithInput):
    """y = [f(x), x]: the logit f(x) that a layer f computes from features x, and the features.

    x (N, F), y (N, 1 + F) for f = Linear(F, 1). For losses that look at D's features:
    see `minigan.models.feature_matching`. `WithInput` with its two parts exchanged.

    backward, dy = [dy_f, dy_x]: dx = f's dx from dy_f, plus dy_x.
    """

    def join(self, x: Array, y: Array) -> Array:
        return np.concatenate([y, x], axis=1)

    def split(self, dy: Array, width: int) -> tuple[Array, Array]:
        outputs = dy.shape[1] - width
        return dy[:, outputs:], dy[:, :outputs]
