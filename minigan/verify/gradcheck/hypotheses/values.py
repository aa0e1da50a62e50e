"""The right gradient, entry by entry through a function that does not belong there."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case


def through_a_function(case: Case) -> Iterator[Candidate]:
    """found = f(expected): clipped, rounded, without its signs, squared."""
    right = case.expected
    if right.shape != case.found.shape or right.size < 3:
        return
    bound = np.abs(case.found).max()
    if np.sum(np.abs(right) > bound) >= 2 or bound in (0.1, 0.5, 1.0, 5.0):
        yield Candidate(np.clip(right, -bound, bound), f"is clipped to +-{bound:.6g}")
    for what, value in (
        ("truncated to integers: its array is one of integers", np.trunc(right)),
        ("rounded to integers", np.round(right)),
        ("without its signs, |...|", np.abs(right)),
        ("without its size, only its signs", np.sign(right)),
        ("squared", right**2),
        ("less its mean over its first axis: centred", right - right.mean(axis=0)),
        ("less its mean: centred", right - right.mean()),
        ("without its negative entries: a ReLU is taken of it", np.maximum(right, 0)),
        ("without its positive entries", np.minimum(right, 0)),
    ):
        yield Candidate(value, f"is the right one {what}")
