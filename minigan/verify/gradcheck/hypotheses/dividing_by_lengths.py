"""Vectors divided by their length: y = x / r, r = sqrt(sum x^2) or sqrt(mean x^2 + eps).

dx = (dy - y R(y dy)) / r, R the same sum or mean: the second term is the path through r
"""

from collections.abc import Iterator

import numpy as np

from .added import deviations
from .case import Candidate, Case

THROUGH = "the path through the length of x"


def inputs(case: Case) -> Iterator[Candidate]:
    """Where that is right: the length taken for a constant, another axis, x for y."""
    x, dy = case.array("x"), case.array("dy")
    if x is None or dy is None or not x.shape == dy.shape == case.found.shape or x.ndim < 2:
        return
    for axes in {(x.ndim - 1,), tuple(range(1, x.ndim))}:
        for word, reduce in (("sum", np.sum), ("mean", np.mean)):
            for eps in (0.0, 1e-8, 1e-5):
                r = np.sqrt(reduce(x**2, axis=axes, keepdims=True) + eps)
                y = x / r
                inner = reduce(y * dy, axis=axes, keepdims=True)
                if case.is_right((dy - y * inner) / r):
                    yield from _variants(case, x, y, dy, r, axes, word)
                    return


def _variants(case, x, y, dy, r, axes, word):
    reduce, other = (np.sum, np.mean) if word == "sum" else (np.mean, np.sum)
    inner = reduce(y * dy, axis=axes, keepdims=True)
    terms = {"the direct path": dy / r, THROUGH: -y * inner / r}
    if (said := deviations(case, terms)) is not None:
        yield said
    yield Candidate(dy - y * inner, "is not divided by the length")
    yield Candidate((dy - y * inner) / r**2, "is divided by the length twice")
    yield Candidate((dy - y * inner) * r, "is multiplied by the length, not divided")
    for words, outside, inside in (("x", x, x), ("x (once)", x, y), ("x (once)", y, x)):
        product = reduce(inside * dy, axis=axes, keepdims=True)
        says = f"has {words}, where y is right, in {THROUGH}"
        yield Candidate((dy - outside * product) / r, says)
    yield Candidate(
        (dy - y * other(y * dy, axis=axes, keepdims=True)) / r,
        f"has a {'mean' if word == 'sum' else 'sum'} of y dy, where a {word} is right",
    )
    for instead, where in ((0, "the batch"), (None, "all values")):
        product = reduce(y * dy, axis=instead, keepdims=True)
        yield Candidate((dy - y * product) / r, f"takes its {word} of y dy over {where}")
    yield Candidate((dy - y * reduce(dy, axis=axes, keepdims=True)) / r, "lacks y inside the sum")
    yield Candidate((dy - inner) / r, f"lacks the factor y in {THROUGH}")
