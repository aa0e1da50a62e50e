"""What training near an equilibrium will do, from the eigenvalues of the game at hand.

Near an equilibrium a training step is a matrix M: z' - z* = M (z - z*). M follows from the Jacobian
J of the game's field (`spectrum`) and from the rule of the step (`dirac` derives each M). A mode of
M with eigenvalue mu = r e^(i phi) turns by phi radians and is multiplied by r in each step. So

    rotation = |arg mu|, radians per step          decay = -log |mu|, per step; negative: it grows
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import Series, checked, shown
from ..gan import GAN
from ..optim import SGD
from ..penalties import WeightClipping
from ..training.game_steps import ConsensusGAN, ExtragradientGAN, Lookahead, SimultaneousGAN
from ..training.optimistic import OptimisticSGD
from .dirac import Alternating, Extragradient, LookaheadRounds, Optimistic, Simultaneous
from .dirac.step_rules import Step
from .spectrum import Game

ZERO = 1e-7  # eigenvalues below this share of the largest count as zero: directions of no effect
RULES = {
    (GAN, SGD): Alternating,
    (SimultaneousGAN, SGD): Simultaneous,
    (ConsensusGAN, SGD): Simultaneous,
    (ExtragradientGAN, SGD): Extragradient,
    (SimultaneousGAN, OptimisticSGD): Optimistic,
}


@dataclass(frozen=True)
class Forecast:
    """The spectrum of a game and of its training step.

    Attributes
    ----------
    rule : the step rule, with its learning rate h
    game : the `spectrum.Game`
    jacobian : (P, P), of the field that is followed: consensus and two time scales are in it
    eigenvalues : complex, of J, those that are not zero
    matrix : M, (P, P), or (2 P, 2 P) for a rule that remembers a step
    """

    rule: Step
    game: Game
    jacobian: np.ndarray
    eigenvalues: np.ndarray
    matrix: np.ndarray

    @property
    def phase_factor(self) -> float:
        """max |Im lambda / Re lambda|: far above 1, the field turns more than it draws inwards."""
        with np.errstate(divide="ignore"):
            return float(np.max(np.abs(self.eigenvalues.imag) / np.abs(self.eigenvalues.real)))

    @property
    def conditioning(self) -> float:
        """max |lambda| / min |lambda|: the rate that suits the fastest mode leaves the slowest one
        that many times slower. Both must be small (Nie and Patel 2019, arXiv 1806.09235)."""
        sizes = np.abs(self.eigenvalues)
        return float(sizes.max() / sizes.min())

    def fastest(self) -> tuple[complex, np.ndarray]:
        """(mu, u): the mode of M that turns fastest, and its eigenvector, (size of M,).

        A rule that remembers a step also has modes that die out within a few steps: those with
        |mu| < 1/2 are left out.
        """
        mu, vectors = np.linalg.eig(self.matrix)
        chosen = np.argmax(np.where(np.abs(mu) < 0.5, 0, np.angle(mu)))
        return complex(mu[chosen]), vectors[:, chosen]

    def __str__(self) -> str:
        mu, _ = self.fastest()
        return (
            f"{self.rule}: the fastest mode turns by {abs(np.angle(mu)):.4f} rad and is multiplied "
            f"by {abs(mu):.5f} per step; phase factor {self.phase_factor:.3g}, conditioning "
            f"{self.conditioning:.3g}"
        )


@checked
def forecast(
    gan: GAN, real: npt.ArrayLike, noise: npt.ArrayLike, *, lookahead: Lookahead | None = None
) -> Forecast:
    """The forecast for `gan` where it stands, trained on one minibatch and noise.

    Parameters
    ----------
    gan : a `GAN`, or one of `minigan.game_steps`, with `SGD` without momentum (any of them) or
        `OptimisticSGD` (`SimultaneousGAN` only). The rates of the two players may differ. It should
        stand at an equilibrium: elsewhere M is that of the field's linear part only
    real, noise : (N, ...) and (M, latent)
    lookahead : the callback that it will be trained with; then M is that of a round of k steps

    Raises
    ------
    ValueError : for learning rates of 0, and for weights that are clipped, which is not in M
    TypeError : for an optimizer whose M is not written (Adam divides by its gradient's size, which
        is zero at an equilibrium: there is none), and for what `spectrum.Game` does not know
    """
    rule, scales = _rule(gan)
    if lookahead is not None:
        rule = LookaheadRounds(rule, every=lookahead.every, fraction=lookahead.fraction)
    game = Game(
        gan.generator, gan.discriminator, loss=gan.loss, real=real, noise=noise,
        penalties=gan.penalties,
    )  # fmt: skip
    jacobian = game.jacobian(game.start)
    if isinstance(gan, ConsensusGAN):
        jacobian = jacobian - gan.gamma * jacobian.T @ jacobian
    jacobian[: game.split] *= scales[0]
    jacobian[game.split :] *= scales[1]
    eigenvalues = np.linalg.eigvals(jacobian)
    eigenvalues = eigenvalues[np.abs(eigenvalues) > ZERO * np.abs(eigenvalues).max()]
    return Forecast(rule, game, jacobian, eigenvalues, rule.matrix(jacobian, game.split))


def _rule(gan: Any) -> tuple[Step, tuple[float, float]]:
    """The rule of a GAN's step with the larger learning rate, and each player's share of it."""
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    kinds = {type(optimizer) for optimizer in optimizers}
    rule = RULES.get((type(gan), kinds.pop())) if len(kinds) == 1 else None
    if rule is None or any(getattr(o, "momentum", 0) for o in optimizers):
        raise TypeError(
            f"forecast: the step of {type(gan).__name__} is not known with the optimizers "
            f"{shown(optimizers[0])} and {shown(optimizers[1])}; known are SGD without momentum, "
            "and OptimisticSGD in a SimultaneousGAN"
        )
    if any(isinstance(penalty, WeightClipping) for penalty in gan.penalties):
        raise ValueError(f"forecast: the step's M is not known with {list(gan.penalties)}")
    h = max(optimizer.lr for optimizer in optimizers)
    if not h:
        raise ValueError("forecast: a learning rate of gan must be > 0, got 0 for both players")
    return rule(h), (optimizers[0].lr / h, optimizers[1].lr / h)


@checked
def measured_multiplier(series: Series) -> complex:
    """mu of a turning mode, from one number per step: x_n = Re(a mu^n) for some a.

    Such a series obeys x_{n+1} = p x_n + q x_{n-1}, where mu^2 = p mu + q: p and q are fitted by
    least squares (Prony 1795), so no eigenvector is used. Of the two roots, the one with Im >= 0.

    Parameters
    ----------
    series : (n,), n >= 4
    """
    before = np.stack([series[1:-1], series[:-2]], axis=1)
    (p, q), *_ = np.linalg.lstsq(before, series[2:], rcond=None)
    roots = np.roots([1, -p, -q])
    return complex(roots[np.argmax(roots.imag)])
