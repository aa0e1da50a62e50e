"""What every distribution on the plane offers: samples, and the exact density they have."""

import numpy as np

from .._checks import CountOrZero, DType, PlanePoints, Seed, checked
from .._random import random_generator


@checked
class PlanarDistribution:
    """A distribution of points (x, y) whose density is known exactly.

    With p known, the best discriminator against a generator of density q is known too,
    D*(x) = p(x) / (p(x) + q(x)), and what was learned can be laid beside it.

    A subclass says how to draw, `_draw(n, rng)` -> (n, 2), and what the logarithm of the
    density is, `_log_density(points)` -> (m,), both in float64; it sets `extent` and describes
    itself in a few words, `_describe()`.

    Attributes:
        extent: (left, right, bottom, top), a box that holds all but a negligible share of the
            mass; in the order that `matplotlib.pyplot.imshow` wants.
    """

    extent: tuple[float, float, float, float]

    def __repr__(self):
        extent = ", ".join(f"{side:.4g}" for side in self.extent)
        return f"{type(self).__name__}({self._describe()}, extent=({extent}))"

    def _draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError

    def _log_density(self, points: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    @np.errstate(under="ignore")
    def sample(self, n: CountOrZero, rng: Seed, *, dtype: DType = "float32") -> np.ndarray:
        """Draw n independent points.

        Args:
            n: how many, 0 or more.
            rng: a `numpy.random.Generator`, or an integer seed.
            dtype: float32 or float64. The draw is made in float64 and rounded at the end, so a
                seed gives the same points in both.

        Returns:
            Array of shape (n, 2).
        """
        return self._draw(n, random_generator(rng)).astype(dtype)

    @np.errstate(under="ignore")
    def log_density(self, points: PlanePoints) -> np.ndarray:
        """Natural logarithm of the density p(x, y), per unit of area.

        Args:
            points: array of shape (m, 2), finite.

        Returns:
            Array of shape (m,), float64. A mixture's stays finite where its density rounds to zero.
        """
        return self._log_density(points)

    def density(self, points: PlanePoints) -> np.ndarray:
        """Density p(x, y) per unit of area at points (m, 2); an array of shape (m,), float64."""
        with np.errstate(under="ignore"):  # far from the data 0 is the right answer
            return np.exp(self._log_density(points))


def log_mean_exp(exponents: np.ndarray) -> np.ndarray:
    """log((1/k) sum_j exp(e_j)) along the last axis, (..., k) -> (...), without underflow.

    The largest exponent is taken out first, so that at least one term is exp(0) = 1.
    """
    # An exponent can be -inf when a squared distance overflowed; -inf - -inf would be NaN.
    exponents = np.maximum(exponents, np.finfo(np.float64).min)
    largest = exponents.max(axis=-1, keepdims=True)
    return largest[..., 0] + np.log(np.exp(exponents - largest).mean(axis=-1))
