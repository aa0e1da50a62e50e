"""The game: a generator and a discriminator, and the two updates by which they learn.

One training step, as `GAN.train_step` performs it:

    1. take a real minibatch
    2. draw noise z
    3. generate: fake = G(z)
    4. judge both: logits = D(real), D(fake)
    5. update the discriminator, down its gradient of L_D
    6. update the generator, down the gradient of L_G that comes back *through* the discriminator
    7. repeat until converged (`minigan.training`)

The two gradients, with theta_D and theta_G the parameters:

    dL_D/dtheta_D = backward_params of D, from dL_D/dlogits    (G's samples are constants here)
    dL_G/dfake    = backward_input of D, from dL_G/dlogits     (nothing is added to D's grad)
    dL_G/dtheta_G = backward_params of G, from dL_G/dfake
"""

import copy
from typing import Any

import numpy as np

from . import _checks, _mistakes, backend, losses
from ._checks import (
    Count,
    DType,
    LossLike,
    OptimizerLike,
    Penalties,
    Seed,
    Shape,
    checked,
)
from ._random import random_generator
from .layers.base import Array
from .layers.memory import read_only
from .network import Sequential
from .optim import Adam

Figures = dict[str, float]  # what a step reports: losses, mean logits, gradient norms


@checked
class GAN:
    """A generator G and a discriminator D, their losses, penalties and optimizers.

    generator     : Sequential, noise (N, latent_dim) -> samples (N, ...)
    discriminator : Sequential, samples (N, ...) -> logits (N, 1), or more columns for a loss
                    of `minigan.auxiliary`
    latent_dim    : the number of noise values per sample; z ~ N(0, I)
    sample_shape  : the shape of one sample; None: it is found by a trial of both networks
    loss          : one of `minigan.losses`, or one of your own: see there
    penalties     : any of `minigan.penalties`, added to the discriminator's loss
    generator_optimizer, discriminator_optimizer
                  : one of `minigan.optim` for each; None: Adam(lr=2e-4, beta1=0.5)
    rng           : a numpy Generator or a seed: draws the noise, and the penalties' mixing weights

    Raises TypeError or ValueError at once if the two networks do not fit each other. Warns if D
    ends in a bounded activation while the loss expects logits, and, at the first step, if G ends in
    Tanh and the real images do not look like values in [-1, 1].
    """

    def __init__(
        self, generator: Sequential, discriminator: Sequential, *, latent_dim: Count,
        sample_shape: Shape | None = None, loss: LossLike | None = None, penalties: Penalties = (),
        generator_optimizer: OptimizerLike | None = None,
        discriminator_optimizer: OptimizerLike | None = None, rng: Seed = 0,
    ) -> None:  # fmt: skip
        self.generator, self.discriminator = generator, discriminator
        self.latent_dim, self.penalties = latent_dim, penalties
        self.loss = loss or losses.NonSaturating()
        self.generator_optimizer = generator_optimizer or Adam()
        self.discriminator_optimizer = discriminator_optimizer or Adam()
        self.rng = random_generator(rng, "noise")
        _mistakes.check_parts(self)
        self.sample_shape = sample_shape or _mistakes.try_out(self)
        self._warned_of_range = False

    # -- the seven steps -----------------------------------------------------------------------

    def train_step(self, real: Any) -> Figures:
        """Both updates, for one minibatch of real samples (N, ...): steps 1 to 6.

        Returns the figures of both as a dict of floats. Raises ValueError or TypeError, with
        nothing changed, for a minibatch of the wrong shape or with values that are not finite.
        """
        real = read_only(self.check_real(real))  # 1
        fake, generated = self.generate(len(real))  # 2, 3
        figures = self.discriminator_gradient(real, fake)  # 4
        self.move_discriminator(figures)  # 5
        figures |= self.generator_gradient(real, fake, generated)  # 6
        self.move_generator(figures)
        return figures

    def discriminator_step(self, real: Any) -> Figures:
        """The discriminator's update alone, on fakes of its own: steps 1 to 5."""
        real = read_only(self.check_real(real))
        figures = self.discriminator_gradient(real, self.generate(len(real))[0])
        self.move_discriminator(figures)
        return figures

    def generator_step(self, real: Any) -> Figures:
        """The generator's update alone: steps 1 to 4, and 6. (Only a loss with
        `generator_sees_real` uses the real samples; for the others their number matters.)"""
        real = read_only(self.check_real(real))
        figures = self.generator_gradient(real, *self.generate(len(real)))
        self.move_generator(figures)
        return figures

    def generate(self, n: int) -> tuple[Array, Any]:
        """2. n draws of noise.  3. the fakes that G makes of them, and the cache of that pass."""
        return self.generator.forward(read_only(self.draw_noise(n)))

    def discriminator_gradient(self, real: Array, fake: Array) -> Figures:
        """4. dL_D/dtheta_D in D's grad, penalties included. G's samples are constants here."""
        judge = backend.step(self)  # the compiled `judge`, which may write over the old gradients
        self.discriminator.zero_grad(lazy=judge is not None)
        loss, penalty, real_logits, fake_logits = (judge or self.judge)(real, fake)
        return {
            "discriminator_loss": loss,
            "penalty": float(penalty),
            "real_logit": losses.mean(real_logits[:, 0]),
            "fake_logit": losses.mean(fake_logits[:, 0]),
            "discriminator_gradient_norm": backend.norm(self.discriminator.grad),
        }

    def judge(self, real: Array, fake: Array) -> tuple[float, float, Array, Array]:
        """D judges both minibatches, and its gradient comes back along both passes."""
        D = self.discriminator
        real_logits, on_real = D.forward(real)
        fake_logits, on_fake = D.forward(fake)
        loss, d_real, d_fake = self.loss.discriminator(real_logits, fake_logits)
        D.backward_params(d_real, on_real)
        D.backward_params(d_fake, on_fake)
        penalty = sum(p.accumulate(D, real, fake, self.rng) for p in self.penalties)
        return loss, penalty, real_logits, fake_logits

    def generator_gradient(self, real: Array, fake: Array, generated: Any) -> Figures:
        """6. dL_G/dtheta_G in G's grad: it comes back through D, whose own grad and buffers stay
        as they are. The fakes are judged anew, since D has moved."""
        G, D = self.generator, self.discriminator
        with D.held_buffers():
            fake_logits, judged = D.forward(fake)
            real_logits = D.forward(real)[0] if losses.sees_real(self.loss) else fake_logits
        loss, _, d_fake = self.loss.generator(real_logits, fake_logits)
        d_samples = D.backward_input(d_fake, judged)
        G.zero_grad(lazy=True)  # nobody looks at G's gradients before the next line adds them
        G.backward_params(d_samples, generated)
        return {"generator_loss": loss, "generator_gradient_norm": backend.norm(G.grad)}

    def move_discriminator(self, figures: Figures) -> None:
        """5. One step of D's optimizer, unless a figure is not finite."""
        _mistakes.check_finite(figures)
        D = self.discriminator
        returned = self.discriminator_optimizer.step(D.theta, D.grad)
        _mistakes.check_in_place("discriminator_optimizer", returned, D.theta)
        for penalty in self.penalties:
            penalty.after_step(D)

    def move_generator(self, figures: Figures) -> None:
        """One step of G's optimizer, unless a figure is not finite."""
        _mistakes.check_finite(figures)
        G = self.generator
        returned = self.generator_optimizer.step(G.theta, G.grad)
        _mistakes.check_in_place("generator_optimizer", returned, G.theta)

    # -- what the steps use --------------------------------------------------------------------

    def check_real(self, real: Any) -> Array:
        """A minibatch as an array of the networks' dtype; ValueError or TypeError if unfit."""
        return _mistakes.check_real(self, real)

    def draw_noise(self, n: int) -> Array:
        """z ~ N(0, I), shape (n, latent_dim): the same numbers whatever the networks' dtype."""
        n = _checks.at_least_zero("GAN.draw_noise", "n", n)
        drawn = self.rng.standard_normal((n, self.latent_dim), np.float32)
        return drawn.astype(self.generator.dtype)

    def sample(self, n: Count) -> Array:
        """n samples of the generator in evaluation mode, shape (n, ...)."""
        # a copy, to which the caller may write
        return self.generator.forward(self.draw_noise(n), training=False)[0].copy()

    def copy(self, dtype: DType | None = None) -> "GAN":
        """An independent GAN in the same state, networks and moments in another dtype if given.

        Random numbers are drawn in float32 for any dtype, so that a copy in float64 makes the same
        next steps, to more digits.
        """
        twin = copy.deepcopy(self)
        for player in () if dtype is None else ("generator", "discriminator"):
            setattr(twin, player, getattr(twin, player).copy(dtype))
            optimizer = getattr(twin, f"{player}_optimizer")
            # made at its first step; an optimizer of one's own may have none
            for name in (n for n in getattr(optimizer, "moments", ()) if hasattr(optimizer, n)):
                setattr(optimizer, name, getattr(optimizer, name).astype(dtype))
        return twin

    def save(self, path: Any, *, average: Any = None) -> None:
        """Writes the GAN to a file that `minigan.load` reads; its optimizers are left out.

        average : a `minigan.Average` of G, whose network is written in the place of G
        Raises as `Sequential.save` does.
        """
        from .models.saved import save_gan  # which imports this module

        save_gan(self, path, average)

    @property
    def rngs(self) -> tuple[np.random.Generator, ...]:
        """The random generators that a step draws from: its own, and those of both networks."""
        return self.rng, self.generator.rng, self.discriminator.rng

    def __repr__(self) -> str:
        G, D = self.generator.theta.size, self.discriminator.theta.size
        return (
            f"{type(self).__name__}({self.latent_dim} noise values -> samples {self.sample_shape}, "
            f"{self.loss!r}, penalties {list(self.penalties)}, G: {G:,} parameters, "
            f"{self.generator_optimizer!r}, D: {D:,} parameters, {self.discriminator_optimizer!r})"
        )
