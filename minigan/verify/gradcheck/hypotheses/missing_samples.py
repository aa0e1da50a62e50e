"""A sum over samples of which some are missing: the last one alone, for example."""

from collections.abc import Iterator

import numpy as np

from .case import Array, Candidate, Case
from .normalising import statistics
from .windows import geometry, weight_gradient


def contributions(case: Case) -> Iterator[Array]:
    """(N, ...): what each sample adds to the gradient, for each formula that is right here."""
    dy, x = case.array("dy"), case.array("x")
    if dy is None or not dy.ndim:
        return
    if dy.ndim >= 2:
        yield dy.sum(axis=tuple(range(1, dy.ndim - 1)))
    if x is None or not x.ndim or len(x) != len(dy):
        return
    if x.ndim == 1 and dy.ndim == 2:  # class numbers
        classes = np.arange(len(case.expected)) == x[:, None]
        yield np.einsum("nk,no->nko", classes, dy)
    if x.ndim == dy.ndim == 2:
        yield np.einsum("ni,no->nio", x, dy)
        yield np.einsum("ni,no->noi", x, dy)
    if x.ndim == dy.ndim == 3 and x.shape[1] == dy.shape[1]:
        yield np.einsum("nti,nto->nio", x, dy)
    if x.shape == dy.shape and x.ndim >= 2:
        for x_hat in (case.array("x_hat"), x, *(s.x_hat for s in statistics(case, x))):
            if x_hat is not None and x_hat.shape == dy.shape:
                yield (x_hat * dy).sum(axis=tuple(range(1, dy.ndim - 1)))
    if x.ndim == dy.ndim == 4 and (shape := geometry(case)):
        pairs = [(x[n : n + 1], dy[n : n + 1]) for n in range(len(x))]
        yield np.stack([weight_gradient(large, small, *shape) for large, small in pairs])
        swapped = [weight_gradient(large, small, *shape) for small, large in pairs]
        yield np.stack(swapped).swapaxes(3, 4)


def some_samples(case: Case) -> Iterator[Candidate]:
    """found is the sum, or the mean, over a part of the samples."""
    for each in contributions(case):
        if each.shape[1:] != case.found.shape or not case.is_right(each.sum(axis=0)):
            continue
        for n in range(len(each)):
            which = {0: "first", len(each) - 1: "last"}.get(n, f"{n + 1}th")
            why = ": in a loop over the samples it is overwritten, `=` in place of `+=`"
            yield Candidate(
                each[n],
                f"counts the {which} sample alone{why if n == len(each) - 1 else ''}",
                "bias_overwritten" if n == len(each) - 1 else None,
            )
            yield Candidate(case.expected - each[n], f"does not count the {which} sample")
        half = len(each) // 2
        yield Candidate(each[:half].sum(axis=0), "counts the first half of the batch alone")
        yield Candidate(each[half:].sum(axis=0), "counts the second half of the batch alone")
