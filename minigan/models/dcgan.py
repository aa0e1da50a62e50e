"""Networks of convolutions, for images of even sizes from 8 on and any number of channels."""

import math
from collections.abc import Sequence

from .. import _checks as checks
from .._checks import Count, CountOrZero, DType, EvenShape, Seed, Widths, checked
from .._random import random_generator
from ..layers import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    LeakyReLU,
    Linear,
    ReLU,
    Reshape,
    Tanh,
)
from ..layers.base import Layer
from ..network import Sequential
from .conditional_games import OneHot
from .mlp import mlp

MNIST_SHAPE = (28, 28, 1)
SMALLEST = 4  # pixels: a picture is halved while its shorter side is longer


@checked
def dcgan_generator(
    latent_dim: Count,
    *,
    shape: EvenShape = MNIST_SHAPE,
    categories: CountOrZero = 0,
    channels: Count = 64,
    convolutions: Count = 2,
    hidden: Widths = (),
    small_weights: bool = True,
    dtype: DType = "float32",
    rng: Seed = 0,
) -> Sequential:
    """DCGAN: noise (N, latent_dim) -> images (N, H, W, C) in [-1, 1].

    For 28 x 28 images a linear layer makes 7 x 7 pixels of 2 `channels`; two transposed
    convolutions double the size. With three `convolutions` it makes 4 x 4 pixels of 4 `channels`,
    and a third one makes them 7 x 7.

    Parameters
    ----------
    shape : (H, W, C) of the images, H and W even and at least 8
    categories : if not 0, the noise has this many values more, (N, latent_dim + categories), which
        become one choice among as many, of the same variance. Part of the noise is then discrete,
        so no digit need lie between a 4 and a 9 (see also `DiscreteNoise`). The choices are
        equally likely at first; the callback `stabilisers.LearnedPrior` learns their probabilities
    channels : of the images before the last convolution
    convolutions : from 1 to as many as bring the shorter side to 4 pixels: 3 for 28 x 28
    hidden : widths of linear layers, each with batch norm and ReLU, that transform the noise before
        the first feature map
    small_weights : weights start from N(0, 0.02^2), as in the paper; otherwise from the layers' own
        (He's) distribution, which is wider. Before batch norm the scale of the weights only sets
        the effective learning rate: smaller weights turn further per Adam step. With the wider
        ones G does not run ahead of D at first, and collapses less (`docs/digits_log.rst`)
    dtype, rng : as in `Sequential`

    References
    ----------
    Radford et al. (2016), "Unsupervised representation learning with DCGANs" (arXiv 1511.06434).
    """
    pictures = _halvings("dcgan_generator", shape, channels, convolutions)
    height, width, depth = pictures[-1]
    hidden = (latent_dim + categories, *hidden)
    layers: list[Layer] = []
    if categories:
        layers.append(OneHot(categories, scale=math.sqrt(categories), learned=True))
    for before, after in zip(hidden, hidden[1:]):
        layers += [Linear(before, after, bias=False), BatchNorm(after), ReLU()]
    layers += [
        Linear(hidden[-1], height * width * depth, bias=False),
        Reshape((height, width, depth)),
    ]
    for i in reversed(range(convolutions)):
        *sides, after = pictures[i]
        before = pictures[i + 1][2]
        layers += [
            BatchNorm(before),
            ReLU(),
            ConvTranspose2d(before, after, _kernel(sides), stride=2, padding=1, bias=i == 0),
        ]
    rng = random_generator(rng, "generator")
    network = Sequential([*layers, Tanh()], dtype=dtype, rng=rng)
    return with_small_weights(network) if small_weights else network


@checked
def dcgan_discriminator(
    *,
    shape: EvenShape = MNIST_SHAPE,
    channels: Count = 64,
    convolutions: Count = 2,
    batch_norm: bool = True,
    hidden: Widths = (),
    outputs: Count = 1,
    dtype: DType = "float32",
    rng: Seed = 1,
) -> Sequential:
    """The mirror image of the generator: images (N, H, W, C) -> (N, outputs).

    Parameters
    ----------
    batch_norm : after each convolution but the first, all weights from N(0, 0.02^2) as in the
        paper. Leave it out under a gradient penalty, which refuses it; then the layers' own (He's)
        first weights keep the size of the signal
    hidden : widths of linear layers between the convolutions and the logit. Without any, the logit
        is a sum over places: D sees whether strokes are good, but hardly whether they form a digit
    shape, channels, convolutions, dtype, rng : as in `dcgan_generator`
    """
    pictures = _halvings("dcgan_discriminator", shape, channels, convolutions)
    layers: list[Layer] = []
    for i, ((*sides, before), (_, _, after)) in enumerate(zip(pictures, pictures[1:])):
        normalised = batch_norm and i > 0
        kernel = _kernel(sides)
        layers.append(Conv2d(before, after, kernel, stride=2, padding=1, bias=not normalised))
        if normalised:
            layers.append(BatchNorm(after))
        layers.append(LeakyReLU(0.2))
    layers += [Flatten(), *mlp(math.prod(pictures[-1]), *hidden, outputs)]
    network = Sequential(layers, dtype=dtype, rng=random_generator(rng, "discriminator"))
    return with_small_weights(network) if batch_norm else network


def most_convolutions(shape: Sequence[int]) -> int:
    """How often images of this shape can be halved before their shorter side is 4 pixels."""
    return max(1, math.ceil(math.log2(min(shape[:2]) / SMALLEST)))


def _halvings(owner, shape, channels, convolutions):
    """The (H, W, C) of every picture, from the image down to the smallest."""
    checks.integer(1, most_convolutions(shape))(owner, "convolutions", convolutions)
    pictures = [shape]
    for i in range(convolutions):
        height, width, _ = pictures[-1]
        pictures.append(((height + 1) // 2, (width + 1) // 2, channels * 2**i))
    return pictures


def _kernel(sides):
    """The kernel of a convolution of stride 2 and padding 1 between pictures of these sides and of
    half of them, rounded up; the transposed one leads back to exactly these sides."""
    return tuple(3 if side % 2 else 4 for side in sides)


def with_small_weights(network: Sequential) -> Sequential:
    """The network, its weights drawn anew from N(0, 0.02^2)."""
    for name, value, _ in network.named_parameters():
        if name.endswith("weight"):
            value[...] = 0.02 * network.rng.standard_normal(value.shape)
    return network
