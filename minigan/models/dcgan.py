"""Networks of convolutions, for images of 28 x 28."""

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

SIDES, KERNELS = (28, 14, 7, 4), (4, 4, 3)  # each convolution of stride 2 halves the side


def dcgan_generator(
    latent_dim, *, categories=0, channels=64, convolutions=2, hidden=(), dtype="float32", rng=0
):  # fmt: skip
    """DCGAN (Radford et al. 2016) for 28 x 28 images: noise (N, latent_dim) -> (N, 28, 28, 1).

    A linear layer makes 7 x 7 pixels of 2 `channels`; two transposed convolutions double the size.
    With three `convolutions` it makes 4 x 4 pixels of 4 `channels`, and they become 7 x 7 first.
    Weights start from N(0, 0.02^2), as in the paper. Batch norm makes of their scale a rate: the
    smaller the weights, the more one step of Adam turns them.

    categories   : where not 0, so many values more of the noise, (N, latent_dim + categories) in
                   all, become one choice among as many, of the same variance. The noise is then in
                   pieces, and no digit need lie between a 4 and a 9 (see also `DiscreteNoise`).
    convolutions : 1 to 3
    hidden       : units of the linear layers between the noise and the first pixels, each with
                   batch norm and ReLU: there the noise is bent before anything is drawn
    """
    side, widths = _halvings("dcgan_generator", 1, channels, convolutions)
    categories = count("categories", categories, at_least=0)
    inputs = count("latent_dim", latent_dim) + categories
    hidden = (inputs, *sizes("dcgan_generator", "hidden", hidden))
    layers = [OneHot(categories, scale=math.sqrt(categories))] if categories else []
    for before, after in zip(hidden, hidden[1:]):
        layers += [Linear(before, after, bias=False), BatchNorm(after), ReLU()]
    layers += [
        Linear(hidden[-1], side * side * widths[-1], bias=False),
        Reshape((side, side, widths[-1])),
    ]
    for i in reversed(range(convolutions)):
        layers += [
            BatchNorm(widths[i + 1]),
            ReLU(),
            ConvTranspose2d(
                widths[i + 1], widths[i], KERNELS[i], stride=2, padding=1, bias=i == 0
            ),  # fmt: skip
        ]
    return with_small_weights(
        Sequential([*layers, Tanh()], dtype=dtype, rng=generator("rng", rng, "generator"))
    )


def dcgan_discriminator(
    *, channels=64, convolutions=2, batch_norm=True, hidden=(), in_channels=1, outputs=1,
    dtype="float32", rng=1,
):  # fmt: skip
    """Its mirror image: images (N, 28, 28, in_channels) -> logits (N, outputs).

    batch_norm : after each convolution but the first, all weights from N(0, 0.02^2) as in the
                 paper. Leave it out where a gradient penalty is used: then the layers' own (He's)
                 first weights keep the signal's size.
    hidden     : units of the linear layers between the pixels' features and the logit. Without any,
                 the logit is a sum over places: D sees whether strokes are good, hardly whether
                 they make a digit.
    """
    side, widths = _halvings("dcgan_discriminator", in_channels, channels, convolutions)
    hidden = sizes("dcgan_discriminator", "hidden", hidden)
    layers = []
    for i, (before, after) in enumerate(zip(widths, widths[1:])):
        normalised = batch_norm and i > 0
        layers += [
            Conv2d(before, after, KERNELS[i], stride=2, padding=1, bias=not normalised),
            *([BatchNorm(after)] if normalised else []),
            LeakyReLU(0.2),
        ]
    layers += [Flatten(), *mlp(side * side * widths[-1], *hidden, outputs)]
    network = Sequential(layers, dtype=dtype, rng=generator("rng", rng, "discriminator"))
    return with_small_weights(network) if batch_norm else network


def _halvings(owner, image_channels, channels, convolutions):
    """(side of the smallest picture, channels of every picture from 28 x 28 down to it)."""
    channels = count("channels", channels)
    if count("convolutions", convolutions) > len(KERNELS):
        raise ValueError(
            f"{owner}: convolutions must be at most {len(KERNELS)}, got {convolutions}"
        )
    return SIDES[convolutions], [image_channels, *(channels * 2**i for i in range(convolutions))]


def with_small_weights(network):
    """The network, its weights drawn anew from N(0, 0.02^2)."""
    for name, value, _ in network.named_parameters():
        if name.endswith("weight"):
            value[...] = 0.02 * network.rng.standard_normal(value.shape)
    return network
