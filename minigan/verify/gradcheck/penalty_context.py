"""The context of a penalty's gradient for `explain`: its terms, and gradients like it."""

import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._random import RandomStates
from ...network import Sequential
from ...penalties.second_order import slopes
from .layer_check import by_parameter
from .museum_cases import each_exhibit, on_healthy_copies

FINITE = "value and grad finite"


def finite_at_zeros(
    penalty: Any, network: Sequential, real: np.ndarray, fake: np.ndarray, rng: Any
) -> np.ndarray:
    """Whether a penalty's value, and its gradient, are finite for a network of zeros."""
    network.theta[...] = 0
    network.zero_grad()
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            value = penalty.accumulate(network, real, fake, rng)
        return np.array([np.isfinite(value), np.isfinite(network.grad).all()])
    except FloatingPointError:
        return np.zeros(2, bool)


class PenaltyContext:
    """The context of `explain` for each parameter of D, under one penalty."""

    def __init__(
        self,
        penalty: Any,
        network: Sequential,
        real: np.ndarray,
        fake: np.ndarray,
        rng: np.random.Generator,
        start: RandomStates,
    ) -> None:
        start.restore()
        self.penalty, self.network, self.rng = penalty, network.copy(), copy.deepcopy(rng)
        self.real, self.fake = real.copy(), fake.copy()
        self.exhibits = each_exhibit((penalty, network), self._accumulated)

    def of(self, name: str) -> Callable[[], dict]:
        """() -> the context of a parameter."""

        def context() -> dict:
            others = {
                what: next(part for key, part in by_parameter(self.network, flat) if key == name)
                for what, flat in self._others().items()
            }
            return {
                "tensor": name,
                "penalty": repr(self.penalty),
                "batch_size": len(self.real),
                "exhibits": self.exhibits(name),
                "others": others,
            }

        return context

    def _accumulated(self, copied):
        """What the penalty adds, and whether it is finite at zeros."""
        network, rng = copied(self.network), copy.deepcopy(self.rng)
        network.zero_grad()
        copied(self.penalty).accumulate(network, self.real, self.fake, rng)
        found = {name: grad.copy() for name, _, grad in network.named_parameters()}
        rng = copy.deepcopy(self.rng)
        zeros = finite_at_zeros(copied(self.penalty), network, self.real, self.fake, rng)
        return found | {FINITE: zeros}

    @functools.cache  # noqa: B019 - it lives as long as the report that is being made
    def _others(self):
        """The gradients of penalties that are a little different from this one."""

        def run(copied):
            D, penalty = copied(self.network), self.penalty
            points = penalty.points(self.real, self.fake, copy.deepcopy(self.rng))
            signals, caches = slopes(D, points)
            g = signals[0]
            _, v = penalty.measure(g)
            found = {}

            def along(what, v):
                D.zero_grad()
                D.curvature_along(signals, caches, v)
                found[what] = D.grad.copy()

            weight, target = getattr(penalty, "weight", None), getattr(penalty, "target", None)
            if weight is not None and target is not None:
                length = np.sqrt((g.reshape(len(g), -1) ** 2).sum(axis=1))
                length = length.reshape(-1, *(1,) * (g.ndim - 1))
                scale = 2 * weight / len(g)
                along("that of a penalty with the target 0: the target is left out", scale * g)
                along(
                    "that of v = 2 w / N (|g| - target) g: g should be the unit vector g / |g|",
                    scale * (length - target) * g,
                )
                along(
                    "that of v = 2 w / N (|g|^2 - target) g: the root in |g| is missing",
                    scale * (length**2 - target) * g,
                )
            D.zero_grad()
            x_dot = v
            for i, (stage, cache) in enumerate(caches):
                stage.curvature(signals[i + 1], cache, x_dot)
                x_dot = stage.tangent(x_dot, cache)
            found[
                "that without the second signal, dy_dot, which activations that curve send back"
            ] = D.grad.copy()
            return found

        return on_healthy_copies(run) if hasattr(self.penalty, "measure") else {}
