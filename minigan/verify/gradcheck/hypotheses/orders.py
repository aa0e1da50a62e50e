"""The right numbers in the wrong places: transposed, flipped, in another order."""

import itertools
from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case


def permuted(case: Case) -> Iterator[Candidate]:
    """found is `expected` with its axes exchanged, reversed or read in another order."""
    expected, shape = case.expected, case.found.shape
    for axes in itertools.permutations(range(expected.ndim)):
        moved = np.transpose(expected, axes)
        if axes == tuple(range(expected.ndim)):
            continue
        if moved.shape == shape:
            what = "transposed" if expected.ndim == 2 else f"with its axes exchanged, to {axes}"
            yield Candidate(moved, f"is the right one {what}")
        elif moved.size == case.found.size and expected.shape == shape:
            yield Candidate(
                moved.reshape(shape),
                f"has the right numbers in another order: its axes are transposed, to {axes}, and "
                "then reshaped",
            )
    if expected.shape == shape and expected.ndim > 1 and expected.size < 100_000:
        yield from _reshaped_the_other_way(case)


def _reshaped_the_other_way(case):
    """A reshape of samples whose axes were transposed before: channels first, for example."""
    dy, shape = case.array("dy"), case.found.shape
    if dy is None or dy.size != case.found.size or dy.shape == shape or len(dy) != shape[0]:
        return
    axes = range(1, len(shape))
    for order in itertools.permutations(axes):
        if order == tuple(axes):
            continue
        mixed = dy.reshape(len(dy), *(shape[axis] for axis in order))
        back = [0, *(1 + order.index(axis) for axis in axes)]
        yield Candidate(
            mixed.transpose(back),
            f"has the right numbers in another order: the reshape takes its axes as (0, {order})",
        )


def flipped(case: Case) -> Iterator[Candidate]:
    """found is `expected` read backwards along some axes."""
    expected = case.expected
    if expected.shape != case.found.shape:
        return
    axes = [axis for axis, size in enumerate(expected.shape) if size > 1]
    for count in range(1, len(axes) + 1):
        for chosen in itertools.combinations(axes, count):
            if expected.ndim == 4 and chosen == (0, 1) and "kernel_size" in case.context:
                says = "is that of the flipped kernel: its rows and columns are reversed"
            else:
                says = f"is the right one flipped: reversed in order along {_axes(chosen)}"
            yield Candidate(np.flip(expected, chosen), says)


def shifted(case: Case) -> Iterator[Candidate]:
    """found is `expected` moved aside by one or two pixels, zeros coming in or going round."""
    expected = case.expected
    if expected.shape != case.found.shape or expected.ndim not in (2, 3, 4):
        return
    rows_and_columns = (1, 2) if expected.ndim == 4 else tuple(range(expected.ndim))
    for down, right in itertools.product((0, 1, -1, 2, -2), repeat=2):
        if (down, right) == (0, 0) or len(rows_and_columns) != 2:
            continue
        if any(
            abs(by) >= expected.shape[axis] for by, axis in zip((down, right), rows_and_columns)
        ):
            continue
        rolled = np.roll(expected, (down, right), rows_and_columns)
        words = f"is shifted by {(down, right)} pixels: an index or the padding is off"
        if expected.ndim == 2:
            words = f"is shifted by {(down, right)} along its axes: an index is off"
        yield Candidate(rolled, words)
        filled = rolled.copy()
        for axis, by in zip(rows_and_columns, (down, right)):
            entered = [slice(None)] * expected.ndim
            entered[axis] = slice(0, by) if by > 0 else slice(by, None) if by else slice(0, 0)
            filled[tuple(entered)] = 0
        yield Candidate(filled, words)


def _axes(chosen):
    return f"axis {chosen[0]}" if len(chosen) == 1 else f"axes {chosen}"
