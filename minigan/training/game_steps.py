"""Steps made for games: both players at once, extragradient, consensus, lookahead, two time scales.

`GAN` moves D first and then G. Each class here is a GAN with another `train_step`, and `train`
takes it as it takes a GAN:

    SimultaneousGAN   both gradients are taken at one point, then both players move
    ExtragradientGAN  the players take a step, compute the gradients there, go back, and take
                      the step with *those* gradients
    ConsensusGAN      simultaneous, and both players also make the field of gradients smaller
    Lookahead         a callback: every k steps, both players go part of the way back
    OptimisticSGD     optimizers for any of these: see `training.optimistic`
    OptimisticAdam
    two_time_scales   optimizers with a faster D

What each does near an equilibrium is derived in `minigan.dirac`, and predicted for a GAN at hand by
`minigan.theory.forecast`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import Count, NotNegative, OptimizerClass, PositiveShare, checked, shown
from ..gan import GAN
from ..layers.base import Array
from ..layers.memory import read_only
from ..optim import Adam
from ..theory.spectrum import Game
from .optimistic import OptimisticAdam, OptimisticSGD

__all__ = [
    "ConsensusGAN", "ExtragradientGAN", "Lookahead", "OptimisticAdam", "OptimisticSGD",
    "SimultaneousGAN", "two_time_scales",
]  # fmt: skip

Figures = dict[str, float]


class SimultaneousGAN(GAN):
    """theta_G - h grad L_G, theta_D - h grad L_D, both gradients taken at (theta_G, theta_D)."""

    def train_step(self, real: ArrayLike) -> Figures:
        real = read_only(self.check_real(real))
        figures = self.both_gradients(real, self.noise_for(real))
        self.move_both(figures)
        return figures

    def noise_for(self, real: Array) -> Array:
        """A row of noise for each real sample."""
        return self.draw_noise(len(real))

    def generate_from(self, noise: Array) -> tuple[Array, Any]:
        """The fakes that G makes of this noise, and the cache of that pass."""
        return self.generator.forward(read_only(noise))

    def both_gradients(self, real: Array, noise: Array) -> Figures:
        """dL_D/dtheta_D in D's grad, dL_G/dtheta_G in G's; returns the figures of both."""
        fake, generated = self.generate_from(noise)
        figures = self.discriminator_gradient(real, fake)
        return figures | self.generator_gradient(real, fake, generated)

    def move_both(self, figures: Figures) -> None:
        self.move_discriminator(figures)
        self.move_generator(figures)


class ExtragradientGAN(SimultaneousGAN):
    """z_ahead = z - h g(z),  z' = z - h g(z_ahead),  z = (theta_G, theta_D).

    With Adam for both players this is extra-Adam: the moments take in both gradients (Gidel et al.
    2019, arXiv 1802.10551, algorithm 4). Both gradients are of the same minibatch and noise; the
    buffers (running statistics) move with the first alone. The figures are those at z.
    """

    def train_step(self, real: ArrayLike) -> Figures:
        real = read_only(self.check_real(real))
        noise = self.noise_for(real)
        G, D = self.generator, self.discriminator
        start = G.theta.copy(), D.theta.copy()
        figures = self.both_gradients(real, noise)
        self.move_both(figures)
        with G.held_buffers(), D.held_buffers():
            ahead = self.both_gradients(real, noise)
        G.theta, D.theta = start
        self.move_both(ahead)
        return figures


class ConsensusGAN(SimultaneousGAN):
    """Both players also go down gamma R,  R = |v|^2 / 2,  v = (grad L_G, grad L_D)

    grad R = J' v is exact, by one more forward and backward pass with directional derivatives for
    each player (Mescheder et al. 2017, arXiv 1705.10461): see `spectrum.Game`, which works in
    float64 and says which layers and losses it knows. Parameters as in `GAN`, and gamma >= 0.

    Raises TypeError for layers or losses whose second derivatives are not written, ValueError for
    penalties: their third derivatives are not.
    """

    @checked
    def __init__(self, *players: Any, gamma: NotNegative, **options: Any) -> None:
        super().__init__(*players, **options)
        self.gamma = gamma
        if self.penalties:
            raise ValueError(
                "ConsensusGAN: penalties must be empty, since their third derivatives are not "
                f"written, got {list(self.penalties)}"
            )
        zeros = np.zeros((1, *self.sample_shape)), np.zeros((1, self.latent_dim))
        self._game(*zeros)

    def _game(self, real, noise):
        return Game(self.generator, self.discriminator, loss=self.loss, real=real, noise=noise)

    def train_step(self, real: ArrayLike) -> Figures:
        real = read_only(self.check_real(real))
        noise = self.noise_for(real)
        figures = self.both_gradients(real, noise)
        game = self._game(real, noise)
        for_g, for_d = np.split(game.consensus_gradient(game.start), [game.split])
        self.generator.grad += self.gamma * for_g
        self.discriminator.grad += self.gamma * for_d
        self.move_both(figures)
        return figures


class Lookahead:
    """slow = slow + fraction (theta - slow), theta = slow, every k steps, for both players at once

    A callback of `minigan.train`. Steps that turn about an equilibrium are drawn inwards, because
    the middle of a chord is nearer to the centre (Chavdarova et al. 2021, arXiv 2006.14567). The
    optimizers keep their moments.

    Parameters
    ----------
    gan : the GAN that is trained; its parameters before the first step are the first slow ones
    every : k >= 1
    fraction : in (0, 1]; 1 changes nothing
    """

    @checked
    def __init__(self, gan: GAN, *, every: Count = 5, fraction: PositiveShare = 0.5) -> None:
        self.gan, self.every, self.fraction = gan, every, fraction
        self.begin()

    def begin(self) -> None:
        """Before a training: the slow parameters are those that the networks have."""
        players = self.gan.generator, self.gan.discriminator
        self.slow = [network.theta.copy() for network in players]

    def __call__(self, step: int, gan: GAN, figures: Figures) -> None:
        if gan is not self.gan:
            raise ValueError("Lookahead: gan must be the one it was made for; make one for each")
        if step % self.every == 0:
            for slow, network in zip(self.slow, (gan.generator, gan.discriminator)):
                slow += self.fraction * (network.theta - slow)
                network.theta = slow

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """(facts, arrays) for a checkpoint."""
        return {}, {"generator": self.slow[0], "discriminator": self.slow[1]}

    def restoring(self, facts: dict, read: Callable[..., Array]) -> Callable[[], None]:
        """A function that restores `state`; read(name, shape, dtype) returns its arrays."""
        names = ("generator", "discriminator")
        kept = [read(name, slow.shape, slow.dtype) for name, slow in zip(names, self.slow)]
        return lambda: setattr(self, "slow", [slow.copy() for slow in kept])


@checked
def two_time_scales(
    *, generator_lr: NotNegative = 1e-4, discriminator_lr: NotNegative = 4e-4,
    optimizer: OptimizerClass = Adam, **options: float,
) -> dict[str, Any]:  # fmt: skip
    """The two time-scale update rule (TTUR): optimizers of one kind, D's with a higher rate.

    With D fast enough, G sees a D that has nearly settled (Heusel et al. 2017, arXiv 1706.08500).
    The rates are those of the self-attention GAN. Use: GAN(G, D, latent_dim=8,
    **two_time_scales()).

    Parameters
    ----------
    generator_lr, discriminator_lr : >= 0
    optimizer : a class of `minigan.optim`, or an optimistic one
    options : of that class, such as beta1
    """
    if "lr" in options:
        raise TypeError(
            "two_time_scales: lr must be given as generator_lr and discriminator_lr, got "
            f"lr={shown(options['lr'])}"
        )
    return {
        "generator_optimizer": optimizer(lr=generator_lr, **options),
        "discriminator_optimizer": optimizer(lr=discriminator_lr, **options),
    }
