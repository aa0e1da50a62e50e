"""The right gradient plus something, or without a part of it."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case
from .known_numbers import factor_in_words


def earlier(case: Case) -> Iterator[Candidate]:
    """The gradient that was there before: overwritten, counted twice, or not cleared.

    `earlier` : what the array held before; `adds` : whether it belongs to the right result
    """
    before = case.array("earlier")
    if before is None or not before.shape == case.found.shape == case.expected.shape:
        return
    if not before.any():
        return
    if case.context.get("adds"):
        with np.errstate(all="ignore"):
            right = np.abs(case.found - case.expected) <= 1e-9 * np.abs(case.expected).max()
        for sign, says in (
            (-1, "lacks the gradient that was there before: it is overwritten, `=` for `+=`"),
            (1, "counts the gradient that was there before twice"),
        ):
            value = np.where(right, case.expected, case.expected + sign * before)
            where = f" ({np.sum(~right)} of {right.size} entries)" if right.any() else ""
            yield Candidate(value, says + where)
        return
    deviation = np.where(np.isfinite(case.expected), case.found - case.expected, 0)
    share = float(np.sum(deviation * before) / np.sum(before * before))
    if abs(share) > 1e-6 and before.size >= 3:
        yield Candidate(
            case.expected + share * before, f"contains {share:.6g} times the earlier gradient"
        )
    yield Candidate(
        case.expected + before,
        "still contains the earlier gradient: zero_grad() was not called before this one",
    )


def parts(case: Case) -> Iterator[Candidate]:
    """A gradient that is a sum. `parts` : {what adds it, in words: its part of the gradient}"""
    terms = {
        what: np.asarray(part, np.float64)
        for what, part in dict(case.context.get("parts", {})).items()
    }
    terms = {what: part for what, part in terms.items() if part.shape == case.found.shape}
    if len(terms) < 2 or not case.is_right(np.sum([*terms.values()], axis=0)):
        return
    terms = {what: part for what, part in terms.items() if part.any()}
    if (said := deviations(case, terms)) is not None:
        yield said


def deviations(case: Case, terms: dict, exhibits: dict | None = None) -> Candidate | None:
    """What is wrong with the coefficients of a sum, each of which should be 1; None if the terms
    do not explain what was found.

    exhibits : {the words of the missing terms: an exhibit of the museum}
    """
    coefficients = case.combination(terms)
    if coefficients is None:
        return None
    wrong = {what: c for what, c in coefficients.items() if abs(c - 1) > 1e-5}
    if not wrong or np.ptp([*coefficients.values()]) < 1e-5:  # then it is a factor of them all
        return None
    missing = [what for what, c in wrong.items() if abs(c) < 1e-5]
    says = []
    if missing:
        says.append(f"lacks {' and '.join(missing)}")
    for what, c in wrong.items():
        if what in missing:
            continue
        words = factor_in_words(case, c)
        if words is None:
            return None
        says.append(f"has {what} {words}")
    value = sum(c * terms[what] for what, c in coefficients.items())
    exhibit = (exhibits or {}).get(tuple(missing)) if len(missing) == len(wrong) else None
    return Candidate(value, ", and ".join(says), exhibit)


def itself(case: Case) -> Iterator[Candidate]:
    """found = expected + c a, for an array `a` of the context: weight decay, for example."""
    if case.found.shape != case.expected.shape:
        return
    deviation = np.where(np.isfinite(case.expected), case.found - case.expected, 0)
    for name, array in case.arrays():
        if name == "earlier" or array.size < 3 or not array.any():
            continue
        if array.shape != case.found.shape and array.shape != case.found.shape[-1:]:
            continue
        array = np.broadcast_to(array, case.found.shape)
        c = float(np.sum(deviation * array) / np.sum(array * array))
        if name == case.context.get("tensor"):
            says = f"contains {c:.6g} times {name} itself: weight decay, which is no part of it"
            yield Candidate(case.expected + c * array, says)
            signs = np.sign(array)
            c = float(np.sum(deviation * signs) / np.sum(signs * signs))
            says = f"contains {c:.6g} times the signs of {name}: the decay of an absolute value"
            yield Candidate(case.expected + c * signs, says)
        elif abs(abs(c) - 1) < 1e-6:
            sign = "lacks" if c < 0 else "contains too much of"
            yield Candidate(case.expected + c * array, f"{sign} the term {name}")
