"""Maximum mean discrepancy: two samples compared by their mean similarity within and across.

    MMD^2(P, Q) = E k(x, x') + E k(y, y') - 2 E k(x, y)        x, x' ~ P and y, y' ~ Q

The unbiased estimate leaves k(x_i, x_i) out of the means, so it is near 0, and as often below as
above, when P = Q. The kernel decides what is seen: Gaussian, for points whose distances mean
something; cubic, for a network's features (the kernel Inception distance, KID).
"""

import numpy as np

from .._checks import OtherTwoPoints, PositiveNumbers, TwoPoints, checked
from ._distances import row_blocks, squared_distances

OCTAVES = 2.0 ** np.arange(-2, 3)  # the default mixture: the median distance / 4, / 2, 1, x 2, x 4
LARGEST_FEATURE = 1e45  # its sixth power, summed over all pairs, is still a float64
MEDIAN_ROWS = 1000  # rows of each set that the median is taken over


@checked
@np.errstate(under="ignore")
def mmd(x: TwoPoints, y: OtherTwoPoints, *, bandwidths: PositiveNumbers | None = None) -> float:
    """Unbiased MMD^2 with the kernel k(a, b) = mean over s of exp(-|a - b|^2 / (2 s^2)).

    x: (n, d), y: (m, d), n, m >= 2. bandwidths: one s > 0 or several, in the units of the points.
    By default five: the median distance of the pooled sets (of at most 1,000 rows of each, evenly
    spaced) times 1/4, 1/2, 1, 2, 4. That default moves with y: scores to be compared, and
    details much finer than the median, such as the width of narrow modes, want bandwidths given.

    Returns a float, at most 2; negative values are noise about 0. Time O((n + m)^2 d), memory
    O(n + m). Raises ValueError or TypeError, naming the argument.

    Gretton et al. 2012, equation 3.
    """
    if bandwidths is None:
        bandwidths = _median_distance(x, y) * OCTAVES

    def gaussian(a, b):
        squared = squared_distances(a, b)
        with np.errstate(over="ignore"):  # far apart for a narrow kernel: exp(-inf)
            return sum(np.exp(-0.5 * (squared / s / s)) for s in bandwidths) / len(bandwidths)

    return _unbiased_mmd2(x, y, gaussian)


@checked
@np.errstate(under="ignore")
def kernel_distance(x: TwoPoints, y: OtherTwoPoints) -> float:
    """Kernel distance (KID): unbiased MMD^2 with the cubic kernel k(a, b) = (a.b / d + 1)^3.

    It compares means, covariances and third moments. Unlike the Frechet distance it is unbiased,
    so a thousand samples score the same on average as a million. The paper averages over
    subsets; all pairs at once, as here, estimate the same number with less noise.

    x: (n, d), y: (m, d) features, n, m >= 2. Returns a float; negative values are noise about 0.
    Not invariant to a shift or scale of the features: compare within one network's features.
    Features whose mean is far from 0 beside their spread lose digits, about 1e-16 (|mean|^2/d)^3.
    Time O((n + m)^2 d), memory O(n + m). Raises ValueError or TypeError, naming the argument.

    Binkowski et al. 2018, section 4.
    """
    largest = max(np.abs(x).max(), np.abs(y).max())
    if largest > LARGEST_FEATURE:
        raise ValueError(
            f"kernel_distance: x and y must be at most {LARGEST_FEATURE:g} in size, got "
            f"{largest:.3g}"
        )

    def cubic(a, b):
        base = a @ b.T / a.shape[1] + 1.0
        return base * base * base  # NumPy's ** 3 is the general power, and slower

    return _unbiased_mmd2(x, y, cubic)


def _unbiased_mmd2(x, y, kernel):
    n, m = len(x), len(y)
    within_x = _kernel_sum(x, x, kernel, skip_diagonal=True) / (n * (n - 1))
    within_y = _kernel_sum(y, y, kernel, skip_diagonal=True) / (m * (m - 1))
    across = _kernel_sum(x, y, kernel) / (n * m)
    return within_x + within_y - 2.0 * across


def _kernel_sum(x, y, kernel, *, skip_diagonal=False):
    total = 0.0
    for block in row_blocks(len(x), len(y)):
        similarity = kernel(x[block], y)  # (block, m)
        if skip_diagonal:
            rows = np.arange(len(similarity))
            similarity[rows, block.start + rows] = 0.0
        total += float(similarity.sum())
    return total


def _median_distance(x, y):
    pooled = np.concatenate([_evenly_spaced(x), _evenly_spaced(y)])
    pairs = np.triu_indices(len(pooled), k=1)
    median = float(np.median(np.sqrt(squared_distances(pooled, pooled)[pairs])))
    if median == 0.0:
        raise ValueError(
            "mmd: bandwidths must be given, because more than half of the pairs coincide, so the "
            "median distance is 0"
        )
    return median


def _evenly_spaced(points):
    rows = np.linspace(0, len(points) - 1, min(len(points), MEDIAN_ROWS)).round().astype(int)
    return points[rows]
