"""Networks of linear layers, for samples of any shape."""

import math

from .._old_checks import flag, generator, sizes
from ..layers import Flatten, LeakyReLU, Linear, Reshape, Tanh
from ..network import Sequential


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
    sample_shape = sizes("mlp_generator", "sample_shape", sample_shape, fewest=1)
    hidden = sizes("mlp_generator", "hidden", hidden)
    layers = mlp(latent_dim, *hidden, math.prod(sample_shape))
    layers += [Tanh()] if flag("mlp_generator", "tanh", tanh) else []
    layers += [Reshape(sample_shape)] if len(sample_shape) > 1 else []
    return Sequential(layers, dtype=dtype, rng=generator("rng", rng, "generator"))


def mlp_discriminator(sample_shape, *, hidden=(128, 128, 128), dtype="float32", rng=1):
    """Linear and LeakyReLU(0.2) layers: samples (N, *sample_shape) -> logits (N, 1)."""
    sample_shape = sizes("mlp_discriminator", "sample_shape", sample_shape, fewest=1)
    hidden = sizes("mlp_discriminator", "hidden", hidden)
    layers = [Flatten()] if len(sample_shape) > 1 else []
    layers += mlp(math.prod(sample_shape), *hidden, 1)
    return Sequential(layers, dtype=dtype, rng=generator("rng", rng, "discriminator"))
