"""The scores of real samples: of several independent pairs of sets, since they vary."""

from typing import NamedTuple

import numpy as np

import minigan as mg
from helpers import progress

PAIRS = 8


class Spread(NamedTuple):
    """The scores of several pairs of real sample sets."""

    values: list

    @property
    def mean(self):
        return float(np.mean(self.values))

    def __str__(self):
        return (
            f"{self.mean:.4f} on average over {len(self.values)} pairs "
            f"({min(self.values):.4f} to {max(self.values):.4f})"
        )


def spread(score, data, n, seed):
    """score(x, y) of PAIRS independent pairs of n samples of `data` each, as a Spread."""
    rng = np.random.default_rng(seed)
    pairs = progress.each(range(PAIRS), "scores between real samples", "pair")
    return Spread([score(data.sample(n, rng), data.sample(n, rng)) for _ in pairs])


def distances(data, n, seed):
    """The sliced Wasserstein distances between real samples."""
    return spread(mg.metrics.sliced_wasserstein, data, n, seed)
