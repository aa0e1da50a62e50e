"""Consecutive linear layers with small weights, and their activations, as one stage."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .kernels.chains import (
    ChainLayer,
    Plan,
    chain_backward,
    chain_forward,
    chain_merge,
    parts_of,
)
from .kernels.codes import IDENTITY, LEAKY_RELU
from .linear import LinearStage
from .stage import Stage
from .sweeps import LayerSweep, RowSweep

SMALL = 1 << 18  # bytes of a weight: each thread packs all of them, which should not take long
PLANS = 16  # for so many batch sizes


class ChainStage(Stage):
    """y = phi_n(... phi_1(x @ W_1 + b_1) ...), see `kernels.chains`.

    The cache is (x, (y_1, ..., y_n)). Tangents and curvature go through the stages one by one.
    """

    def __init__(self, stages):
        super().__init__(stages[0])
        self.children = {str(i): stage for i, stage in enumerate(stages)}
        self.stages = stages
        self.piecewise_linear = all(stage.piecewise_linear for stage in stages)
        self.weights = sum(stage.layer.params["weight"].size for stage in stages)
        self.plans, self.planned_for = {}, None

    def _plan(self, rows):
        """The plan for a batch of so many rows and the threads that may be used now."""
        params = self.stages[0].layer.params
        if self.planned_for is not params:  # the network's vectors have moved: addresses are others
            self.plans, self.planned_for = {}, params
        kind = rows, parts_of(rows, self.weights)
        if kind not in self.plans:
            if len(self.plans) == PLANS:
                self.plans.clear()
            self.plans[kind] = Plan([_arrays_of(stage) for stage in self.stages], *kind)
        return self.plans[kind]

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        first = self.stages[0].layer
        x = first.as_input(x, "N", first.in_features)
        outputs = chain_forward(x, self._plan(len(x)))
        return outputs[-1], (x, outputs)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self._backward(dy, cache, False, True)[0]

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        self._backward(dy, cache, True, False)

    def backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self._backward(dy, cache, True, True)[0]

    def _backward(self, dy, cache, adds, wants_dx):
        return chain_backward(dy, *cache, self._plan(len(dy)), adds, wants_dx)

    def parts(self, cache: Any) -> list[tuple[Any, Any]]:
        """[(stage, its cache)]."""
        x, outputs = cache
        return [(stage, pair) for stage, pair in zip(self.stages, zip((x, *outputs[:-1]), outputs))]

    def sweep(self, dy: np.ndarray, cache: Any) -> tuple[np.ndarray, Any]:
        """`sweeps.sweep_of`, with its backward pass in one call."""
        dx, signals = self._backward(dy, cache, False, True)
        sweeps = []
        for (stage, inner), dz in zip(self.parts(cache), signals):
            sweeps.append(LayerSweep(stage.bare if stage.activation else stage, dz, inner))
            if stage.activation:  # only the last one needs dy: the others are piecewise linear
                sweeps.append(LayerSweep(stage.activation, dy, inner[1]))
        return dx, ChainSweep(self, sweeps, signals, cache)

    def merge(self, x_dot: np.ndarray, scale: np.ndarray, signals: Any, cache: Any) -> np.ndarray:
        return chain_merge(x_dot, scale, *cache, signals, self._plan(len(x_dot)))

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        for stage, inner in self.parts(cache):
            x_dot = stage.tangent(x_dot, inner)
        return x_dot

    def curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> np.ndarray | None:
        _, sweep = self.sweep(dy, cache)
        sweep.forward(x_dot)
        return sweep.backward(None, wanted=True)


class ChainSweep(RowSweep):
    """The sweep of a chain, `merge` in one call."""

    def __init__(self, chain, parts, signals, cache):
        super().__init__(parts)
        self.chain, self.signals, self.cache = chain, signals, cache

    def merge(self, x_dot: np.ndarray, slopes: Any) -> Any:
        return self.chain.merge(x_dot, slopes, self.signals, self.cache)


def _arrays_of(stage):
    """A layer's arrays, views of the network's vectors, and its activation."""
    params, grads = stage.layer.params, stage.layer.grads
    weights = params["weight"], params.get("bias"), grads["weight"], grads.get("bias")
    return ChainLayer(*weights, *stage.phi)


def chained(stages: Sequence[Any]) -> list[Any]:
    """The stages, with those that can form a chain replaced by it."""
    found: list[Any] = []
    run: list[Any] = []
    for stage in [*stages, None]:
        if stage is not None and _can_join(run, stage):
            run.append(stage)
            if stage.phi[0] in (IDENTITY, LEAKY_RELU):  # others are applied at the end of a chain
                continue
        found += [ChainStage(run)] if len(run) > 1 else run
        if stage is not None and (not run or run[-1] is not stage):
            found.append(stage)
        run = []
    return found


def _can_join(run, stage):
    """Whether a stage can follow those of a chain. One whose size does not fit stays outside, where
    it refuses its input: a chain works on addresses and would read beyond an array."""
    if type(stage) is not LinearStage:
        return False
    weight = stage.layer.params["weight"]
    fits = not run or run[-1].layer.params["weight"].shape[1] == len(weight)
    return fits and weight.nbytes <= SMALL
