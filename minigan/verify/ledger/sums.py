"""Every entry of a value or a gradient, written out in numbers as the sum that it is.

Each function writes its operation out, entry by entry, as expressions that Python can evaluate. A
line has 10 digits or more: as many as are needed for the printed expression to equal the printed
result to a relative TOLERANCE. Where terms cancel down to their rounding errors, 1e-16 of the
largest term, no number of digits is enough, and all 17 are printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ... import layers as L
from ...layers.activations import sigmoid, softplus
from . import formulas

TOLERANCE = 1e-9
LARGEST = 24  # entries of the largest tensor that is written out

_FUNCTIONS = {"sigmoid": sigmoid, "softplus": softplus, "tanh": np.tanh, "max": max}


@dataclass(frozen=True)
class Sum:
    """One entry, written out: `name = expression = result`."""

    name: str
    expression: str
    result: str

    def __str__(self):
        return f"{self.name} = {self.expression} = {self.result}"


def is_tiny(networks: Sequence[Any], loss: Any, batch: int) -> bool:
    """Whether a step is written out: linear layers and activations only, a loss of
    `minigan.losses`, and at most LARGEST entries in each tensor for `batch` samples."""
    for network in networks:
        for layer in network.layers:
            is_linear = type(layer) is L.Linear
            if not is_linear and formulas.activation(layer, True) is None:
                return False
            sides = (layer.in_features, layer.out_features) if is_linear else (0, 0)
            if max(sides[0] * sides[1], batch * max(sides)) > LARGEST:
                return False
    return all(formulas.of_loss(loss, player) for player in "DG")


@np.errstate(under="ignore")
def evaluate(expression: str) -> float:
    """The value of an expression of a ledger."""
    return float(eval(expression, {"__builtins__": {}}, _FUNCTIONS))


# -- layers ----------------------------------------------------------------------------------------


def layer_value(layer: Any, symbol: str, x: np.ndarray, y: np.ndarray) -> list[Any]:
    """y = x W + b, y = phi(x): a Sum for each entry of y."""
    if isinstance(layer, L.Linear):
        weight, bias = layer.params["weight"], layer.params.get("bias")
        return _each(symbol, y, lambda number, n, j: _products(
            number, x[n], weight[:, j], None if bias is None else bias[j]
        ))  # fmt: skip
    return _each(symbol, y, lambda number, *at: formulas.fill(
        formulas.activation(layer, bool(x[at] > 0))[0], x=number(x[at])
    ))  # fmt: skip


def input_gradient(
    layer: Any, symbol: str, x: np.ndarray, y: np.ndarray, dy: np.ndarray, dx: np.ndarray
) -> list[Any]:
    """dx = dy W', dx = dy phi'(x): a Sum for each entry of dx."""
    if isinstance(layer, L.Linear):
        weight = layer.params["weight"]
        return _each(symbol, dx, lambda number, n, i: _products(number, dy[n], weight[i]))
    return _each(symbol, dx, lambda number, *at: f"{number(dy[at])}*" + formulas.fill(
        formulas.activation(layer, bool(x[at] > 0))[1], x=number(x[at]), y=number(y[at])
    ))  # fmt: skip


def parameter_gradient(
    name: str, symbol: str, x: np.ndarray, dy: np.ndarray, penalty: Any, gradient: np.ndarray
) -> list[Any]:
    """dW = x' dy, db = the sum of dy over the batch, and dR of the penalties as one number (None
    without): a Sum for each entry of `gradient`."""

    def entry(number, *at):
        extra = None if penalty is None else penalty[at]
        if name == "weight":
            return _products(number, x[:, at[0]], dy[:, at[1]], extra)
        return _plus(number, [number(term) for term in dy[:, at[0]]], extra)

    return _each(symbol, gradient, entry)


# -- losses ----------------------------------------------------------------------------------------


def loss_value(
    loss: Any, player: str, real: np.ndarray, fake: np.ndarray, value: Any, penalty: Any = None
) -> list[Any]:
    """L_D or L_G as means over the samples, + R of penalties (None without)."""
    terms = formulas.of_loss(loss, player).terms()

    def entry(number):
        return _plus(number, [_mean(number, term, real, fake) for term in terms], penalty)

    return _each(f"L_{player}", np.array(value), entry)


def discriminator_slopes(
    loss: Any, symbol: str, real: np.ndarray, fake: np.ndarray, gradient: np.ndarray
) -> list[Any]:
    """dL_D/dlogits, the real ones first: a Sum for each logit."""
    slopes, n = formulas.of_loss(loss, "D").slopes(), len(real)
    return _each(symbol, gradient, lambda number, row, _: _slope(
        number, slopes[row >= n], real, fake, row % n
    ))  # fmt: skip


def generator_slopes(
    loss: Any, symbol: str, real: np.ndarray, fake: np.ndarray, gradient: np.ndarray
) -> list[Any]:
    """dL_G/df, or dL_G/dr of a loss that depends on the real logits too: a Sum for each logit."""
    slope = formulas.of_loss(loss, "G").slopes()[symbol == "df"]
    return _each(symbol, gradient, lambda number, row, _: _slope(number, slope, real, fake, row))


# -- writing ---------------------------------------------------------------------------------------


def _each(symbol, values, entry):
    """A Sum for every entry of `values`; entry(number, *index) writes its expression."""
    sums = []
    for at in np.ndindex(values.shape):
        name = f"{symbol}[{','.join(map(str, at))}]" if at else symbol
        sums.append(_write(name, float(values[at]), lambda number: entry(number, *at)))
    return sums


def _write(name, value, entry):
    """With the fewest digits that are enough; 17 are all that a float64 has."""
    for digits in range(10, 18):
        expression = entry(partial(_number, digits))
        result = f"{value + 0.0:.{digits}g}"  # + 0.0 makes a zero of -0.0
        if abs(evaluate(expression) - float(result)) <= TOLERANCE * abs(float(result)):
            break
    return Sum(name, expression, result)


def _number(digits, value):
    """A negative number in brackets, so that it can follow any sign."""
    text = f"{value + 0.0:.{digits}g}"
    return f"({text})" if value < 0 else text


def _products(number, left, right, extra=None):
    """left[0]*right[0] + left[1]*right[1] + ... + extra"""
    return _plus(number, [f"{number(a)}*{number(b)}" for a, b in zip(left, right)], extra)


def _plus(number, terms, extra):
    return " + ".join(terms if extra is None else [*terms, number(extra)])


def _mean(number, template, real, fake):
    """(term_1 + ... + term_N)/N"""
    rows = zip(real[:, 0], fake[:, 0])
    return f"({_plus(number, [_filled(number, template, *row) for row in rows], None)})/{len(real)}"


def _slope(number, template, real, fake, row):
    return f"{_filled(number, template, real[row, 0], fake[row, 0])}/{len(real)}"


def _filled(number, template, r, f):
    return formulas.fill(template, r=number(r), f=number(f))
