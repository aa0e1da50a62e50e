"""Arrays for results, used again and again.

A training step asks for the same arrays at every step. From the operating system they come as fresh
pages, which have to be zeroed and mapped one by one; that takes longer than filling them. So arrays
are kept, and given out again once nothing refers to them, or to a view of them, any more.

How many are kept: those of one step. When other shapes are needed than before (another batch size),
those that this step has not asked for are forgotten as soon as all kept arrays together take more
than 1.25 times the memory of the largest step so far. Nobody tells this module where a step begins,
but some network runs once in each (in a GAN, the generator): a step begins with the network that
has run least often lately.

Each thread keeps arrays of its own. An array may be released in another thread than the one that
asked for it: all that counts is the number of references to it. Where Python does not count them
exactly (its free-threaded build) nothing is kept.
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


class _Pool:
    """The arrays of one thread."""

    def __init__(self):
        self.of_kind = {}  # (shape, dtype) -> the arrays of that kind
        self.asked = {}  # kind -> the number of the step that asked for it last, in that order
        self.bytes = 0  # of all arrays
        self.largest = 0  # bytes, of the arrays of the largest step
        self.step = 0  # the number of this one
        self.of_step = 0  # bytes of all arrays of the kinds that it has asked for
        self.workspace = self.workspace_before = 0  # the largest of this step and of the one before
        self.ran = deque(maxlen=PASSES)  # the ids of the networks that ran lately
        self.first = None  # the id of the network that a step begins with
        self.made = 0  # arrays

    def begin(self, network):
        """A forward pass begins, and a new step if it is that of the step's first network, or if
        that network has not run for a while."""
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
        """Notes that this step asks for arrays of a kind."""
        self.asked.pop(kind, None)
        self.asked[kind] = self.step
        self.of_step += _size(self.of_kind.get(kind, ()))

    def new(self, kind):
        """Makes one more array, and forgets old ones where that would be too many. One that alone
        is too large is not kept."""
        array = np.empty(*kind)
        size = array.nbytes + OVERHEAD
        if size > MAX_BYTES:
            return array
        if self.bytes + size > min(MAX_BYTES, SLACK * self.largest):
            self.largest = max(self.largest, self.of_step + size)
            self.drop_until(min(MAX_BYTES, SLACK * self.largest) - size)
            self.asked[kind] = self.step  # its other arrays may have been forgotten, too
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
    """The pool of the thread that asks; an attribute of such an object is looked up slowly."""

    def __init__(self):
        self.pool = _Pool()


_here = _Here()


def begin(network):
    """Tells that a forward pass of a network begins: perhaps a new step."""
    _here.pool.begin(network)


def empty(shape, dtype):
    """As `np.empty`, for a shape that is a tuple."""
    if not _COUNTS_EXACTLY:
        return np.empty(shape, dtype)
    pool, kind = _here.pool, (shape, dtype)
    if pool.asked.get(kind) != pool.step:
        pool.ask(kind)
    array = _unused(pool.of_kind.get(kind, ()), _FREE)
    return pool.new(kind) if array is None else array


def workspace(size, dtype):
    """A vector of at least `size` numbers, for what lives only during one call: all calls of a step
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
