"""GANs for images, built from the names of a model, a loss and a penalty.

    game = minigan.image_recipes.game("dcgan", loss="hinge", penalty="spectral", rng=0)
    history = minigan.image_recipes.train(game, images, steps=20_000, rng=0)
    game.sample(100)

Images of even sizes from 8 on and any number of channels: `game(shape=(64, 64, 3))`; the sizes of
the networks are those found for 28 x 28, with as many convolutions more as the size takes.

Every loss can be combined with every penalty, good or bad; the optimizer's settings follow the
penalty's paper. The default is the recipe measured by `benchmarks/mnist_quality.py`:

    relativistic loss    D compares each fake with a real digit
    R1 and R2            keep D's gradient small at real digits and fakes, which allows a learning
                         rate of 1e-3; gamma falls from 5 to .2, or to .3 without categories
    a slower G           a DCGAN's G has half of D's rate, and its first weights are He's, wider
                         than the paper's: D then follows G's modes, and G keeps them (see
                         `docs/digits_log.rst`)
    hidden layers        fully connected ones, after D's convolutions and before G's: they see the
                         whole digit
    categories           part of the noise is discrete, so G need not interpolate between digits;
                         for images of one channel, and not for a hundred images: each category
                         would become one of them
    learned prior        with R1, categories that D judges to be more real become more likely, so
                         that each digit gets its share of the samples (`stabilisers.LearnedPrior`)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from .. import losses, models, penalties
from .._checks import Count, EvenShape, Functions, Seed, checked
from .._random import random_generator
from ..gan import GAN
from ..layers import SpectralNorm
from ..layers.augmentation import diff_augment
from ..layers.conditional import OneHot
from ..losses import Loss
from ..metrics.classifier import in_batches
from ..network import Sequential
from ..optim import Adam, RMSProp
from ..training import loop
from ..training.averaging import Average
from ..training.history import History
from ..training.learned_prior import LearnedPrior
from ..training.schedules import Schedule, cosine
from ..training.stabilisers import Annealing
from .dcgan import most_convolutions

# Why these numbers: the tables in `docs/digits_log.rst` say what was compared.
STEPS = 20_000  # 24 minutes of one core; 12,000 gave digits of a greater Frechet distance
BATCH = 64  # usual for DCGANs; no other was tried
LATENT = 128  # normal values of the noise, where it has no categories
# Categories, and normal values beside them: with fewer normal values digits vary less (recall),
# with more they are less confident
CATEGORIES, BESIDE = 64, 384
CHANNELS = 32  # of the DCGAN: half of the paper's, for speed
G_HIDDEN, D_HIDDEN = (256, 256), (256, 128)  # linear layers; the first ones helped most
RATE, DCGAN_G_RATE = 1e-3, 5e-4  # under R1; the linear G was worse with half of D's rate
COARSE = 5.0  # the first gamma of R1 and R2
RATES = cosine(final=0.1)
AVERAGING = 0.999  # decay of G's average: over about 1,000 steps

Model = Literal["dcgan", "residual", "mlp"]
LossName = Literal[
    "relativistic", "non-saturating", "minimax", "least-squares", "wasserstein", "hinge"
]
PenaltyName = Literal["r1-r2", "r1", "gradient", "dragan", "clipping", "spectral", "none"]
MODELS = get_args(Model)
LOSSES: dict[LossName, type[Loss]] = {
    "relativistic": losses.Relativistic,
    "non-saturating": losses.NonSaturating,
    "minimax": losses.Minimax,
    "least-squares": losses.LeastSquares,
    "wasserstein": losses.Wasserstein,
    "hinge": losses.Hinge,
}
PENALTIES: dict[PenaltyName, Callable[[], tuple[Any, ...]]] = {
    "r1-r2": lambda: (penalties.R1(COARSE), penalties.R2(COARSE)),
    "r1": lambda: (penalties.R1(COARSE),),
    "gradient": lambda: (penalties.GradientPenalty(10.0),),
    "dragan": lambda: (penalties.Dragan(10.0),),
    "clipping": lambda: (penalties.WeightClipping(0.01),),
    "spectral": lambda: (),  # a layer around each weight of D, not a term of its loss
    "none": lambda: (),
}


@dataclass(frozen=True)
class Course:
    """What changes in the course of a training."""

    fine: float = 0.3  # the last gamma of R1 and R2
    until: float = 0.8  # the part of the training after which gamma stays at `fine`
    rates: Schedule = RATES  # of the learning rates


# With categories gamma falls sooner: samples are then more confident and more varied at the end.
# The lower rates let G settle (see `docs/digits_log.rst`).
WITH_CATEGORIES = Course(fine=0.2, until=0.4, rates=cosine(final=0.03))


@dataclass(frozen=True, eq=False)
class ImageGame:
    """A GAN on images (N, H, W, C) in [-1, 1], and the running average of its G."""

    gan: GAN
    average: Average
    critic_steps: int  # of D for each of G
    course: Course

    def sample(self, n: int) -> np.ndarray:
        """n images of the averaged generator."""
        return in_batches(self.average.network, self.gan.draw_noise(n))

    def save(self, path: str | Path) -> None:
        """Writes the GAN, with the averaged generator for its G, to a file that `minigan.load`
        reads: its samples are those of `sample`."""
        self.gan.save(path, average=self.average)


@checked
def game(
    model: Model = "dcgan",
    *,
    loss: LossName = "relativistic",
    penalty: PenaltyName = "r1-r2",
    shape: EvenShape = (28, 28, 1),
    categories: bool = True,
    augment: bool = False,
    rng: Seed = 0,
) -> ImageGame:
    """The ImageGame of these names; its weights and random draws come from the seed `rng`.

    model    one of MODELS, pairs of `minigan.models`. Only the DCGAN without a penalty has batch
             norm in D, as in its paper: a penalty has to see each sample by itself
    loss     its name in LOSSES
    penalty  its name in PENALTIES
    shape    (H, W, C) of the images, H and W even and at least 8; for the residual pair they must
             be divisible by 4
    categories  part of G's noise is one of 64 choices; only the DCGAN has them, for images of one
             channel and with a penalty
    augment  D sees augmented images alone (`layers.augmentation`), for small sets of images whose
             ground is -1
    Raises ValueError for another shape, for a name that is none of them, and for the residual D
    with "spectral", whose norms would have to be inside its blocks.
    """
    if model == "residual" and penalty == "spectral":
        raise ValueError("game: spectral normalisation is for dcgan and mlp, got model 'residual'")
    # images of several channels can be of more than 64 kinds; each category would become one
    categories = categories and model == "dcgan" and penalty != "none" and shape[2] == 1
    generator, discriminator, latent_dim = _players(
        model,
        penalty,
        shape,
        categories,
        random_generator(rng, "generator"),
        random_generator(rng, "discriminator"),
    )
    if augment:
        layers, discriminator = discriminator.layers, None  # they leave their network
        augmentation = random_generator(rng, "augmentation")
        discriminator = Sequential([*diff_augment(fill=-1.0), *layers], rng=augmentation)
    optimizer, (g_rate, d_rate), critic_steps = _optimizers(model, penalty)
    gan = GAN(
        generator,
        discriminator,
        latent_dim=latent_dim,
        loss=LOSSES[loss](),
        penalties=PENALTIES[penalty](),
        generator_optimizer=optimizer(g_rate),
        discriminator_optimizer=optimizer(d_rate),
        rng=rng,
    )
    course = WITH_CATEGORIES if categories else Course()
    return ImageGame(gan, Average(generator, AVERAGING), critic_steps, course)


def _players(
    model: str,
    penalty: str,
    shape: tuple[int, int, int],
    categories: bool,
    g_rng: np.random.Generator,
    d_rng: np.random.Generator,
) -> tuple[Sequential, Sequential, int]:
    """(generator, discriminator, values of the noise) of a model, D as the penalty wants it."""
    choices, normal = (CATEGORIES, BESIDE) if categories else (0, LATENT)
    if model == "mlp":
        g = models.mlp_generator(LATENT, shape, hidden=(256, 512), tanh=True, rng=g_rng)
        d = models.mlp_discriminator(shape, hidden=(512, 256), rng=d_rng)
    elif model == "residual":
        g = models.residual_generator(LATENT, shape=shape, rng=g_rng)
        d = models.residual_discriminator(shape=shape, rng=d_rng)
    elif penalty == "none":
        sizes: dict[str, Any] = {"shape": shape, "channels": CHANNELS}
        sizes["convolutions"] = min(2, most_convolutions(shape))
        g = models.dcgan_generator(LATENT, **sizes, rng=g_rng)
        d = models.dcgan_discriminator(**sizes, rng=d_rng)
    else:
        sizes = {"shape": shape, "channels": CHANNELS, "convolutions": most_convolutions(shape)}
        g = models.dcgan_generator(
            normal,
            categories=choices,
            **sizes,
            hidden=G_HIDDEN,
            small_weights=False,
            rng=g_rng,
        )
        d = models.dcgan_discriminator(**sizes, hidden=D_HIDDEN, batch_norm=False, rng=d_rng)
    if penalty == "spectral":  # each weight divided by its norm (Miyato et al. 2018)
        layers, d = d.layers, None  # they leave their network
        d = Sequential([SpectralNorm(x) if x.params else x for x in layers], rng=d_rng)
    return g, d, choices + normal


def _optimizers(model, penalty):
    """(what makes an optimizer of a rate, the rates of G and D, D's steps for each of G's)."""
    if penalty == "clipping":  # Arjovsky et al. 2017
        return RMSProp, (5e-5, 5e-5), 5
    if penalty == "gradient":  # Gulrajani et al. 2017
        return partial(Adam, beta1=0.0, beta2=0.9), (1e-4, 1e-4), 5
    if penalty in ("r1", "r1-r2"):  # beta1, beta2: Huang et al. 2024
        g_rate = DCGAN_G_RATE if model == "dcgan" else RATE
        return partial(Adam, beta1=0.0, beta2=0.99), (g_rate, RATE), 1
    return partial(Adam, beta1=0.5, beta2=0.999), (2e-4, 2e-4), 1  # Radford et al. 2016


def _smoothing(game):
    """The penalties whose gamma falls."""
    return [p for p in game.gan.penalties if isinstance(p, penalties.R1 | penalties.R2)]


def _learned_prior(game):
    """The callback that learns the probabilities of G's categories, if it has any. Only with R1 or
    R2, which keep D's logits small; with other penalties they can be of any size."""
    first = game.gan.generator.layers[0]
    learned = isinstance(first, OneHot) and first.learned
    return [LearnedPrior()] if learned and _smoothing(game) else []


@checked
def annealing(game: ImageGame, steps: Count) -> Annealing:
    """The callback of `train` that lowers the gamma of R1 and R2, if any, from COARSE on."""
    fine, until = game.course.fine, game.course.until
    smoothing = _smoothing(game)
    return Annealing(None, smoothing, coarse=COARSE, fine=fine, steps=steps, until=until)


@checked
def train(
    game: ImageGame,
    images: npt.ArrayLike,
    *,
    steps: int,
    callback: Functions = None,
    rng: Seed = 0,
    **options: Any,
) -> History:
    """Trains a game by `minigan.train`, with a falling learning rate and, for R1 and R2, gamma.

    Parameters
    ----------
    rng : a Generator or a seed, for the minibatches
    callback : as in `minigan.train`
    options : of `minigan.train`: progress, checkpoint, checkpoint_every, resume, changes

    Returns the History; after a Ctrl-C, .interrupted is True.
    """
    return loop.train(
        game.gan,
        images,
        steps=steps,
        batch_size=BATCH,
        critic_steps=game.critic_steps,
        average=game.average,
        schedule=game.course.rates,
        callback=[annealing(game, steps), *_learned_prior(game), *callback],
        rng=rng,
        **options,
    )
