"""What is wrong with an array that a learner computed, in one sentence."""

from collections.abc import Iterable
from typing import Any

import numpy as np

TOLERANCE = 1e-9  # of the largest entry: rounding in float64, and nothing else


def flatten(name: str, value: Any, like: Any) -> dict[str, Any]:
    """The arrays in nested lists and tuples, by name: grads -> grads[0][0], grads[0][1], ...

    like : how it should be nested. Where the value is not, it is left as it is.
    """
    nested = isinstance(like, list | tuple)
    if not nested or not isinstance(value, list | tuple) or len(value) != len(like):
        return {name: value}
    items = [flatten(f"{name}[{i}]", *both) for i, both in enumerate(zip(value, like))]
    return {path: array for item in items for path, array in item.items()}


def named(paths: Iterable[str], every: Iterable[str]) -> str:
    """Paths in words: grads for all of grads[0][0], grads[0][1], ..., and at most four others."""
    paths, every = list(paths), list(every)
    names = []
    for path in paths:
        output = path.partition("[")[0]
        together = [other for other in every if other.partition("[")[0] == output]
        name = output if all(other in paths for other in together) else path
        if name not in names:
            names.append(name)
    return ", ".join(names[:4] + ["..."] * (len(names) > 4))


def same(found: Any, expected: Any) -> bool:
    """Whether two results are equal up to rounding, in structure, shapes and numbers."""
    right = flatten("", expected, expected)
    return all(
        path in right and unfit(array, right[path]) is None and close(array, right[path])
        for path, array in flatten("", found, expected).items()
    )


def close(found: Any, expected: Any) -> bool:
    """Whether two arrays of one shape are equal up to rounding."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return np.array_equal(found, expected, equal_nan=True)
    scale = np.abs(expected).max(initial=1e-6)
    return bool((np.abs(found - expected) <= TOLERANCE * scale).all())


def unfit(found: Any, expected: Any) -> str | None:
    """Why `found` cannot be compared with `expected` number by number; None if it can."""
    if found is None:
        return "None came back; is the return missing?"
    if isinstance(expected, list | tuple):
        return f"it must be a list of {len(expected)}, and is {kind(found)}"
    try:
        array = np.asarray(found)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        return f"it must be an array of real numbers, and is {kind(found)}"
    shape = np.shape(expected)
    if array.shape != shape:
        turned = array.shape == shape[::-1] and close(array.T, expected)
        hint = "; it is the transpose of the right one" if turned else ""
        return f"the shape must be {shape}, and is {array.shape}{hint}"
    bad = np.argwhere(~np.isfinite(array))
    if len(bad) and np.isfinite(expected).all():
        at = bad[0].tolist()
        return f"{f'at {at} ' if at else ''}there is {array[tuple(at)]}, not a finite number"
    return None


def kind(value: Any) -> str:
    """What a value is, in a few words."""
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return f"of type {type(value).__name__}"


def worst(found: Any, expected: Any) -> str:
    """The entry that is furthest off, with both numbers."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    gap = np.abs(found - expected)
    at = np.unravel_index(gap.argmax(), found.shape)
    where = f"worst at [{', '.join(map(str, at))}]: " if found.ndim else ""
    if gap[at] < 1e-6 * np.abs(expected).max():
        where = f"nearly right, but wrong by {gap[at]:.1g}; is float64 used throughout? {where}"
    return f"{where}you have {found[at]:.9g}, right is {expected[at]:.9g}"


def short(value: Any) -> str:
    """A value in one line of 200 characters at most."""
    text = str(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)
    return text if len(text) <= 200 else f"{text[:197]}..."
