"""Enlarging and pooling images: a gradient taken from one pixel of a block, not from all."""

from collections.abc import Iterator

import numpy as np

from .case import Candidate, Case


def blocks(case: Case) -> Iterator[Candidate]:
    """Where dx is the sum of dy over blocks, or dy spread over blocks: other reductions."""
    x, dy = case.array("x"), case.array("dy")
    if x is None or dy is None or x.ndim != 4 or dy.ndim != 4:
        return
    if dy.shape[1] > x.shape[1] and dy.shape[1] % x.shape[1] == 0:
        yield from _enlarged(case, dy, dy.shape[1] // x.shape[1])
    elif x.shape[1] > dy.shape[1] and x.shape[1] % dy.shape[1] == 0:
        yield from _pooled(case, x, dy, x.shape[1] // dy.shape[1])


def _enlarged(case, dy, k):
    n, height, width, channels = dy.shape
    if height % k or width % k:
        return
    block = dy.reshape(n, height // k, k, width // k, k, channels)
    if not case.is_right(block.sum(axis=(2, 4))):
        return
    for u, v in np.ndindex(k, k):
        yield Candidate(
            block[:, :, u, :, v],
            f"is taken from one of the {k * k} copies of each pixel, with a stride of {k}: it "
            "should be their sum",
            "upsample_strided",
        )
    yield Candidate(
        block.mean(axis=(2, 4)),
        f"is divided by {k * k}: it is the mean over the "
        f"{k * k} copies of each pixel, where their sum is right",
    )
    yield Candidate(
        block.sum(axis=(2, 4)) / k, f"is divided by {k}, where the sum over the copies is right"
    )
    for axis, which in ((2, "rows"), (4, "columns")):
        one = np.take(block.sum(axis=axis), 0, axis=3 if axis == 2 else 2)
        yield Candidate(one, f"is summed over the {which} of each block alone")
    tiles = dy.reshape(n, k, height // k, k, width // k, channels)
    yield Candidate(
        tiles.sum(axis=(1, 3)),
        "sums pixels that are far apart, as if the image were tiled, not each pixel repeated",
    )
    yield Candidate(
        block.max(axis=(2, 4)), "is the largest over the copies, where their sum is right"
    )


def _pooled(case, x, dy, k):
    spread = dy.repeat(k, axis=1).repeat(k, axis=2)
    if spread.shape != x.shape:
        return
    n, height, width, channels = dy.shape
    block = x.reshape(n, height, k, width, k, channels)
    chosen, least = (
        x == reduce(block, axis=(2, 4)).repeat(k, axis=1).repeat(k, axis=2)
        for reduce in (np.max, np.min)
    )
    if case.is_right(chosen * spread):
        yield from _of_the_largest(spread, least, k)
    if not case.is_right(spread / k**2):
        return
    tiled = np.tile(dy, (1, k, k, 1))
    for scale, words in ((1, "all of it"), (k**2, f"1/{k * k} of it")):
        yield Candidate(tiled / scale, f"is dy tiled ({words}), where each value is repeated")
        yield Candidate(
            chosen * spread / scale,
            f"goes to the largest pixel of each block ({words}), as for max pooling",
        )
    for power in (0, 1, 3, 4):
        words = "not divided" if not power else f"divided by {k**power}"
        yield Candidate(
            spread / k**power,
            f"is {words}, where each of the {k * k} pixels of a block gets 1/{k * k} of dy",
        )
    for u, v in np.ndindex(k, k):
        one = np.zeros_like(spread)
        one[:, u::k, v::k] = dy
        for scale, words in ((1, "all of it"), (k**2, f"1/{k * k} of it")):
            yield Candidate(
                one / scale,
                f"goes to one pixel of each block ({words}), where it is spread over all {k * k}",
            )


def _of_the_largest(spread, least, k):
    """Max pooling: dx = dy at the largest pixel of each block, 0 at the others."""
    where = "where the largest alone is right"
    yield Candidate(
        spread, f"goes to all {k * k} pixels of each block, {where}: the mask is missing"
    )
    for scale in (k, k**2):
        yield Candidate(
            spread / scale, f"is spread over all {k * k} pixels of each block, / {scale}, {where}"
        )
    yield Candidate(least * spread, f"goes to the smallest pixel of each block, {where}")
    for u, v in np.ndindex(k, k):
        one = np.zeros_like(spread)
        one[:, u::k, v::k] = spread[:, u::k, v::k]
        yield Candidate(one, f"goes to the pixel {(u, v)} of each block, {where}")
