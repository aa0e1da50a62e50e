"""Mistakes in putting a GAN together that can be seen, said in the words of who made them."""

import warnings

import numpy as np

from .layers.activations import ReLU, Sigmoid, Softplus, Tanh
from .layers.shape import Reshape
from .losses import LeastSquares, Loss, width
from .network import Sequential

BOUNDED = {
    Sigmoid: "within (0, 1)",
    Tanh: "within (-1, 1)",
    ReLU: "at least 0",
    Softplus: "above 0",
}


def last_layer(network):
    """The layer that decides the range of what a network gives."""
    layers = [layer for layer in network.layers if not isinstance(layer, Reshape)]
    if layers and isinstance(layers[-1], Sequential):
        return last_layer(layers[-1])
    return layers[-1] if layers else None


def warn_of_bounded_logits(loss, discriminator):
    """Warns of a D that cannot give every logit. A loss of the user's own may be meant for one, and
    the targets of LeastSquares, 0 and 1, can be reached by a D within (0, 1)."""
    last = last_layer(discriminator)
    if type(last) not in BOUNDED or not isinstance(loss, Loss) or isinstance(loss, LeastSquares):
        return
    warnings.warn(
        f"GAN: the discriminator ends in {last}, so what it gives is {BOUNDED[type(last)]}, but "
        f"{loss!r} expects logits, which may be any number; leave the last {last} out",
        UserWarning,
        stacklevel=3,
    )


def warn_of_range(generator, real):
    """Warns of real images that a G ending in Tanh, which gives [-1, 1], cannot make."""
    if not isinstance(last_layer(generator), Tanh):
        return
    low, high = float(real.min()), float(real.max())
    if low < 0 or high == low:  # then they may be in [-1, 1] indeed
        return
    advice = "images / 127.5 - 1" if high > 2 else "2 * images - 1"
    warnings.warn(
        f"GAN: the generator ends in Tanh and gives values in [-1, 1], but the real images are in "
        f"[{low:g}, {high:g}]; train on {advice}",
        UserWarning,
        stacklevel=4,
    )


def warn_of_data_range(generator: Sequential, data: object) -> None:
    """Warns of data that G, ending in Tanh or Sigmoid, cannot reach: outside [-1, 1] or [0, 1]."""
    last = generator.layers[-1]
    if not isinstance(data, np.ndarray) or not isinstance(last, Tanh | Sigmoid):
        return
    low, high = float(data.min()), float(data.max())
    lowest = 0.0 if isinstance(last, Sigmoid) else -1.0
    if low < lowest - 1e-3 or high > 1 + 1e-3:
        what = f"the data, from {low:g} to {high:g}, are outside of it"
    elif lowest < 0 <= low and len(data) >= 16:
        what = f"none of the data, from {low:g} to {high:g}, is below 0; is 2 x - 1 missing?"
    else:
        return
    warnings.warn(f"train: G ends in {last}, so it reaches [{lowest:g}, 1]: {what}", stacklevel=3)


def axes_in_words(shape, expected):
    """What is wrong with a sample's shape, where it is a matter of its axes; else nothing."""
    if len(expected) != 3:
        return ""
    height, width, channels = expected
    if shape == (channels, height, width):
        return "; the channels come last: real.transpose(0, 2, 3, 1)"
    if shape == (height, width) and channels == 1:
        return "; the channels are an axis of their own: real[..., None]"
    return ""


def explain_misfit(gan, zeros, error):
    """Why noise cannot pass through G and then D, as two zeros could not: `error` says where."""
    if _exchanged(gan, zeros):
        return (
            "GAN: generator and discriminator look exchanged: the one called discriminator makes "
            "samples that the other one judges"
        )
    try:
        fake, _ = gan.generator.forward(zeros, training=False)
    except ValueError:
        return (
            f"GAN: the generator does not take noise of latent_dim = {gan.latent_dim} values: "
            f"{error}"
        )
    return (
        f"GAN: the discriminator does not take the generator's samples, shape {fake.shape[1:]}: "
        f"{error}"
    )


def _exchanged(gan, zeros):
    try:
        samples, _ = gan.discriminator.forward(zeros, training=False)
        logits, _ = gan.generator.forward(samples, training=False)
    except ValueError:
        return False
    return logits.shape == (len(zeros), width(gan.loss))
