"""A recipe for distributions on the plane, found by experiment.

    learned = minigan.recipes.learn(minigan.data.gaussian_grid(), rng=0)
    learned.sample(1000)

`RECIPE` is measured by `benchmarks/mode_coverage.py`, also with each of its parts left out. `PLAIN`
is the comparison: the non-saturating GAN (Goodfellow et al. 2014) with Adam, hidden layers of the
same sizes and the same number of steps, but without coins in the noise, Fourier features (so its
D's first layer is smaller), instance noise and penalties.
"""

from dataclasses import dataclass

import numpy as np

from .. import _checks as checks
from ..gan import GAN
from ..layers import FourierFeatures
from ..losses import NonSaturating, Relativistic
from ..network import Sequential
from ..optim import Adam
from ..penalties import R1, R2
from ..training.averaging import Average
from ..training.loop import History, train
from ..training.schedules import cosine
from ..training.stabilisers import Annealing, DiscreteNoise, InstanceNoise, WithInput
from . import mlp


@dataclass(frozen=True)
class Recipe:
    """The options of a GAN on the plane. Lengths are in standard deviations of the data."""

    loss: type = Relativistic
    steps: int = 12_000
    batch_size: int = 128
    hidden: tuple = (128, 128, 128)  # of both players, LeakyReLU
    latent_dim: int = 10
    signs: int = 8  # of the noise values, those that are coins: see `DiscreteNoise`
    frequencies: int = 64  # of the Fourier features beside D's input, N(0, 1) each; 0: none
    blurred: bool = True  # instance noise, annealed from `coarse` to `fine`
    penalised: bool = True  # R1 and R2, gamma = the blur's length
    coarse: float = 0.5
    fine: float = 0.006
    # rate, beta1, beta2, eps; the rate falls to 0. With the usual eps of 1e-8 Adam's steps keep
    # their size when gradients get small, and a game that has settled starts to oscillate again.
    adam: tuple = (1e-3, 0.0, 0.99, 1e-5)
    averaging: float = 0.999


RECIPE = Recipe()
PLAIN = Recipe(
    loss=NonSaturating, signs=0, frequencies=0, blurred=False, penalised=False,
    adam=(2e-4, 0.5, 0.999),
)  # fmt: skip


@dataclass(eq=False)
class Learned:
    """A trained GAN, its averaged generator, and the scale of the data."""

    gan: GAN
    average: Average
    annealing: Annealing
    unit: float  # the data's standard deviation: the networks see data / unit
    history: History | None = None  # once training has ended

    def sample(self, n):
        """n samples of the averaged generator, (n, 2), in the units of the data."""
        with np.errstate(under="ignore"):
            samples, _ = self.average.network.forward(self.gan.draw_noise(n), training=False)
            return samples * np.float32(self.unit)

    def logits(self, points):
        """D's logits at points (m, 2) in the units of the data, without instance noise: (m,)."""
        points = checks.as_array("logits: points", points)
        if points.dtype.kind not in "fiu":
            raise TypeError(f"logits: points must be numbers (m, 2), got dtype {points.dtype}")
        with np.errstate(under="ignore"):
            logits, _ = self.gan.discriminator.forward(points / self.unit, training=False)
        return logits[:, 0]


class InUnits:
    """A distribution whose samples are divided by a unit of length."""

    def __init__(self, distribution, unit):
        self.distribution, self.unit = distribution, np.float32(unit)

    def sample(self, n, rng):
        return self.distribution.sample(n, rng) / self.unit


def learn(
    distribution,
    *,
    recipe=RECIPE,
    rng=0,
    watch=None,
    progress=True,
    checkpoint=None,
    checkpoint_every=1000,
    resume=False,
    changes=(),
):
    """Trains by a recipe on a `minigan.data` distribution of the plane; returns the Learned.

    rng   : a seed
    watch : called after each step as watch(step, learned), step = 1, 2, ...
    checkpoint, checkpoint_every, resume : as in `minigan.train`
    changes : what may differ from the run in the checkpoint, as in `minigan.train`
    The unit of length is the standard deviation of 20,000 samples, over both coordinates: so the
    recipe does not depend on the scale of the data. After a Ctrl-C, .history.interrupted is True.
    """
    checks.part("learn", "distribution", distribution, "sample", checks.PLANE)
    checks.instance("learn", "recipe", recipe, Recipe)
    rng = checks.count("rng", rng, at_least=0)
    if watch is not None:
        checks.function("learn", "watch", watch)
    unit = float(distribution.sample(20_000, rng).std())
    first = [DiscreteNoise(recipe.signs)] if recipe.signs else []
    generator = Sequential(first + mlp(recipe.latent_dim, *recipe.hidden, 2), rng=(rng, 0))
    noise = InstanceNoise(recipe.coarse)
    first = [noise] if recipe.blurred else []
    first += [WithInput(FourierFeatures(2, recipe.frequencies))] if recipe.frequencies else []
    discriminator = Sequential(
        first + mlp(2 + 2 * recipe.frequencies, *recipe.hidden, 1), rng=(rng, 1)
    )
    penalties = (R1(1.0), R2(1.0)) if recipe.penalised else ()
    gan = GAN(
        generator,
        discriminator,
        latent_dim=recipe.latent_dim,
        loss=recipe.loss(),
        penalties=penalties,
        generator_optimizer=Adam(*recipe.adam),
        discriminator_optimizer=Adam(*recipe.adam),
        rng=(rng, 2),
    )
    average = Average(generator, recipe.averaging)
    annealing = Annealing(
        noise, penalties, coarse=recipe.coarse, fine=recipe.fine, steps=recipe.steps
    )
    learned = Learned(gan, average, annealing, unit)

    def after_step(step, gan, figures):
        annealing(step, gan, figures)
        if watch is not None:
            watch(step, learned)

    learned.history = train(
        gan,
        InUnits(distribution, unit),
        steps=recipe.steps,
        batch_size=recipe.batch_size,
        average=average,
        schedule=cosine(),
        callback=after_step,
        progress=progress,
        rng=(rng, 3),
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
        changes=changes,
    )
    return learned
