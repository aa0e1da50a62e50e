"""Tables of offsets for `gemm.contract`, kept between calls.

They are as long as the operands have rows, so tables for many batch sizes would soon be larger than
the data. But the table for a small batch is the beginning of that for a large one: only the longest
of its kind is kept, and shorter ones are views of it.

Numba's lock is used because no fork happens while another thread has it (see `threads`).
"""

from functools import lru_cache

import numpy as np
from numba.core.compiler_lock import global_compiler_lock as lock

MOST = 1 << 28  # bytes of all tables

_longest = {}  # what the table depends on, but for its first count -> the longest so far
_caches = []  # the caches of views, emptied together: views keep their arrays alive


def cached(function):
    """`function`, which makes tables out of the ones below, with its latest results kept."""
    function = lru_cache(maxsize=256)(function)
    _caches.append(function)
    return function


@cached
def offsets(counts, steps, unit=1, first=0):
    """unit (first + i steps[0] + j steps[1] + ...), for every index (i, j, ...) in order."""
    inner = int(np.prod(counts[1:]))
    table = _at_least(counts[0] * inner, ("offsets", counts[1:], steps, unit, first))
    if table is not None:
        return table[: counts[0] * inner]
    total = np.array(first)
    for count, step in zip(counts, steps):
        total = total[..., None] + np.arange(count) * step
    return _kept(total.reshape(-1) * unit, ("offsets", counts[1:], steps, unit, first))


@cached
def every(step, count):
    """The offsets 0, step, 2 step, ...: where the rows of a matrix begin."""
    table = _at_least(count, ("every", step))
    return _kept(np.arange(count) * step, ("every", step)) if table is None else table[:count]


@cached
def weight_rows(shape, exchange, rows_of_taps, columns_of_taps):
    """Where the rows (u, v, channel) of a convolution's weight begin, for the taps asked."""
    _, kw, channels, out = shape
    tap = np.add.outer(np.array(rows_of_taps) * kw, np.array(columns_of_taps)) * channels * out
    channel = np.arange(out) if exchange else np.arange(channels) * out
    table = np.add.outer(tap, channel).reshape(-1)
    return _kept(table, (shape, exchange, rows_of_taps, columns_of_taps))


def _at_least(length, kind):
    table = _longest.get(kind)
    return table if table is not None and len(table) >= length else None


def _kept(table, kind):
    """Keeps `table` in place of the shorter one of its kind; returns it."""
    with lock:
        replaced = _longest.pop(kind, None)
        if replaced is not None or kept_bytes() + table.nbytes > MOST:
            for cache in _caches:
                cache.cache_clear()
        if kept_bytes() + table.nbytes > MOST:
            _longest.clear()
        if table.nbytes <= MOST:
            _longest[kind] = table
    return table


def kept_bytes():
    """The size of all the tables that are kept."""
    with lock:
        return sum(table.nbytes for table in _longest.values())
