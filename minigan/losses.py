"""GAN losses: value and gradient with respect to the logits, for each player.

Every loss is a mean over the batch, and its gradient has the 1 / N in it, once:

    value, d_real, d_fake = loss.discriminator(real_logits, fake_logits)
    value, d_real, d_fake = loss.generator(real_logits, fake_logits)

with real_logits r and fake_logits f of shape (N,) or (N, 1), and gradients of the same shapes. Both
players minimise their value. The discriminator gives logits, never probabilities: log sigmoid(r) is
computed as -softplus(-r), which is exact at +-1000 where log(p + 1e-8) has long been flat.

The derivative that most of them use: softplus(z) = log(1 + exp z), so
softplus'(z) = exp z / (1 + exp z) = sigmoid(z), and that of softplus(-z) is -sigmoid(-z).

What they minimise. With densities p of real samples and q of fakes, L_D of `Minimax` is the
integral of p softplus(-D) + q softplus(D). Its derivative in D(x), -p sigmoid(-D) + q sigmoid(D),
is 0 where sigmoid(D) = p / (p + q): the optimal logit is D = log(p / q). There
L_D = 2 log 2 - 2 JS, so G, in the game of `Minimax`, minimises the Jensen-Shannon divergence
JS(p, q). `NonSaturating` has the same optimal D, and G's gradient is that of KL(q, p) - 2 JS. The
optimal D of `LeastSquares` gives p / (p + q) itself. That of `Hinge` is sign(p - q), where L_D is 2
minus the integral of |p - q|. `Wasserstein` estimates the distance W1, if D's slopes are at most 1.

The names that other texts use: `NonSaturating` is binary cross-entropy for D and cross-entropy for
G; `LeastSquares` is the mean squared error for both; `Wasserstein` is the critic's.

A loss of your own is an object with these two methods, and no more is needed:

    >>> class Linear:
    ...     def discriminator(self, real, fake):
    ...         ones = np.ones_like(real) / len(real)
    ...         return float(np.mean(fake) - np.mean(real)), -ones, ones
    ...
    ...     def generator(self, real, fake):
    ...         ones = np.ones_like(fake) / len(fake)
    ...         return float(-np.mean(fake)), 0 * ones, -ones
    >>> import minigan as mg
    >>> players = mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,))
    >>> gan = mg.GAN(*players, latent_dim=2, loss=Linear())

Two attributes may be added: `generator_sees_real = True` if L_G depends on the real logits, which
are then computed for it (else `generator` gets the fake ones in their place), and `width`, if D
gives more than one value for a sample. `Loss` has their defaults. minigan.gradcheck.check_loss
compares the gradients with finite differences.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _checks as checks
from . import backend
from .layers.activations import Array, sigmoid, softplus

Played = tuple[float, Array, Array]  # value, d_real, d_fake


class Loss(checks.CheckedConstructors):
    """What the losses of minigan share: their methods get logits that are checked, as floats."""

    generator_sees_real = False  # does L_G depend on the real logits?
    pairs = False  # are real and fake logits compared row by row?
    width = 1  # values that D gives for a sample: its logit, and what `minigan.auxiliary` adds

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in {"discriminator", "generator"} & vars(cls).keys():
            setattr(cls, name, _of_logits(vars(cls)[name]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _of_logits(method: Callable[..., Played]) -> Callable[..., Played]:
    """A method of a loss, called with checked logits. What is too small for a float becomes 0."""

    @functools.wraps(method)
    @np.errstate(under="ignore")
    def checked(self: Loss, real_logits: Any, fake_logits: Any) -> Played:
        compute = backend.loss(method) or method
        return compute(self, *checks.both_logits(self, real_logits, fake_logits))

    return checked


def sees_real(loss: Any) -> bool:
    """Whether L_G depends on the real logits."""
    return getattr(loss, "generator_sees_real", Loss.generator_sees_real)


def width(loss: Any) -> int:
    """How many values D gives for a sample."""
    return getattr(loss, "width", Loss.width)


class Minimax(Loss):
    """The game of Goodfellow et al. (2014), eq. 1: G minimises what D maximises.

    L_D = mean softplus(-r) + mean softplus(f)  dL_D/dr = -sigmoid(-r) / N, dL_D/df = sigmoid(f) / N
    L_G = -mean softplus(f)                     dL_G/df = -sigmoid(f) / N

    G's gradient vanishes where D is sure of a fake (f << 0): it saturates.
    """

    def discriminator(self, real: Array, fake: Array) -> Played:
        value = mean(softplus(-real)) + mean(softplus(fake))
        return value, -sigmoid(-real) / real.size, sigmoid(fake) / fake.size

    def generator(self, real: Array, fake: Array) -> Played:
        return -mean(softplus(fake)), np.zeros_like(real), -sigmoid(fake) / fake.size


class NonSaturating(Minimax):
    """Cross-entropy for both (Goodfellow et al. 2014, sec. 3): G wants its fakes called real.

    L_D as in Minimax
    L_G = mean softplus(-f)                        dL_G/df = -sigmoid(-f) / N

    Where D is sure of a fake (f << 0), G's gradient is at its largest, -1 / N.
    """

    def generator(self, real: Array, fake: Array) -> Played:
        return mean(softplus(-fake)), np.zeros_like(real), -sigmoid(-fake) / fake.size


class LeastSquares(Loss):
    """LSGAN (Mao et al. 2017): mean squared error against the targets 1 (real) and 0 (fake).

    L_D = mean (r - 1)^2 / 2 + mean f^2 / 2        dL_D/dr = (r - 1) / N,  dL_D/df = f / N
    L_G = mean (f - 1)^2 / 2                       dL_G/df = (f - 1) / N
    """

    def discriminator(self, real: Array, fake: Array) -> Played:
        value = mean((real - 1) ** 2) / 2 + mean(fake**2) / 2
        return value, (real - 1) / real.size, fake / fake.size

    def generator(self, real: Array, fake: Array) -> Played:
        return mean((fake - 1) ** 2) / 2, np.zeros_like(real), (fake - 1) / fake.size


class Wasserstein(Loss):
    """WGAN (Arjovsky et al. 2017): the critic's mean difference, an estimate of W1 when the critic
    is 1-Lipschitz (clip its weights, or add a penalty).

    L_D = mean f - mean r                          dL_D/dr = -1 / N,  dL_D/df = 1 / N
    L_G = -mean f                                  dL_G/df = -1 / N
    """

    def discriminator(self, real: Array, fake: Array) -> Played:
        value = mean(fake) - mean(real)
        return value, np.full_like(real, -1 / real.size), np.full_like(fake, 1 / fake.size)

    def generator(self, real: Array, fake: Array) -> Played:
        return -mean(fake), np.zeros_like(real), np.full_like(fake, -1 / fake.size)


class Hinge(Loss):
    """The hinge loss (Lim and Ye 2017; Miyato et al. 2018): D stops pushing past the margin.

    L_D = mean max(0, 1 - r) + mean max(0, 1 + f)  dL_D/dr = -[r < 1] / N,  dL_D/df = [f > -1] / N
    L_G = -mean f                                  dL_G/df = -1 / N
    """

    def discriminator(self, real: Array, fake: Array) -> Played:
        value = mean(np.maximum(0, 1 - real)) + mean(np.maximum(0, 1 + fake))
        d_real = -(real < 1).astype(real.dtype) / real.size
        d_fake = (fake > -1).astype(fake.dtype) / fake.size
        return value, d_real, d_fake

    generator = Wasserstein.generator


class Relativistic(Loss):
    """The relativistic pairing loss (Jolicoeur-Martineau 2018): each fake against one real.

    L_D = mean softplus(f - r)  dL_D/dr = -sigmoid(f - r) / N,  dL_D/df = sigmoid(f - r) / N
    L_G = mean softplus(r - f)  dL_G/dr = sigmoid(r - f) / N,   dL_G/df = -sigmoid(r - f) / N

    Pairs are rows, so the two batches must be of one size. G's loss depends on the real logits too,
    but G does not: only dL_G/df travels back into G.
    """

    generator_sees_real = pairs = True

    def discriminator(self, real: Array, fake: Array) -> Played:
        d_real = -sigmoid(fake - real) / real.size
        return mean(softplus(fake - real)), d_real, -d_real

    def generator(self, real: Array, fake: Array) -> Played:
        value, d_fake, d_real = self.discriminator(fake, real)  # the same game, roles exchanged
        return value, d_real, d_fake


def mean(values: Array) -> float:
    """The mean of all values, added up in float64."""
    return float(np.add.reduce(values, axis=None, dtype=np.float64)) / values.size
