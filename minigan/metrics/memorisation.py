"""Does the generator copy its training images, and how many different ones does it make?

    nearest(samples, training)             the training images nearest to each sample, to look at
    copying(samples, training, held_out)   are samples nearer to the training set than new data are?
    birthday_support(samples, within)      how many different samples there are, from coincidences

All three measure distances between rows: raw pixels find copies, a judge's features find variants.
"""

import math
from typing import NamedTuple

import numpy as np

from .._checks import (
    NeighboursThere,
    OtherPoints,
    Points,
    Positive,
    PositiveShare,
    TwoPoints,
    checked,
)
from ._distances import row_blocks, squared_distances


@checked
def nearest(
    samples: Points, training: OtherPoints, k: NeighboursThere = 1
) -> tuple[np.ndarray, np.ndarray]:
    """(distances, indices): the k rows of `training` nearest to each sample, nearest first.

    Parameters
    ----------
    samples, training : (n, d) and (m, d), m >= k

    Returns
    -------
    distances, indices : (n, k) each; Euclidean
    """
    distances, indices = np.empty((len(samples), k)), np.empty((len(samples), k), np.int64)
    for block in row_blocks(len(samples), len(training)):
        squared = squared_distances(samples[block], training)
        some = np.argpartition(squared, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(squared, some, axis=1), axis=1)
        indices[block] = np.take_along_axis(some, order, axis=1)
        distances[block] = np.sqrt(np.take_along_axis(squared, indices[block], axis=1))
    return distances, indices


class Copying(NamedTuple):
    """What `copying` found."""

    share: float
    sample_distance: float
    held_out_distance: float

    def __str__(self) -> str:
        return (
            f"a sample is nearer to the training images than a held-out image in {self.share:.1%} "
            f"of pairs (50 %: no copying), median distance {self.sample_distance:.3g} against "
            f"{self.held_out_distance:.3g}"
        )


@checked
def copying(samples: Points, training: OtherPoints, held_out: OtherPoints) -> Copying:
    """P(d(sample) < d(held-out)),   d: the distance to the nearest training image

    Held-out images are new draws from the data, so their d is what an honest generator's samples
    would have: 1/2. Near 1, the samples are copies; below 1/2, they are farther from the data than
    the data are from each other. It is the Mann-Whitney statistic of the two sets of distances,
    ties counted half (Meehan et al. 2020, "A non-parametric test to detect data-copying").

    Parameters
    ----------
    samples, training, held_out : rows of one width
    """
    mine = nearest(samples, training)[0][:, 0]
    theirs = nearest(held_out, training)[0][:, 0]
    order = np.sort(theirs)
    farther = len(theirs) - np.searchsorted(order, mine, side="right")
    ties = np.searchsorted(order, mine, side="right") - np.searchsorted(order, mine, side="left")
    share = float(np.mean((farther + ties / 2) / len(theirs)))
    return Copying(share, float(np.median(mine)), float(np.median(theirs)))


class Support(NamedTuple):
    """What `birthday_support` found."""

    pairs: int
    collisions: int
    support: float
    lower: float

    def __str__(self) -> str:
        if not self.collisions:
            return f"no two alike in {self.pairs:,} pairs: a support of at least {self.lower:,.0f}"
        return (
            f"{self.collisions:,} of {self.pairs:,} pairs alike: a support of about "
            f"{self.support:,.0f} (at least {self.lower:,.0f})"
        )


@checked
def birthday_support(samples: TwoPoints, within: Positive) -> Support:
    """support = pairs / collisions,   a collision being a pair of samples at most `within` apart

    Of two draws from a uniform distribution over N things, both are the same with probability 1/N;
    for any other distribution over N things it is more, so this is a lower estimate of the number
    of things (Arora and Zhang 2018, arXiv 1706.08224, who look for the batch in which two are alike
    half of the time: that batch is about sqrt(1.4 N)). What counts as alike is up to `within`: use
    one value for samples and for real images, and compare. For an estimate above n^2 / 2 take more
    samples: there are no collisions to count.

    Parameters
    ----------
    samples : (n, d), n >= 2
    within : > 0, a distance

    Returns
    -------
    .lower is the 95 % lower bound, from the largest Poisson mean under which so few collisions
    would still be seen: collisions + 1.65 sqrt(collisions) + 3, roughly. Pairs that share a sample
    are not quite independent, so take it as a rough one.
    """
    close = 0
    for block in row_blocks(len(samples), len(samples)):
        squared = squared_distances(samples[block], samples)
        index = np.arange(block.start, block.stop)[:, None]
        close += int(
            np.count_nonzero((squared <= within * within) & (np.arange(len(samples)) > index))
        )
    pairs = len(samples) * (len(samples) - 1) // 2
    most = close + 1.65 * math.sqrt(close) + 3
    return Support(pairs, close, pairs / close if close else math.inf, pairs / most)


@checked
def alike_within(images: TwoPoints, share: PositiveShare = 0.01) -> float:
    """A distance for `birthday_support`, from real images (n, d): only `share` of them have another
    one that near."""
    return float(np.quantile(nearest(images, images, k=2)[0][:, 1], share))
