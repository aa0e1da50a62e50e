"""A parameter that multiplies, or is added to, each column: its gradient is a sum of dy times
something, such as sum dy x for a scale, sum dy min(x, 0) for a trained slope."""

from collections.abc import Iterator

import numpy as np

from .case import Array, Candidate, Case


def factors(case: Case) -> Iterator[tuple[str, Array]]:
    """(words, a) of what dy may be multiplied by."""
    for name in ("x", "y", "x_hat"):
        a = case.array(name)
        if a is None:
            continue
        yield from (
            (name, a),
            (f"min({name}, 0)", np.minimum(a, 0)),
            (f"max({name}, 0)", np.maximum(a, 0)),
            (f"({name} < 0), without {name}", 1.0 * (a < 0)),
            (f"({name} > 0), without {name}", 1.0 * (a > 0)),
            (f"|{name}|", np.abs(a)),
            (f"{name}^2", a**2),
            (f"-{name}", -a),
        )


def columns(case: Case) -> Iterator[Candidate]:
    """Where sum dy a is right for one of them: the others, no factor, a product of sums."""
    dy, x = case.array("dy"), case.array("x")
    if dy is None or x is None or dy.ndim < 2 or case.found.shape != dy.shape[-1:]:
        return
    rows = tuple(range(dy.ndim - 1))
    known = [(words, a) for words, a in factors(case) if a.shape == dy.shape]
    right = next((one for one in known if case.is_right((dy * one[1]).sum(axis=rows))), None)
    if right is None:
        return
    where = f"where the sum of dy {right[0]} is right"
    yield Candidate(dy.sum(axis=rows), f"is the sum of dy alone, {where}")
    yield Candidate(right[1].sum(axis=rows), f"is the sum of {right[0]} without dy, {where}")
    for words, a in known:
        yield Candidate((dy * a).sum(axis=rows), f"is the sum of dy {words}, {where}")
    for words, power in (("sums", 0), ("means", 1)):
        product = dy.sum(axis=rows) * right[1].sum(axis=rows)
        count = dy.size / dy.shape[-1]
        for scale in {count**power, count ** (2 * power)}:
            yield Candidate(product / scale, f"is a product of {words}, {where}")
