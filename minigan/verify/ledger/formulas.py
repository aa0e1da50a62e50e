"""What the layers and the losses compute, in the field's symbols.

The k-th affine layer (linear or convolution) has weight Wk and bias bk and makes zk. What follows
carries its number: ak out of an activation, nk out of a normalisation, hk, hkb, ... out of others.
A residual layer counts too: it makes hk, and the weights inside it are Wk.branch.0 and so on.
A d before a symbol is the loss's derivative: dW1 = dL/dW1. A prime transposes.

All formulas are read from the docstring of the class that computes them. Those of an activation
and of a loss become templates, one letter for each number, that Python can evaluate: `words` turns
them into text, `minigan.ledger.sums` puts the numbers in. Those of other layers stay text: see
`_stated`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ... import layers as L
from ... import losses
from ...layers.composite import walk

_PARAMETERS = {
    "weight": "W", "bias": "b", "query": "W_q", "key": "W_k", "value": "W_v", "output": "W_o",
}  # fmt: skip


@dataclass(frozen=True)
class LossFormulas:
    """The formulas of L_D or L_G as the docstring of the loss has them: "mean softplus(-r)"."""

    value: str
    d_real: str
    d_fake: str

    def terms(self) -> list[str]:
        """The templates of the terms whose means add up to the value."""
        found = re.findall(r"(^|-| [+-] )mean (.+?)(?= [+-] mean |$)", self.value)
        return [("-" if "-" in sign else "") + _template(term) for sign, term in found]

    def slopes(self) -> tuple[str, str]:
        """The templates of d_real and d_fake, to be divided by N."""
        return _template(self.d_real), _template(self.d_fake)


def of_loss(loss: Any, player: str) -> Any:
    """The formulas of the loss of player "D" or "G", from the docstring of the class that computes
    it; None for a class that is not in `minigan.losses`, or states none."""
    method = "discriminator" if player == "D" else "generator"
    owner = next((kind for kind in type(loss).__mro__ if method in vars(kind)), object)
    if owner.__module__ != losses.__name__:
        return None
    written = rf"(d?L_{player}(?:/d[rf])?) = (.+?)(?:,?\s+(?=dL_)|\s\s|$)"
    found = dict(re.findall(written, owner.__doc__ or "", re.MULTILINE))
    name = f"L_{player}"
    if name not in found:
        return None
    return LossFormulas(found[name], found.get(f"d{name}/dr", "0"), found.get(f"d{name}/df", "0"))


def _template(formula: str) -> str:
    """A formula of one sample's term as Python reads it; of a slope without its "/ N"."""
    return formula.removesuffix(" / N").replace("^", "**").translate(str.maketrans("[]", "()"))


def fill(template: str, **texts: str) -> str:
    """The template with its letters replaced: fill("x*y", x="2", y="a1") = "2*a1"."""
    return re.sub(r"\b[a-z]\b", lambda found: texts.get(found.group(), found.group()), template)


def words(template: str, **texts: str) -> str:
    """A template as one writes it by hand: powers with ^, products by a space."""
    return fill(template, **texts).replace("**", "^").replace("*", " ")


def activation(layer: Any, positive: bool) -> Any:
    """(phi, phi') of an activation as templates in x and y; None for any other layer.

    positive : is x > 0? LeakyReLU has a formula for either side.
    """
    if isinstance(layer, L.LeakyReLU):
        return (
            ("1*x", "1")
            if positive
            else (f"{layer.negative_slope!r}*x", f"{layer.negative_slope!r}")
        )
    kind = type(layer)
    stated = r"y = (.+?)(?: = .+)?;  phi' = (.+?),"  # "y = tanh(x);  phi' = 1 - y^2,"
    found = re.match(stated, kind.__doc__ or "") if kind.__module__ == L.Tanh.__module__ else None
    return found and tuple(map(_factor, found.groups()))


def _factor(formula: str) -> str:
    """A formula of an activation's docstring as Python reads it, ready to be multiplied."""
    formula = re.sub(r"\bs\b", "sigmoid(x)", formula)
    formula = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", formula).replace("^", "**")
    is_sum = re.search(r" [+-] ", re.sub(r"\(.*\)", "", formula))
    return f"({formula})" if is_sum else formula


def value(layer: Any, x: str, y: str, params: dict[str, str]) -> str:
    """The formula of y = layer(x), in symbols. params: {name: symbol}, of `parameters`."""
    if isinstance(layer, L.LeakyReLU):
        return f"{x} where {x} > 0, else {_times(layer.negative_slope, x)}"
    if (templates := activation(layer, True)) is not None:
        return words(templates[0], x=x)
    of = _by_letter(layer, params)
    formula = _stated(type(_inside(layer))).get("y", f"{layer}(x)")
    return _filled(formula if "b" in of else formula.removesuffix(" + b"), x=x, y=y, **of)


def input_gradient(layer: Any, x: str, y: str, params: dict[str, str]) -> str:
    """The formula of dx, in symbols."""
    if isinstance(layer, L.LeakyReLU):
        return f"d{y} where {x} > 0, else {_times(layer.negative_slope, f'd{y}')}"
    if (templates := activation(layer, True)) is not None:
        return f"d{y} {words(templates[1], x=x, y=y)}"
    formula = _stated(type(_inside(layer))).get("dx", "backward_input(dy)")
    return _filled(formula, x=x, y=y, **_by_letter(layer, params))


def parameter_gradient(layer: Any, name: str, passes: Sequence[tuple[str, str]]) -> str:
    """The formula of the gradient of one parameter, in symbols: a sum over the passes [(x, y)]."""
    letter = _PARAMETERS.get(_last(name), _last(name))
    formula = _stated(type(_inside(layer))).get(f"d{letter}", "backward_params(dy)")
    formula, *where = formula.split(",  ")  # "x' dq,  dq = dS k": the sum is of the first part
    formula = ", ".join([" + ".join(_filled(formula, x=x, y=y) for x, y in passes), *where])
    if isinstance(layer, L.SpectralNorm) and _last(name) == "weight":
        return f"(G - <G, W/sigma> u v') / sigma, G = {formula}"
    return formula


def loss_in_words(loss: Any, player: str) -> tuple[str, str, str]:
    """(L, dL/dr, dL/df) of a player in symbols, r the logits of real samples, f those of fakes."""
    found = of_loss(loss, player)
    if found is None:
        method = "discriminator" if player == "D" else "generator"
        return (f"loss.{method}(r, f)",) * 3
    return found.value, found.d_real, found.d_fake


def symbols(layers: Sequence[Any], first: str, last: str) -> list[str]:
    """The symbols of all values of a pass over these layers: [first, ..., last]."""
    found, k = [first], 0
    seen: Counter[str] = Counter()
    for layer in map(_inside, layers):
        k += _is_numbered(layer)
        symbol = f"{_letter(layer)}{k}"
        found.append(symbol + " bcdefgh"[seen[symbol]].strip())
        seen[symbol] += 1
    return [*found[:-1], last]


def parameters(layers: Sequence[Any]) -> list[dict[str, str]]:
    """For each layer {name: symbol} of its parameters, those of layers inside it included."""
    found: list[dict[str, str]] = []
    k = 0
    for layer in layers:
        k += _is_numbered(_inside(layer))
        found.append({})
        for prefix, inner in walk(layer):
            place = f".{prefix[:-1]}" if isinstance(layer, L.Residual) else ""
            for name in inner.params:
                found[-1][prefix + name] = f"{_PARAMETERS.get(name, name)}{k}{place}"
    return found


def _stated(kind):
    """{name: formula} of y, dx, dW, ... in the docstring of one of minigan's layers (a subclass may
    compute something else). A formula ends at a colon, at three spaces or with its line."""
    if not kind.__module__.startswith(L.__name__):
        return {}
    written = r"(?:^|: | {3})(y|d\w+) = (.+?)(?=\.?$| {3}|: )"
    found = re.findall(written, kind.__doc__ or "", re.MULTILINE)
    return dict(reversed(found))  # the first of a name counts


def _filled(formula, **symbols):
    """The formula with its letters replaced; a d before a letter stays."""
    formula = formula.replace(" @ ", " ").replace(",  ", ", ")
    letters = rf"\b(d?)({'|'.join(symbols)})\b"
    return re.sub(letters, lambda found: found[1] + symbols[found[2]], formula)


def _times(slope, symbol):
    return f"{slope:g} {symbol}" if slope else "0"


def _by_letter(layer, params):
    of = {_PARAMETERS.get(_last(name), _last(name)): symbol for name, symbol in params.items()}
    return of | {"W": f"{of['W']}/sigma"} if isinstance(layer, L.SpectralNorm) else of


def _last(name):
    return name.rpartition(".")[-1]


def _inside(layer):
    """The layer itself, or the one that a spectral norm wraps."""
    return layer.children["layer"] if isinstance(layer, L.SpectralNorm) else layer


def _is_numbered(layer):
    return _is_affine(layer) or isinstance(layer, L.Residual)


def _is_affine(layer):
    return isinstance(layer, L.Linear | L.Conv2d | L.ConvTranspose2d)


def _letter(layer):
    if _is_affine(layer):
        return "z"
    if isinstance(layer, L.BatchNorm | L.LayerNorm):
        return "n"
    return "h" if activation(layer, True) is None else "a"
