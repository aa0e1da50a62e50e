"""A gradient that is a sum of dy, such as a bias's: over too little, or over too much."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case

CUT = {  # pixels that a loop with a wrong bound leaves out
    "last row and column of pixels": np.s_[:, :-1, :-1],
    "first row and column of pixels": np.s_[:, 1:, 1:],
    "last row of pixels": np.s_[:, :-1],
    "last column of pixels": np.s_[:, :, :-1],
    "first row of pixels": np.s_[:, 1:],
    "first column of pixels": np.s_[:, :, 1:],
}


def sums_of_dy(case: Case) -> Iterator[Candidate]:
    """Where the sum of dy over all axes but the last is right: what else might be summed."""
    dy = case.array("dy")
    if dy is None or dy.ndim < 2:
        return
    rows = tuple(range(dy.ndim - 1))
    if not case.is_right(dy.sum(axis=rows)):
        return
    yield Candidate(
        np.full(case.found.shape, dy.sum()),
        "is the sum over all of dy: over the outputs too, where each output has a sum of its own",
    )
    for axis in range(dy.ndim):
        for word, reduce in (("sum", np.sum), ("mean", np.mean)):
            reduced = reduce(dy, axis=tuple(a for a in range(dy.ndim) if a != axis))
            if reduced.shape == case.found.shape and axis != dy.ndim - 1:
                yield Candidate(
                    reduced,
                    f"is a {word} of dy over the wrong axes: one for each "
                    f"index of axis {axis}, not for each output",
                )
    if dy.ndim == 4:
        corner = dy[:, 0, 0].sum(axis=0), dy[:, -1, -1].sum(axis=0)
        for which, value in zip(("first", "last"), corner):
            yield Candidate(
                value,
                f"counts the {which} pixel of each sample alone, where all pixels should be summed",
            )
        for step in (2, 3):
            yield Candidate(
                dy[:, ::step, ::step].sum(axis=rows),
                f"counts one of {step} x {step} pixels, with a stride, where all should be summed",
            )
        for words, part in CUT.items():
            yield Candidate(dy[part].sum(axis=rows), f"does not count the {words}: a loop is off")
        for which, at in (("first", 0), ("last", -1)):
            for line, value in (("row", dy[:, at]), ("column", dy[:, :, at])):
                yield Candidate(
                    value.sum(axis=(0, 1)), f"counts the {which} {line} of pixels alone"
                )
    for name, array in case.arrays():
        if array.ndim == 2 and array.shape[1:] == case.found.shape and array.shape != dy.shape:
            yield Candidate(array.sum(axis=0), f"is the sum of {name}, where that of dy is right")
        if array.shape == dy.shape and name != "dy":
            yield Candidate(
                array.sum(axis=rows), f"is the sum of {name}, where that of dy is right"
            )
    number = dy.size / dy.shape[-1]
    yield Candidate(
        np.full(case.found.shape, number), f"is {number:g}, the number of terms, without dy"
    )
    for what, reduce in (
        ("largest value", np.max), ("smallest value", np.min), ("median", np.median),
        ("variance", np.var), ("standard deviation", np.std), ("product", np.prod),
    ):  # fmt: skip
        yield Candidate(reduce(dy, axis=rows), f"is the {what} of dy, not its sum")
    yield Candidate(np.abs(dy).sum(axis=rows), "is a sum of |dy|, the signs lost")
    yield Candidate(np.square(dy).sum(axis=rows), "is a sum of dy^2, where that of dy is right")
    yield Candidate(np.sqrt(np.square(dy).sum(axis=rows)), "is the norm of dy, not its sum")
