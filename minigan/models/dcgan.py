"""Networks of convolutions, for images of 28 x 28."""

from ..checks import count
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
from ..layers.base import sizes
from ..network import Sequential
from .mlp import mlp


def dcgan_generator(latent_dim, *, channels=64, hidden=(), dtype="float32", rng=0):
    """DCGAN (Radford et al. 2016) for 28 x 28 images: noise (N, latent_dim) -> (N, 28, 28, 1).

    A linear layer makes 7 x 7 pixels of 2 `channels`; two transposed convolutions double the size.
    Weights start from N(0, 0.02^2), as in the paper. Batch norm makes of their scale a rate: the
    smaller the weights, the more one step of Adam turns them.

    hidden : units of the linear layers between the noise and the first pixels, each with batch norm
             and ReLU: there the noise is bent before anything is drawn
    """
    channels, hidden = count("channels", channels), sizes("dcgan_generator", "hidden", hidden)
    widths = (count("latent_dim", latent_dim), *hidden)
    layers = []
    for before, after in zip(widths, hidden):
        layers += [Linear(before, after, bias=False), BatchNorm(after), ReLU()]
    layers += [
        Linear(widths[-1], 7 * 7 * 2 * channels, bias=False),
        Reshape((7, 7, 2 * channels)),
        BatchNorm(2 * channels),
        ReLU(),
        ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1, bias=False),
        BatchNorm(channels),
        ReLU(),
        ConvTranspose2d(channels, 1, 4, stride=2, padding=1),
        Tanh(),
    ]
    return with_small_weights(Sequential(layers, dtype=dtype, rng=rng))


def dcgan_discriminator(
    *, channels=64, batch_norm=True, hidden=(), in_channels=1, outputs=1, dtype="float32", rng=1
):
    """Its mirror image: images (N, 28, 28, in_channels) -> logits (N, outputs).

    batch_norm : after the second convolution, all weights from N(0, 0.02^2) as in the paper. Leave
                 it out where a gradient penalty is used: then the layers' own (He's) first weights
                 keep the signal's size.
    hidden     : units of the linear layers between the pixels' features and the logit. Without any,
                 the logit is a sum over places: D sees whether strokes are good, hardly whether
                 they make a digit.
    """
    channels, hidden = count("channels", channels), sizes("dcgan_discriminator", "hidden", hidden)
    layers = [
        Conv2d(in_channels, channels, 4, stride=2, padding=1),
        LeakyReLU(0.2),
        Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=not batch_norm),
        *([BatchNorm(2 * channels)] if batch_norm else []),
        LeakyReLU(0.2),
        Flatten(),
        *mlp(7 * 7 * 2 * channels, *hidden, outputs),
    ]
    network = Sequential(layers, dtype=dtype, rng=rng)
    return with_small_weights(network) if batch_norm else network


def with_small_weights(network):
    """The network, its weights drawn anew from N(0, 0.02^2)."""
    for name, value, _ in network.named_parameters():
        if name.endswith("weight"):
            value[...] = 0.02 * network.rng.standard_normal(value.shape)
    return network
