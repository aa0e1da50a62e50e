"""A pool of arrays for results, which are reused from step to step.

Every training step needs arrays of the same shapes. The operating system would provide them as new
pages, which it zeroes and maps one by one, and this takes longer than filling them. So arrays are
kept in a pool, and reused once nothing refers to them, or to a view of them, any more.

Size of the pool: the arrays of one step. When the shapes change (another batch size), the arrays
that the present step has not used are dropped as soon as the pool takes more than 1.25 times the
memory of the largest step so far. This module is not told where a step begins. But some network
runs once in each step (in a GAN, the generator): a step begins with the network that has run least
often among the last forward passes.

Each thread has a pool of its own. An array may be released in another thread than the one that
requested it: only the number of references to it matters. Where Python does not count references
exactly (its free-threaded build), nothing is kept.
"""

import sys
import threading
from collections import Counter, deque

import numpy as np

from .calls import ON, step_begins

MAX_BYTES = 1 << 28  # of the pool of a thread; the largest GAN of the benchmarks needs a quarter
SLACK = 1.25  # the largest size of the pool, as a multiple of the largest step's arrays
PASSES = 16  # the last forward passes that are compared; more than a step has
OVERHEAD = 256  # bytes for an array object and its entry: many small arrays count as well

_COUNTS_EXACTLY = getattr(sys, "_is_gil_enabled", lambda: True)()


def _unused(arrays, references):
    """One of `arrays` with exactly this number of references, or None.

    The reference is taken before the count is read. So whatever runs in between (a signal handler,
    a finalizer) either sees the array in use, or makes the count too large.
    """
    for array in arrays:
        if sys.getrefcount(array) == references:
            return array
    return None


# The reference count that is read there for an array to which only its list refers. It depends on
# the version of Python.
_FREE = next(n for n in range(1, 9) if _unused([np.empty(0)], n) is not None)


class _Pool:
    """The arrays of one thread. A *kind* is a (shape, dtype)."""

    def __init__(self):
        self.of_kind = {}  # kind -> its arrays
        self.asked = {}  # kind -> the last step that requested it, the latest kind last
        self.bytes = 0  # of all arrays
        self.largest = 0  # bytes of the arrays of the largest step
        self.step = 0  # the number of the present step
        self.of_step = 0  # bytes of all arrays of the kinds that it has requested
        self.workspace = self.workspace_before = 0  # largest size, this step and the last
        self.ran = deque(maxlen=PASSES)  # the ids of the networks of the last forward passes
        self.first = None  # the id of the network that a step begins with
        self.made = 0  # number of arrays made so far

    def begin(self, network):
        """Notes a forward pass. A new step begins if it is that of the step's first network, or if
        that network is not among the last passes."""
        self.ran.append(id(network))
        if self.first == id(network) or self.first not in self.ran:
            passes = Counter(self.ran)
            repeated = [network for network in passes if passes[network] > 1]
            self.first = min(repeated, key=passes.get, default=id(network))
            self.largest = max(self.largest, self.of_step)
            self.step, self.of_step = self.step + 1, 0
            self.workspace_before, self.workspace = self.workspace, 0
            if ON:
                step_begins()

    def ask(self, kind):
        """Notes that the present step requests arrays of a kind."""
        self.asked.pop(kind, None)
        self.asked[kind] = self.step
        self.of_step += _size(self.of_kind.get(kind, ()))

    def new(self, kind):
        """Makes one more array, and drops old ones if the pool becomes too large. An array that is
        too large by itself is not kept."""
        array = np.empty(*kind)
        size = array.nbytes + OVERHEAD
        if size > MAX_BYTES:
            return array
        if self.bytes + size > min(MAX_BYTES, SLACK * self.largest):
            self.largest = max(self.largest, self.of_step + size)
            self.drop_until(min(MAX_BYTES, SLACK * self.largest) - size)
            self.asked[kind] = self.step  # its other arrays may have been dropped, too
        self.of_kind.setdefault(kind, []).append(array)
        self.bytes += size
        self.of_step += size
        self.made += 1
        return array

    def drop_until(self, allowed):
        """Drops the kinds that were requested longest ago, until the pool has at most `allowed`
        bytes. Arrays in use stay alive, as their users refer to them."""
        for kind in list(self.asked):
            if self.bytes <= allowed:
                break
            size = _size(self.of_kind.pop(kind, ()))
            self.bytes -= size
            self.of_step -= size * (self.asked.pop(kind) == self.step)


def _size(arrays):
    return sum(array.nbytes + OVERHEAD for array in arrays)


class _Here(threading.local):
    """The pool of the present thread, as one attribute: a lookup in a `local` object is slow."""

    def __init__(self):
        self.pool = _Pool()


_here = _Here()


def begin(network):
    """To be called at the beginning of each forward pass of a network; perhaps a step begins."""
    _here.pool.begin(network)


def empty(shape, dtype):
    """Like `np.empty`, with memory from the pool; `shape` must be a tuple."""
    if not _COUNTS_EXACTLY:
        return np.empty(shape, dtype)
    pool, kind = _here.pool, (shape, dtype)
    if pool.asked.get(kind) != pool.step:
        pool.ask(kind)
    array = _unused(pool.of_kind.get(kind, ()), _FREE)
    return pool.new(kind) if array is None else array


def workspace(size, dtype):
    """A vector of at least `size` numbers for the temporary values of one call. All calls of a step
    get the same one, so it stays in the cache."""
    pool = _here.pool
    pool.workspace = max(pool.workspace, size)
    return empty((max(pool.workspace, pool.workspace_before),), dtype)


def plain(array):
    """The array itself, or a copy of one that is not contiguous and writeable."""
    return array if array.flags.carray else np.array(array, order="C")


def kept_bytes():
    """The size of the arrays kept for this thread."""
    return sum(array.nbytes for same in _here.pool.of_kind.values() for array in same)
