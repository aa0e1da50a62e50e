"""No gradient at all: zeros where there should be numbers, or the gradient of something else."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case


def zeros(case: Case) -> Iterator[Candidate]:
    """found = 0."""
    yield Candidate(
        np.zeros(case.found.shape),
        "is zero everywhere: it is never computed, or cleared before it is used",
        "generator_gradient_zero" if case.context.get("player") == "G" else None,
    )


def another_array(case: Case) -> Iterator[Candidate]:
    """found is an array that is at hand, or its negative, instead of the gradient."""
    for name, array in case.arrays():
        if name == "earlier" or not array.shape == case.found.shape == case.expected.shape:
            continue
        what = "dy itself: the layer's own derivative is left out" if name == "dy" else name
        yield Candidate(array, f"is {what}")
        yield Candidate(-array, f"is {what}, with the wrong sign")


def another_gradient(case: Case) -> Iterator[Candidate]:
    """found is the gradient of something else. `others` : {what it is, in words: gradient}"""
    for what, gradient in dict(case.context.get("others", {})).items():
        gradient = np.asarray(gradient, np.float64)
        if gradient.shape == case.found.shape:
            yield Candidate(gradient, f"is {what}")
            yield Candidate(-gradient, f"is {what}, with the wrong sign")
