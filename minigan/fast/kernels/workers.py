"""Workers: the bodies of the large parallel loops, called through a pointer and compiled once.

Numba compiles the body of a `parallel=True` function three times: as a function, as one thread's
loop, and where that loop is started. For a kernel like the matrix product each takes seconds. So
there is one parallel loop, `run_parts`, and its body is a single call of a *worker*, a C function
of two arguments: the address of a task, and which part of it to do.

A task is an array of 64-bit words: addresses of arrays, sizes, and the bits of float64 numbers. Its
first word is the address of its own worker. So one more worker can run a whole list of tasks:

    run_tasks(address, part):  for each task of the list:  task's worker(address of the task, part)

Each thread goes through the list without waiting for the others, so a thread must not read what the
part of another thread writes. A task has one part for each thread, or a single part. A single part
belongs to one thread, which the task's last word names: OWNER is 1 + the number of that thread, and
0 for a task with a part for each thread.
"""

from functools import cache

import numpy as np
from llvmlite import ir
from numba import from_dtype, njit, prange
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from .cache import cached_cfunc
from .views import address_of, words_of

WORD = 8  # bytes
COUNT, LENGTH = 0, 1  # a list's first two words; its tasks begin at the index LENGTH

_workers: dict = {}  # never emptied: Numba frees the machine code of a worker with its object


@cache
def worker_address(function, dtype):
    """The address of function(task, part), compiled for arrays of one float type."""
    with global_compiler_lock:  # two threads may need the same worker at the same time
        if (function, dtype) not in _workers:
            task = types.CPointer(from_dtype(dtype))  # its type tells Numba the type of the arrays
            signature = types.void(task, types.intp)
            _workers[function, dtype] = cached_cfunc(signature, function)
        return _workers[function, dtype].address


@njit(parallel=True)  # not cached: a cached one crashes the callers that are cached after it
def run_parts(worker, parts, task):
    """worker(task, part) for every part, in parallel. The caller keeps the task's arrays alive."""
    if parts == 1:
        call_worker(worker, task, 0)
    else:
        for part in prange(parts):
            call_worker(worker, task, np.int64(part))  # prange counts in unsigned integers


def run_tasks(address, part):
    """A worker that does one thread's part of each task of a list."""
    words = words_of(address)
    for i in range(1, words[COUNT] + 1):
        start = i * words[LENGTH]
        owner = words[start + words[LENGTH] - 1]
        if owner == 0:
            call_worker(words[start], address_of(words) + start * WORD, part)
        elif owner == part + 1:
            call_worker(words[start], address_of(words) + start * WORD, 0)


@intrinsic
def call_worker(typing, worker, task, part):
    """worker(task, part), where worker and task are addresses."""

    def emit(context, builder, signature, arguments):
        word = ir.IntType(64)
        function = ir.FunctionType(ir.VoidType(), [word, word])
        pointer = builder.inttoptr(arguments[0], function.as_pointer())
        builder.call(pointer, arguments[1:])
        return context.get_dummy_value()

    return types.void(worker, task, part), emit


def _cast_to(kind):
    """An intrinsic that casts a worker's `address` to a pointer to numbers of another type."""

    @intrinsic
    def cast(typing, address):
        def emit(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(address), emit

    return cast


words_at, floats_at = _cast_to(types.int64), _cast_to(types.float64)


@intrinsic
def bits_of(typing, number):
    """The bits of a float64 as a word."""

    def emit(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), emit
