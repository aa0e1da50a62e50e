"""The penalties: the points at which each takes grad_x D, and its function of that gradient."""

from typing import Any

import numpy as np

from .. import _checks as checks
from .._checks import CheckedConstructors, NotNegative
from .._random import random_generator
from ..layers.base import Array
from ..network import Sequential
from .second_order import check_critic, slopes


class _Penalty(CheckedConstructors):
    """R(theta) = a function of g_i = grad_x D(x_i), the x_i held; it is added to D's loss.

    D is penalised at its logit, never at a sigmoid of it, and in training mode. If D gives several
    values for a sample (see `minigan.auxiliary`), the first is the logit.
    """

    def accumulate(self, discriminator: Sequential, real: Array, fake: Array, rng: Any) -> float:
        """Adds dR/dtheta into D's grad; returns R as a float.

        real, fake : minibatches (N, ...);  rng : a numpy Generator or a seed, for what is drawn
        Raises TypeError or ValueError, with nothing changed, for a D that cannot be penalised
        (batch norm, by name) and for minibatches that do not fit it.
        """
        signals, caches = self._slopes(discriminator, real, fake, rng)  # forward, backward
        value, v = self.measure(signals[0])
        discriminator.curvature_along(signals, caches, v)  # forward with v, backward
        return value

    def value(self, discriminator: Sequential, real: Array, fake: Array, rng: Any) -> float:
        """R alone, with no gradients; draws from rng what `accumulate` draws."""
        signals, _ = self._slopes(discriminator, real, fake, rng)
        return self.measure(signals[0])[0]

    def check(self, discriminator: Sequential) -> None:
        """Raises TypeError or ValueError for a discriminator that cannot be penalised."""
        check_critic(type(self).__name__, discriminator)

    def after_step(self, discriminator: Sequential) -> None:
        """Called when D has moved: a penalty has nothing to do (weight clipping has)."""

    def _slopes(self, discriminator, real, fake, rng):
        """(signals, caches) of a backward pass of D from seed 1; signals[0] is grad_x D."""
        self.check(discriminator)
        rng = random_generator(checks.seed(type(self).__name__, "rng", rng))
        points = self.points(real, fake, rng)
        return slopes(discriminator, points.astype(discriminator.dtype, copy=False))

    def points(self, real: Array, fake: Array, rng: np.random.Generator) -> Array:
        """The x_i, (N, ...)."""
        raise NotImplementedError

    def measure(self, g: Array) -> tuple[float, Array]:
        """(R, dR/dg) from g (N, ...)."""
        raise NotImplementedError


class _ZeroCentred(_Penalty):
    """gamma / 2 mean_i |g_i|^2, so dR/dg_i = gamma / N g_i. gamma may be changed between steps.

    The simplest penalty that asks D to be flat where the samples are. With it training converges
    near the equilibrium, as it need not where D is asked for a slope of 1 (Mescheder et al. 2018).
    """

    def __init__(self, gamma: NotNegative) -> None:
        self.gamma = gamma

    def measure(self, g: Array) -> tuple[float, Array]:
        per_sample = self.gamma / len(g)
        return per_sample / 2 * float(np.sum(_squared_lengths(g))), per_sample * g

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.gamma:g})"


class R1(_ZeroCentred):
    """R = gamma / 2 mean_i |grad_x D(real_i)|^2   (Mescheder et al. 2018, sec. 4.1)

    gamma >= 0. Fakes are not looked at.
    """

    def points(self, real: Array, fake: Array, rng: np.random.Generator) -> Array:
        return checks.samples(self, "real", real)


class R2(_ZeroCentred):
    """R = gamma / 2 mean_i |grad_x D(fake_i)|^2   (Mescheder et al. 2018, sec. 4.1)

    gamma >= 0. The fakes are constants: nothing is added to the generator's gradient.
    """

    def points(self, real: Array, fake: Array, rng: np.random.Generator) -> Array:
        return checks.samples(self, "fake", fake)


class GradientPenalty(_Penalty):
    """R = weight mean_i (|g_i| - target)^2,  g_i = grad_x D(x_i)   (Gulrajani et al. 2017, eq. 3)

    x_i = e_i real_i + (1 - e_i) fake_i, one e_i ~ U(0, 1) per sample: a point on the line
    between the two. dR/dg_i = 2 weight / N (|g_i| - target) g_i / |g_i|, and 0 where g_i = 0,
    since |g| has no derivative there, and 0 is one of its subgradients.

    weight >= 0, target >= 0: 1 in the paper, 0 to ask for a flat D (Thanh-Tung et al. 2019).
    Raises ValueError if real and fake are not of one shape.
    """

    def __init__(self, weight: NotNegative, target: NotNegative = 1.0) -> None:
        self.weight, self.target = weight, target

    def points(self, real: Array, fake: Array, rng: np.random.Generator) -> Array:
        real, fake = checks.paired_samples(self, real, fake)
        mix = _uniform_per_sample(rng, real)
        return mix * real + (1 - mix) * fake

    def measure(self, g: Array) -> tuple[float, Array]:
        lengths = np.sqrt(_squared_lengths(g))
        excess = lengths - self.target
        unit = g / _broadcast(np.where(lengths == 0, 1, lengths), g)  # 0 where g = 0, not 0 / 0
        v = _broadcast(2 * self.weight / len(g) * excess, g) * unit
        return self.weight * float(np.mean(excess**2)), v.astype(g.dtype, copy=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight:g}, target={self.target:g})"


class Dragan(GradientPenalty):
    """R = weight mean_i (|grad_x D(x_i)| - 1)^2, x_i in the neighbourhood of the real samples.

    x_i = real_i + a_i (std / 2) u_i, with one a_i ~ U(0, 1) per sample, one u ~ U(0, 1) per value
    of each sample, and std the standard deviation of all values of the real minibatch together.

    The paper (Kodali et al. 2017) writes the noise as N(0, c I) and leaves c open; this is the form
    of the authors' published code, whose noise is one-sided. weight >= 0. Fakes are not looked at.
    """

    def __init__(self, weight: float) -> None:
        super().__init__(weight, target=1.0)

    def points(self, real: Array, fake: Array, rng: np.random.Generator) -> Array:
        real = checks.samples(self, "real", real)
        mix = _uniform_per_sample(rng, real)
        noise = rng.random(real.shape, np.float32)
        return real + mix * (real.std() / 2) * noise

    def __repr__(self) -> str:
        return f"Dragan({self.weight:g})"


def _uniform_per_sample(rng, x):
    """U(0, 1), shape (N, 1, ...): one number for all values of a sample, the same in any dtype."""
    return _broadcast(rng.random(len(x), np.float32).astype(x.dtype), x)


def _squared_lengths(g):
    """|g_i|^2 of every sample, (N,), summed in float64."""
    rows = g.reshape(len(g), -1).astype(np.float64, copy=False)
    return np.einsum("ij,ij->i", rows, rows)


def _broadcast(per_sample, x):
    """(N,) shaped (N, 1, ...), to go with x (N, ...)."""
    return per_sample.reshape(-1, *(1,) * (x.ndim - 1))
