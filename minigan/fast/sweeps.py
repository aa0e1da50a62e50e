"""The second-order sweep of a network; if it is piecewise linear, with one product per weight.

It is derived in `minigan.penalties.second_order`. A network is a tree: its nodes are sequences and
sums of layers. Its sweep is a tree of the same form. A sweep is a backward pass from dy that stores
what is needed to differentiate it along x_dot. `sweep_of` returns dx and a sweep with two methods:

    y_dot  = sweep.forward(x_dot)            forward pass of the tangents
    dx_dot = sweep.backward(dy_dot, wanted)  backward pass; adds the second-order terms to the grads

dx_dot is computed only if `wanted`; dy_dot = None stands for zero. If all parts of a sweep are
piecewise linear, a third method does both passes at once:

    y_dot  = sweep.merge(x_dot, slopes)

It also adds the gradients of a loss with the slopes s_n = dL/dlogit_n (N, 1) at the same samples.
In a piecewise linear D samples do not mix, so the cotangent of this loss at every layer is s_n dy_n
for each sample n, with dy the stored cotangent of the sweep. The gradients of the adversarial loss
and of the penalties are then one product:

    dW += x' (s dy) + x_dot' dy = (s x + x_dot)' dy,      db += sum_n s_n dy_n
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layers.composite import add, count_parameters
from ..layers.conditional import WithCode
from ..layers.residual import Residual
from ..network import Sequential


def sweep_of(layer: Any, dy: np.ndarray, cache: Any) -> tuple[np.ndarray, Any]:
    """(dx, sweep) of one stage, from dy and the cache of its forward pass."""
    if isinstance(layer, Sequential):
        return sweep_sequence(cache, dy)
    if hasattr(layer, "sweep"):  # a chain of layers
        return layer.sweep(dy, cache)
    if hasattr(layer, "parts"):  # a layer and its activation
        parts = layer.parts(cache)
        return sweep_sequence(parts, dy) if len(parts) > 1 else _single(layer, dy, cache)
    if isinstance(layer, Residual):
        in_branch, in_skip = cache
        dx, branch = sweep_of(layer.branch, dy, in_branch)
        skipped_dx, skip = sweep_of(layer.skip, dy, in_skip)
        return dx + skipped_dx, SumSweep(branch, skip)
    if isinstance(layer, WithCode):
        inner, shape = cache
        df, dc = layer.split(dy, shape)
        dx, sweep = sweep_of(layer.inner, df, inner)
        return layer.join(dx, dc), WithCodeSweep(layer, sweep, shape)
    return _single(layer, dy, cache)


def _single(layer, dy, cache):
    return layer.backward_input(dy, cache), LayerSweep(layer, dy, cache)


def sweep_sequence(caches: Sequence[Any], dy: np.ndarray) -> tuple[np.ndarray, "SequenceSweep"]:
    """(dx, sweep) of consecutive stages, caches = [(stage, cache), ...], from the last one's dy."""
    parts = []
    for stage, cache in reversed(caches):
        dy, part = sweep_of(stage, dy, cache)
        parts.append(part)
    return dy, SequenceSweep(parts[::-1])


class LayerSweep:
    """The sweep of one stage, from its tangent, backward and curvature."""

    def __init__(self, layer, dy, cache):
        self.layer, self.cache = layer, cache
        self.trained = count_parameters(layer) > 0
        # a layer with parameters can be merged only if it has `backward_merged`
        self.piecewise_linear = layer.piecewise_linear and (
            not self.trained or hasattr(layer, "backward_merged")
        )
        # False: curvature is zero, so dy and x_dot need not be stored
        self.curves = self.trained or not self.piecewise_linear
        self.dy = dy if self.curves else None

    def forward(self, x_dot: np.ndarray) -> np.ndarray:
        self.x_dot = x_dot if self.curves else None
        return self.layer.tangent(x_dot, self.cache)

    def backward(self, dy_dot: np.ndarray | None, wanted: bool) -> np.ndarray | None:
        layer, dx_dot = self.layer, None
        if dy_dot is not None:
            step = layer.backward if wanted else layer.backward_params
            dx_dot = step(dy_dot, self.cache)
        if self.curves:
            dx_dot = add(dx_dot, layer.curvature(self.dy, self.cache, self.x_dot))
        return dx_dot

    def merge(self, x_dot: np.ndarray, slopes: Any) -> Any:
        if self.trained:
            self.layer.backward_merged(self.dy, slopes, self.cache, x_dot)
        return self.layer.tangent(x_dot, self.cache)


class SequenceSweep:
    """The sweep of consecutive stages.

    parts         : their sweeps, from the input to the output
    first_trained : index of the first part with parameters; `backward` stops there unless `wanted`
    """

    def __init__(self, parts):
        self.parts = parts
        trained = [part.trained for part in parts]
        self.trained = any(trained)
        self.piecewise_linear = all(part.piecewise_linear for part in parts)
        self.first_trained = trained.index(True) if self.trained else len(parts)

    def forward(self, x_dot: np.ndarray) -> np.ndarray:
        for part in self.parts:
            x_dot = part.forward(x_dot)
        return x_dot

    def backward(self, dy_dot: np.ndarray | None, wanted: bool) -> np.ndarray | None:
        first = 0 if wanted else self.first_trained
        for index in reversed(range(first, len(self.parts))):
            dy_dot = self.parts[index].backward(dy_dot, wanted or index > first)
        return dy_dot

    def merge(self, x_dot: np.ndarray, slopes: Any) -> Any:
        for part in self.parts:
            x_dot = part.merge(x_dot, slopes)
        return x_dot


class SumSweep:
    """The sweep of y = f(x) + g(x): f and g have the same x_dot and the same dy."""

    def __init__(self, f, g):
        self.f, self.g = f, g
        self.trained = f.trained or g.trained
        self.piecewise_linear = f.piecewise_linear and g.piecewise_linear

    def forward(self, x_dot: np.ndarray) -> np.ndarray:
        return self.f.forward(x_dot) + self.g.forward(x_dot)

    def backward(self, dy_dot: np.ndarray | None, wanted: bool) -> np.ndarray | None:
        return add(self.f.backward(dy_dot, wanted), self.g.backward(dy_dot, wanted))

    def merge(self, x_dot: np.ndarray, slopes: Any) -> Any:
        return self.f.merge(x_dot, slopes) + self.g.merge(x_dot, slopes)


class WithCodeSweep:
    """The sweep of y = [f(x), c], a WithCode: that of f, and c copied."""

    def __init__(self, layer, inner, shape):
        self.layer, self.inner, self.shape = layer, inner, shape
        self.trained, self.piecewise_linear = inner.trained, inner.piecewise_linear

    def forward(self, x_dot: np.ndarray) -> np.ndarray:
        return self.layer.append_code(self.inner.forward(self.layer.inner_input(x_dot)), x_dot)

    def backward(self, dy_dot: np.ndarray | None, wanted: bool) -> np.ndarray | None:
        if dy_dot is None:
            dx_dot, dc_dot = self.inner.backward(None, wanted), np.zeros((1, self.layer.width))
        else:
            df_dot, dc_dot = self.layer.split(dy_dot, self.shape)
            dx_dot = self.inner.backward(df_dot, wanted)
        if dx_dot is None:
            return None
        return self.layer.join(dx_dot, np.broadcast_to(dc_dot, (len(dx_dot), self.layer.width)))

    def merge(self, x_dot: np.ndarray, slopes: Any) -> Any:
        return self.layer.append_code(
            self.inner.merge(self.layer.inner_input(x_dot), slopes), x_dot
        )
