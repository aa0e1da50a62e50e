"""Activations: dx = phi'(x) dy, with the derivative left out, at the wrong point, or of another."""

import math
import re
from collections.abc import Callable, Iterator

import numpy as np

from .added import deviations
from .case import Array, Candidate, Case
from .written_formulas import sigmoid, written_at

Function = Callable[[Array], Array]


def softplus(t: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, t)


def _gelu(t):
    return 0.5 * t * (1 + np.tanh(np.sqrt(2 / np.pi) * (t + 0.044715 * t**3)))


def _gelu_slope(t):
    inner = np.tanh(np.sqrt(2 / np.pi) * (t + 0.044715 * t**3))
    chain = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * t**2)
    return 0.5 * (1 + inner) + 0.5 * t * (1 - inner**2) * chain


def _normal(t):
    return np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)


def _below(t):
    """The share of N(0, 1) below t."""
    return 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(t / np.sqrt(2)))


def _mish_slope(t):
    inner = np.tanh(softplus(t))
    return inner + t * (1 - inner**2) * sigmoid(t)


# name: (phi, phi', {a formula that is often written instead: function of x or y, called t})
KNOWN: dict[str, tuple[Function, Function, dict[str, Function]]] = {
    "tanh": (
        np.tanh,
        lambda t: 1 - np.tanh(t) ** 2,
        {
            "1 - t^2": lambda t: 1 - t**2,
            "1 - t": lambda t: 1 - t,
            "1 + t^2": lambda t: 1 + t**2,
            "(1 - t)^2": lambda t: (1 - t) ** 2,
            "t^2": lambda t: t**2,
        },
    ),
    "sigmoid": (
        sigmoid,
        lambda t: sigmoid(t) * sigmoid(-t),
        {
            "t (1 - t)": lambda t: t * (1 - t),
            "1 - t": lambda t: 1 - t,
            "t (1 + t)": lambda t: t * (1 + t),
            "1 - t^2, tanh's formula,": lambda t: 1 - t**2,
            "1 - t^2": lambda t: 1 - t**2,
            "t^2": lambda t: t**2,
        },
    ),
    "softplus": (softplus, sigmoid, {"exp(t)": np.exp, "1 - sigmoid(t)": lambda t: sigmoid(-t)}),
    "SiLU": (
        lambda t: t * sigmoid(t),
        lambda t: sigmoid(t) * (1 + t * sigmoid(-t)),
        {
            "sigmoid(t), the second term missing,": sigmoid,
            "t sigmoid(t) (1 - sigmoid(t)), the first term missing,": lambda t: (
                t * sigmoid(t) * sigmoid(-t)
            ),
            "sigmoid(t) (1 + t)": lambda t: sigmoid(t) * (1 + t),
            "sigmoid(t) + t": lambda t: sigmoid(t) + t,
            "sigmoid(t) (2 - sigmoid(t)), t missing in the second term,": lambda t: (
                sigmoid(t) * (1 + sigmoid(-t))
            ),
            "1 + t sigmoid(t) (1 - sigmoid(t))": lambda t: 1 + t * sigmoid(t) * sigmoid(-t),
            "sigmoid(t) + t sigmoid(t) (1 - t sigmoid(t))": lambda t: (
                sigmoid(t) + t * sigmoid(t) * (1 - t * sigmoid(t))
            ),
        },
    ),
    "exp": (np.exp, np.exp, {}),
    "square": (np.square, lambda t: 2 * t, {"t": lambda t: t, "t^2": lambda t: t**2}),
    "sine": (np.sin, np.cos, {"-cos(t)": lambda t: -np.cos(t)}),
    "cosine": (np.cos, lambda t: -np.sin(t), {"sin(t)": np.sin}),
    "GELU": (_gelu, _gelu_slope, {}),
    "GELU with erf": (
        lambda t: t * _below(t),
        lambda t: _below(t) + t * _normal(t),
        {"Phi(t) + phi(t), t missing in the second term,": lambda t: _below(t) + _normal(t)},
    ),
    "mish": (
        lambda t: t * np.tanh(softplus(t)),
        _mish_slope,
        {
            "tanh(softplus(t)) + 1 - tanh(softplus(t))^2": lambda t: (
                np.tanh(softplus(t)) + 1 - np.tanh(softplus(t)) ** 2
            ),
        },
    ),
    "ELU": (
        lambda t: np.where(t > 0, t, np.expm1(np.minimum(t, 0))),
        lambda t: np.where(t > 0, 1, np.exp(np.minimum(t, 0))),
        {
            "1 where t > 0, else exp(t) - 1,": lambda t: np.where(
                t > 0, 1, np.expm1(np.minimum(t, 0))
            ),
            "1 where t > 0, else t,": lambda t: np.where(t > 0, 1, t),
            "1 where t > 0, else 0,": lambda t: 1.0 * (t > 0),
            "exp(t) on both sides": np.exp,
            "exp(t) where t < 0, else t,": lambda t: np.where(t > 0, t, np.exp(np.minimum(t, 0))),
        },
    ),
}

# name: a derivative that is a sum of two terms, in x
TERMS: dict[str, dict[str, Function]] = {
    "tanh": {"the term 1": np.ones_like, "the term -y^2": lambda t: -(np.tanh(t) ** 2)},
    "sigmoid": {"the term y": sigmoid, "the term -y^2": lambda t: -(sigmoid(t) ** 2)},
    "SiLU": {
        "the term sigmoid(x)": sigmoid,
        "the term x sigmoid(x) (1 - sigmoid(x))": lambda t: t * sigmoid(t) * sigmoid(-t),
    },
    "GELU with erf": {
        "the term Phi(x)": _below,
        "the term x phi(x), phi the normal density": lambda t: t * _normal(t),
    },
    "mish": {
        "the term tanh(softplus(x))": lambda t: np.tanh(softplus(t)),
        "the term x (1 - tanh(softplus(x))^2) sigmoid(x)": lambda t: (
            _mish_slope(t) - np.tanh(softplus(t))
        ),
    },
}


def activations(case: Case) -> Iterator[Candidate]:
    """Where dx = phi'(x) dy is right, for a phi that is known or a piecewise linear one."""
    dy, x, y = case.array("dy"), case.array("x"), case.array("y")
    if dy is None or not dy.shape == case.found.shape == case.expected.shape:
        return
    slope = case.ratio(case.expected, dy)
    if (kept := _two_valued(slope)) is not None:
        yield from _by_a_mask(case, dy, *kept)
    elif x is not None and x.shape == dy.shape:
        yield from _masked(case, dy, x, slope)
        yield from _trained_slope(case, dy, x)
        yield Candidate(
            dy, "is dy itself: the derivative of the layer, or of a branch of it, is left out"
        )
        yield from _smooth(case, dy, x, y)
        with np.errstate(all="ignore"):
            yield Candidate(slope**2 * dy, "contains the layer's derivative twice")
            yield Candidate(
                dy / slope, "is dy divided by the layer's derivative, where it is multiplied"
            )
    yield Candidate(
        dy, "is dy itself: the derivative of the layer, or of a branch of it, is left out"
    )
    yield Candidate(
        slope, "is the layer's derivative alone, without dy: the chain rule is left out"
    )


def _smooth(case, dy, x, y):
    for name, (phi, slope, formulas) in KNOWN.items():
        if not case.is_right(slope(x) * dy):
            continue
        output = phi(x) if y is None else y
        points = (("x", x), ("y", output), ("phi(y)", phi(output)))
        yield Candidate(
            slope(output) * dy,
            f"takes {name}'s derivative at the output y instead of the input x: {name} is applied "
            "twice",
        )
        yield Candidate(output * dy, f"multiplies dy by {name} itself (y), not by its derivative")
        for formula, function in formulas.items():
            for symbol, point in points:
                yield Candidate(
                    function(point) * dy,
                    f"takes {_put(formula, symbol)} for {name}'s derivative{_where(name, symbol)}",
                )
        for symbol, point in points[:2]:
            for formula, value in written_at(symbol, point):
                yield Candidate(value * dy, f"takes {formula} for {name}'s derivative")
        for other, (_, other_slope, _) in KNOWN.items():
            for symbol, point in points[:2]:
                yield Candidate(
                    other_slope(point) * dy,
                    f"takes the derivative of {other} (at {symbol}) for that of {name}",
                )
        terms = {what: term(x) * dy for what, term in TERMS.get(name, {}).items()}
        if terms and (said := deviations(case, terms)) is not None:
            yield said
        return


def _put(formula, symbol):
    """A formula in t with another symbol for t, which stands alone in it."""
    return re.sub(r"\bt\b", symbol, formula)


def _where(name, symbol):
    if symbol == "y" or name not in ("tanh", "sigmoid"):
        return ""
    return f" (its formula in y, with {symbol} in the place of y)" if symbol == "x" else ""


def _masked(case, dy, x, ratio):
    """A derivative with one value on the positive side and another on the negative side."""
    sides = [ratio[side & np.isfinite(ratio)] for side in (x > 0, x < 0)]
    if not all(side.size for side in sides):
        return
    above, below = (float(np.median(side)) for side in sides)
    if not case.is_right(np.where(x > 0, above, below) * dy) or np.isclose(above, below):
        return
    negative = f"the negative side's slope, {below:.6g}," if below else ""
    if below:
        yield Candidate(
            np.where(x > 0, above, 0) * dy, f"is zero where x < 0: {negative} is lost", "slope_lost"
        )
        yield Candidate(np.where(x > 0, above, -below) * dy, f"has {negative} with the wrong sign")
        yield Candidate(
            np.where(x > 0, 1 / above if above else 0, 1 / below) * dy,
            "is dy divided by the layer's derivative, where it is multiplied",
        )
        yield Candidate(np.where(x > 0, above, below**2) * dy, f"has {negative} squared")
        yield Candidate(
            np.where(x > 0, above, 1 - below) * dy, "has 1 - slope on the negative side"
        )
    yield Candidate(np.where(x > 0, above * dy, below), "has the slope without dy where x < 0")
    yield Candidate(
        np.where(x > 0, above * dy, below * x), "has slope x, not slope dy, where x < 0"
    )
    yield Candidate(below * dy, "has the negative side's slope where x > 0 too")
    yield Candidate((above * (x > 0) + below) * dy, "adds the slope where x > 0 too")
    yield Candidate(np.where(x > 1, above, below) * dy, "has its kink at 1, not at 0")
    yield Candidate(np.sign(x) * dy, "takes the derivative of |x|")
    yield Candidate(
        np.full(x.shape, above) * dy,
        "has no mask: the positive side's slope is used where x < 0 too, as with >= in place of >",
        "mask_from_output",
    )
    yield Candidate(
        np.where(x > 0, below, above) * dy, "has its two sides exchanged: the mask is that of x < 0"
    )
    for name, mask in [*case.arrays()]:
        if mask.shape != x.shape or name in ("x", "y", "earlier"):
            continue
        what = f"takes the mask from {name} instead of x"
        yield Candidate(np.where(mask > 0, above, below) * dy, what)
        yield Candidate(
            np.where((mask > 0) & (x > 0), above, below) * dy, f"has a second mask, from {name}"
        )
        yield Candidate(
            np.where(x > 0, above, below) * np.where(mask > 0, above, below) * dy,
            f"has a second mask, from {name}",
        )
    yield Candidate(
        np.where(np.roll(x, 1, axis=0) > 0, above, below) * dy, "takes the mask of another sample"
    )
    yield from _other_slopes(case, dy, x, above, below)
    yield from _another_mask(case, dy, x, above, below)


def _trained_slope(case, dy, x):
    """dx = dy where x > 0, else slope dy, with a slope for each column."""
    for name, slope in case.arrays():
        if slope.shape not in ((1,), x.shape[-1:]) or not case.is_right(
            np.where(x > 0, 1, slope) * dy
        ):
            continue
        yield Candidate(
            np.where(x > 0, 1, 0) * dy, f"lacks {name} on the negative side: zero there"
        )
        yield Candidate(slope * dy, f"has {name} on the positive side, too")
        yield Candidate(dy, f"lacks {name} on the negative side: dy itself there")
        yield Candidate(np.where(x > 0, slope, 1) * dy, "has its two sides exchanged")
        yield Candidate(np.where(x > 0, dy, slope * x), f"has {name} x, not {name} dy, where x < 0")


def _other_slopes(case, dy, x, above, below):
    """Constant slopes on both sides, but not the right ones."""
    found = case.ratio(case.found, dy)
    sides = [found[side & np.isfinite(found)] for side in (x > 0, x < 0)]
    if min(side.size for side in sides) < 3:
        return
    a, b = (float(np.median(side)) for side in sides)
    if np.isclose(a * below, b * above):  # one factor for both
        return
    wrong = [
        f"the slope {now:.6g} on the {side} side, where the forward pass has {right:.6g}"
        for now, right, side in ((a, above, "positive"), (b, below, "negative"))
        if abs(now - right) > 1e-6
    ]
    yield Candidate(np.where(x > 0, a, b) * dy, f"has {', and '.join(wrong)}")


def _another_mask(case, dy, x, above, below):
    """The right slopes, each on some entries, but not by the sign of x."""
    found = case.ratio(case.found, dy)
    mask = np.abs(found - above) < np.abs(found - below)
    differ = np.sum((mask != (x > 0)) & np.isfinite(found))
    yield Candidate(
        np.where(mask, above, below) * dy,
        f"has the right slopes, {above:.6g} and {below:.6g}, but not by the sign of x: {differ} of "
        f"{x.size} entries have the wrong one",
    )


def _two_valued(ratio):
    """(mask, scale) of a derivative that is zero here and one constant there, like dropout's; None
    for any other, and for one that is a ReLU's."""
    known = ratio[np.isfinite(ratio)]
    kept = known[np.abs(known) > 1e-6]
    if not kept.size or kept.size == known.size or np.ptp(kept) > 1e-5 * np.abs(kept).max():
        return None
    scale = float(np.median(kept))
    if np.isclose(scale, 1):
        return None
    return np.abs(np.nan_to_num(ratio)) > 1e-6, scale


def _by_a_mask(case, dy, mask, scale):
    """Dropout: dx = dy mask scale."""
    for value, words in ((scale, ""), (1.0, f", nor the scale {scale:.6g}")):
        yield Candidate(value * dy, f"has no mask{words}: the dropped entries count too")
    yield Candidate(
        mask * dy,
        f"is masked, but not scaled by {scale:.6g} = 1 / (1 - p) as in the forward pass",
        "dropout_unscaled",
    )
    p = 1 - 1 / scale
    for other, words in ((1 / p, "1 / p"), (1 - p, "1 - p"), (p, "p"), (scale**2, "1 / (1 - p)^2")):
        if not np.isclose(other, scale):
            yield Candidate(
                other * mask * dy, f"is scaled by {words}, where 1 / (1 - p) is right, p = {p:.6g}"
            )
    for other, words in ((scale, ""), (1.0, ", and no scale"), (1 / p, ", and 1 / p for scale")):
        yield Candidate(
            np.where(mask, 0, other) * dy,
            f"has its mask inverted: the kept entries are dropped{words}",
        )
    with np.errstate(all="ignore"):
        found = case.found / dy
    for value in (scale, 1.0):
        other = np.abs(found - value) <= 1e-6 * abs(value)
        dropped = np.abs(found) <= 1e-6
        if np.all(other | dropped) and dropped.any() and not np.array_equal(other, mask):
            yield Candidate(
                np.where(other, value, 0) * dy,
                "is masked by another mask than that of the forward pass: drawn or indexed anew",
            )
