"""The numbers by which a gradient is often wrong, and what they are here."""

import math
from collections.abc import Iterator

import numpy as np

from .case import Case

BATCH = "the batch size"


LAST_AXIS = "the length of its last axis"
AREAS = "stride", "scale", "kernel_size"  # lengths whose square counts pixels
INCIDENTAL = "features", "values", "length", "pi"  # nobody takes a root or half of these


def quantities(case: Case) -> Iterator[tuple[float, str]]:
    """(value, what it is) of the numbers that mean something in this case."""
    x, dy, n = case.array("x"), case.array("dy"), case.batch_size
    if n:
        yield n, BATCH
    kernel, weight = case.context.get("kernel_size"), case.array("weight")
    if weight is not None and weight.ndim == 4:
        kernel = weight.shape[:2]
    if isinstance(kernel, tuple):
        yield math.prod(kernel), "the number of kernel entries"
    for name, array in (("dy", dy), ("x", x)):
        if array is None:
            continue
        if array.ndim == 4:
            pixels = math.prod(array.shape[1:3])
            yield len(array) * pixels, f"the batch size times the number of pixels of {name}"
            yield pixels, f"the number of pixels of {name}"
            for axis, line in ((1, "rows"), (2, "columns")):
                yield array.shape[axis], f"the number of {line} of {name}"
        if array.ndim == 3:
            yield array.shape[1], f"the length of {name}'s sequences"
        if array.ndim >= 2:
            yield array.shape[-1], f"the number of {'channels' if array.ndim == 4 else 'features'}"
            yield math.prod(array.shape[1:]), f"the number of values in a sample of {name}"
            yield array.size, f"the number of values in {name}"
    for name in case.context:
        value = case.number(name)
        if value is None or name in ("batch_size", "tolerance") or value <= 0:
            continue
        yield value, name
        if value < 1:
            yield 1 - value, f"1 - {name}"
        if name in AREAS:
            yield value**2, f"{name}^2"
    yield case.expected.size, "the number of its values"
    if case.expected.ndim >= 2:
        yield case.expected.shape[-1], LAST_AXIS
    yield 2 * np.pi, "2 pi"
    yield np.pi, "pi"


def factor_in_words(case: Case, factor: float) -> str | None:
    """A factor and what it is: "divided by 8, and 8 is the batch size"; None for one that has no
    meaning here."""

    def close(a: float, b: float) -> bool:
        return abs(a - b) <= max(case.tolerance, 1e-8) * abs(b)

    if close(factor, -1):
        return "with the wrong sign"
    for value, words in ((2.0, "multiplied by 2"), (0.5, "divided by 2, one half")):
        if close(factor, value):
            return words + _also(case, factor, close)
        if close(factor, -value):
            return f"{words}, and with the wrong sign"
    sign = " and has the wrong sign" if factor < 0 else ""
    factor = abs(factor)
    known = [(value, what) for value, what in quantities(case) if value not in (0, 1)]
    for power, words in ((1, "multiplied by"), (-1, "divided by")):
        meanings = [what for value, what in known if close(factor, value**power)]
        if meanings:
            value, what = factor**power, " or ".join(_different(meanings))
            return f"{words} {value:.6g}, and {value:.6g} is {what}{sign}"
    for value in (0.001, 0.01, 0.1, 0.9, 10.0, 100.0):
        if close(factor, value):
            return f"multiplied by {value:g}{sign}"
    known = [one for one in known if not any(word in one[1] for word in INCIDENTAL)]
    for value, what in known:
        for power, words in ((1, "multiplied by"), (-1, "divided by")):
            if close(factor, value ** (power / 2)):
                return f"{words} {value**0.5:.6g}, the square root of {what}{sign}"
    for value, what in known:
        for power, words in ((1, "multiplied by"), (-1, "divided by")):
            for twice in (2.0, 0.5):
                if close(factor, twice * value**power):
                    by = twice * value if power == 1 else value / twice
                    times = "twice" if (twice == 2) == (power == 1) else "half of"
                    return f"{words} {by:.6g}, {times} {what}{sign}"
    if n := case.batch_size:
        for power, words in ((2, "multiplied by"), (-2, "divided by")):  # nothing simpler
            if close(factor, float(n) ** power):
                return f"{words} {n**2}, the square of the batch size{sign}"
        for value, words in (
            ((n - 1) / n, "(N - 1) / N"),
            (n / (n - 1) if n > 1 else 0, "N / (N - 1)"),
        ):
            if value and close(factor, value):
                return f"multiplied by {words}, N = {n} being the batch size{sign}"
    return None


def _different(meanings):
    """At most three of them; the pixels of x are those of dy, if equal."""
    telling = [m for m in meanings if m not in ("the number of its values", LAST_AXIS)]
    meanings = telling or meanings
    kept: dict[str, str] = {}
    for meaning in meanings:
        short = meaning.removesuffix(" of dy").removesuffix(" of x")
        kept[short] = short if short in kept else meaning
    return [*kept.values()][:3]


def _also(case, factor, close):
    """For a 2 or a 1/2 that is something else in this case, too."""
    by = factor if factor > 1 else 1 / factor
    what = next((what for value, what in quantities(case) if close(value, by)), None)
    return f" (here, 2 is {what} as well)" if what else ""
