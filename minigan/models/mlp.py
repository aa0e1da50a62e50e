"""Networks of linear layers, for samples of any shape."""

import math

from .._checks import Count, DType, Seed, Shape, Widths, checked
from .._random import random_generator
from ..layers import Flatten, LeakyReLU, Linear, Reshape, Tanh
from ..layers.base import Layer
from ..network import Sequential


def mlp(*widths: int) -> list[Layer]:
    """Linear layers of these widths, input and output included, with LeakyReLU(0.2) between."""
    layers: list[Layer] = []
    for before, after in zip(widths, widths[1:]):
        layers += [Linear(before, after), LeakyReLU(0.2)]
    return layers[:-1]


@checked
def mlp_generator(
    latent_dim: Count,
    sample_shape: Shape,
    *,
    hidden: Widths = (128, 128, 128),
    tanh: bool = False,
    dtype: DType = "float32",
    rng: Seed = 0,
) -> Sequential:
    """Linear and LeakyReLU(0.2) layers: noise (N, latent_dim) -> samples (N, *sample_shape).

    Parameters
    ----------
    hidden : widths of the layers between noise and sample
    tanh : end in tanh, for data in [-1, 1]
    dtype, rng : as in `Sequential`
    """
    layers = mlp(latent_dim, *hidden, math.prod(sample_shape))
    if tanh:
        layers.append(Tanh())
    if len(sample_shape) > 1:
        layers.append(Reshape(sample_shape))
    return Sequential(layers, dtype=dtype, rng=random_generator(rng, "generator"))


@checked
def mlp_discriminator(
    sample_shape: Shape,
    *,
    hidden: Widths = (128, 128, 128),
    dtype: DType = "float32",
    rng: Seed = 1,
) -> Sequential:
    """Linear and LeakyReLU(0.2) layers: samples (N, *sample_shape) -> logits (N, 1).

    Parameters
    ----------
    hidden : widths of the layers between sample and logit
    dtype, rng : as in `Sequential`
    """
    layers: list[Layer] = [Flatten()] if len(sample_shape) > 1 else []
    layers += mlp(math.prod(sample_shape), *hidden, 1)
    return Sequential(layers, dtype=dtype, rng=random_generator(rng, "discriminator"))
