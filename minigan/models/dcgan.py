"""Networks of convolutions, for images of any even size and any number of channels."""

import math

from .._old_checks import count, generator, sizes
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
from ..network import Sequential
from .conditional_games import OneHot
from .mlp import mlp

MNIST_SHAPE = (28, 28, 1)
SMALLEST = 4  # pixels: a picture is halved while its shorter side is longer


def dcgan_generator(
    latent_dim, *, shape=MNIST_SHAPE, categories=0, channels=64, convolutions=2, hidden=(),
    dtype="float32", rng=0,
):  # fmt: skip
    """DCGAN (Radford et al. 2016): noise (N, latent_dim) -> images (N, H, W, C) in [-1, 1].

    For 28 x 28 images a linear layer makes 7 x 7 pixels of 2 `channels`; two transposed
    convolutions double the size. With three `convolutions` it makes 4 x 4 pixels of 4 `channels`,
    and they become 7 x 7 first.
    Weights start from N(0, 0.02^2), as in the paper. Batch norm makes of their scale a rate: the
    smaller the weights, the more one step of Adam turns them.

    categories   : where not 0, so many values more of the noise, (N, latent_dim + categories) in
                   all, become one choice among as many, of the same variance. The noise is then in
                   pieces, and no digit need lie between a 4 and a 9 (see also `DiscreteNoise`).
    shape        : (H, W, C) of the images, H and W even and at least 8
    convolutions : from 1 to as many as bring the shorter side to 4 pixels: 3 for 28 x 28
    hidden       : units of the linear layers between the noise and the first pixels, each with
                   batch norm and ReLU: there the noise is bent before anything is drawn
    """
    pictures = _halvings("dcgan_generator", shape, channels, convolutions)
    height, width, depth = pictures[-1]
    categories = count("categories", categories, at_least=0)
    inputs = count("latent_dim", latent_dim) + categories
    hidden = (inputs, *sizes("dcgan_generator", "hidden", hidden))
    layers = [OneHot(categories, scale=math.sqrt(categories))] if categories else []
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
    return with_small_weights(
        Sequential([*layers, Tanh()], dtype=dtype, rng=generator("rng", rng, "generator"))
    )


def dcgan_discriminator(
    *, shape=MNIST_SHAPE, channels=64, convolutions=2, batch_norm=True, hidden=(), outputs=1,
    dtype="float32", rng=1,
):  # fmt: skip
    """Its mirror image: images (N, H, W, C) -> logits (N, outputs).

    shape, channels, convolutions : as in `dcgan_generator`
    batch_norm : after each convolution but the first, all weights from N(0, 0.02^2) as in the
                 paper. Leave it out where a gradient penalty is used: then the layers' own (He's)
                 first weights keep the signal's size.
    hidden     : units of the linear layers between the pixels' features and the logit. Without any,
                 the logit is a sum over places: D sees whether strokes are good, hardly whether
                 they make a digit.
    """
    pictures = _halvings("dcgan_discriminator", shape, channels, convolutions)
    hidden = sizes("dcgan_discriminator", "hidden", hidden)
    layers = []
    for i, ((*sides, before), (_, _, after)) in enumerate(zip(pictures, pictures[1:])):
        normalised = batch_norm and i > 0
        layers += [
            Conv2d(before, after, _kernel(sides), stride=2, padding=1, bias=not normalised),
            *([BatchNorm(after)] if normalised else []),
            LeakyReLU(0.2),
        ]
    layers += [Flatten(), *mlp(math.prod(pictures[-1]), *hidden, outputs)]
    network = Sequential(layers, dtype=dtype, rng=generator("rng", rng, "discriminator"))
    return with_small_weights(network) if batch_norm else network


def most_convolutions(shape):
    """How often images of this shape can be halved before their shorter side is 4 pixels."""
    return max(1, math.ceil(math.log2(min(shape[:2]) / SMALLEST)))


def image_shape(owner, shape):
    """`shape` as (H, W, C), H and W even and at least 8; else one clear error."""
    shape = sizes(owner, "shape", shape)
    if len(shape) != 3 or any(side % 2 or side < 8 for side in shape[:2]):
        raise ValueError(
            f"{owner}: shape must be (H, W, C) with even H and W of at least 8, got {shape}"
        )
    return shape


def _halvings(owner, shape, channels, convolutions):
    """The (H, W, C) of every picture, from the image down to the smallest."""
    pictures = [image_shape(owner, shape)]
    channels, most = count("channels", channels), most_convolutions(shape)
    if count("convolutions", convolutions) > most:
        raise ValueError(f"{owner}: convolutions must be at most {most}, got {convolutions}")
    for i in range(convolutions):
        height, width, _ = pictures[-1]
        pictures.append(((height + 1) // 2, (width + 1) // 2, channels * 2**i))
    return pictures


def _kernel(sides):
    """The kernel of a convolution of stride 2 and padding 1 between pictures of these sides and of
    half of them, rounded up; the transposed one leads back to exactly these sides."""
    return tuple(3 if side % 2 else 4 for side in sides)


def with_small_weights(network):
    """The network, its weights drawn anew from N(0, 0.02^2)."""
    for name, value, _ in network.named_parameters():
        if name.endswith("weight"):
            value[...] = 0.02 * network.rng.standard_normal(value.shape)
    return network
