"""The right gradient times a constant, or times an array that is at hand."""

from collections.abc import Iterator

import numpy as np

from .case import Array, Candidate, Case
from .known_numbers import factor_in_words

CAUSES = {
    "divided by": "the mean is taken twice",
    "multiplied by": "a sum stands where a mean belongs",
}
ROUND_BOUNDS = (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
EXHIBITS = {"divided by": "mean_twice", "multiplied by": "sum_for_mean"}


def constant(case: Case) -> Iterator[Candidate]:
    """found = c expected, for one number c."""
    if (factor := factor_between(case.found, case.expected)) is None:
        return
    words = factor_in_words(case, factor)
    if words is None:
        return
    verb = " ".join(words.split()[:2])
    cause, exhibit = "", None
    if " is the batch size" in words and verb in CAUSES:
        exhibit = EXHIBITS[verb]
        cause = "" if " or " in words else f": {CAUSES[verb]}"
    elif words == "with the wrong sign":
        exhibit = "wasserstein_sign" if "logits" in case.context else None
    elif words.startswith("multiplied by 2") and "penalty" in case.context:
        exhibit = "factor_of_two"
    yield Candidate(factor * case.expected, f"is the right one {words}{cause}", exhibit)


def any_constant(case: Case) -> Iterator[Candidate]:
    """found = c expected, for a number c without a meaning here."""
    factor = factor_between(case.found, case.expected)
    if factor and case.found.size >= 3:
        norm = float(np.linalg.norm(case.found))
        for name, size in (("norm", norm), ("largest value", np.abs(case.found).max())):
            if any(abs(size - bound) <= 1e-9 * bound for bound in ROUND_BOUNDS):
                yield Candidate(
                    factor * case.expected,
                    f"is the right one scaled to a {name} of {size:.6g}: clipped or normalised",
                )
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
            for sign, kept in ((">", a > 0), ("<", a < 0)):
                if np.sum(kept & (case.expected != 0)) >= 3 and np.sum(~kept) >= 3:
                    yield Candidate(
                        np.where(kept, case.expected, 0),
                        f"is right where {name} {sign} 0, and zero elsewhere: a mask of {name}",
                    )


def factor_between(found: Array, right: Array) -> float | None:
    """<found, right> / <right, right>; None where one of them is zero or of another shape."""
    if found.shape != right.shape:
        return None
    known = np.isfinite(found) & np.isfinite(right)
    found, right = found[known], right[known]
    if not right.any() or not found.any():
        return None
    return float(found @ right / (right @ right))
