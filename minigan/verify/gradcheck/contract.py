"""The rest of a layer's contract: its flags, unusual arrays, held buffers, float32."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._random import same_state
from ...backend import backend
from ...layers.base import Layer
from ...layers.composite import walk
from ...network import Sequential
from .differences import Differences, measure
from .report import IN_FLOAT32, Report, relative_error

# Of float32 results beside float64 ones. The largest of minigan's layers, on either backend, is
# 1.4e-6; the gradient of a narrow batch norm, in which digits cancel, may have a few times that.
SINGLE_PRECISION = 1e-4

# Where more digits cancel, the rounding is measured: the float32 results for inputs that differ by
# one rounding unit scatter as much as rounding makes them (Vignes 1993, discrete stochastic
# arithmetic). A row may then be off by a few times the largest of these few deviations. If that is
# more than a tenth of the gradient, a mistake could hide in it, and the row says nothing.
NEIGHBOURS = 8
TIMES_SCATTER = 4
LOST = 0.1
SUMMED_ANEW = 1e-9  # relative: in another batch a sum may have another order
FACTOR = -1024.0  # of dy: a power of two, so that what is linear in dy is multiplied exactly


def check_declared(
    report: Report, mode: str, layer: Layer, x: np.ndarray, forward: Any, rng: np.random.Generator
) -> None:
    """mixes_samples: whether the first sample's y moves when the others do, as declared.

    forward : x -> (y, cache), always with the same random state
    """
    y = np.asarray(forward(x)[0])
    bar, mixes, moves = 1e-12 * float(np.abs(y).max()), False, False
    for i in range(len(x)):
        own, others = x.copy(), _other_values(x, rng)
        own[i], others[i] = others[i], x[i]
        mixes |= bool(np.any(np.abs(np.asarray(forward(others)[0])[i] - y[i]) > bar))
        moves |= bool(np.any(np.abs(np.asarray(forward(own)[0])[i] - y[i]) > bar))
    if mixes or (moves and mode == "training"):  # batch norm does not mix in evaluation
        report.compare(mode, "declared mixes_samples", bool(layer.mixes_samples), mixes, 0)


def check_straight(
    report: Report, mode: str, layer: Layer, x: np.ndarray, dy: np.ndarray, forward: Any,
    rng: np.random.Generator, problem: str | None,
) -> None:  # fmt: skip
    """piecewise_linear, where it is declared: the tangent does not move with x, and `curvature`
    returns None."""
    if not layer.piecewise_linear:
        return
    _, cache = forward(x)
    x_dot, along = rng.standard_normal((2, *x.shape))
    if type(layer).curvature is not Layer.curvature:
        returned = layer.curvature(dy.copy(), cache, x_dot)
        report.compare(mode, "curvature: None, if piecewise_linear", returned is None, True, 0)
    moved = np.zeros(())

    def tangent():
        return float(np.sum(dy * layer.tangent(x_dot, forward(x + moved * along)[1])))

    differences = Differences.none((), problem) if problem else measure(tangent, moved)
    if differences.compared or problem:
        report.compare_difference(
            mode, "tangent: stays, if piecewise_linear", np.zeros(()), differences
        )


def check_signals(
    report: Report, mode: str, layer: Layer, network: Sequential, dy: np.ndarray, cache: Any,
    dx: np.ndarray | None, gradients: np.ndarray,
) -> None:  # fmt: skip
    """A dy that is read-only and not contiguous gives the same gradients."""
    columns = dy.shape[-1]
    strided = np.zeros((*dy.shape[:-1], 2 * columns + 1))[..., : 2 * columns : 2]
    strided[...] = dy
    strided.flags.writeable = False
    network.zero_grad()
    try:
        layer.backward_params(strided, cache)
        again = layer.backward_input(strided, cache)
    except Exception as error:  # whatever the layer's own code raises
        words = f"raises {type(error).__name__}: {error}"
        report.fail(mode, "dy read-only, not contiguous", words)
        return
    if dx is not None:
        report.compare(mode, "dy read-only, not contiguous: dx", again, dx)
    if gradients.size:
        report.compare(mode, "dy read-only, not contiguous: grads", network.grad, gradients)


def check_apart(
    report: Report, mode: str, layer: Layer, network: Sequential, dy: np.ndarray, cache: Any,
    dx: np.ndarray | None, gradients: np.ndarray,
) -> None:  # fmt: skip
    """Each backward pass alone, of a dy that the other has not seen: both are linear in dy, and
    `backward_input` leaves the gradients of the parameters as they are."""
    network.zero_grad()
    layer.backward_params(FACTOR * dy, cache)
    found = network.grad.copy()
    again = layer.backward_input(2 * FACTOR * dy, cache)
    if dx is not None:
        report.compare(mode, "linear in dy: dx", again, 2 * FACTOR * dx)
    if gradients.size:
        report.compare(mode, "linear in dy: grads", found, FACTOR * gradients)
        report.compare(mode, "backward_input leaves grads", network.grad, found, 0)


def check_caches(
    report: Report, mode: str, layer: Layer, network: Sequential, dy: np.ndarray, cache: Any,
    dx: np.ndarray | None, gradients: np.ndarray,
) -> None:  # fmt: skip
    """After another forward pass, of another batch size, the same gradients."""
    network.zero_grad()
    try:
        layer.backward_params(dy.copy(), cache)
        again = layer.backward_input(dy.copy(), cache)
    except Exception as error:  # whatever the layer's own code raises
        words = f"raises {type(error).__name__}: {error}"
        report.fail(mode, "caches: after another forward", words)
        return
    if dx is not None:
        report.compare(mode, "caches: dx after another forward", again, dx, 0)
    if gradients.size:
        report.compare(mode, "caches: grads after another forward", network.grad, gradients, 0)


def check_kept(
    report: Report, mode: str, layer: Layer, dy: np.ndarray, forward: Any, others: np.ndarray,
    moves: bool,
) -> None:  # fmt: skip
    """What a pass has returned stays as it is while others run, of `others` in the place of x."""
    y, cache = forward()
    y_before = np.array(y)
    forward(others)
    report.compare(mode, "kept: y after another forward", np.array(y), y_before, 0)
    if moves:
        dx = layer.backward_input(dy.copy(), cache)
        dx_before = dx.copy()
        layer.backward_input(2 * dy, cache)
        report.compare(mode, "kept: dx after another backward", dx, dx_before, 0)


def check_buffers(report: Report, mode: str, network: Sequential, before: Any) -> None:
    """While buffers are held, all passes leave them as they are, [(name, value)] before them."""
    for (name, value), (_, kept) in zip(network.named_buffers(), before):
        report.compare(mode, f"held buffer {name}", value, kept, 0)


def own_backward(layer: Layer) -> bool:
    """Whether a layer, itself or one inside, has a method `backward` of its own."""
    inside = [type(inner) for _, inner in walk(layer)]
    return any(kind.backward not in (Layer.backward, Sequential.backward) for kind in inside)


def check_batches(
    report: Report, mode: str, layer: Layer, network: Sequential, x: np.ndarray, dy: np.ndarray,
    forward: Any, expected: dict[str, Any], x_dot: np.ndarray | None, drawn: bool,
) -> None:  # fmt: skip
    """The first sample alone, the others, and all of them twice: other batches give the same y and
    dx for a sample, and gradients that add up. For a layer that mixes samples or draws random
    numbers: other samples, twice as many, beside a difference.

    expected : as in `check_single`, without what the layer does not have
    drawn    : whether a forward pass draws random numbers
    """
    if layer.mixes_samples or drawn:
        _check_twice(report, mode, layer, network, x, dy, forward)
        return
    everyone = np.arange(len(x))
    found: dict[str, list[Any]] = {name: [] for name in expected}
    batches = everyone[:1], everyone[1:], np.tile(everyone, 2)
    try:
        for rows in batches:
            for name, value in _passes(layer, network, x, dy, x_dot, forward, rows, expected):
                found[name].append(value)
    except Exception as error:  # whatever the layer's own code raises
        words = f"raises {type(error).__name__}: {error}"
        report.fail(mode, "other batch sizes", words)
        return
    for name, values in found.items():
        right = expected[name]
        if right is None or not np.size(right):
            continue
        if name.endswith("grads"):
            one, others, twice = values
            values, right = np.array([one + others, twice / 2]), np.array([right, right])
        else:
            values, right = np.concatenate(values), right[np.concatenate(batches)]
        report.compare(mode, f"other batch sizes: {name}", values, right, SUMMED_ANEW)


def _check_twice(report, mode, layer, network, x, dy, forward):
    """<dx, v> + <gradients, w> of twice as many samples, beside the derivative along v and w."""
    rng, moves = np.random.default_rng(0), x.dtype.kind == "f"
    x = np.concatenate([x, _other_values(x, rng)])
    dy = rng.standard_normal((len(x), *dy.shape[1:]))
    v = rng.standard_normal(x.shape) if moves else 0
    start, w, moved = network.theta.copy(), rng.standard_normal(network.theta.size), np.zeros(())

    def value():
        network.theta[...] = start + moved * w
        try:
            return float(np.sum(forward(x + moved * v if moves else x)[0] * dy))
        finally:
            network.theta[...] = start

    try:
        _, cache = forward(x)
        network.zero_grad()
        layer.backward_params(dy, cache)
        found = network.grad @ w
        if moves:
            found += np.sum(layer.backward_input(dy, cache) * v)
        differences = measure(value, moved)
    except Exception as error:  # whatever the layer's own code raises
        report.fail(mode, "a batch twice as large", f"raises {type(error).__name__}: {error}")
        return
    report.compare_difference(mode, "a batch twice as large", np.asarray(found), differences)


def _passes(layer, network, x, dy, x_dot, forward, rows, names):
    """Yields (name, value) of what the layer gives for some of the samples."""
    y, cache = forward(x[rows])
    yield "y", np.array(y)
    network.zero_grad()
    layer.backward_params(dy[rows], cache)
    yield "grads", network.grad.copy()
    yield "dx", layer.backward_input(dy[rows], cache)
    if "tangent" in names:
        yield "tangent", layer.tangent(x_dot[rows], cache)
    if "curvature: dx" in names:
        network.zero_grad()
        dx_dot = layer.curvature(dy[rows], cache, x_dot[rows])
        yield "curvature: dx", np.zeros_like(x_dot[rows]) if dx_dot is None else dx_dot
        yield "curvature: grads", network.grad.copy()
    if "backward: dx" in names:
        network.zero_grad()
        yield "backward: dx", layer.backward(dy[rows], cache)
        yield "backward: grads", network.grad.copy()


def check_single(
    report: Report, mode: str, network: Sequential, x: np.ndarray, dy: np.ndarray,
    states: tuple[Any, Any], expected: dict[str, np.ndarray], x_dot: np.ndarray | None,
    second: bool,
) -> None:  # fmt: skip
    """The same in float32, on the active backend, as it is trained.

    states   : of the random generator, before a forward pass and after it
    expected : what float64 gives, by name: "y", "dx", "grads", "tangent", "curvature: dx",
        "curvature: grads", "backward: dx", "backward: grads"
    second   : whether `curvature` is there
    """
    twin = network.copy("float32")
    check = f"{mode}{IN_FLOAT32}"
    arrays = [
        array.astype(np.float32) if array is not None and array.dtype.kind == "f" else array
        for array in (x, dy, x_dot)
    ]

    def passes(x: Any, dy: Any, x_dot: Any) -> dict[str, Any]:
        """What the layer gives in float32, by the names of `expected`."""
        twin.rng.bit_generator.state = states[0]
        twin.zero_grad()
        y, cache = twin.forward(x, mode == "training")
        found = {"y": y, "dx": twin.backward_input(dy, cache)}
        twin.backward_params(dy, cache)
        found["grads"] = twin.grad.copy()
        if x_dot is not None:
            found["tangent"] = twin.tangent(x_dot, cache)
            if second:
                twin.zero_grad()
                found["curvature: dx"] = twin.curvature(dy, cache, x_dot)
                found["curvature: grads"] = twin.grad.copy()
        if "backward: dx" in expected:
            twin.zero_grad()
            found["backward: dx"] = twin.backward(dy, cache)
            found["backward: grads"] = twin.grad.copy()
        return found

    def again(i: int) -> dict[str, Any]:
        return passes(*neighbours(arrays, i))

    with twin.held_buffers():
        found = passes(*arrays)
        y, others = found["y"], not same_state(twin.rng.bit_generator.state, states[1])
        if others and not np.allclose(y, expected["y"], rtol=0.01, atol=0.01):
            report.notes.append(f"{mode}: in float32 other random numbers are drawn; not compared")
            return
        report.compare(check, "y is float32", y.dtype == np.float32, True, 0)
        for row, scatter in compare_single(report, check, found, expected, again).items():
            report.fail(
                check, row, f"lost in rounding: moves by {scatter:.0e} of its size when "
                "its input moves by one rounding unit of float32",
            )  # fmt: skip


def compare_single(
    report: Report, check: str, found: dict[str, Any], expected: dict[str, Any],
    again: Callable[[int], dict[str, Any]],
) -> dict[str, float]:  # fmt: skip
    """A row for each result in float32, beside that in float64. Returns {row: scatter} of those
    that are lost in rounding, about which there is no row.

    again : i -> the results for the i-th neighbour of the inputs
    """
    near: list[dict[str, Any]] = []
    lost = {}
    for name, value in found.items():
        if value is None or name not in expected or not np.size(value):
            continue
        row, bar = f"{name}, {backend()}", SINGLE_PRECISION
        if bar < relative_error(value, expected[name]) < np.inf:
            near = near or [again(i) for i in range(NEIGHBOURS)]
            scatter = max(relative_error(other[name], value) for other in near)
            bar = max(bar, TIMES_SCATTER * scatter)
            if bar > LOST:
                lost[row] = scatter
                continue
        report.compare(check, row, value, expected[name], bar)
    return lost


def neighbours(arrays: list[Any], seed: int) -> list[Any]:
    """The arrays with each float moved by one rounding unit, up or down at random."""
    rng = np.random.default_rng(seed)
    return [
        np.nextafter(array, rng.choice(np.array([-np.inf, np.inf], np.float32), array.shape))
        if array is not None and array.dtype.kind == "f" else array
        for array in arrays
    ]  # fmt: skip


def _other_values(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other numbers; for class numbers, the same in another order."""
    return rng.permutation(x) if x.dtype.kind != "f" else 0.5 + 2 * rng.standard_normal(x.shape)
