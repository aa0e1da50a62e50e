"""Consecutive linear layers and their activations as one stage."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .kernels import vectors
from .kernels.chains import chain_backward, chain_forward, chain_merge
from .kernels.plans import ChainLayer, Plan, parts_of
from .linear import LinearStage
from .stage import Stage
from .sweeps import LayerSweep, SequenceSweep, sweep_sequence

PLANS = 16  # the most plans that a chain keeps, one for each batch size and number of threads


class ChainStage(Stage):
    """y = phi_n(... phi_1(x @ W_1 + b_1) ...): see `kernels.chains`.

    The cache is (x, (y_1, ..., y_n), the flat array that contains these). The tangent is computed
    stage by stage.
    """

    def __init__(self, stages):
        super().__init__(stages[0])
        self.children = {str(i): stage for i, stage in enumerate(stages)}
        self.stages = stages
        self.piecewise_linear = all(stage.piecewise_linear for stage in stages)
        self.size = sum(p.size for stage in stages for p in stage.layer.params.values())
        self.weights = sum(stage.layer.params["weight"].size for stage in stages)
        self.plans, self.planned_for = {}, None
        self.overwrites = False  # whether the next gradients overwrite the old ones: see `clear`

    def _plan(self, rows):
        """The plan for a batch of `rows` samples and the threads that may be used now."""
        params = self.stages[0].layer.params
        if self.planned_for is not params:  # the network has new vectors, with other addresses
            self.plans, self.planned_for = {}, params
        kind, plans = (rows, parts_of(rows, self.weights)), self.plans
        plan = plans.get(kind)
        if plan is None:
            if len(plans) >= PLANS:
                plans.clear()  # a thread that uses one of them has a reference to it
            plan = plans[kind] = Plan([_arrays_of(stage) for stage in self.stages], *kind)
        return plan

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        first = self.stages[0].layer
        x = first.as_input(x, "N", first.in_features)
        outputs = chain_forward(x, self._plan(len(x)))
        return outputs[-1], (x, outputs, outputs[0].base)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self._backward(dy, cache, True)[0]

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        self._backward(dy, cache, False, self._gradients())
        self.overwrites = False

    def backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        dx, _ = self._backward(dy, cache, True, self._gradients())
        self.overwrites = False
        return dx

    def _gradients(self):
        return "written" if self.overwrites else "added"

    def _backward(self, dy, cache, wants_dx, gradients=""):
        x, _, y = cache
        return chain_backward(dy, x, y, self._plan(len(dy)), wants_dx, gradients)

    def parts(self, cache: Any) -> list[tuple[Any, Any]]:
        """[(stage, its cache)] of the stages of the chain."""
        x, outputs, _ = cache
        return [(stage, pair) for stage, pair in zip(self.stages, zip((x, *outputs[:-1]), outputs))]

    def sweep(self, dy: np.ndarray, cache: Any) -> tuple[np.ndarray, Any]:
        """As `sweeps.sweep_of`; if the chain is piecewise linear, the backward pass is one call."""
        if not self.piecewise_linear:
            return sweep_sequence(self.parts(cache), dy)
        plan = self._plan(len(dy))
        dx, dz = self._backward(dy, cache, True)
        sweeps = []
        for (stage, inner), part in zip(self.parts(cache), plan.per_layer(dz)):
            sweeps.append(LayerSweep(stage.bare if stage.activation else stage, part, inner))
            if stage.activation:  # its curvature is zero, so it needs no dy
                sweeps.append(LayerSweep(stage.activation, None, inner[1]))
        return dx, ChainSweep(self, sweeps, dz, cache)

    def merge(self, x_dot: np.ndarray, scale: np.ndarray, dz: np.ndarray, cache: Any) -> np.ndarray:
        """y_dot; adds the merged gradients: see `kernels.chains.chain_merge`."""
        x, _, y = cache
        plan, gradients = self._plan(len(x_dot)), self._gradients()
        y_dot = chain_merge(x_dot, scale, x, y, dz, plan, gradients)
        self.overwrites = False
        return y_dot

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        for stage, inner in self.parts(cache):
            x_dot = stage.tangent(x_dot, inner)
        return x_dot

    def curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> np.ndarray | None:
        _, sweep = self.sweep(dy, cache)
        sweep.forward(x_dot)
        return sweep.backward(None, wanted=True)


class ChainSweep(SequenceSweep):
    """The sweep of a chain, whose `merge` is one compiled call."""

    def __init__(self, chain, parts, dz, cache):
        super().__init__(parts)
        self.chain, self.dz, self.cache = chain, dz, cache

    def merge(self, x_dot: np.ndarray, slopes: Any) -> Any:
        return self.chain.merge(x_dot, slopes, self.dz, self.cache)


def _arrays_of(stage):
    """The arrays of a stage's layer, and the code and slope of its activation."""
    params, grads = stage.layer.params, stage.layer.grads
    weights = params["weight"], params.get("bias"), grads["weight"], grads.get("bias")
    return ChainLayer(*weights, *stage.phi)


def clear(grad: np.ndarray, caches: Sequence[Any] = ()) -> None:
    """Sets a network's gradients to 0.

    If all gradients belong to chains, and the stages of `caches` are the next to add to them, the
    zeros need not be written: the chains overwrite the old gradients instead.
    """
    # (an empty batch would overwrite nothing, hence `len`)
    chains = [stage for stage, cache in caches if type(stage) is ChainStage and len(cache[0])]
    if chains and sum(chain.size for chain in chains) == grad.size:
        for chain in chains:
            chain.overwrites = True
    else:
        vectors.clear(grad)


def clear_rest(caches: Sequence[Any]) -> None:
    """After an error in a backward pass: sets to 0 the gradients that its chains did not write."""
    for stage, _ in caches:
        if type(stage) is ChainStage and stage.overwrites:
            stage.overwrites = False
            for layer in (linear.layer for linear in stage.stages):
                for gradient in layer.grads.values():
                    gradient.fill(0)


def chained(stages: Sequence[Any]) -> list[Any]:
    """The stages, with consecutive linear stages replaced by a chain.

    A layer whose input size does not fit the layer before begins a new chain, which then raises an
    error for its input. Within a chain, sizes are not checked.
    """
    found: list[Any] = []
    for stage in stages:
        if type(stage) is not LinearStage:
            found.append(stage)
        elif found and type(found[-1]) is list and _fits(found[-1][-1], stage):
            found[-1].append(stage)
        else:
            found.append([stage])
    return [ChainStage(stage) if type(stage) is list else stage for stage in found]


def _fits(before, stage):
    """Whether the output size of one linear stage is the input size of the next."""
    weights = (linear.layer.params["weight"] for linear in (before, stage))
    return next(weights).shape[1] == len(next(weights))
