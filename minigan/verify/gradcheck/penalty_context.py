"""The context of a penalty's gradient for `explain`: its terms, and gradients like it."""

import copy
import functools
from collections.abc import Callable, Iterator
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
                **numbers_of(self.penalty),
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
            D, penalty = copied(self.network), copied(self.penalty)  # its class in minigan
            points = self.penalty.points(self.real, self.fake, copy.deepcopy(self.rng))
            found = {}

            def at(points):
                signals, caches = slopes(D, points)
                D.zero_grad()
                return signals, caches

            signals, caches = at(points)
            g = signals[0]
            _, v = penalty.measure(g)
            for what, instead in wrong_slopes(penalty, g, v):
                D.zero_grad()
                D.curvature_along(signals, caches, instead)
                found[what] = D.grad.copy()

            D.zero_grad()
            x_dot = v
            for i, (stage, cache) in enumerate(caches):
                stage.curvature(signals[i + 1], cache, x_dot)
                x_dot = stage.tangent(x_dot, cache)
            found[
                "that without the second signal, dy_dot, which activations that curve send back"
            ] = D.grad.copy()

            D.zero_grad()
            logits, caches = D.forward(points)
            D.backward_params(np.full_like(logits, 1 / len(logits)), caches)
            found["that of mean D(x) itself: the first derivative, not that of the slope"] = (
                D.grad.copy()
            )
            for words, others in (("real samples", self.real), ("fakes", self.fake)):
                signals, caches = at(others)
                D.curvature_along(signals, caches, penalty.measure(signals[0])[1])
                found[f"that at the {words}: the penalty takes D's slope at other points"] = (
                    D.grad.copy()
                )
            return found

        return on_healthy_copies(run) if hasattr(self.penalty, "measure") else {}


def numbers_of(penalty: Any) -> dict[str, float]:
    """Its options by name: gamma, target, and the weight, which is no array here."""
    options = {
        name: value for name, value in vars(penalty).items() if isinstance(value, int | float)
    }
    if "weight" in options:
        options["the penalty's weight"] = options.pop("weight")
    return options


def wrong_slopes(penalty: Any, g: np.ndarray, v: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(words, v) of mistakes in v = dR/dg, from g = grad_x D and the right v."""

    def norm(axes):
        return np.sqrt((g**2).sum(axis=axes, keepdims=True))

    length = norm(tuple(range(1, g.ndim)))
    whole, across, scale = norm(None), norm(0), 1 / len(g)
    yield (
        "that of the batch's mean slope, where each sample has its own",
        np.broadcast_to(v.mean(axis=0), v.shape).copy(),
    )
    yield "that of |v|, the signs lost, where v = dR/dg is right", np.abs(v)
    alone = np.zeros_like(v)
    alone[-1] = v[-1]
    yield "that of the last sample alone", alone
    if hasattr(penalty, "gamma"):
        scale *= penalty.gamma
        yield (
            "that of v = gamma / N g / |g|: of the length, where its square is right",
            (scale * g / length),
        )
        yield "that of v = gamma / N g^2, where v = gamma / N g is right", scale * g**2
        yield "that of v = gamma / N |g|^2 g: the square is squared again", scale * length**2 * g
        yield "that of v = gamma / N sign(g): of |g|_1, where |g|^2 is right", scale * np.sign(g)
    if not (hasattr(penalty, "weight") and hasattr(penalty, "target")):
        return
    scale *= 2 * penalty.weight
    target = penalty.target
    yield "that of a penalty with the target 0: the target is left out", scale * g
    yield (
        "that of v = 2 w / N (|g| - target) g: g should be the unit vector g / |g|",
        (scale * (length - target) * g),
    )
    yield (
        "that of v = 2 w / N (|g|^2 - target) g: the root in |g| is missing",
        (scale * (length**2 - target) * g),
    )
    yield (
        "that of v = 2 w / N (|g|^2 - target) g / |g|: the root in |g| is missing",
        (scale * (length**2 - target) * g / length),
    )
    yield (
        "that of ||g| - target|, where its square is right",
        scale * np.sign(length - target) * g / length,
    )
    yield "that of v = 2 w / N g / |g|: the factor |g| - target is missing", scale * g / length
    for words, other in (("whole batch", whole), ("batch, for each value of a sample", across)):
        yield (
            f"that with |g| taken over the {words}, where each sample has its own",
            (scale * (other - target) * g / other),
        )
        yield (
            f"that with the |g| in g / |g| taken over the {words}, where each sample has its own",
            (scale * (length - target) * g / other),
        )
    yield (
        "that of one-sided excess, max(|g| - target, 0), where both sides count",
        (scale * np.maximum(length - target, 0) * g / length),
    )
