"""Ready-made generators and discriminators: lists of layers, to read as much as to use."""

import numpy as np

from .layers import (
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
from .network import Sequential


def mlp(*sizes):
    """A list of Linear layers of these sizes, with LeakyReLU(0.2) between them."""
    layers = []
    for before, after in zip(sizes, sizes[1:]):
        layers += [Linear(before, after), LeakyReLU(0.2)]
    return layers[:-1]


def mlp_generator(
    latent_dim, sample_shape, *, hidden=(128, 128, 128), tanh=False, dtype="float32", rng=0
):
    """Linear and LeakyReLU(0.2) layers: noise (N, latent_dim) -> samples (N, *sample_shape).

    tanh : ends in tanh, for data in [-1, 1].
    """
    layers = mlp(latent_dim, *hidden, int(np.prod(sample_shape)))
    layers += [Tanh()] if tanh else []
    layers += [Reshape(sample_shape)] if len(sample_shape) > 1 else []
    return Sequential(layers, dtype=dtype, rng=rng)


def mlp_discriminator(sample_shape, *, hidden=(128, 128, 128), dtype="float32", rng=1):
    """Linear and LeakyReLU(0.2) layers: samples (N, *sample_shape) -> logits (N, 1)."""
    layers = [Flatten()] if len(sample_shape) > 1 else []
    layers += mlp(int(np.prod(sample_shape)), *hidden, 1)
    return Sequential(layers, dtype=dtype, rng=rng)


def dcgan_generator(latent_dim, *, channels=64, dtype="float32", rng=0):
    """DCGAN (Radford et al. 2016) for 28 x 28 images: noise (N, latent_dim) -> (N, 28, 28, 1).

    A linear layer makes 7 x 7 pixels of 2 `channels`; two transposed convolutions double the size.
    """
    layers = [
        Linear(latent_dim, 7 * 7 * 2 * channels, bias=False),
        Reshape((7, 7, 2 * channels)),
        BatchNorm(2 * channels),
        ReLU(),
        ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1, bias=False),
        BatchNorm(channels),
        ReLU(),
        ConvTranspose2d(channels, 1, 4, stride=2, padding=1),
        Tanh(),
    ]
    return Sequential(layers, dtype=dtype, rng=rng)


def dcgan_discriminator(*, channels=64, batch_norm=True, dtype="float32", rng=1):
    """Its mirror image: images (N, 28, 28, 1) -> logits (N, 1).

    batch_norm : after the second convolution; leave it out where a gradient penalty is used.
    """
    layers = [
        Conv2d(1, channels, 4, stride=2, padding=1),
        LeakyReLU(0.2),
        Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=not batch_norm),
        *([BatchNorm(2 * channels)] if batch_norm else []),
        LeakyReLU(0.2),
        Flatten(),
        Linear(7 * 7 * 2 * channels, 1),
    ]
    return Sequential(layers, dtype=dtype, rng=rng)
