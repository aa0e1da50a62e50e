"""The right gradient times a constant, or times an array that is at hand."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case
from .known_numbers import factor_in_words

CAUSES = {
    "divided by": "the mean is taken twice",
    "multiplied by": "a sum stands where a mean belongs",
}
EXHIBITS = {"divided by": "mean_twice", "multiplied by": "sum_for_mean"}


def constant(case: Case) -> Iterator[Candidate]:
    """found = c expected, for one number c."""
    if (factor := _factor(case)) is None:
        return
    words = factor_in_words(case, factor)
    if words is None:
        return
    verb = " ".join(words.split()[:2])
    cause, exhibit = "", None
    if "batch size" in words and verb in CAUSES and "square" not in words:
        cause, exhibit = f": {CAUSES[verb]}", EXHIBITS[verb]
    elif words == "with the wrong sign":
        exhibit = "wasserstein_sign" if "logits" in case.context else None
    elif words.startswith("multiplied by 2") and "penalty" in case.context:
        exhibit = "factor_of_two"
    yield Candidate(factor * case.expected, f"is the right one {words}{cause}", exhibit)


def any_constant(case: Case) -> Iterator[Candidate]:
    """found = c expected, for a number c without a meaning here."""
    factor = _factor(case)
    if factor and case.found.size >= 3:
        yield Candidate(
            factor * case.expected,
            f"is the right one times {factor:.6g}, in every entry: one constant factor is missing "
            "or too much",
        )


def arrays(case: Case) -> Iterator[Candidate]:
    """found = a expected or expected / a, for an array `a` of the context or its square."""
    for name, array in case.arrays():
        if name in ("earlier",) or not array.size or array.ndim > case.found.ndim:
            continue
        try:
            a = np.broadcast_to(array, case.found.shape)
        except ValueError:
            continue
        if np.ptp(array) == 0:  # a number, and `constant` knows of it
            continue
        with np.errstate(all="ignore"):
            yield Candidate(case.expected * a, f"is the right one multiplied by {name}")
            yield Candidate(
                np.where(a == 0, np.nan, case.expected / a), f"is the right one without {name}"
            )
            yield Candidate(case.expected * a**2, f"is the right one multiplied by {name}^2")


def _factor(case):
    """<found, expected> / <expected, expected>; None where one of them is zero or of another
    shape."""
    if case.found.shape != case.expected.shape:
        return None
    known = np.isfinite(case.found) & np.isfinite(case.expected)
    found, expected = case.found[known], case.expected[known]
    if not expected.any() or not found.any():
        return None
    return float(found @ expected / (expected @ expected))
