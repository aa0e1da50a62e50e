"""Minibatches: each sample of a data set once per epoch, in an order drawn anew for each epoch."""

import numpy as np

from .._checks import Count, Seed, Source, checked, shown
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
    def __init__(self, source: Source, batch_size: Count, *, rng: Seed = 0) -> None:
        self.batch_size = batch_size
        self.rng = random_generator(rng, "minibatches")
        self.source = source
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
