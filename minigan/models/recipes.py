"""A recipe for distributions on the plane, found by experiment.

    learned = minigan.recipes.train(minigan.data.gaussian_grid(), rng=0)
    learned.sample(1000)

`benchmarks/mode_coverage.py` measures `RECIPE`, also with each of its parts left out. `PLAIN` is
for comparison: the non-saturating GAN (Goodfellow et al. 2014) with Adam, the same hidden layers
and the same number of steps, but without coins in the noise, Fourier features (so D's first layer
is smaller) and penalties.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .. import _checks as checks
from .._checks import Count, FilePath, Functions, Planar, Seed, checked
from .._random import random_generator
from ..gan import GAN
from ..layers import FourierFeatures, Rescale
from ..losses import NonSaturating, Relativistic
from ..network import Sequential
from ..optim import Adam
from ..penalties import R1, R2
from ..training import loop
from ..training.averaging import Average
from ..training.history import History
from ..training.schedules import exponential
from ..training.stabilisers import Annealing, DiscreteNoise, WithInput
from . import mlp


@dataclass(frozen=True)
class Recipe:
    """The options of a GAN on the plane. Lengths are in standard deviations of the data."""

    loss: type = Relativistic
    steps: int = 22_000
    batch_size: int = 256  # with 128 the modes' shares of the samples are less equal
    hidden: tuple[int, ...] = (128, 128, 128)  # of both players, LeakyReLU
    # Four normal values beside the coins: with two, modes came out narrow along an axis.
    latent_dim: int = 14
    # How many noise values are coins: see `DiscreteNoise`. A mode gets about a whole number of the
    # 2^signs parts of the noise; they are many, so that shares can be equal for any few modes.
    signs: int = 10
    # Fourier features beside D's input, 0: none. Their frequencies are from N(0, f^2), with another
    # f for each, in equal ratios over the range: from one period over all of the data, to see how
    # many samples are where, to one over the width of a small mode, to see that width.
    frequencies: int = 64
    frequency_range: tuple[float, float] = (0.25, 16.0)
    blurred: bool = True  # the features, from the length `coarse` to `fine`
    penalised: bool = True  # R1 and R2, gamma from `coarse_gamma` to `fine`
    coarse: float = 0.5
    # While the blur falls from .3 to .1, each part of the noise settles in one mode; after that the
    # shares no longer change. A strong penalty and a slow fall at first (`power`, see `Annealing`)
    # let G equalise them in time: they then differ by 3%, not by 4 to 8%.
    coarse_gamma: float = 1.5
    power: float = 2.0
    # The last blur and the last gamma. As a blur, far below the width of the grid's modes, .018. As
    # a gamma: for a wave of wave number k in D, R1 and R2 are about 4 gamma k^2 times as strong as
    # the loss: 25 times for the waves that tell a wide mode from a narrow one (k = 1.4 / width),
    # and 150 times at .006, an earlier value.
    fine: float = 0.001
    # The part of the training after which blur and gamma stay at `fine`. Only then does D see the
    # modes' widths, so the learning rate must not be too small yet.
    until: float = 0.65
    # rate, beta1, beta2, eps. With the usual eps of 1e-8 Adam's steps keep their size when
    # gradients get small, and a game that has settled starts to oscillate again.
    adam: tuple[float, ...] = (1e-3, 0.0, 0.99, 1e-5)
    d_rate: float = 2.0  # D's learning rate, over G's: D follows G's samples more closely
    # The last rate, over the first; it falls in equal ratios. At a high rate the modes of G move to
    # and fro by a part of their width, which makes them narrower; at a low one, samples between the
    # modes stay there.
    slowest: float = 0.01
    # Over about 10 steps: both players still move at the end, and the average of many maps of the
    # noise has narrower modes than each of them.
    averaging: float = 0.9


RECIPE = Recipe()
PLAIN = Recipe(
    loss=NonSaturating, signs=0, frequencies=0, blurred=False, penalised=False,
    adam=(2e-4, 0.5, 0.999), d_rate=1.0,
)  # fmt: skip


@dataclass(eq=False)
class Learned:
    """A trained GAN, its averaged generator, and the scale of the data."""

    gan: GAN
    average: Average
    unit: float  # the data's standard deviation: the networks see data / unit
    history: History

    def sample(self, n: int) -> np.ndarray:
        """n samples of the averaged generator, (n, 2), in the units of the data."""
        with np.errstate(under="ignore"):
            samples, _ = self.average.network.forward(self.gan.draw_noise(n), training=False)
            return samples * np.float32(self.unit)

    def logits(self, points: np.ndarray) -> np.ndarray:
        """D's logits at points (m, 2) in the units of the data: (m,)."""
        points = checks.numbers("logits", "points", points)
        with np.errstate(under="ignore"):
            logits, _ = self.gan.discriminator.forward(points / self.unit, training=False)
        return logits[:, 0]

    def save(self, path: str | Path) -> None:
        """Writes a GAN to a file that `minigan.load` reads: the averaged generator and D, both in
        the units of the data, so that its samples are those of `sample`; without penalties, whose
        gammas are for the units of the training."""
        generator = Sequential([self.average.network.copy(), Rescale(self.unit)])
        discriminator = Sequential([Rescale(1 / self.unit), self.gan.discriminator.copy()])
        generator.rng, discriminator.rng = self.gan.generator.rng, self.gan.discriminator.rng
        whole = GAN(
            generator,
            discriminator,
            latent_dim=self.gan.latent_dim,
            loss=self.gan.loss,
            rng=self.gan.rng,
        )
        whole.save(path)


class Scaled:
    """A distribution whose samples are divided by a unit of length."""

    def __init__(self, distribution: Any, unit: float) -> None:
        self.distribution, self.unit = distribution, np.float32(unit)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.distribution.sample(n, rng) / self.unit


@checked
def train(
    distribution: Planar,
    *,
    recipe: Recipe = RECIPE,
    callback: Functions = None,
    progress: bool = True,
    rng: Seed = 0,
    checkpoint: FilePath | None = None,
    checkpoint_every: Count = 1000,
    resume: bool = False,
    changes: Sequence[str] = (),
) -> Learned:
    """Trains a GAN by a recipe on a distribution of the plane, such as those of `minigan.data`.

    The unit of length is the standard deviation of 20,000 samples over both coordinates, so the
    recipe does not depend on the scale of the data. After a Ctrl-C, .history.interrupted is True.

    Parameters
    ----------
    rng : a Generator, or a seed from which the data, both networks, the noise and the minibatches
        get independent streams
    callback, progress, checkpoint, checkpoint_every, resume, changes : as in `minigan.train`
    """
    unit = float(distribution.sample(20_000, random_generator(rng, "scale")).std())
    first: list = [DiscreteNoise(recipe.signs)] if recipe.signs else []
    generator = Sequential(
        first + mlp(recipe.latent_dim, *recipe.hidden, 2),
        rng=random_generator(rng, "generator"),
    )
    features = FourierFeatures(2, recipe.frequencies) if recipe.frequencies else None
    discriminator = Sequential(
        ([WithInput(features)] if features else [])
        + mlp(2 + 2 * recipe.frequencies, *recipe.hidden, 1),
        rng=random_generator(rng, "discriminator"),
    )
    if features:
        scales = np.geomspace(*recipe.frequency_range, recipe.frequencies)
        features.buffers["frequencies"] *= scales
    penalties = (R1(1.0), R2(1.0)) if recipe.penalised else ()
    rate, *moments = recipe.adam
    gan = GAN(
        generator,
        discriminator,
        latent_dim=recipe.latent_dim,
        loss=recipe.loss(),
        penalties=penalties,
        generator_optimizer=Adam(rate, *moments),
        discriminator_optimizer=Adam(rate * recipe.d_rate, *moments),
        rng=rng,
    )
    average = Average(generator, recipe.averaging)
    annealing = partial(
        Annealing,
        fine=recipe.fine,
        steps=recipe.steps,
        until=recipe.until,
        power=recipe.power,
    )
    blur = annealing(features if recipe.blurred else None, coarse=recipe.coarse)
    gamma = annealing(None, penalties, coarse=recipe.coarse_gamma)
    history = loop.train(
        gan,
        Scaled(distribution, unit),
        steps=recipe.steps,
        batch_size=recipe.batch_size,
        average=average,
        schedule=exponential(final=recipe.slowest),
        callback=[blur, gamma, *callback],
        progress=progress,
        rng=rng,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
        changes=changes,
    )
    return Learned(gan, average, unit, history)
