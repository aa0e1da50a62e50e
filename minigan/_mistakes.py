"""Common mistakes in putting a GAN together: found early, and reported in the user's terms."""

import math
import warnings
from typing import Any

import numpy as np

from . import _checks as checks
from ._callers import callers_level
from .backend import use_backend
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
        stacklevel=callers_level(),
    )


def warn_of_range(generator: Sequential, real: np.ndarray) -> None:
    """Warns of real samples that a G ending in Tanh or Sigmoid cannot make, or, of Tanh's [-1, 1],
    only the upper half: images in [0, 1], as most loaders give them."""
    last = last_layer(generator)
    if not isinstance(last, Tanh | Sigmoid):
        return
    lowest = -1.0 if isinstance(last, Tanh) else 0.0
    low, high = float(real.min()), float(real.max())
    images = real[0].size > 3  # points of a plane may well be positive
    upper_half = images and lowest < 0 <= low < high
    if lowest - 1e-3 <= low and high <= 1 + 1e-3 and not upper_half:
        return
    advice = "images / 127.5 - 1" if high > 2 else "2 * images - 1"
    advice = f"; train on {advice}" if low >= 0 and lowest < 0 else ""
    warnings.warn(
        f"GAN: the generator ends in {last} and gives values in [{lowest:g}, 1], but the real "
        f"samples are in [{low:g}, {high:g}]{advice}",
        UserWarning,
        stacklevel=callers_level(),
    )


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


def check_parts(gan: Any) -> None:
    """Raises ValueError unless players and optimizers are two each, of one dtype, and D can be
    penalised."""
    generator, discriminator = gan.generator, gan.discriminator
    if generator is discriminator or generator.dtype != discriminator.dtype:
        raise ValueError("GAN: the players must be two networks of one dtype")
    if np.may_share_memory(generator.theta, discriminator.theta):
        raise ValueError("GAN: one player contains the other; make two networks")
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        if not checks.has_moved(getattr(gan, f"{name}_optimizer"), network.theta):
            raise ValueError(
                f"GAN: {name}_optimizer has moved another network before; make one for each"
            )
    if gan.generator_optimizer is gan.discriminator_optimizer:
        raise ValueError("GAN: each player needs an optimizer of its own")
    for penalty in gan.penalties:
        penalty.check(discriminator)
    warn_of_bounded_logits(gan.loss, discriminator)


@use_backend("numpy")  # a fault of the compiled backend must not be reported as the user's
def try_out(gan: Any) -> tuple[int, ...]:
    """The shape of a sample, from a batch of two zero vectors that passes through both networks and
    the loss. Raises ValueError or TypeError where one does not fit the next."""
    generator, discriminator = gan.generator, gan.discriminator
    zeros = np.zeros((2, gan.latent_dim), generator.dtype)
    try:
        samples, _ = generator.forward(zeros, training=False)
        logits, _ = discriminator.forward(samples, training=False)
    except ValueError as error:
        raise ValueError(explain_misfit(gan, zeros, error)) from error
    if logits.shape != (2, width(gan.loss)):
        values = "one logit" if width(gan.loss) == 1 else f"{width(gan.loss)} values"
        raise ValueError(
            f"GAN: the discriminator must give {values} per sample, shape "
            f"(N, {width(gan.loss)}); for N = 2 it gave {logits.shape}"
        )
    checks.results_of_loss(gan.loss, logits)
    return samples.shape[1:]


def check_real(gan: Any, real: Any) -> np.ndarray:
    """A minibatch as an array of the networks' dtype; ValueError or TypeError if unfit."""
    hint = axes_in_words(np.shape(real)[1:], gan.sample_shape) if hasattr(real, "shape") else ""
    smallest = 2 if gan.generator.mixes_samples or gan.discriminator.mixes_samples else 1
    real = checks.real_minibatch(real, gan.sample_shape, smallest, gan.discriminator.dtype, hint)
    if not gan._warned_of_range:
        gan._warned_of_range = True  # looked at once
        warn_of_range(gan.generator, real)
    return real


def check_finite(figures: dict[str, float], where: str = "") -> None:
    """Raises FloatingPointError at the first figure that is not finite, saying `where`."""
    for name, value in figures.items():
        if not math.isfinite(value):
            raise FloatingPointError(f"{where}{name.replace('_', ' ')} is {value}")


def check_in_place(name: str, returned: Any, theta: np.ndarray) -> None:
    """Raises TypeError for an optimizer of one's own that returns what it should have changed."""
    if returned is not None and returned is not theta:
        raise TypeError(
            f"GAN: {name}.step(theta, grad) must change theta in place, as in theta -= lr * grad, "
            f"and return None, got {checks.shown(returned)}"
        )
