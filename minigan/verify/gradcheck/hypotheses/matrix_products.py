"""A matrix product with the wrong factor: dx = dy W', dW = x' dy.

W is (in, out), or, as in PyTorch, (out, in): then dx = dy W and dW = dy' x. What can be wrong is
the same, so dW is transposed there before it is looked at.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .case import Candidate, Case


def rows(array: Any) -> np.ndarray:
    return array.reshape(-1, array.shape[-1])


def weight_gradient(case: Case) -> Iterator[Candidate]:
    """Where dW = x' dy is right, or its transpose: other arrays in the place of x or dy."""
    yield from _products(case, lambda a, b: f"{_primed(a)} {b}")
    if case.found.ndim == case.expected.ndim == 2:
        turned = replace(case, found=case.found.T, expected=case.expected.T)
        for candidate in _products(turned, lambda a, b: f"{_primed(b)} {a}"):
            yield replace(candidate, value=candidate.value.T)


def _products(case, said):
    """said : (a, b) -> how the product of a (N, in) and b (N, out) is written."""
    x, dy = case.array("x"), case.array("dy")
    if x is None or dy is None or x.ndim != dy.ndim or x.ndim < 2:
        return
    if rows(x).shape[0] != rows(dy).shape[0] or not case.is_right(rows(x).T @ rows(dy)):
        return
    right = said("x", "dy")
    for name, array in [*case.arrays(), *_changed(case)]:
        if array.ndim < 2 or name == "earlier":
            continue
        if array.shape == x.shape and name != "x":
            yield Candidate(
                rows(array).T @ rows(dy), f"is {said(name, 'dy')}, where {right} is right"
            )
        if array.shape == dy.shape and name != "dy":
            yield Candidate(
                rows(x).T @ rows(array), f"is {said('x', name)}, where {right} is right"
            )
    sums = np.outer(rows(x).sum(axis=0), rows(dy).sum(axis=0))
    for scale, words in ((1, "sums"), (len(rows(x)), "means")):
        yield Candidate(
            sums / scale**2,
            f"is a product of {words} over the batch, where the sum of products, {right}, is right",
        )
    yield Candidate(
        sums / len(rows(x)),
        "multiplies the mean of x by the sum of dy (or the other way round), where the sum of "
        f"products, {right}, is right",
    )
    if x.shape == dy.shape:
        product = (rows(x) * rows(dy)).sum(axis=0)
        for value in (np.broadcast_to(product, case.found.shape), np.diag(product)):
            if value.shape == case.found.shape:
                yield Candidate(
                    value,
                    "multiplies x and dy entry by entry, where each input belongs with each output",
                    "weight_elementwise",
                )
    if len(rows(x)) > 2:
        for a, b in ((rows(x)[:-1], rows(dy)[1:]), (rows(x)[1:], rows(dy)[:-1])):
            yield Candidate(a.T @ b, "pairs x and dy of different samples: shifted by one")
    for moved, how in (
        (rows(x)[::-1], "is reversed"),
        (np.roll(rows(x), 1, axis=0), "is shifted by one"),
        (np.roll(rows(x), -1, axis=0), "is shifted by one"),
    ):
        yield Candidate(
            moved.T @ rows(dy), f"pairs x and dy of different samples: one of them {how}"
        )


def input_gradient(case: Case) -> Iterator[Candidate]:
    """Where dx = dy W' is right: other matrices and other signals."""
    dy = case.array("dy")
    if dy is None or dy.ndim < 2:
        return
    for name, weight in case.arrays():
        if weight.ndim == 2 and name not in ("x", "dy", "y"):
            yield from _through(case, dy, name, weight, f"dy {name}'", f"dy {name}")
            yield from _through(case, dy, name, weight.T, f"dy {name}", f"dy {name}'")


def _through(case, dy, name, weight, right, turned):
    """right, turned : how dy weight' is written, and dy weight."""
    for scale, scaled in _scales(case):
        if weight.shape[1] != dy.shape[-1] or not case.is_right(dy @ weight.T / scale):
            continue
        if weight.shape[0] == weight.shape[1]:
            yield Candidate(
                dy @ weight / scale, f"is {turned}, where {right} is right: a transpose is wrong"
            )
        yield from _of_the_gradient(case, dy, name, weight, right)
        yield Candidate(
            np.outer(dy.sum(axis=-1), weight.sum(axis=-1)).reshape(case.found.shape) / scale,
            f"is a product of sums, where {right} is right",
        )
        for changed, how in (
            (np.abs(weight), "the signs of it lost"),
            (np.sign(weight), "its signs alone"),
            (weight**2, "each entry squared"),
        ):
            yield Candidate(dy @ changed.T / scale, f"is a product with {name}, {how}")
        for which, one in (("first", 0), ("last", -1)):
            alone = (dy[..., one, None] * weight[:, one]) / scale
            yield Candidate(alone, f"counts the {which} output alone: `=` in place of `+=`")
            yield Candidate(case.expected - alone, f"does not count the {which} output")
        if scaled:
            yield Candidate(dy @ weight.T, f"is that of {name}, not of {name} / {scaled}")
            yield Candidate(dy @ weight.T / scale**2, f"is divided by {scaled} twice")
            yield Candidate(dy @ weight.T * scale, f"is multiplied by {scaled}, not divided")
        for other, array in case.arrays():
            if array.shape == dy.shape and other != "dy":
                yield Candidate(
                    array @ weight.T / scale,
                    f"is {right.replace('dy', other, 1)}, where {right} is right",
                )
            if other != name and array.shape == weight.shape:
                yield Candidate(dy @ array.T / scale, f"is dy {other}', where {right} is right")


def _of_the_gradient(case, dy, name, weight, right):
    """dy times dW', or times a weight that has moved by -lr dW."""
    x = case.array("x")
    if x is None or x.ndim != 2 or dy.ndim != 2:
        return
    gradient = x.T @ dy
    through = dy @ gradient.T
    if gradient.shape != weight.shape or through.shape != case.found.shape:
        return
    yield Candidate(through, f"is {right.replace(name, f'd{name}')}, where {right} is right")
    moved = np.where(np.isfinite(case.expected), case.found - case.expected, 0)
    rate = -float(np.sum(moved * through) / np.sum(through**2))
    if 0 < rate <= 1 and case.found.size >= 4:
        yield Candidate(
            case.expected - rate * through,
            f"uses {name} after its update by {rate:.6g} times its gradient: dx belongs before it",
        )


def _primed(name):
    return f"{name}'" if name.isidentifier() or name[0] in "(|" else f"({name})'"


def _changed(case):
    """Arrays that may stand in the place of x or dy."""
    x, y, dy = case.array("x"), case.array("y"), case.array("dy")
    if dy is not None:
        yield "|dy|", np.abs(dy)
        yield "(dy - its mean over the batch)", dy - dy.mean(axis=0)
        yield "(dy^2)", dy**2
        yield "(dy (dy > 0))", np.maximum(dy, 0)
        if y is not None and y.shape == dy.shape:
            yield "(dy y)", dy * y
            yield "(dy (y > 0))", dy * (y > 0)
            yield "(dy (1 - y^2))", dy * (1 - y**2)
            yield "(dy y (1 - y))", dy * y * (1 - y)
    if x is not None:
        yield "|x|", np.abs(x)
        yield "(x - its mean over the batch)", x - x.mean(axis=0)
        yield "tanh(x)", np.tanh(x)
        yield "relu(x)", np.maximum(x, 0)
        yield "x^2", x**2
        spread = x.std(axis=0)
        if spread.all():
            yield "(x, standardised)", (x - x.mean(axis=0)) / spread
        yield "ones", np.ones_like(x)


def _scales(case):
    """Numbers by which W is divided in the forward pass, and their names."""
    yield 1.0, ""
    weight, u, v = case.array("weight"), case.array("u"), case.array("v")
    if weight is not None and u is not None and v is not None and weight.size == u.size * v.size:
        yield float(u @ weight.reshape(u.size, v.size) @ v), "sigma"
