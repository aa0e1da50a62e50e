"""Sliced Wasserstein distance: optimal transport, exact along lines, averaged over directions."""

import numpy as np

from .._checks import AtLeastOne, Count, OtherPoints, Points, Seed, checked
from .._random import random_generator


@checked
@np.errstate(under="ignore")
def sliced_wasserstein(
    x: Points, y: OtherPoints, *, directions: Count = 128, p: AtLeastOne = 2, rng: Seed = 0
) -> float:
    """(mean over unit directions u of W_p(x.u, y.u)^p)^(1/p), in the units of the points.

    On a line the optimal plan keeps the order, so W_p is exact, from the quantile functions:

        W_p^p = integral over t in (0, 1) of |F^-1(t) - G^-1(t)|^p,    F, G those of x.u and y.u

    Both are steps, at multiples of 1/n and of 1/m, so the integral is a finite sum: for n = m,
    that of the sorted differences. Moving a set by t costs |t| / sqrt(d) at p = 2.

    x: (n, d), y: (m, d); the counts may differ. directions >= 1, drawn in orthogonal groups of
    d (less variance than independent ones, still uniform each). p >= 1. rng: a seed or a
    Generator; scores to be compared want the same seed, hence the same directions.
    Returns a float >= 0. Two samples of one distribution score above 0, by about n^-1/2: print
    what held-out data score. Raises ValueError or TypeError, naming the argument.

    Bonneel et al. 2015; Rowland et al. 2019 (orthogonal directions).
    """
    rng = random_generator(rng, "directions")  # not the numbers of data.sample(n, rng)
    # A joint shift changes nothing but the rounding, which grows with the distance from the origin.
    origin = y.mean(axis=0)
    x, y = x - origin, y - origin
    x_index, y_index, mass = _merged_quantiles(len(x), len(y))
    largest, costs = np.zeros(directions), np.zeros(directions)  # W_p^p = largest^p * cost
    for i, u in enumerate(_unit_directions(directions, x.shape[1], rng)):
        gaps = np.abs(np.sort(x @ u)[x_index] - np.sort(y @ u)[y_index])
        largest[i] = gaps.max()
        if largest[i] > 0.0:  # gaps^p itself could overflow, or round to 0
            costs[i] = mass @ (gaps / largest[i]) ** p
    scale = largest.max()
    if scale == 0.0:
        return 0.0
    return float(scale * np.mean((largest / scale) ** p * costs) ** (1.0 / p))


def _merged_quantiles(n, m):
    """The pieces on which both quantile functions are constant: ranks in each set, and lengths.

    In units of 1/nm the steps fall at multiples of m and of n: integers, hence exact.
    """
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    mass = np.diff(ends, prepend=0) / (n * m)
    return (ends - 1) // m, (ends - 1) // n, mass


def _unit_directions(count, d, rng):
    """Unit vectors (count, d): orthonormal groups, each from the QR of a Gaussian matrix."""
    size = min(count, d)
    groups = -(-count // size)
    q, _ = np.linalg.qr(rng.standard_normal((groups, d, size)))
    return q.transpose(0, 2, 1).reshape(-1, d)[:count]
