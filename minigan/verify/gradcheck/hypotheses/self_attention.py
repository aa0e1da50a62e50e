"""A whole layer of attention, whatever its weights are called:

y = A v  (or A v W_o, and x may be added),  A = softmax(scale q k') by rows,
q = x W_q,  k = x W_k,  v = x W_v,  with x (N, T, C).

dx = dq W_q' + dk W_k' + dv W_v',  dW_q = x' dq,  and so on; dq, dk, dv as in `query_key_value`.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .added import deviations
from .case import Array, Candidate, Case
from .jacobians import softmax
from .matrix_products import rows
from .query_key_value import turned

MOST = 6  # matrices among which the three projections are looked for
SYMBOLS = "q", "k", "v"


@dataclass
class Found:
    """The projections of a layer: their names, their weights, and what follows from them."""

    names: tuple[str, ...]
    weights: tuple[Array, ...]
    scale: float
    A: Array
    qkv: tuple[Array, ...]
    dout: Array  # the gradient of A v
    past: int  # 1 if x is added to y


def attention(case: Case) -> Iterator[Candidate]:
    """A path, a transpose, a scale or the softmax's derivative missing, in dx and in dW."""
    layer = _projections(case)
    if layer is None:
        return
    x, dy = case.array("x"), case.array("dy")
    right = _signals(layer)
    weight = dict(zip(layer.names, SYMBOLS)).get(str(case.context.get("tensor")))
    if weight is None:
        paths = {
            f"the path through {symbol}": d @ W.T
            for symbol, d, W in zip(SYMBOLS, right, layer.weights)
        }
        through = np.sum([*paths.values()], axis=0)
        if through.shape != case.expected.shape:
            return
        if layer.past:
            paths["the path past the attention, dy"] = dy
        if not case.is_right(through + layer.past * dy):
            return
        if (said := deviations(case, paths)) is not None:
            yield said
        for words, signals in _mistakes(layer):
            value = sum(d @ W.T for d, W in zip(signals, layer.weights))
            yield Candidate(value + layer.past * dy, words)
        return
    at = SYMBOLS.index(weight)
    if not case.is_right(rows(x).T @ rows(right[at])):
        return
    for words, signals in _mistakes(layer):
        if signals[at].shape == right[at].shape:
            yield Candidate(rows(x).T @ rows(signals[at]), words)


def _projections(case):
    """The three weights, found by trying which give y; None for another layer."""
    x, y, dy = case.array("x"), case.array("y"), case.array("dy")
    if x is None or y is None or dy is None or x.ndim != 3 or y.ndim != 3:
        return None
    matrices = [(n, a) for n, a in case.arrays() if a.ndim == 2 and a.shape[0] == x.shape[2]][:MOST]
    outputs = [("", None), *((n, a) for n, a in case.arrays() if a.ndim == 2)][: MOST + 1]
    for chosen in itertools.permutations(matrices, 3):
        names, weights = zip(*chosen)
        if weights[0].shape != weights[1].shape:
            continue
        q, k, v = (x @ W for W in weights)
        for scale in (q.shape[-1] ** -0.5, 1.0):
            A = softmax(scale * q @ turned(k))
            out = A @ v
            for name, output in outputs:
                if name in names or (output is not None and output.shape[0] != out.shape[-1]):
                    continue
                image = out if output is None else out @ output
                for past in (0, 1):
                    if image.shape != y.shape or (past and x.shape != y.shape):
                        continue
                    if case.agree(image + past * x, y):
                        dout = dy if output is None else dy @ output.T
                        return Found(names, weights, scale, A, (q, k, v), dout, past)
    return None


def _through_softmax(A, dA):
    return A * (dA - np.sum(A * dA, axis=-1, keepdims=True))


def _signals(layer, softmaxed=_through_softmax):
    """dq, dk, dv; softmaxed : (A, dA) -> dz."""
    q, k, v = layer.qkv
    dz = softmaxed(layer.A, layer.dout @ turned(v))
    return layer.scale * dz @ k, layer.scale * turned(dz) @ q, turned(layer.A) @ layer.dout


def _mistakes(layer):
    """(words, (dq, dk, dv)) of what is often written."""
    q, k, v = layer.qkv
    dq, dk, dv = _signals(layer)
    yield (
        f"lacks the scale {layer.scale:.6g} in dq and dk",
        (dq / layer.scale, dk / layer.scale, dv),
    )
    yield f"contains the scale {layer.scale:.6g} twice", (dq * layer.scale, dk * layer.scale, dv)
    for words, softmaxed in (
        ("leaves out the softmax: it takes dA for dz", lambda A, dA: dA),
        ("lacks the path through the softmax's sum", lambda A, dA: A * dA),
        (
            "takes the diagonal of the softmax's Jacobian alone, A (1 - A) dA",
            lambda A, dA: A * (1 - A) * dA,
        ),
        (
            "takes the softmax's derivative along the wrong axis",
            lambda A, dA: A * (dA - np.sum(A * dA, axis=-2, keepdims=True)),
        ),
        (
            "sums A dA over the whole matrix, where each row has a sum of its own",
            lambda A, dA: A * (dA - np.sum(A * dA, axis=(-1, -2), keepdims=True)),
        ),
        ("lacks the factor A in the softmax's derivative", lambda A, dA: (
            dA - np.sum(A * dA, axis=-1, keepdims=True)
        )),
    ):  # fmt: skip
        yield words, _signals(layer, softmaxed)
    if layer.A.shape[-1] == layer.A.shape[-2]:
        yield "has A dy in dv, where A' dy is right: a transpose is missing", (
            dq, dk, layer.A @ layer.dout
        )  # fmt: skip
    if dq.shape == dk.shape:
        yield "has dq and dk exchanged", (dk, dq, dv)
        dz = _through_softmax(layer.A, layer.dout @ turned(v))
        if dz.shape[-1] == dz.shape[-2]:
            yield "has dz q in dk, where dz' q is right: a transpose is missing", (
                dq, layer.scale * dz @ q, dv
            )  # fmt: skip
            yield "has dz' k in dq, where dz k is right: a transpose too many", (
                layer.scale * turned(dz) @ k, dk, dv
            )  # fmt: skip
        yield "is multiplied by q and k the wrong way round: dq has q in it, dk has k", (
            layer.scale * dz @ q, layer.scale * turned(dz) @ k, dv
        )  # fmt: skip
