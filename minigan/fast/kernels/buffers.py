"""Arrays for results, used again and again.

A training step asks for the same arrays at every step. From the operating system they come as fresh
pages, which have to be zeroed and mapped one by one; that takes about as long as filling them. So
arrays are kept, and given out again once nothing refers to them, or to a view of them, any more.

Each thread keeps arrays of its own. An array may be released in another thread than the one that
asked for it: all that counts is the number of references to it. Where Python does not count them
exactly (its free-threaded build) nothing is kept.
"""

import sys
import threading

import numpy as np

MOST = 1 << 28  # bytes kept for each thread; the largest network of the benchmarks needs a tenth
SLACK = 1.5  # kept bytes beside the most that were ever in use at once
OVERHEAD = 256  # bytes for an array object and its entry: many small arrays count as well

_COUNTS_EXACTLY = getattr(sys, "_is_gil_enabled", lambda: True)()


def _unused(arrays, references):
    """One of `arrays` with so few references, or None.

    The reference is taken before the count is read. So whatever runs in between (a signal handler,
    a finalizer) either sees the array in use, or makes the count too large.
    """
    for array in arrays:
        if sys.getrefcount(array) == references:
            return array
    return None


# What is counted there for an array that only its list holds: versions of Python differ in it.
_FREE = next(n for n in range(1, 9) if _unused([np.empty(0)], n) is not None)


class _Pool(threading.local):
    """The arrays of one thread."""

    def __init__(self):
        self.of_kind = {}  # (shape, dtype) -> the arrays of that kind; the oldest kinds first
        self.bytes = 0  # of all of them
        self.most_in_use = 0  # bytes, of those referred to at one time
        self.needed = 0  # bytes, of those that one step asks for, where that has turned out more
        self.made = 0  # arrays
        self.forgotten = {}  # kind -> how many had been made when it was forgotten

    def new(self, kind):
        """Makes one more array, and forgets old ones where that would be too many."""
        array = np.empty(*kind)
        size = array.nbytes + OVERHEAD
        if self.bytes + size > self.allowed():
            self.most_in_use = max(self.most_in_use, self.in_use() + size)
            if self.made - self.forgotten.get(kind, self.made) in range(1, len(self.of_kind) + 1):
                self.needed = max(self.needed, self.bytes + size)  # forgotten too soon
            self.forget_until(self.allowed() - size)
        self.of_kind.setdefault(kind, []).append(array)
        self.bytes += size
        self.made += 1
        return array

    def values(self):
        return self.of_kind.values()

    def allowed(self):
        return min(MOST, max(SLACK * self.most_in_use, self.needed))

    def in_use(self):
        return sum(_size_in_use(same) for same in self.values())

    def forget_until(self, allowed):
        """Forgets the oldest kinds first. Arrays in use live on with whoever holds them."""
        if len(self.forgotten) > 1000:
            self.forgotten.clear()
        while self.of_kind and self.bytes > allowed:
            kind = next(iter(self.of_kind))
            self.bytes -= _size(self.of_kind.pop(kind))
            self.forgotten[kind] = self.made


def _size_in_use(arrays):
    total = 0
    for array in arrays:
        if sys.getrefcount(array) != _FREE:
            total += array.nbytes + OVERHEAD
    return total


def _size(arrays):
    return sum(array.nbytes + OVERHEAD for array in arrays)


_arrays = _Pool()


def empty(shape, dtype):
    """As `np.empty`, for a shape that is a tuple."""
    if not _COUNTS_EXACTLY:
        return np.empty(shape, dtype)
    array = _unused(_arrays.of_kind.get((shape, dtype), ()), _FREE)
    return _arrays.new((shape, dtype)) if array is None else array


def kept_bytes():
    """The size of the arrays kept for this thread."""
    return sum(array.nbytes for same in _arrays.values() for array in same)
