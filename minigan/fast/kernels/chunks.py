"""Loops over flat vectors: long vectors are divided among the threads, short ones use one thread.

A worker (see `workers`) does one part of a task. A part consists of whole chunks of a fixed size,
so sums over chunks do not depend on the number of threads. Each thread gets the same part of a
vector in every operation, so that part is likely to be in its cache already.
"""

import numpy as np
from numba import njit

from .cache import cached_njit
from .threads import thread_safe, threads
from .views import address_of, float_like, numbers_at, sizeof, words_of
from .workers import bits_of, run_parts, worker_address

CHUNK = 2048  # numbers; a float32 sum of this length loses few digits
SERIAL_UP_TO = 8 * CHUNK  # shorter vectors finish before a second thread would start

# The words of a task: among them addresses of four vectors and the bits of seven numbers.
WORKER, SIZE, PARTS, VECTORS, NUMBERS, WORDS = 0, 1, 2, 3, 7, 14


def over_chunks(work, vectors, numbers=()):
    """Runs the worker `work` on at most four contiguous vectors of one dtype and size.

    numbers : at most seven floats for the worker, which gets them in the dtype of the vectors
    """
    flat = [vector.reshape(-1) for vector in vectors]
    first, size = flat[0], flat[0].size
    parts = 1 if size <= SERIAL_UP_TO else threads()
    run = _run if parts == 1 else _run_in_parallel
    four = flat + [first] * (4 - len(flat))
    run(worker_address(work, first.dtype), size, parts, np.array(numbers, np.float64), *four)


@cached_njit()
def _run(worker, size, parts, numbers, a, b, c, d):
    task = np.empty(WORDS, np.int64)
    task[WORKER], task[SIZE], task[PARTS] = worker, size, parts
    task[VECTORS], task[VECTORS + 1] = address_of(a), address_of(b)
    task[VECTORS + 2], task[VECTORS + 3] = address_of(c), address_of(d)
    for i in range(len(numbers)):
        task[NUMBERS + i] = bits_of(numbers[i])
    run_parts(worker, parts, address_of(task))
    return task[WORKER]  # a use of the task, so that Numba does not free it earlier


_run_in_parallel = thread_safe(_run)


# Functions for workers. Each vector is a view of one part, indexed from zero: Numba wraps indices
# that may be negative, and LLVM does not vectorise a loop with wrapped indices.


@njit(inline="always")
def chunks_of(task, part):
    """The chunks [first, end) of a part."""
    chunks = -(-task[SIZE] // CHUNK)
    return part * chunks // task[PARTS], (part + 1) * chunks // task[PARTS]


@njit
def vectors_of(address, part):
    """This part of each of the task's four vectors."""
    task = words_of(address)
    first, end = chunks_of(task, part)
    start, stop = first * CHUNK, min(end * CHUNK, task[SIZE])
    place, count = start * sizeof(address), stop - start
    return (
        numbers_at(task[VECTORS] + place, address, count),
        numbers_at(task[VECTORS + 1] + place, address, count),
        numbers_at(task[VECTORS + 2] + place, address, count),
        numbers_at(task[VECTORS + 3] + place, address, count),
    )


@njit
def numbers_of(address):
    """The task's seven numbers, in the dtype of its vectors."""
    task = words_of(address)
    return (
        float_like(task[NUMBERS], address), float_like(task[NUMBERS + 1], address),
        float_like(task[NUMBERS + 2], address), float_like(task[NUMBERS + 3], address),
        float_like(task[NUMBERS + 4], address), float_like(task[NUMBERS + 5], address),
        float_like(task[NUMBERS + 6], address),
    )  # fmt: skip
