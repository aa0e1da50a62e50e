"""What is wrong with a gradient, in a sentence: `explain`."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..._checks import Numbers, checked
from .hypotheses import FAMILIES, Candidate, Case, Explanation, Families
from .hypotheses.factors import factor_between
from .hypotheses.known_numbers import factor_in_words

EXPLAINED = 1e-6  # of the deviation, at most, is left unexplained by a hypothesis that is named
EXPLAINED_SINGLE = 1e-3  # where what was found is in float32
ROUNDING = 1e-7, 1e-4  # relative errors, in float64 and float32, that need no explanation
FEW = 4  # entries: fewer are explained by a mistake times a factor too easily
ALONE = (
    "factor",
    "constant",
    "array factor",
    "addition",
    "museum",
    "earlier gradient",
)  # with no factor besides
NAMES = {"weight": "dW", "bias": "db"}


@checked
def explain(found: Numbers, expected: Numbers, **context: Any) -> Explanation | None:
    """The most likely mistake in a gradient, in a sentence; None if there is none, or none known.

        >>> x, dy = np.random.default_rng(0).standard_normal((2, 8, 3))
        >>> print(explain(x.T @ dy / 8, x.T @ dy, tensor="weight", x=x, dy=dy))
        dW is the right one divided by 8, and 8 is the batch size: the mean is taken twice (seen in
        ML-From-Scratch; gan_numpy; SC-314/Only-Numpy-GAN)

    Each hypothesis says what a mistake would make of the gradient; the one that is named is equal
    to what was found, up to rounding. If several are, the most exact one is named, and of those the
    simplest.

    Parameters
    ----------
    found, expected : the wrong gradient and the right one, arrays of real numbers. The right one
        may come from finite differences, with NaN for entries that are not known.
    context : whatever is at hand, by name; the more, the more mistakes can be told apart.
        tensor : str, what the gradient belongs to: "weight", "bias", "dx", ...
        x, y, dy : the layer's input, its output, and dL/dy
        weight, bias, gamma, ... : the layer's parameters and buffers (running_mean, u, v)
        batch_size, stride, padding, kernel_size, eps, p, ... : numbers
        labels : class numbers, of a cross-entropy
        logits, other_logits, which : of a GAN loss: the logits that the gradient belongs to, those
            of the other minibatch, and "d_real" or "d_fake"
        earlier, adds : what the gradient's array held before, and whether it is to be added to
        parts : {words: array}, of which the right gradient is the sum
        others : {words: array}, gradients of other things that it may have been taken for
        exhibits : {name in minigan.bugs: array}, what known bugs make of this case
        Any other array is tried as a factor and a term.

    Returns
    -------
    An `Explanation`: a str, with .kind, .error and .exhibit; or None.

    Raises
    ------
    TypeError for a found or expected that is not real numbers.
    """
    if not (found.size and expected.size):
        return None
    if found.dtype == expected.dtype == bool:  # flags, which an exhibit may set, and no numbers
        context = {name: context[name] for name in ("tensor", "exhibits") if name in context}
        families = {"museum": FAMILIES["museum"]}
    else:
        families = FAMILIES
    single = any(value.dtype in (np.float32, np.float16) for value in (found, expected))
    case = Case(
        found.astype(np.float64), expected.astype(np.float64),
        _name(context.get("tensor")), EXPLAINED_SINGLE if single else EXPLAINED, context,
    )  # fmt: skip
    if not np.isfinite(case.found).all():
        return None
    if case.found.shape == case.expected.shape:
        if case.agree(case.found, case.expected, ROUNDING[single]):
            return None
        if case.found.size == 1:  # one number may be anything times anything
            case.tolerance = EXPLAINED_SINGLE**2 if single else 1e-9
    with np.errstate(all="ignore"):
        return _best(case, families)


def _best(case: Case, families: Families) -> Explanation | None:
    """The candidate that leaves the least unexplained; of those that are exact, the first.

    Where exhibits of the museum give the same numbers, they are the ones that it names."""
    known: list[tuple[bool, int, str, Candidate, float]] = []
    exhibits: list[str | None] = []
    for order, (kind, candidate, error) in enumerate(_matching(case, families)):
        rough = error > max(1e-9, case.tolerance / 1e3)
        known.append((rough, order, kind, candidate, error))
        exhibits += [candidate.exhibit] if kind == "museum" else []
    if not known:
        return _with_a_factor(case, families)
    _, _, kind, candidate, error = min(known, key=lambda one: one[:2])
    own = [candidate.exhibit] if candidate.exhibit else []
    return _said(case, kind, candidate, error, exhibits or own)


def _matching(case: Case, families: Families) -> Iterator[tuple[str, Candidate, float]]:
    for kind, family in families.items():
        for hypothesis in family:
            for candidate in hypothesis(case):
                error = _error(case, candidate)
                if error <= case.tolerance:
                    yield kind, candidate, error


def _with_a_factor(case: Case, families: Families) -> Explanation | None:
    """Two mistakes at once: one that is known, and a factor with a meaning here."""
    if case.found.shape != case.expected.shape or case.found.size < FEW:
        return None
    for kind, family in families.items():
        if kind in ALONE:
            continue
        for candidate in (candidate for hypothesis in family for candidate in hypothesis(case)):
            value = np.asarray(candidate.value, np.float64)
            if case.agree(value, case.expected):  # a mistake that changes nothing here
                continue
            factor = factor_between(case.found, value)
            if factor is None or not case.unexplained(factor * value) <= case.tolerance:
                continue
            words = factor_in_words(case, factor)
            if words and not case.agree(factor * value, case.expected):
                says = Candidate(value, f"{candidate.says}; and all of it is {words}")
                return _said(case, kind, says, case.unexplained(factor * value), [])
    return None


def _error(case, candidate):
    value = np.asarray(candidate.value, np.float64)
    if case.found.shape == case.expected.shape:
        error = case.unexplained(value)
        if error <= case.tolerance and case.agree(value, case.expected, ROUNDING[0]):
            return np.nan  # the right gradient is no mistake
        return error
    if value.shape != case.found.shape or not case.agree(value, case.found, case.tolerance):
        return np.nan
    return 0.0


def _said(case, kind, candidate, error, exhibits):
    from ..bugs.catalogue import REGISTRY

    sentence = f"{case.name} {candidate.says}"
    seen = [REGISTRY[name].seen for name in exhibits if REGISTRY[name].shipped]
    if seen:
        sentence += f" (seen in {'; '.join(seen)})"
    return Explanation(sentence, kind, error, tuple(exhibits))


def _name(tensor):
    """dW for "0.weight", dx for "dx", dgamma for "gamma"."""
    if not tensor:
        return "the gradient"
    *place, last = str(tensor).split(".")
    of = f" of layer {'.'.join(place)}" if place else ""
    if last in NAMES:
        return NAMES[last] + of
    if " " in last:  # no name of a tensor
        return "the gradient"
    return (last if last.startswith("d") else f"d{last}") + of
