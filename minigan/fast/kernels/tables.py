"""Tables of offsets for `gemm.multiply`, kept between calls.

A table has an entry per row of an operand, so the tables for many batch sizes would soon take more
memory than the data. But the table for a small batch is the beginning of that for a large one. So
only the longest table of each kind is kept, and shorter ones are views of it.

Numba's lock protects the tables, because no fork happens while another thread holds it: see
`threads`.
"""

from functools import lru_cache

import numpy as np
from numba.core.compiler_lock import global_compiler_lock as lock

MAX_BYTES = 1 << 28  # of all tables together

_longest: dict = {}  # kind (all arguments but the first count) -> its longest table
_caches: list = []  # caches of views; emptied together, because a view keeps its array alive


def cached(function):
    """Decorator: caches the last results of a function that returns tables, or a plan."""
    function = lru_cache(maxsize=256)(function)
    _caches.append(function)
    return function


@cached
def offsets(counts, steps, unit=1, first=0):
    """unit (first + i steps[0] + j steps[1] + ...) for each index (i, j, ...), in C order."""
    inner = int(np.prod(counts[1:]))
    table = _longest_of(counts[0] * inner, ("offsets", counts[1:], steps, unit, first))
    if table is not None:
        return table[: counts[0] * inner]
    total = np.array(first)
    for count, step in zip(counts, steps):
        total = total[..., None] + np.arange(count) * step
    return _keep(total.reshape(-1) * unit, ("offsets", counts[1:], steps, unit, first))


@cached
def row_offsets(step, count):
    """The offsets 0, step, 2 step, ... of the rows of a matrix."""
    table = _longest_of(count, ("rows", step))
    return _keep(np.arange(count) * step, ("rows", step)) if table is None else table[:count]


@cached
def weight_rows(shape, exchange, rows_of_taps, columns_of_taps):
    """The offsets of the rows (u, v, channel) of a convolution's weight, for the given taps.

    `shape` is (kh, kw, in, out). The channel is the input's, or with `exchange` the output's.
    """
    kind = (shape, exchange, rows_of_taps, columns_of_taps)
    table = _longest_of(0, kind)
    if table is not None:
        return table
    _, kw, channels, out = shape
    tap = np.add.outer(np.array(rows_of_taps) * kw, np.array(columns_of_taps)) * channels * out
    channel = np.arange(out) if exchange else np.arange(channels) * out
    return _keep(np.add.outer(tap, channel).reshape(-1), kind)


def _longest_of(length, kind):
    """The stored table of this kind, if it is long enough; else None."""
    table = _longest.get(kind)
    return table if table is not None and len(table) >= length else None


def _keep(table, kind):
    """Stores `table` in place of the shorter one of its kind; returns it."""
    with lock:
        replaced = _longest.pop(kind, None)
        if replaced is not None or kept_bytes() + table.nbytes > MAX_BYTES:
            for cache in _caches:
                cache.cache_clear()
        if kept_bytes() + table.nbytes > MAX_BYTES:
            _longest.clear()
        if table.nbytes <= MAX_BYTES:
            _longest[kind] = table
    return table


def kept_bytes():
    """The size of all stored tables."""
    with lock:
        return sum(table.nbytes for table in _longest.values())
