"""The check of a layer: every method of the contract, on every entry of every tensor."""

import copy

import numpy as np

from ..checks import as_array, generator, instance
from ..layers.base import Layer, sizes
from ..network import Sequential
from .differences import central_differences
from .report import Report

SMALLEST_BATCH = 4  # a batch of one hides what batch norm does: its x_hat is zero


def check_layer(layer, x, *, rng=0):
    """Checks `layer` (or a whole `Sequential`) in float64, in training and in evaluation mode.

    x   : an input (N, ...), or the shape of one to be drawn from N(0, 1); N >= 4
    rng : a numpy Generator or a seed: draws x, the parameters' displacement, the cotangents

    The layer itself is left alone: a copy is checked, its parameters moved off their first values,
    which are special (gamma = 1, bias = 0). The rows, for each mode:
        dx, each parameter : backward_input and backward_params beside central differences of
                             <c, y>, c a random cotangent, over every index
        tangent            : <tangent(v), c> = <v, backward_input(c)>
        backward           : gives what the two halves give
        accumulates        : adds into grads that were not zero
        caches             : another forward pass in between changes nothing
        arguments          : x and dy are left as they were
    Returns a Report. Raises ValueError for a batch of fewer than 4, TypeError for what is no layer.
    """
    instance("check_layer", "layer", layer, Layer)
    rng = generator("rng", rng)
    if isinstance(x, tuple):
        x = rng.standard_normal(sizes("check_layer", "x", x, fewest=1))
    x = np.array(as_array("check_layer: x", x), order="C")
    if x.dtype.kind == "f":
        x = x.astype(np.float64)
    if x.ndim < 1 or len(x) < SMALLEST_BATCH:
        raise ValueError(f"check_layer: x must be a batch of at least 4 samples, got {x.shape}")

    network = layer if isinstance(layer, Sequential) else Sequential([copy.deepcopy(layer)])
    network = network.copy("float64")
    subject = network if isinstance(layer, Sequential) else network.layers[0]
    network.theta += 0.3 * rng.standard_normal(network.theta.size)
    for _ in range(3):  # running statistics, too, leave their first values
        subject.forward(_another(x, rng), training=True)
    report = Report(f"check of {layer}")
    for training in (True, False):
        with network.held_buffers():
            _check_mode(report, network, subject, x, training, rng)
    return report


def _check_mode(report, network, layer, x, training, rng):
    mode = "training" if training else "evaluation"
    state = network.rng.bit_generator.state  # dropout's masks: the same at every evaluation

    def forward():
        network.rng.bit_generator.state = state
        return layer.forward(x, training)

    y, cache = forward()
    cotangent = rng.standard_normal(y.shape)
    x_before, cotangent_before = x.copy(), cotangent.copy()

    network.zero_grad()
    dx = layer.backward_input(cotangent, cache)
    layer.backward_params(cotangent, cache)
    gradients = network.grad.copy()

    def value():
        return float(np.sum(forward()[0] * cotangent))

    moves = x.dtype.kind == "f"  # class numbers do not
    if moves:
        report.compare_difference(mode, "dx", dx, *central_differences(value, x))
    difference, kinks = central_differences(value, network.theta)
    compare_parameters(report, mode, network, gradients, difference, kinks)

    if moves:
        direction = rng.standard_normal(x.shape)
        along = np.sum(layer.tangent(direction, cache) * cotangent)
        report.compare(mode, "tangent: <Jv, c> = <v, J'c>", along, np.sum(direction * dx))

    network.grad[...] = gradients
    both = layer.backward(cotangent, cache)
    if moves:
        report.compare(mode, "backward: dx", both, dx)
    if gradients.size:
        report.compare(mode, "backward adds into grads", network.grad, 2 * gradients)

    layer.forward(_another(x, rng), training)
    network.zero_grad()
    layer.backward_params(cotangent, cache)
    if moves:
        again = layer.backward_input(cotangent, cache)
        report.compare(mode, "caches: dx after another forward", again, dx, tolerance=0)
    if gradients.size:
        report.compare(
            mode, "caches: grads after another forward", network.grad, gradients, tolerance=0
        )
    report.compare(mode, "arguments: x unchanged", x, x_before, tolerance=0)
    report.compare(mode, "arguments: dy unchanged", cotangent, cotangent_before, tolerance=0)


def compare_parameters(report, check, network, gradients, difference, kinks):
    """A row for each parameter, from flat vectors laid out like `network.theta`."""
    start = 0
    for name, value, _ in network.named_parameters():
        part = slice(start, start + value.size)
        report.compare_difference(check, name, gradients[part], difference[part], kinks[part])
        start += value.size


def _another(x, rng):
    """A different input of the same kind."""
    return rng.permutation(x) if x.dtype.kind != "f" else 0.5 + 2 * rng.standard_normal(x.shape)
