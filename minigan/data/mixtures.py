"""Equal mixtures of round Gaussians: the ring and the grid on which mode collapse is counted."""

import numpy as np

from .._checks import Count, Positive, checked
from .planar import PlanarDistribution, log_mean_exp

# Rows of a (points, components) matrix of exponents that are worked on at once: about 8 MB.
_ENTRIES_AT_ONCE = 1 << 20


class RoundMixture(PlanarDistribution):
    """p(x) = (1/k) sum_j N(x; c_j, std^2 I), for k centres c_j.

    Args:
        centres: array of shape (k, 2).
        std: the standard deviation of each component along each axis.
    """

    def __init__(self, centres, std):
        self._centres = centres
        self.std = std
        left, bottom = centres.min(axis=0) - 5 * std
        right, top = centres.max(axis=0) + 5 * std
        self.extent = (float(left), float(right), float(bottom), float(top))

    def _describe(self):
        return f"{len(self._centres)} centres, std={self.std:g}"

    def _draw(self, n, rng):
        component = rng.integers(len(self._centres), size=n)
        return self._centres[component] + self.std * rng.standard_normal((n, 2))

    def _log_density(self, points):
        result = np.empty(len(points))
        step = max(1, _ENTRIES_AT_ONCE // len(self._centres))
        for start in range(0, len(points), step):
            rows = slice(start, start + step)
            result[rows] = log_mean_exp(self._exponents(points[rows]))
        return result - np.log(2 * np.pi) - 2 * np.log(self.std)  # std^2 may overflow, or be 0

    def _exponents(self, points):
        """-|x - c|^2 / (2 std^2) for each point and centre, (m, 2) -> (m, k)."""
        with np.errstate(over="ignore"):
            dx = (points[:, :1] - self._centres[:, 0]) / self.std
            dy = (points[:, 1:] - self._centres[:, 1]) / self.std
            return -(dx**2 + dy**2) / 2


class GaussianModes(RoundMixture):
    """A mixture whose components stand apart, so that its modes can be counted.

    Attributes:
        modes: the centres, shape (k, 2), float64.
        std: the standard deviation of each mode along each axis.
        extent: see `PlanarDistribution`.
    """

    @property
    def modes(self) -> np.ndarray:
        return self._centres.copy()

    def _describe(self):
        return f"{len(self._centres)} modes, std={self.std:g}"


@checked
def gaussian_ring(
    modes: Count = 8, *, radius: Positive = 1.0, std: Positive = 0.01
) -> GaussianModes:
    """Gaussians evenly spaced on a circle, each as likely as the others.

    Mode j stands at radius (cos(2 pi j / modes), sin(2 pi j / modes)), j = 0 .. modes-1. The
    defaults are those of VEEGAN and PacGAN, so that results compare.

    Args:
        modes: how many, 1 or more.
        radius: of the circle.
        std: of each mode, along each axis.

    Returns:
        A `GaussianModes`.

    Raises:
        ValueError, TypeError: an argument that is out of range or of the wrong kind.

    References:
        Srivastava et al., "VEEGAN", 2017; Lin et al., "PacGAN", 2018.
    """
    # arange, not linspace with its end included: that puts the last mode on top of the first.
    angle = 2 * np.pi * np.arange(modes) / modes
    return GaussianModes(radius * np.column_stack([np.cos(angle), np.sin(angle)]), std)


@checked
def gaussian_grid(
    side: Count = 5, *, spacing: Positive = 2.0, std: Positive = 0.05
) -> GaussianModes:
    """Gaussians on a square grid of side x side, centred at the origin, equally likely.

    The defaults (25 modes, coordinates -4, -2, 0, 2, 4) are those of VEEGAN and PacGAN.

    Args:
        side: modes along one side, 1 or more.
        spacing: distance between neighbours.
        std: of each mode, along each axis.

    Returns:
        A `GaussianModes`, whose modes run along x first, from the bottom row up.

    Raises:
        ValueError, TypeError: an argument that is out of range or of the wrong kind.

    References:
        Srivastava et al., "VEEGAN", 2017; Lin et al., "PacGAN", 2018.
    """
    ticks = spacing * (np.arange(side) - (side - 1) / 2)
    x, y = np.meshgrid(ticks, ticks)
    return GaussianModes(np.column_stack([x.ravel(), y.ravel()]), std)
