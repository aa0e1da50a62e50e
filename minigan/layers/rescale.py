"""The layer that changes the unit of its input."""

import numpy as np

from .._checks import Finite
from .base import Cache, PiecewiseLinearLayer


class Rescale(PiecewiseLinearLayer):
    """y = factor x   backward: dx = factor dy

    The factor is a constant: a G trained on data / unit, with Rescale(unit) after it, gives samples
    in the unit of the data.
    """

    def __init__(self, factor: Finite) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Cache]:
        return self.tangent(self.as_input(x), None), None

    def backward_input(self, dy: np.ndarray, cache: Cache) -> np.ndarray:
        return self.tangent(dy, cache)

    def tangent(self, x_dot: np.ndarray, cache: Cache) -> np.ndarray:
        return x_dot.dtype.type(self.factor) * x_dot

    def __repr__(self) -> str:
        return f"Rescale({self.factor:g})"
