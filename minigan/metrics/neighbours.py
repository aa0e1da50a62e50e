"""Precision, recall, density, coverage: the samples' support against the data's, by k-NN balls."""

from typing import NamedTuple

import numpy as np

from .._checks import Neighbours, OtherPoints, Points, checked
from ._distances import row_blocks, squared_distances


class NeighbourScores(NamedTuple):
    """What `precision_recall_density_coverage` found, in the order of its name."""

    precision: float
    recall: float
    density: float
    coverage: float

    def __str__(self):
        return (
            f"precision {self.precision:.3f}, recall {self.recall:.3f}, "
            f"density {self.density:.3f}, coverage {self.coverage:.3f}"
        )


@checked
@np.errstate(under="ignore")
def precision_recall_density_coverage(
    real: Points, fake: OtherPoints, k: Neighbours = 5
) -> NeighbourScores:
    """Fidelity and diversity of `fake`, from balls that reach to each point's k-th neighbour.

    The ball of a point has the distance to its k-th nearest neighbour within its own set for
    radius, the point itself not counted. Over n real points x_i and m fake points y_j:

        precision = share of the y_j that lie in some real ball                     in [0, 1]
        recall    = share of the x_i that lie in some fake ball                     in [0, 1]
        density   = (number of pairs with y_j in the ball of x_i) / (k m)           in [0, n/k]
        coverage  = share of the real balls with some y_j in them                   in [0, 1]

    An outlier among the reals has a huge ball, which flatters precision; density averages that
    out, and coverage, unlike recall, is not flattered by stray fakes. The ball of a point with k
    or more duplicates has radius 0: it holds the duplicates, but density does not count them.

    For two draws from one distribution, density is 1 on average and coverage
    1 - prod_{i=1..k} (n-i) / (n+m-i), near 1 - 2^-k when n = m; precision and recall have no such
    value: print what held-out data score.

    real: (n, d), fake: (m, d), features or points; n, m > k. k >= 1. The neighbours are exact;
    distances are taken a block at a time: time O((n + m)^2 d), memory O(n + m).
    Returns a `NeighbourScores`. Raises ValueError or TypeError, naming the argument.

    Kynkaanniemi et al. 2019 (precision, recall); Naeem et al. 2020 (density, coverage).
    """
    real_ball, fake_ball = _squared_radii(real, k), _squared_radii(fake, k)
    # A point on the rim is in the ball, but density counts the inside, as its authors' code does:
    # a set scored against itself then has density 1, not 1 + 1/k. The margin is for rounding.
    inside = real_ball * (1.0 - 1e-9)

    precise = pairs = 0
    recalled = np.zeros(len(real), dtype=bool)
    covered = np.zeros(len(real), dtype=bool)
    for block in row_blocks(len(fake), len(real)):
        squared = squared_distances(fake[block], real)  # (block, n)
        in_real_ball = squared <= real_ball
        precise += np.count_nonzero(in_real_ball.any(axis=1))
        covered |= in_real_ball.any(axis=0)
        recalled |= (squared <= fake_ball[block, None]).any(axis=0)
        pairs += np.count_nonzero(squared < inside)
    return NeighbourScores(
        precision=float(precise / len(fake)),
        recall=float(recalled.mean()),
        density=float(pairs / (k * len(fake))),
        coverage=float(covered.mean()),
    )


def _squared_radii(points, k):
    """Squared distance (n,) from each point to its k-th nearest neighbour, itself excluded."""
    radii = np.empty(len(points))
    for block in row_blocks(len(points), len(points)):
        squared = squared_distances(points[block], points)
        rows = np.arange(len(squared))
        squared[rows, block.start + rows] = np.inf  # itself: by index, for it may have a twin
        radii[block] = np.partition(squared, k - 1, axis=1)[:, k - 1]
    return radii
