"""Minibatches: each sample of a data set once per epoch, in an order drawn anew for each epoch."""

from typing import Any

import numpy as np

from .. import _checks as checks
from .._checks import Count, Seed, checked, shown
from .._random import random_generator


class Minibatches:
    """An endless stream of minibatches: from an array, or fresh from a distribution.

    source : an array (M, ...), or an object with `.sample(n, rng)`
    rng    : a numpy Generator or a seed

    From an array, a minibatch that reaches the end of one epoch goes on into the next, so each has
    `batch_size` samples and each epoch holds each sample exactly once.
    Raises TypeError for a source that is neither, for a pair (images, labels), a pandas DataFrame
    and bytes (0..255), ValueError for an empty array.
    """

    @checked
    def __init__(self, source: Any, batch_size: Count, *, rng: Seed = 0) -> None:
        self.batch_size = batch_size
        self.rng = random_generator(rng, "minibatches")
        self.source = source
        _refuse_lookalikes(source)
        if isinstance(source, type) or not hasattr(source, "sample"):
            self.source = checks.as_array("Minibatches", "source", source)
            if self.source.dtype.kind not in "fiub" or self.source.ndim < 2:
                raise TypeError(
                    "Minibatches: source must be an array (M, ...) of numbers or have .sample(n, "
                    f"rng), got {type(source).__name__} of shape {self.source.shape}, dtype "
                    f"{self.source.dtype}"
                )
            if self.source.dtype == np.uint8:
                raise TypeError(
                    "Minibatches: source must be scaled to the range of the generator, got bytes "
                    "(uint8, 0..255); for [-1, 1]: x.astype('float32') / 127.5 - 1"
                )
            if not len(self.source):
                raise ValueError("Minibatches: source has no samples")
        self._order = np.zeros(0, np.int64)  # indices of this epoch not yet dealt out

    def __repr__(self):
        source = self.source
        if isinstance(source, np.ndarray):
            source = shown(source)
        return f"Minibatches({source}, batch_size={self.batch_size})"

    def next(self) -> np.ndarray:
        """The next minibatch (batch_size, ...)."""
        if hasattr(self.source, "sample"):
            return self.source.sample(self.batch_size, self.rng)
        epochs = max(0, -(-(self.batch_size - len(self._order)) // len(self.source)))
        begun = [self.rng.permutation(len(self.source)) for _ in range(epochs)]
        self._order = np.concatenate([self._order, *begun])
        dealt, self._order = np.split(self._order, [self.batch_size])
        return self.source[dealt]

    @property
    def position(self) -> np.ndarray:
        """The indices not yet dealt out of this epoch: with rng's state, where the stream is."""
        return self._order

    @position.setter
    def position(self, indices: np.ndarray) -> None:
        self._order = indices


def _refuse_lookalikes(source):
    """One clear error for what people pass that is nearly an array of samples."""
    if isinstance(source, tuple) and any(isinstance(part, np.ndarray) for part in source):
        shapes = ", ".join(str(np.shape(part)) for part in source)
        raise TypeError(
            "Minibatches: source must be one array of samples, got a tuple of arrays of shapes "
            f"{shapes}; of (images, labels) pass the images alone (with labels: "
            "minigan.conditional.label)"
        )
    if hasattr(source, "iloc"):  # it has a .sample too, of another meaning
        raise TypeError(
            f"Minibatches: source must be an array, got a pandas {type(source).__name__}; pass "
            "its .to_numpy()"
        )
