"""The DCGAN pair for labelled images of 28 x 28: rows of 784 pixels and a code, one-hot at its end.

See `minigan.conditional` for the rows and the layers, `minigan.auxiliary` for the losses.
"""

import math

from .._old_checks import count, generator
from ..layers import Reshape
from ..network import Sequential
from .conditional_games import LabelPlanes, OneHot, Projection, WithCode
from .dcgan import dcgan_discriminator, dcgan_generator, with_small_weights

SHAPE = (28, 28, 1)


def conditional_generator(
    latent_dim, classes, *, continuous=0, channels=64, hidden=(), dtype="float32", rng=0
):
    """Noise (N, latent_dim + code) -> rows (N, 784 + code), the code carried along.

    Of a row of noise, the last `classes` values choose the class (see `OneHot`); before them stand
    `continuous` values more that are carried too, as InfoGAN wants. code = continuous + classes.
    The choice has the variance of the values that it was made of, so G cannot overlook it; who
    reads the code looks for the largest, however large.
    channels, hidden : as in `dcgan_generator`
    """
    code = count("classes", classes) + count("continuous", continuous, at_least=0)
    network = dcgan_generator(
        count("latent_dim", latent_dim) + code, channels=channels, hidden=hidden
    )
    layers = [OneHot(classes, scale=math.sqrt(classes)), WithCode(network, code, whole=True)]
    return with_small_weights(
        Sequential(layers, dtype=dtype, rng=generator("rng", rng, "generator"))
    )


def projection_discriminator(
    classes, *, channels=64, batch_norm=True, hidden=(), dtype="float32", rng=1
):
    """Labelled rows (N, 784 + classes) -> logits (N, 1): one for each class, and the one is read.

    channels, batch_norm, hidden : as in `dcgan_discriminator`
    """
    trunk = _carrying(1 + count("classes", classes), classes, channels, batch_norm, hidden)
    return _network([trunk, Projection(classes)], batch_norm, dtype, rng)


def concatenation_discriminator(
    classes, *, channels=64, batch_norm=True, hidden=(), dtype="float32", rng=1
):
    """Labelled rows (N, 784 + classes) -> logits (N, 1): the class as channels of the image.

    channels, batch_norm, hidden : as in `dcgan_discriminator`
    """
    layers = dcgan_discriminator(
        channels=channels,
        batch_norm=batch_norm,
        hidden=hidden,
        shape=(28, 28, 1 + count("classes", classes)),
    ).layers
    return _network([LabelPlanes(SHAPE, classes), *layers], batch_norm, dtype, rng)


def auxiliary_discriminator(
    code, *, channels=64, batch_norm=True, hidden=(), dtype="float32", rng=1
):
    """Rows (N, 784 + code) -> (N, 1 + 2 code): logit, estimate of the code, the code.

    For a loss of `minigan.auxiliary`: code is the number of classes, for `Information` that of
    categories and continuous values together.
    channels, batch_norm, hidden : as in `dcgan_discriminator`
    """
    return _network(
        [_carrying(1 + count("code", code), code, channels, batch_norm, hidden)],
        batch_norm,
        dtype,
        rng,
    )


def _carrying(outputs, code, channels, batch_norm, hidden):
    """What a DCGAN makes of the pixels, the code beside it."""
    layers = dcgan_discriminator(
        channels=channels, batch_norm=batch_norm, hidden=hidden, outputs=outputs
    ).layers
    return WithCode(Sequential([Reshape(SHAPE), *layers]), code)


def _network(layers, batch_norm, dtype, rng):
    network = Sequential(layers, dtype=dtype, rng=generator("rng", rng, "discriminator"))
    return with_small_weights(network) if batch_norm else network
