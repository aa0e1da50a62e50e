"""The pinwheel: Gaussian arms, twisted about the centre."""

import numpy as np

from .._checks import Count, Positive, checked
from .planar import PlanarDistribution, log_mean_exp


class Pinwheel(PlanarDistribution):
    """Gaussian arms set around a circle and twisted; see `pinwheel`."""

    def __init__(self, arms, radial_std, tangential_std, rate):
        self._angles = 2 * np.pi * np.arange(arms) / arms
        self._std = np.array([radial_std, tangential_std])
        self._rate = rate
        # The twist moves no point nearer or farther, so a disc holds the arms as it did before.
        reach = 1 + 5 * max(radial_std, tangential_std)
        self.extent = (-reach, reach, -reach, reach)

    def _describe(self):
        radial, tangential = self._std
        return (
            f"arms={len(self._angles)}, radial_std={radial:g}, tangential_std={tangential:g}, "
            f"rate={self._rate:g}"
        )

    def _twist(self, points):
        """The angle rate exp(|x|) by which a point is turned, (m, 2) -> (m,)."""
        # Held at the largest float: an infinite angle would have no cosine.
        with np.errstate(over="ignore"):
            angle = self._rate * np.exp(np.hypot(points[:, 0], points[:, 1]))
        return np.minimum(angle, np.finfo(np.float64).max)

    def _draw(self, n, rng):
        arm = rng.integers(len(self._angles), size=n)
        straight = rng.standard_normal((n, 2)) * self._std + [1, 0]
        return _rotate(straight, self._angles[arm] + self._twist(straight))

    def _log_density(self, points):
        exponents = np.empty((len(points), len(self._angles)))
        with np.errstate(over="ignore"):
            untwisted = _rotate(points, -self._twist(points))
            for j, angle in enumerate(self._angles):
                standard = (_rotate(untwisted, -angle) - [1, 0]) / self._std
                exponents[:, j] = -(standard**2).sum(axis=1) / 2
        return log_mean_exp(exponents) - np.log(2 * np.pi) - np.log(self._std).sum()


@checked
def pinwheel(
    arms: Count = 5,
    *,
    radial_std: Positive = 0.3,
    tangential_std: Positive = 0.1,
    rate: Positive = 0.25,
) -> Pinwheel:
    """Arms of Gaussians around a circle of radius 1, twisted more the farther out they reach.

    A point starts as u = (1 + radial_std e1, tangential_std e2) with e1, e2 standard normal, and
    is then turned about the origin:

        x = R(2 pi k / arms + rate exp(|u|)) u,    k uniform on 0 .. arms-1.

    A turn by an angle that depends on the radius alone keeps the radius, and so keeps areas: its
    Jacobian determinant is 1. Turning x back therefore gives the exact density,

        p(x) = (1/arms) sum_k N(R(-2 pi k / arms - rate exp(|x|)) x; (1, 0), diag(std^2)).

    In the original the angle depends on u_1 instead of |u|, which looks the same and has no such
    inverse.

    Args:
        arms: how many, 1 or more.
        radial_std: the length of an arm, as a standard deviation.
        tangential_std: its width.
        rate: the strength of the twist, above 0.

    Returns:
        A `Pinwheel`.

    Raises:
        ValueError, TypeError: an argument that is out of range or of the wrong kind.

    References:
        Johnson et al., "Composing graphical models with neural networks for structured
        representations and fast inference", 2016.
    """
    return Pinwheel(arms, radial_std, tangential_std, rate)


def _rotate(points, angle):
    """Turn points (m, 2) about the origin, anticlockwise, by an angle in radians: () or (m,)."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = points[:, 0], points[:, 1]
    return np.column_stack([cos * x - sin * y, sin * x + cos * y])
