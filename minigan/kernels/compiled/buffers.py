"""Arrays for results, used again and again.

A training step asks for the same arrays at every step. From the operating system they come as fresh
pages, which have to be zeroed and mapped one by one; that takes about as long as filling them. So
arrays are kept, and given out again once nobody holds them, or a view of them, any more.
"""

import sys

import numpy as np

KEPT = 1 << 28  # bytes; a step of the largest network of the benchmarks needs a tenth of that


def _references(arrays, position):
    return sys.getrefcount(arrays[position])


# What is counted for an array that only its list holds: versions of Python differ in it.
_FREE = _references([np.empty(0)], 0)
_COUNTS_EXACTLY = getattr(sys, "_is_gil_enabled", lambda: True)()

_arrays = {}  # (shape, dtype) -> the arrays of that kind
_bytes = 0  # of all of them


def empty(shape, dtype):
    """As `np.empty`, for a shape that is a tuple."""
    global _bytes
    arrays = _arrays.get((shape, dtype))
    if arrays is not None and _COUNTS_EXACTLY:
        for position in range(len(arrays)):
            if _references(arrays, position) == _FREE:
                return arrays[position]
    array = np.empty(shape, dtype)
    _bytes += array.nbytes
    if _bytes > KEPT:  # shapes change: forget them all, those in use live on with their holders
        _arrays.clear()
        _bytes = array.nbytes
    _arrays.setdefault((shape, dtype), []).append(array)
    return array
