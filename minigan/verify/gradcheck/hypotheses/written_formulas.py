"""Formulas that are often written in the place of the derivative of an activation or of a loss."""

import re
from collections.abc import Callable, Iterator

import numpy as np

from .case import Array, Candidate, Case


def sigmoid(t: Array) -> Array:
    return 0.5 * (1 + np.tanh(t / 2))


# in t; "t" stands for x, for y or for dy
FORMULAS: dict[str, Callable[[Array], Array]] = {
    "t": lambda t: t,
    "2 t": lambda t: 2 * t,
    "1 - t": lambda t: 1 - t,
    "1 + t": lambda t: 1 + t,
    "1 - 2 t": lambda t: 1 - 2 * t,
    "t^2": lambda t: t**2,
    "1 - t^2": lambda t: 1 - t**2,
    "1 + t^2": lambda t: 1 + t**2,
    "(1 - t)^2": lambda t: (1 - t) ** 2,
    "t (1 - t)": lambda t: t * (1 - t),
    "t (1 + t)": lambda t: t * (1 + t),
    "t^2 (1 - t)": lambda t: t**2 * (1 - t),
    "t (1 - t)^2": lambda t: t * (1 - t) ** 2,
    "t (1 - t^2)": lambda t: t * (1 - t**2),
    "1 - t^3": lambda t: 1 - t**3,
    "1 - |t|": lambda t: 1 - np.abs(t),
    "sqrt(1 - t^2)": lambda t: np.sqrt(1 - t**2),
    "1 / cosh(t)": lambda t: 1 / np.cosh(t),
    "-2 t (1 - t^2), the second derivative,": lambda t: -2 * t * (1 - t**2),
    "t (1 - t) (1 - 2 t), the second derivative,": lambda t: t * (1 - t) * (1 - 2 * t),
    "max(t, 0)": lambda t: np.maximum(t, 0),
    "max(1 - t, 0)": lambda t: np.maximum(1 - t, 0),
    "max(1 + t, 0)": lambda t: np.maximum(1 + t, 0),
    "1 - exp(-t)": lambda t: 1 - np.exp(-t),
    "1 / t": lambda t: 1 / t,
    "exp(t)": np.exp,
    "exp(-t)": lambda t: np.exp(-t),
    "tanh(t)": np.tanh,
    "1 - tanh(t)": lambda t: 1 - np.tanh(t),
    "1 - tanh(t)^2": lambda t: 1 - np.tanh(t) ** 2,
    "sigmoid(t)": sigmoid,
    "1 - sigmoid(t)": lambda t: sigmoid(-t),
    "sigmoid(t) (1 - sigmoid(t))": lambda t: sigmoid(t) * sigmoid(-t),
    "t sigmoid(t) (1 - sigmoid(t))": lambda t: t * sigmoid(t) * sigmoid(-t),
    "sigmoid(t)^2": lambda t: sigmoid(t) ** 2,
    "1 / sigmoid(t)": lambda t: 1 + np.exp(-t),
    "1 / (1 - sigmoid(t))": lambda t: 1 + np.exp(t),
    "log(sigmoid(t))": lambda t: -np.logaddexp(0, -t),
    "log(1 + exp(t))": lambda t: np.logaddexp(0, t),
    "cos(t)": np.cos,
    "sin(t)": np.sin,
    "|t|": np.abs,
    "sign(t)": np.sign,
    "1 where t > 0, else 0,": lambda t: 1.0 * (t > 0),
    "1 where t > 1, else 0,": lambda t: 1.0 * (t > 1),
    "1 where |t| < 1, else 0,": lambda t: 1.0 * (np.abs(t) < 1),
}


DISCRETE = 12  # entries, at least, before steps and signs are compared: fewer agree by chance


def written_at(symbol: str, point: Array) -> Iterator[tuple[str, Array]]:
    """(formula, value) of each, with a symbol in the place of t."""
    for formula, function in FORMULAS.items():
        value = function(point)
        different = len(np.unique(value))  # a constant may be anything
        if different == 1 or (different == 2 and value.size < DISCRETE):
            continue
        yield re.sub(r"\bt\b", symbol, formula), value


def elementwise(case: Case) -> Iterator[Candidate]:
    """dx = dy f, entry by entry, for a formula f that is often written there."""
    dy = case.array("dy")
    if dy is None or not case.found.shape == case.expected.shape:
        return
    for symbol in ("y", "x"):
        point = case.array(symbol)
        if point is None or point.shape != case.found.shape:
            continue
        for formula, value in written_at(symbol, point):
            if dy.shape == point.shape:
                yield Candidate(dy * value, f"multiplies dy by {formula}")
                yield Candidate(value, f"is {formula}, without dy: the chain rule is left out")
            yield Candidate(
                case.expected * value, f"is the right one multiplied by {formula} once more"
            )
    if dy.shape != case.found.shape:
        return
    for formula, value in written_at("dy", dy):
        if formula != "dy":
            yield Candidate(value, f"is {formula}: a formula of x or y, with dy in its place")
    x, y = case.array("x"), case.array("y")
    if x is not None and y is not None and x.shape == y.shape == dy.shape:
        yield Candidate(dy * y * (1 - x), "multiplies dy by y (1 - x)")
        yield Candidate(dy * y * (1 - dy), "multiplies dy by y (1 - dy): dy for y")
        yield Candidate(dy * x * (1 - y), "multiplies dy by x (1 - y)")


def of_logits(case: Case) -> Iterator[Candidate]:
    """d = f(logit) / N, for a formula f that is often written there."""
    for name, symbol in (("logits", "logit"), ("other_logits", "the other minibatch's logit")):
        logits = case.array(name)
        if logits is None or not logits.shape == case.found.shape == case.expected.shape:
            continue
        for formula, value in written_at(symbol, logits):
            yield Candidate(value / len(logits), f"is ({formula}) / N")
