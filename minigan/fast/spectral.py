"""Compiled counterpart of SpectralNorm."""

from typing import Any

import numpy as np

from ..layers.spectral import SpectralNorm
from .kernels.products import matmul


class SpectralStage(SpectralNorm):
    """SpectralNorm of a stage, with the products of the power iteration compiled.

    It shares `buffers`, `hold_buffers` and `iterated_on` with the layer that it replaces, so both
    use the same singular vectors.
    """

    def __init__(self, layer, stage_of):
        vars(self).update(vars(layer))
        self._layer, self._stage_of = layer, stage_of

    @staticmethod
    def _times(matrix, vector):
        return matmul(matrix, vector[:, None])[:, 0]

    @property  # type: ignore[misc]
    def hold_buffers(self) -> bool:
        return self._layer.hold_buffers

    @property  # type: ignore[misc]
    def iterated_on(self) -> Any:
        return self._layer.iterated_on

    @iterated_on.setter
    def iterated_on(self, weight: Any) -> None:
        self._layer.iterated_on = weight

    def _with(self, weight, gradient=None):
        return self._stage_of(super()._with(weight, gradient))

    def backward_merged(
        self, dy: np.ndarray, scale: np.ndarray, cache: Any, x_dot: np.ndarray
    ) -> None:
        """As in `LinearStage`, with the gradient of W / sigma converted to that of W."""
        with self._chained(cache) as layer:
            layer.backward_merged(dy, scale, cache[0], x_dot)
