"""A gradient that is right in a part of its entries and zero in the others."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case


def slices(case: Case) -> Iterator[Candidate]:
    """found is zero for some indices of one axis, and right for the others."""
    right, found = case.expected, case.found
    if right.shape != found.shape or right.ndim < 1 or right.size < 4:
        return
    for axis, length in enumerate(right.shape):
        rest = tuple(a for a in range(right.ndim) if a != axis)
        empty = ~found.any(axis=rest) & np.nan_to_num(right).any(axis=rest)
        if not 0 < empty.sum() < length:
            continue
        along = np.where(empty, 0.0, 1.0).reshape(
            [-1 if a == axis else 1 for a in range(right.ndim)]
        )
        where = ", ".join(map(str, np.flatnonzero(empty)[:4])) + (" ..." if empty.sum() > 4 else "")
        says = f"is zero at {where} of axis {axis}, and right elsewhere: not all of it is computed"
        yield Candidate(right * along, says)


def edges(case: Case) -> Iterator[Candidate]:
    """found is zero at the edge of the image, and right within."""
    right = case.expected
    if right.shape != case.found.shape or right.ndim != 4 or min(right.shape[1:3]) < 3:
        return
    within = np.zeros_like(right)
    within[:, 1:-1, 1:-1] = right[:, 1:-1, 1:-1]
    yield Candidate(within, "is zero at the edge of the image, and right within")
