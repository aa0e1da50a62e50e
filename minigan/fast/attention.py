"""Compiled counterpart of SelfAttention."""

from typing import Any

import numpy as np

from ..layers.attention import SelfAttention
from .kernels.softmax import softmax, softmax_backward


class AttentionStage(SelfAttention):
    """The layer with both passes through softmax compiled; the products are NumPy's."""

    def __init__(self, layer):
        self.__dict__ = vars(layer)  # the layer's own attributes: its parameters may be moved later

    softmax = staticmethod(softmax)
    through_softmax = staticmethod(softmax_backward)

    def backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        signals = self._signals(dy, cache)  # computed once for both gradients
        self._add_gradients(dy, cache, signals)
        return self._input_gradient(dy, signals)

    def __repr__(self):
        return f"compiled SelfAttention({self.channels})"
