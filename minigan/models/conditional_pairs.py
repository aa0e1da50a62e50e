"""The DCGAN pair for labelled images of 28 x 28: rows of 784 pixels and a code, one-hot at its end.

See `minigan.conditional` for the rows and the layers, `minigan.auxiliary` for the losses.
"""

import math
from typing import Any

import numpy as np

from .._checks import Classes, Count, CountOrZero, DType, Seed, Widths, checked
from .._random import random_generator
from ..layers import BatchNorm, ConditionalBatchNorm, Reshape
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
    class_norm: bool = False,
    channels: Count = 64,
    hidden: Widths = (),
    dtype: DType = "float32",
    rng: Seed = 0,
) -> Sequential:
    """Noise (N, latent_dim + code) -> rows (N, 784 + code): an image and its code.

    The last `classes` values of a row of noise choose the class (see `OneHot`). The one-hot code
    is scaled to the variance of these values, so it is as large as the rest of the noise; those who
    read the code take the argmax, which does not depend on the scale.

    Parameters
    ----------
    classes : K >= 2
    continuous : number of values before those of the class that are copied to the row too, for
        InfoGAN; code = continuous + classes
    class_norm : batch norm's scale and shift are the class's own (`ConditionalBatchNorm`), so the
        class reaches every level of G, not its input alone; for continuous = 0
    channels, hidden, dtype, rng : as in `dcgan_generator`

    Raises ValueError for class_norm together with continuous > 0.
    """
    if class_norm and continuous:
        raise ValueError(
            "conditional_generator: class_norm=True is for codes of a class alone, got "
            f"continuous={continuous}"
        )
    code = continuous + classes
    layers = dcgan_generator(latent_dim + code, channels=channels, hidden=hidden).layers
    if class_norm:
        stages = _with_class_norms(layers, latent_dim + code, classes)
    else:
        stages = [WithCode(Sequential(layers), code, whole=True)]
    choice, rng = OneHot(classes, scale=math.sqrt(classes)), random_generator(rng, "generator")
    return with_small_weights(Sequential([choice, *stages], dtype=dtype, rng=rng))


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
    """Labelled rows (N, 784 + classes) -> logits (N, 1), by projection: see `Projection`.

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


def _with_class_norms(layers, features, classes):
    """The layers as stages on rows that carry the class; each batch norm has one for each class."""
    stages, stage = [], []
    x = np.zeros((1, features), np.float32)  # for the shape of each norm's input
    for layer in layers:
        if isinstance(layer, BatchNorm):
            stages.append(WithCode(Sequential(stage), classes, whole=not stages))
            stages.append(ConditionalBatchNorm(x.shape[1:], classes))
            stage = [Reshape(x.shape[1:])]
        else:
            x, _ = layer.forward(x, training=False)
            stage.append(layer)
    return [*stages, WithCode(Sequential(stage), classes)]


def _carrying(outputs, code, channels, batch_norm, hidden):
    """A DCGAN's discriminator for the pixels; its output, then the code."""
    layers = dcgan_discriminator(
        channels=channels, batch_norm=batch_norm, hidden=hidden, outputs=outputs
    ).layers
    return WithCode(Sequential([Reshape(SHAPE), *layers]), code)


def _network(layers, batch_norm, dtype, rng):
    network = Sequential(layers, dtype=dtype, rng=random_generator(rng, "discriminator"))
    return with_small_weights(network) if batch_norm else network
