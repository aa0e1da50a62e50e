"""The DCGAN pair for labelled images of 28 x 28: rows of 784 pixels and a code, one-hot at its end.

See `minigan.conditional` for the rows and the layers, `minigan.auxiliary` for the losses.
"""

import math
from typing import Any

from .._checks import Classes, Count, CountOrZero, DType, Seed, Widths, checked
from .._random import random_generator
from ..layers import Reshape
from ..network import Sequential
from .conditional_games import LabelPlanes, OneHot, Projection, WithCode
from .dcgan import dcgan_discriminator, dcgan_generator, with_small_weights

SHAPE = (28, 28, 1)


@checked
def conditional_generator(
    latent_dim: Count,
    classes: Classes,
    *,
    continuous: CountOrZero = 0,
    channels: Count = 64,
    hidden: Widths = (),
    dtype: DType = "float32",
    rng: Seed = 0,
) -> Sequential:
    """Noise (N, latent_dim + code) -> rows (N, 784 + code): an image and its code.

    The last `classes` values of a row of noise choose the class (see `OneHot`). The choice has the
    variance of the values that it was made of, so G cannot overlook it; readers of the code take
    the argmax, so its scale does not matter to them.

    Parameters
    ----------
    classes : K >= 2
    continuous : number of values before those of the class that are copied to the row too, for
        InfoGAN; code = continuous + classes
    channels, hidden, dtype, rng : as in `dcgan_generator`
    """
    code = continuous + classes
    network = dcgan_generator(latent_dim + code, channels=channels, hidden=hidden)
    layers = [OneHot(classes, scale=math.sqrt(classes)), WithCode(network, code, whole=True)]
    rng = random_generator(rng, "generator")
    return with_small_weights(Sequential(layers, dtype=dtype, rng=rng))


@checked
def projection_discriminator(
    classes: Classes,
    *,
    channels: Count = 64,
    batch_norm: bool = True,
    hidden: Widths = (),
    dtype: DType = "float32",
    rng: Seed = 1,
) -> Sequential:
    """Labelled rows (N, 784 + classes) -> logits (N, 1): of a logit for each class, the row's own.

    channels, batch_norm, hidden, dtype, rng : as in `dcgan_discriminator`
    """
    trunk = _carrying(1 + classes, classes, channels, batch_norm, hidden)
    return _network([trunk, Projection(classes)], batch_norm, dtype, rng)


@checked
def concatenation_discriminator(
    classes: Classes,
    *,
    channels: Count = 64,
    batch_norm: bool = True,
    hidden: Widths = (),
    dtype: DType = "float32",
    rng: Seed = 1,
) -> Sequential:
    """Labelled rows (N, 784 + classes) -> logits (N, 1): the class as channels of the image.

    channels, batch_norm, hidden, dtype, rng : as in `dcgan_discriminator`
    """
    options: dict[str, Any] = {"channels": channels, "batch_norm": batch_norm, "hidden": hidden}
    layers = dcgan_discriminator(shape=(28, 28, 1 + classes), **options).layers
    return _network([LabelPlanes(SHAPE, classes), *layers], batch_norm, dtype, rng)


@checked
def auxiliary_discriminator(
    code: Count,
    *,
    channels: Count = 64,
    batch_norm: bool = True,
    hidden: Widths = (),
    dtype: DType = "float32",
    rng: Seed = 1,
) -> Sequential:
    """Rows (N, 784 + code) -> (N, 1 + 2 code): logit, estimate of the code, the code.

    Parameters
    ----------
    code : the number of classes for `AuxiliaryClassifier`, for `Information` that of categories and
        continuous values together
    channels, batch_norm, hidden, dtype, rng : as in `dcgan_discriminator`
    """
    trunk = _carrying(1 + code, code, channels, batch_norm, hidden)
    return _network([trunk], batch_norm, dtype, rng)


def _carrying(outputs, code, channels, batch_norm, hidden):
    """A DCGAN's discriminator for the pixels; its output, then the code."""
    layers = dcgan_discriminator(
        channels=channels, batch_norm=batch_norm, hidden=hidden, outputs=outputs
    ).layers
    return WithCode(Sequential([Reshape(SHAPE), *layers]), code)


def _network(layers, batch_norm, dtype, rng):
    network = Sequential(layers, dtype=dtype, rng=random_generator(rng, "discriminator"))
    return with_small_weights(network) if batch_norm else network
