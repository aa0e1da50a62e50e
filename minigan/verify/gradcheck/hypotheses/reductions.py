"""One axis summed, averaged or repeated that should not be."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case


def over_an_axis(case: Case) -> Iterator[Candidate]:
    """found is the sum, or the mean, of the right one along an axis, and repeated along it."""
    expected = case.expected
    if expected.shape != case.found.shape:
        return
    axes: list = [None] if expected.ndim == 1 else [*range(expected.ndim), None]
    if expected.ndim == 4:
        axes += [(0, 1), (1, 2), (2, 3)]
    if expected.ndim > 1 and len(expected) > 1:
        for which, at in (("first", expected[:1]), ("last", expected[-1:])):
            yield Candidate(
                np.broadcast_to(at, expected.shape),
                f"is the {which} row of the right one, repeated",
            )
    if expected.ndim > 1:
        yield Candidate(
            expected + expected.sum(axis=0),
            "is the right one plus its sum over the batch: the other samples' gradients are in it",
        )
    for axis in axes:
        where = (
            "all entries" if axis is None else f"ax{'is' if np.ndim(axis) == 0 else 'es'} {axis}"
        )
        for word, reduce in (("sum", np.sum), ("mean", np.mean)):
            reduced = reduce(expected, axis=axis, keepdims=True)
            yield Candidate(
                np.broadcast_to(reduced, expected.shape),
                f"is the {word} of the right one over {where}, repeated",
            )


def another_shape(case: Case) -> Iterator[Candidate]:
    """found has another shape: an axis was not summed, or one too many.

    Yields values of the shape of what was found.
    """
    found, expected = case.found, case.expected
    if found.shape == expected.shape:
        return
    for axis in range(expected.ndim):
        for word, reduce in (("summed", np.sum), ("averaged", np.mean)):
            for keep in (False, True):
                yield Candidate(
                    reduce(expected, axis=axis, keepdims=keep), f"is {word} over axis {axis}"
                )
    if found.size == expected.size:
        yield Candidate(expected.reshape(found.shape), "has the right numbers in the wrong shape")
    for count in range(2, found.ndim - expected.ndim + 1):
        axes = tuple(range(count))
        if case.agree(found.sum(axis=axes), expected):
            yield Candidate(found, f"is not summed over its axes {axes}")
    if found.ndim == expected.ndim + 1:
        for axis in range(found.ndim):
            for word, reduce in (("summed", np.sum), ("averaged", np.mean)):
                if case.agree(reduce(found, axis=axis), expected):
                    which = ", the batch" if axis == 0 and len(found) == case.batch_size else ""
                    yield Candidate(found, f"is not {word} over axis {axis}{which}")
