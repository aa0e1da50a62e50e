"""A residual pair without normalisation, after R3GAN (Huang et al. 2024), for images.

R3GAN has grouped convolutions and begins at 4 x 4 pixels. These networks are smaller: ordinary
convolutions, two sizes (14 x 14 and 7 x 7 for images of 28 x 28), and a strided convolution between
the image and the larger size.
The paper's recipe: `losses.Relativistic`, `penalties.R1` and `R2` of one gamma, and Adam with
beta1 = 0.
"""

from .._checks import Count, DType, QuarteredShape, Seed, checked
from .._random import random_generator
from ..layers import (
    AvgPool2d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    LeakyReLU,
    Linear,
    Reshape,
    Residual,
    Tanh,
    Upsample2d,
)
from ..network import Sequential


@checked
def residual_generator(
    latent_dim: Count,
    *,
    shape: QuarteredShape = (28, 28, 1),
    channels: Count = 32,
    hidden: Count = 256,
    dtype: DType = "float32",
    rng: Seed = 0,
) -> Sequential:
    """Noise (N, latent_dim) -> images (N, H, W, C) in [-1, 1].

    Two linear layers make H/4 x W/4 pixels of 2 `channels`. There is one `block` at each size;
    between them a 1 x 1 convolution halves the channels, and each pixel becomes 2 x 2.

    Parameters
    ----------
    shape : (H, W, C), H and W divisible by 4
    channels : at H/2 x W/2 pixels
    hidden : width between the two linear layers
    dtype, rng : as in `Sequential`
    """
    c, (height, width, colours) = channels, (shape[0] // 4, shape[1] // 4, shape[2])
    layers = [
        Linear(latent_dim, hidden),
        LeakyReLU(0.2),
        Linear(hidden, height * width * 2 * c),
        Reshape((height, width, 2 * c)),
        block(2 * c),
        Conv2d(2 * c, c, 1),
        Upsample2d(2),
        block(c),
        ConvTranspose2d(c, colours, 4, stride=2, padding=1),
        Tanh(),
    ]
    return fix_up(Sequential(layers, dtype=dtype, rng=random_generator(rng, "generator")))


@checked
def residual_discriminator(
    *,
    shape: QuarteredShape = (28, 28, 1),
    channels: Count = 32,
    hidden: Count = 256,
    dtype: DType = "float32",
    rng: Seed = 1,
) -> Sequential:
    """The mirror image of the generator: images (N, H, W, C) -> logits (N, 1).

    shape, channels, hidden, dtype, rng : as in `residual_generator`
    """
    c, (height, width, colours) = channels, (shape[0] // 4, shape[1] // 4, shape[2])
    layers = [
        Conv2d(colours, c, 4, stride=2, padding=1),
        block(c),
        AvgPool2d(2),
        Conv2d(c, 2 * c, 1),
        block(2 * c),
        Flatten(),
        Linear(height * width * 2 * c, hidden),
        LeakyReLU(0.2),
        Linear(hidden, 1),
    ]
    return fix_up(Sequential(layers, dtype=dtype, rng=random_generator(rng, "discriminator")))


def block(channels: int) -> Residual:
    """x + branch(x): convolutions of 1 x 1, 3 x 3 and 1 x 1, with LeakyReLU(0.2) between them."""
    branch = [
        Conv2d(channels, channels, 1),
        LeakyReLU(0.2),
        Conv2d(channels, channels, 3, padding=1),
        LeakyReLU(0.2),
        Conv2d(channels, channels, 1),
    ]
    return Residual(Sequential(branch))


def fix_up(network: Sequential) -> Sequential:
    """Fixup initialisation (Zhang et al. 2019) of a network with L residual branches of m layers.

    In each branch the last layer's weights become 0, and those of the others are multiplied by
    L^(-1 / (2 m - 2)), in place; returns the network. So each block begins as y = x, and one step
    of learning changes the output as much in a deep network as in a shallow one: normalisation
    layers serve the same purpose.
    """
    branches = [layer.branch for layer in network.layers if isinstance(layer, Residual)]
    for branch in branches:
        *first, last = [layer.params["weight"] for layer in branch.layers if layer.params]
        for weight in first:
            weight *= len(branches) ** (-1 / (2 * len(first)))
        last[...] = 0
    return network
