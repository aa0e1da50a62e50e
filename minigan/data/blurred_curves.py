"""Curves blurred by Gaussian noise: the swiss roll and the two moons, with exact densities.

A blurred curve has the density p(x) = integral over t of N(x; c(t), std^2 I), which has no closed
form. So the curve is laid out as many points, evenly in t and nowhere more than std apart, and the
distribution *is* the mixture around them: samples and density agree exactly, by definition.

It is also very nearly the continuous blur. Along the curve the two differ by the error of the
midpoint rule on a Gaussian, at most 2 exp(-2 pi^2) = 5e-9 of the density; only around a curve's
end does a term of second order remain, about |phi'(1)| / 24 = 1% of the density further in.
"""

import numpy as np

from .._checks import Blur, checked
from .mixtures import RoundMixture


class BlurredCurve(RoundMixture):
    """An equal mixture of round Gaussians along a curve, no more than std apart.

    Attributes:
        curve: the points of the curve, shape (k, 2), float64.
        std: the standard deviation of the blur along each axis.
        extent: see `PlanarDistribution`.
    """

    @property
    def curve(self) -> np.ndarray:
        return self._centres.copy()


@checked
def swiss_roll(*, std: Blur = 0.02) -> BlurredCurve:
    """A spiral of one and a half turns whose outer end has radius 1, blurred.

    c(t) = t (cos t, sin t) / (9 pi / 2), t uniform on [3 pi / 2, 9 pi / 2]: the swiss roll of
    manifold learning seen from its end, scaled to the unit disc.

    Args:
        std: of the blur along each axis, at least 0.001. The turns are 0.44 apart.

    Returns:
        A `BlurredCurve`.

    Raises:
        ValueError, TypeError: `std` is out of range or not a number.

    References:
        Tenenbaum et al., "A global geometric framework for nonlinear dimensionality reduction",
        2000; as GAN data, Gulrajani et al., "Improved training of Wasserstein GANs", 2017.
    """
    outer = 4.5 * np.pi
    # The speed |c'(t)| = sqrt(1 + t^2) / outer is largest at the outer end.
    t = _midpoints(1.5 * np.pi, outer, spacing=std * outer / np.hypot(1, outer))
    return BlurredCurve(np.column_stack([t * np.cos(t), t * np.sin(t)]) / outer, std)


@checked
def two_moons(*, std: Blur = 0.05) -> BlurredCurve:
    """Two interleaved half circles of radius 1, blurred, each as likely as the other.

    The upper moon is (cos t - 1/2, sin t - 1/4), the lower one the same turned by half a turn
    about the origin, t uniform on [0, pi]: scikit-learn's moons, centred.

    Args:
        std: of the blur along each axis, at least 0.001.

    Returns:
        A `BlurredCurve`.

    Raises:
        ValueError, TypeError: `std` is out of range or not a number.
    """
    t = _midpoints(0, np.pi, spacing=std)
    upper = np.column_stack([np.cos(t) - 0.5, np.sin(t) - 0.25])
    return BlurredCurve(np.concatenate([upper, -upper]), std)


def _midpoints(start, stop, *, spacing):
    """The middles of equal intervals that cover [start, stop], each at most `spacing` long."""
    count = int(np.ceil((stop - start) / spacing))
    return start + (np.arange(count) + 0.5) * (stop - start) / count
