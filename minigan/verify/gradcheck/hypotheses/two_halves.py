"""Layers that split their input, or join their output, in two halves.

a, b the halves of x:     y = a phi(b) (a gated linear unit),  y = max(a, b) (maxout)
y the halves sin z, cos z of z = x B  (Fourier features):  dz = dy_1 cos z - dy_2 sin z
"""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case
from .pointwise import KNOWN


def halves(case: Case) -> Iterator[Candidate]:
    x, dy, shape = case.array("x"), case.array("dy"), case.found.shape
    if x is None or dy is None or x.ndim != dy.ndim or not x.ndim or not dy.shape[-1]:
        return
    if x.shape[-1] == 2 * dy.shape[-1] and x.shape == shape and x.shape[:-1] == dy.shape[:-1]:
        a, b = np.split(x, 2, axis=-1)
        yield from _gated(case, a, b, dy)
        yield from _largest(case, a, b, dy)
    if dy.shape[-1] % 2 == 0:
        yield from _waves(case, x, dy)


def _gated(case, a, b, dy):
    for name in ("sigmoid", "tanh", "SiLU", "GELU", "GELU with erf"):
        phi, slope, _ = KNOWN[name]
        for turned in (False, True):
            value, gate = (b, a) if turned else (a, b)
            g, s = phi(gate), slope(gate)

            def joined(of_value, of_gate, turned=turned):
                return np.concatenate((of_gate, of_value) if turned else (of_value, of_gate), -1)

            if not case.is_right(joined(dy * g, dy * value * s)):
                continue
            half, one = dy * g, dy * value * s
            for words, of_value, of_gate in (
                (f"lacks {name}'s derivative in the gate's half", half, dy * value),
                ("lacks the other half, the factor, in the gate's half", half, dy * s),
                (f"multiplies by {name} itself in the gate's half", half, dy * value * g),
                ("is dy itself in the half that is gated: the gate is missing", dy, one),
                ("has the derivative of the gate in the half that is gated", dy * s, one),
                ("has its halves exchanged", one, half),
                ("does not reach the gate: that half is zero", half, 0 * one),
                ("reaches the gate alone: the other half is zero", 0 * half, one),
            ):
                yield Candidate(joined(of_value, of_gate), words)


def _largest(case, a, b, dy):
    chosen = a > b
    if not case.is_right(np.concatenate([dy * chosen, dy * ~chosen], axis=-1)):
        return
    where = "where the larger of the two alone is right"
    for words, first, second in (
        ("has no mask: dy goes to both halves", dy, dy),
        ("goes to both halves, one half of dy each", dy / 2, dy / 2),
        ("has its mask inverted: dy goes to the smaller", dy * ~chosen, dy * chosen),
        ("goes to the first half always", dy, 0 * dy),
        ("goes to the second half always", 0 * dy, dy),
        ("takes the mask from the sign of each half", dy * (a > 0), dy * (b > 0)),
    ):
        yield Candidate(np.concatenate([first, second], axis=-1), f"{words}, {where}")


def _waves(case, x, dy):
    for _, B in case.arrays():
        if B.ndim != 2 or B.shape != (x.shape[-1], dy.shape[-1] // 2):
            continue
        for scale in (1.0, 2 * np.pi):
            z = scale * x @ B
            for exchanged in (False, True):
                d1, d2 = np.split(dy, 2, axis=-1)[:: -1 if exchanged else 1]
                sine, cosine = d1 * np.cos(z), -d2 * np.sin(z)
                for made in (
                    lambda dz, B=B: scale * dz @ B.T,  # noqa: B023
                    lambda dz: scale * x.reshape(-1, x.shape[-1]).T @ dz.reshape(-1, dz.shape[-1]),  # noqa: B023
                ):
                    if case.found.shape != made(sine).shape or not case.is_right(
                        made(sine + cosine)
                    ):
                        continue
                    for words, dz in (
                        ("has the cosine's derivative with the wrong sign", sine - cosine),
                        ("counts the sine's half alone", sine),
                        ("counts the cosine's half alone", cosine),
                        ("lacks the derivatives of sine and cosine", d1 + d2),
                        (
                            "takes sine and cosine for their own derivatives",
                            d1 * np.sin(z) + d2 * np.cos(z),
                        ),
                        (
                            "takes sine and cosine for their own derivatives",
                            d1 * np.sin(z) - d2 * np.cos(z),
                        ),
                    ):
                        yield Candidate(made(dz), words)
