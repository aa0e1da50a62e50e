"""The check of a layer: every method of the contract, on every entry of every tensor."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..._checks import Count, InputOrShape, Seed, checked, shown
from ..._random import random_generator, same_state
from ...layers.base import Layer
from ...layers.composite import walk
from ...network import Sequential
from .check_progress import progress_bar
from .contract import (
    check_apart,
    check_batches,
    check_buffers,
    check_caches,
    check_declared,
    check_kept,
    check_signals,
    check_single,
    check_straight,
    own_backward,
)
from .curvature import check_curvature
from .differences import Differences, measure, not_deterministic
from .directions import AlongDirections
from .museum_cases import each_exhibit
from .own_parts import returned
from .report import Report

UNCHANGED = "arguments: dy unchanged"
SMALLEST_BATCH = 4  # a batch of one hides what batch norm does: its x_hat is zero


@checked
def check_layer(
    layer: Layer,
    x: InputOrShape,
    *,
    directions: Count | None = None,
    rng: Seed = 0,
    progress: bool = True,
) -> Report:
    """Checks `layer` (or a whole `Sequential`) in float64, in training and in evaluation mode.

    x          : an input (N, ...), or the shape of one to be drawn from N(0, 1); N >= 4
    directions : None: dx and the parameters are compared at every index. A number: each, as a whole
                 tensor, along so many random directions, and index by index only if it fails; for
                 layers of any size. 2 is enough.
    rng        : a numpy Generator or a seed: draws x, the parameters' displacement, the cotangents,
                 the directions
    progress   : show a progress bar if it takes more than two seconds

    The layer itself is not changed: a copy is checked, with its parameters moved away from their
    initial values, which are special (gamma = 1, bias = 0). The rows, for each mode:
        y              : the same from two forward passes with the same random state
        dx, parameters : backward_input and backward_params, compared with central differences of
                         <c, y>, c a random cotangent, at every index
        tangent        : <c, tangent(v)>, compared with central differences of <c, y> along v
        curvature      : compared with central differences of the two backward passes
        backward       : returns and adds what backward_input and backward_params do
        accumulates    : adds into grads that were not zero
        linear         : each backward pass alone gives a multiple of dy the multiple of its result;
                         backward_input and tangent leave grads as they are
        caches         : another forward pass in between, of another batch size, changes nothing
        kept           : y and dx stay as they are while other passes run
        arguments      : x, dy, x_dot and the parameters are not changed; a dy that is read-only and
                         not contiguous gives the same gradients
        declared       : mixes_samples and piecewise_linear are as the layer says
        other batches  : one sample, the others, and all twice give the same rows of y and dx, and
                         gradients with the same sum; where samples are mixed or numbers drawn, the
                         gradients of a batch twice as large are compared with a difference
        held buffer    : all passes leave the buffers as they are while they are held
        float32        : all of it once more in float32, on the active backend, with a bar of its
                         own, beside float64; where digits cancel, the bar follows the rounding that
                         is measured, and what is lost in it fails, for that reason
    `tangent` and `curvature` are needed only under gradient penalties. A layer without them is
    checked all the same, and a note in the report says that they are missing.

    Returns a Report. Raises TypeError for an object that is not a layer, ValueError for a batch of
    fewer than 4 or values that are not finite; and, naming the layer and the method, TypeError or
    ValueError for a method that is missing or returns something of the wrong kind or shape.
    """
    rng = random_generator(rng)
    _require_base(layer)
    x = _input(x, rng)

    network = layer if isinstance(layer, Sequential) else Sequential([copy.deepcopy(layer)])
    network = network.copy("float64")
    subject = network if isinstance(layer, Sequential) else network.layers[0]
    # far enough from gamma = 1 and bias = 0, and too little to saturate a tanh or a sigmoid
    network.theta += 0.3 * rng.standard_normal(network.theta.size)
    _try_out(subject, x)
    for _ in range(3):  # moves running statistics away from their initial values
        subject.forward(_another(x, rng), training=True)

    missing = {name: _without(subject, name) for name in ("tangent", "curvature")}
    how = f", along {directions} random directions" if directions else ""
    report = Report(f"check of {layer}{how}")
    entries = 2 * (network.theta.size + (x.size if x.dtype.kind == "f" else 0))
    if directions:
        entries = 2 * (len(network.named_parameters()) + (x.dtype.kind == "f"))
    with progress_bar(entries, progress) as bar, network.held_buffers():
        for training in (True, False):
            _check_mode(report, network, subject, x, training, directions, rng, missing, bar.update)
    _note_missing(report, missing)
    return report


def _check_mode(report, network, layer, x, training, directions, rng, missing, tick):
    mode = "training" if training else "evaluation"
    state = network.rng.bit_generator.state  # dropout draws the same masks at every evaluation
    theta, buffers = network.theta.copy(), [(n, v.copy()) for n, v in network.named_buffers()]

    def forward(x=x):
        network.rng.bit_generator.state = state
        return layer.forward(x, training)

    y, cache = forward()
    y, states = np.array(y), (state, network.rng.bit_generator.state)
    again = np.array(forward()[0])
    problem = not_deterministic(y, again, "two forward passes")
    report.compare(mode, "y of two forward passes", again, y, tolerance=0)
    cotangent = rng.standard_normal(y.shape)
    x_before = x.copy()

    network.zero_grad()
    handed = cotangent.copy()  # what is written to it must not spoil the other rows
    dx = layer.backward_input(handed, cache)
    moves = x.dtype.kind == "f"  # class numbers do not
    if moves:
        dx = returned("check_layer", layer, "backward_input", "dx", dx, x.shape).copy()
        if dx.dtype != np.float64:
            report.fail(mode, "dx is float64", f"coarser than float64: dx is {dx.dtype}")
    layer.backward_params(handed, cache)
    gradients = network.grad.copy()

    def value():
        return float(np.sum(forward()[0] * cotangent))

    def differences(tensor):
        if problem:
            return Differences.none(tensor.shape, problem)
        return measure(value, tensor, tick=tick)

    def passes(copied):
        """What the layer gives for these x and dy, by the names of the rows."""
        twin = copied(network)
        inner = twin if layer is network else twin.layers[0]
        twin.rng.bit_generator.state = state
        twin.zero_grad()
        dy = cotangent.copy()
        _, cache = inner.forward(x_before, training)
        found = {"dx": inner.backward_input(dy, cache)} if moves else {}
        inner.backward_params(dy, cache)
        found |= {name: grad.copy() for name, _, grad in twin.named_parameters()}
        return found | {UNCHANGED: dy}

    exhibits = each_exhibit((network,), passes)

    def context(tensor):
        """What `explain` may know of a wrong gradient."""
        known = {"training": training, "x": x_before, "y": y, "dy": cotangent}
        return lambda: surroundings(network, tensor) | known | {"exhibits": exhibits(tensor)}

    if directions:
        draw = rng.spawn(1)[0]
        along = AlongDirections(value, directions, draw, problem=problem, tick=tick)
        if moves:
            along.compare(report, mode, "dx", x, dx, context("dx"))
        along.compare_parameters(report, mode, network, gradients, context)
    else:
        if moves:
            report.compare_difference(mode, "dx", dx, differences(x), context=context("dx"))
        compare_parameters(report, mode, network, gradients, differences(network.theta), context)

    report.compare(
        mode, UNCHANGED, handed, cotangent, tolerance=0,
        context=lambda: {"exhibits": exhibits(UNCHANGED)},
    )  # fmt: skip
    expected = {"y": y, "dx": dx, "grads": gradients}
    if own_backward(layer):
        expected |= {"backward: dx": dx, "backward: grads": gradients}
    x_dot, later = None, cotangent.copy()
    if moves and not missing["tangent"]:
        x_dot = rng.standard_normal(x.shape)
        x_dot_before, grads_before = x_dot.copy(), network.grad.copy()
        moved = layer.tangent(x_dot, cache)
        if gradients.size:
            report.compare(mode, "tangent leaves grads", network.grad, grads_before, tolerance=0)
        moved = returned("check_layer", layer, "tangent", "the derivative of y", moved, y.shape)
        expected["tangent"] = moved
        _check_tangent(report, mode, x, x_dot, moved, cotangent, forward, problem)
    if moves and not missing["curvature"]:
        check_curvature(report, mode, network, layer, x, cotangent, forward, rng, problem)
        if x_dot is not None:
            network.zero_grad()
            dx_dot = layer.curvature(later, cache, x_dot)
            expected["curvature: dx"] = np.zeros(x.shape) if dx_dot is None else dx_dot
            expected["curvature: grads"] = network.grad.copy()
    spare = rng.spawn(1)[0]
    if moves and not missing["tangent"]:
        check_straight(report, mode, layer, x, cotangent, forward, spare, problem)
    check_declared(report, mode, layer, x, forward, spare)
    check_signals(report, mode, layer, network, cotangent, cache, dx if moves else None, gradients)
    check_apart(report, mode, layer, network, cotangent, cache, dx if moves else None, gradients)
    network.grad[...] = gradients
    both = layer.backward(later, cache)
    if moves:
        both = returned("check_layer", layer, "backward", "dx", both, x.shape)
        report.compare(mode, "backward: dx", both, dx)
    if gradients.size:
        report.compare(
            mode, "backward adds into grads", network.grad, 2 * gradients,
            context=lambda: {"earlier": gradients, "adds": True},
        )  # fmt: skip

    check_single(
        report, mode, network, x, cotangent, states, expected, x_dot, not missing["curvature"]
    )

    others = _another(np.concatenate([x, x]), rng)
    layer.forward(others, training)
    check_caches(report, mode, layer, network, cotangent, cache, dx if moves else None, gradients)
    check_kept(report, mode, layer, cotangent, forward, others[: len(x)], moves)
    report.compare(mode, "arguments: x unchanged", x, x_before, tolerance=0)
    report.compare(mode, "arguments: dy unchanged later", later, cotangent, tolerance=0)
    if x_dot is not None:
        report.compare(mode, "arguments: x_dot unchanged", x_dot, x_dot_before, tolerance=0)
    check_batches(
        report, mode, layer, network, x_before, cotangent, forward, expected, x_dot,
        drawn=not same_state(*states),
    )  # fmt: skip
    if theta.size:
        report.compare(mode, "parameters unchanged", network.theta, theta, tolerance=0)
    check_buffers(report, mode, network, buffers)


def _check_tangent(report, mode, x, x_dot, found, cotangent, forward, problem):
    """<c, y_dot> beside the derivative of <c, y> as x moves along x_dot."""
    moved = np.zeros(())

    def value():
        return float(np.sum(forward(x + moved * x_dot)[0] * cotangent))

    differences = Differences.none((), problem) if problem else measure(value, moved)
    report.compare_difference(mode, "tangent", np.sum(found * cotangent), differences)


def compare_parameters(
    report: Report,
    check: str,
    network: Any,
    gradients: np.ndarray,
    differences: Differences,
    context: Callable[[str], Any] | None = None,
) -> None:
    """A row for each parameter, from flat vectors laid out like `network.theta`.

    context : name of the parameter -> () -> the context of `explain`
    """
    start = 0
    for name, gradient in by_parameter(network, gradients):
        stop = start + gradient.size
        part = differences.part(slice(start, stop), gradient.shape)
        known = context(name) if context else None
        report.compare_difference(check, name, gradient, part, context=known)
        start = stop


def by_parameter(network: Any, *vectors: np.ndarray) -> Iterator[tuple[Any, ...]]:
    """Yields (name, the part of each vector that belongs to it, in its shape)."""
    start = 0
    for name, value, _ in network.named_parameters():
        stop = start + value.size
        yield name, *(vector[start:stop].reshape(value.shape) for vector in vectors)
        start = stop


def surroundings(network: Any, tensor: str) -> dict[str, Any]:
    """The parameters, buffers and options of the layer that a tensor belongs to, by name."""
    place = tensor.rpartition(".")[0]
    inside = dict(walk(network))
    layer = inside.get(f"{place}.", network) if place else network
    if layer is network and len(network.children) == 1:
        layer = next(iter(network.children.values()))
    known = {"tensor": tensor.rpartition(".")[2]}
    for _, inner in walk(layer):
        options = {
            name: value for name, value in vars(inner).items()
            if name[0] != "_" and isinstance(value, int | float | tuple) and name != "trained"
        }  # fmt: skip
        arrays = {**inner.params, **inner.buffers}
        known = options | {name: array.copy() for name, array in arrays.items()} | known
    if place and place.count(".") == 0 and len(network.children) == 1:
        return known
    if place:
        known |= {name: array.copy() for name, array in inside.get(
            f"{place.rpartition('.')[0]}.", layer).buffers.items()}  # fmt: skip
    return known


# -- what a layer must have and return -------------------------------------------------------------


def _input(x, rng):
    """x, or one drawn in that shape, as a contiguous array of its own; floats become float64."""
    if isinstance(x, tuple):
        x = rng.standard_normal(x)
    x = np.array(x, order="C")
    if x.dtype.kind == "f":
        x = x.astype(np.float64)
    if x.ndim < 1 or len(x) < SMALLEST_BATCH:
        raise ValueError(f"check_layer: x must be a batch of at least 4 samples, got {x.shape}")
    if not x.size:
        raise ValueError(f"check_layer: x must not be empty, got shape {x.shape}")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise ValueError("check_layer: x must be finite, got NaN or infinity")
    return x


def _require_base(layer):
    """Raises TypeError unless the constructor of `Layer` has run."""
    attributes = "params", "grads", "buffers", "children", "hold_buffers", "rng"
    if not all(hasattr(layer, name) for name in attributes):
        raise TypeError(
            f"check_layer: {_name(layer)}.__init__ must begin with super().__init__(), which "
            "makes params, grads and buffers"
        )


def _try_out(layer, x):
    """y, from a first forward pass, layer by layer: raises an error that names the one at fault."""
    if isinstance(layer, Sequential):
        for child in layer.layers:
            x = _try_out(child, x)
        return x
    for method in ("forward", "backward_input"):
        if getattr(type(layer), method) is getattr(Layer, method):
            raise TypeError(f"check_layer: {_name(layer)} has no method {method}")
    if layer.params and type(layer).backward_params is Layer.backward_params:
        raise TypeError(f"check_layer: {_name(layer)} has parameters but no method backward_params")
    returned = layer.forward(x, training=True)
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise TypeError(
            f"check_layer: {_name(layer)}.forward must return two values, (y, cache), "
            f"got {shown(returned)}"
        )
    y = returned[0]
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "fiub" or not y.size:
        raise TypeError(
            f"check_layer: {_name(layer)}.forward must return y, an array of real numbers, as its "
            f"first value, got {shown(y)}"
        )
    return y


def _without(layer, method):
    """The names of the layers, of those inside `layer`, that do not have that method."""
    inside = [inner for _, inner in walk(layer)]
    base = getattr(Layer, method)
    return sorted({_name(inner) for inner in inside if getattr(type(inner), method) is base})


def _note_missing(report, missing):
    names = sorted({name for names in missing.values() for name in names})
    for name in names:
        methods = " and ".join(method for method, without in missing.items() if name in without)
        report.notes.append(
            f"{name} has no {methods}: not checked, and needed only under a gradient penalty"
        )


def _name(layer):
    return type(layer).__name__


def _another(x, rng):
    """A different input of the same kind."""
    return rng.permutation(x) if x.dtype.kind != "f" else 0.5 + 2 * rng.standard_normal(x.shape)
