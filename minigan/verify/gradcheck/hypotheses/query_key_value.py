"""Attention: y = A v, A = softmax(z) by rows, z = scale q k'; q, k, v of shape (N, T, d).

dv = A' dy;   dA = dy v';   dz = A (dA - sum(A dA));   dq = scale dz k;   dk = scale dz' q
"""

from collections.abc import Iterator

import numpy as np

from .case import Array, Candidate, Case
from .jacobians import softmax


def turned(array: Array) -> Array:
    return array.swapaxes(-1, -2)


def projections(case: Case) -> Iterator[Candidate]:
    """Where dq, dk or dv is right: a softmax, a scale or a transpose left out."""
    q, k, v, dy = (case.array(name) for name in ("q", "k", "v", "dy"))
    if q is None or k is None or v is None or dy is None or q.ndim < 2:
        return
    try:
        for scale in (q.shape[-1] ** -0.5, 1.0):
            yield from _scaled(case, q, k, v, dy, scale)
    except ValueError:  # shapes of something else
        return


def _scaled(case, q, k, v, dy, scale):
    A = softmax(scale * q @ turned(k))
    dA = dy @ turned(v)
    dz = A * (dA - np.sum(A * dA, axis=-1, keepdims=True))
    instead = {  # of dz
        "dA: the softmax is left out": dA,
        "A dA: the path through the softmax's sum is missing": A * dA,
        "A (1 - A) dA: only the diagonal of the softmax's Jacobian": A * (1 - A) * dA,
        "a softmax along the wrong axis": A * (dA - np.sum(A * dA, axis=-2, keepdims=True)),
        "A, the weights themselves": A,
        "the scores' transpose": turned(dz) if dz.shape[-1] == dz.shape[-2] else dz,
    }
    for right, of, matrix, own, other, symbol in (
        (scale * dz @ k, "q", lambda s: s, k, q, "dz k"),
        (scale * turned(dz) @ q, "k", turned, q, k, "dz' q"),
    ):
        if not case.is_right(right):
            continue
        yield Candidate(right / scale, f"lacks the scale {scale:.6g}")
        yield Candidate(right * scale, f"contains the scale {scale:.6g} twice")
        for words, s in instead.items():
            yield Candidate(scale * matrix(s) @ own, f"has, for dz in scale {symbol}, {words}")
        if v.shape == own.shape:
            yield Candidate(
                scale * matrix(dz) @ v, f"is multiplied by v, where scale {symbol} is right"
            )
        if other.shape == own.shape:
            yield Candidate(
                scale * matrix(dz) @ other,
                f"is multiplied by {of} itself, where scale {symbol} is right",
            )
            yield Candidate(scale * turned(matrix(dz)) @ other, "is that of the other of q and k")
    if case.is_right(turned(A) @ dy):
        if A.shape[-1] == A.shape[-2]:
            yield Candidate(A @ dy, "is A dy, where A' dy is right: a transpose is missing")
        yield Candidate(turned(dz) @ dy, "is dz' dy, where A' dy is right")
        yield Candidate(turned(dA) @ dy, "is dA' dy, where A' dy is right")
        yield Candidate(scale * turned(A) @ dy, f"contains the scale {scale:.6g}, as dq and dk do")
        yield Candidate(
            turned(scale * q @ turned(k)) @ dy, "has the scores where the weights A belong"
        )
