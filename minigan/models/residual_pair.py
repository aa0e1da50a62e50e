"""A residual pair without normalisation, after R3GAN (Huang et al. 2024), for images.

Where they use grouped convolutions and begin at 4 x 4 pixels, these are small: whole convolutions,
two sizes (14 x 14 and 7 x 7 for 28 x 28), and a strided convolution between the image and the
larger one.
Their recipe: `losses.Relativistic`, `penalties.R1` and `R2` of one gamma, Adam with beta1 = 0.
"""

from .._old_checks import count, generator
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
from .dcgan import image_shape


def residual_generator(
    latent_dim, *, shape=(28, 28, 1), channels=32, hidden=256, dtype="float32", rng=0
):
    """Noise (N, latent_dim) -> images (N, H, W, C) in [-1, 1].

    shape : (H, W, C), H and W divisible by 4

    Two linear layers make H/4 x W/4 pixels of 2 `channels`. At each size stands one `block`;
    between them a 1 x 1 convolution halves the channels, and each pixel becomes 2 x 2.
    """
    height, width, colours = _quarters("residual_generator", shape)
    c, hidden = count("channels", channels), count("hidden", hidden)
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
    return fix_up(Sequential(layers, dtype=dtype, rng=generator("rng", rng, "generator")))


def residual_discriminator(*, shape=(28, 28, 1), channels=32, hidden=256, dtype="float32", rng=1):
    """Its mirror image: images (N, H, W, C) -> logits (N, 1)."""
    height, width, colours = _quarters("residual_discriminator", shape)
    c, hidden = count("channels", channels), count("hidden", hidden)
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
    return fix_up(Sequential(layers, dtype=dtype, rng=generator("rng", rng, "discriminator")))


def _quarters(owner, shape):
    """(H / 4, W / 4, C); ValueError unless both are whole."""
    height, width, colours = image_shape(owner, shape)
    if height % 4 or width % 4:
        raise ValueError(f"{owner}: shape must have H and W divisible by 4, got {shape}")
    return height // 4, width // 4, colours


def block(channels):
    """x + branch(x): convolutions of 1 x 1, 3 x 3 and 1 x 1, with LeakyReLU(0.2) between them."""
    branch = [
        Conv2d(channels, channels, 1),
        LeakyReLU(0.2),
        Conv2d(channels, channels, 3, padding=1),
        LeakyReLU(0.2),
        Conv2d(channels, channels, 1),
    ]
    return Residual(Sequential(branch))


def fix_up(network):
    """The network, the first weights of its L residual branches, of m layers each, rescaled.

    A branch's last weights become 0, the others are multiplied by L^(-1 / (2 m - 2)) (Fixup: Zhang
    et al. 2019). So each block begins as y = x, and one step of learning changes the output as much
    in a deep network as in a shallow one: what a normalisation would otherwise have to see to.
    """
    branches = [layer.branch for layer in network.layers if isinstance(layer, Residual)]
    for branch in branches:
        *first, last = [layer.params["weight"] for layer in branch.layers if layer.params]
        for weight in first:
            weight *= len(branches) ** (-1 / (2 * len(first)))
        last[...] = 0
    return network
