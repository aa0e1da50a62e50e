"""A layer that appends a channel made of the others, such as the minibatch's standard deviation."""

from collections.abc import Iterator

from .added import deviations
from .case import Candidate, Case


def channels(case: Case) -> Iterator[Candidate]:
    """Where dy has more channels than x, and the first of them are x itself."""
    x, y, dy = case.array("x"), case.array("y"), case.array("dy")
    if (
        x is None
        or y is None
        or dy is None
        or not x.shape == case.found.shape == case.expected.shape
    ):
        return
    kept = x.shape[-1]
    if dy.shape != y.shape or y.shape[:-1] != x.shape[:-1] or y.shape[-1] <= kept:
        return
    if not case.agree(y[..., :kept], x):
        return
    direct = dy[..., :kept]
    terms = {
        "the direct path": direct,
        "the path through the appended channel": case.expected - direct,
    }
    if (said := deviations(case, terms)) is not None:
        yield said
