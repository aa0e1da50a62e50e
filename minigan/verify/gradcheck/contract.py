"""The rest of a layer's contract: its flags, unusual arrays, held buffers, float32."""

from typing import Any

import numpy as np

from ...backend import backend
from ...layers.base import Layer
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


def check_buffers(report: Report, mode: str, network: Sequential, forward: Any, x: Any) -> None:
    """While buffers are held, a forward pass leaves them as they are."""
    before = [value.copy() for _, value in network.named_buffers()]
    forward(x)
    for (name, value), kept in zip(network.named_buffers(), before):
        report.compare(mode, f"held buffer {name}", value, kept, 0)


def check_batches(
    report: Report, mode: str, layer: Layer, network: Sequential, x: np.ndarray, dy: np.ndarray,
    forward: Any, expected: dict[str, Any], x_dot: np.ndarray | None,
) -> None:  # fmt: skip
    """The first sample alone, the others, and all of them twice: other batches give the same y and
    dx for a sample, and gradients that add up. Only for a layer that neither mixes samples nor
    draws random numbers.

    expected : as in `check_single`, without what the layer does not have
    """
    state = network.rng.bit_generator.state
    forward(x)
    if layer.mixes_samples or network.rng.bit_generator.state != state:
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


def check_single(
    report: Report, mode: str, network: Sequential, x: np.ndarray, dy: np.ndarray, state: Any,
    expected: dict[str, np.ndarray], x_dot: np.ndarray | None, second: bool,
) -> None:  # fmt: skip
    """The same in float32, on the active backend, as it is trained.

    expected : what float64 gives, by name: "y", "dx", "grads", "tangent", "curvature: dx",
        "curvature: grads"
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
        twin.rng.bit_generator.state = state
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
        return found

    with twin.held_buffers():
        found = passes(*arrays)
        y, drawn = found["y"], twin.rng.bit_generator.state != state
        if drawn and not np.allclose(y, expected["y"], rtol=0.01, atol=0.01):
            report.notes.append(f"{mode}: in float32 other random numbers are drawn; not compared")
            return
        report.compare(check, "y is float32", y.dtype == np.float32, True, 0)
        near: list[dict[str, Any]] = []
        for name, value in found.items():
            if value is None or name not in expected or not np.size(value):
                continue
            row, bar = f"{name}, {backend()}", SINGLE_PRECISION
            if bar < relative_error(value, expected[name]) < np.inf:
                near = near or [passes(*_neighbours(arrays, i)) for i in range(NEIGHBOURS)]
                scatter = max(relative_error(other[name], value) for other in near)
                bar = max(bar, TIMES_SCATTER * scatter)
                if bar > LOST:
                    report.fail(
                        check, row, f"lost in rounding: moves by {scatter:.0e} of its size when "
                        "its input moves by one rounding unit of float32",
                    )  # fmt: skip
                    continue
            report.compare(check, row, value, expected[name], bar)


def _neighbours(arrays: list[Any], seed: int) -> list[Any]:
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
