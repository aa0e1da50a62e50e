"""A matrix product with the wrong factor: dx = dy W', dW = x' dy."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case


def rows(array):
    return array.reshape(-1, array.shape[-1])


def weight_gradient(case: Case) -> Iterator[Candidate]:
    """Where dW = x' dy is right: other arrays in the place of x or dy."""
    x, dy = case.array("x"), case.array("dy")
    if x is None or dy is None or x.ndim != dy.ndim or x.ndim < 2:
        return
    if rows(x).shape[0] != rows(dy).shape[0] or not case.is_right(rows(x).T @ rows(dy)):
        return
    for name, array in [*case.arrays(), *_activated(case)]:
        if array.ndim < 2 or name == "earlier":
            continue
        if array.shape == x.shape and name != "x":
            yield Candidate(rows(array).T @ rows(dy), f"is {name}' dy, where x' dy is right")
        if array.shape == dy.shape and name != "dy":
            yield Candidate(rows(x).T @ rows(array), f"is x' {name}, where x' dy is right")
    if x.shape == dy.shape:
        product = (rows(x) * rows(dy)).sum(axis=0)
        for value in (np.broadcast_to(product, case.found.shape), np.diag(product)):
            if value.shape == case.found.shape:
                yield Candidate(
                    value,
                    "multiplies x and dy entry by entry, where each input belongs with each output",
                    "weight_elementwise",
                )
    backwards = rows(x)[::-1].T @ rows(dy)
    yield Candidate(backwards, "pairs x and dy of different samples: one of them is reversed")


def input_gradient(case: Case) -> Iterator[Candidate]:
    """Where dx = dy W' is right: other matrices and other signals."""
    dy = case.array("dy")
    if dy is None or dy.ndim < 2:
        return
    for name, weight in case.arrays():
        if weight.ndim != 2 or name in ("x", "dy", "y"):
            continue
        for scale, scaled in _scales(case):
            if weight.shape[1] != dy.shape[-1] or not case.is_right(dy @ weight.T / scale):
                continue
            if weight.shape[0] == weight.shape[1]:
                yield Candidate(
                    dy @ weight / scale, f"is dy {name}: the transpose in dy {name}' is missing"
                )
            yield Candidate(
                dy @ np.abs(weight).T / scale, f"is dy |{name}|', the signs of {name} lost"
            )
            if scaled:
                yield Candidate(dy @ weight.T, f"is that of {name}, not of {name} / {scaled}")
            for other, array in case.arrays():
                if array.shape == dy.shape and other != "dy":
                    yield Candidate(
                        array @ weight.T / scale, f"is {other} {name}', where dy {name}' is right"
                    )
                if other != name and array.shape == weight.shape:
                    yield Candidate(
                        dy @ array.T / scale, f"is dy {other}', where dy {name}' is right"
                    )


def _activated(case):
    """Arrays that a layer before or behind this one may have mistaken for x or dy."""
    x = case.array("x")
    if x is not None:
        yield "tanh(x)", np.tanh(x)
        yield "relu(x)", np.maximum(x, 0)
        yield "x^2", x**2
        yield "ones", np.ones_like(x)


def _scales(case):
    """Numbers by which W is divided in the forward pass, and their names."""
    yield 1.0, ""
    weight, u, v = case.array("weight"), case.array("u"), case.array("v")
    if weight is not None and u is not None and v is not None and weight.size == u.size * v.size:
        yield float(u @ weight.reshape(u.size, v.size) @ v), "sigma"
