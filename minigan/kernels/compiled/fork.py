"""One parallel loop for all kernels: `fork` calls worker(task, part) for each part of a task.

Numba builds a parallel region by compiling its body three times over (as a function, as the loop of
one thread, and again where the loop is started), and each `parallel=True` function pays for that in
seconds of compilation. So there is one, and its body is nothing but a call through a pointer.

A worker is a C function of two arguments: where a task lies in memory, and the number of a part.
A task is a tuple, whatever the kernel needs, that stays on the stack of the function that forks.
"""

from functools import lru_cache

import numpy as np
from llvmlite import ir
from numba import cfunc, config, from_dtype, njit, prange
from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic

THREADS = config.NUMBA_NUM_THREADS


@lru_cache(maxsize=None)
def compiled_worker(function, dtype):
    """The function (task, part), compiled for tasks of one float type; keep it, and pass `.address`."""
    task = types.CPointer(from_dtype(dtype))
    return cfunc(types.void(task, types.intp), cache=True)(function)


@njit(cache=True)
def fork(worker, address, parts):
    """Calls worker(task, part) for every part in range(parts), in parallel where there are several.

    `worker` is the address of a `compiled_worker`, and `address` that of its task.
    """
    if parts == 1:
        call_worker(worker, address, 0)
    else:
        _fork(worker, address, parts)


@njit(cache=True, parallel=True)
def _fork(worker, address, parts):
    for part in prange(parts):
        call_worker(worker, address, np.int64(part))  # prange counts in unsigned integers


@intrinsic
def call_worker(typing, worker, address, part):
    """worker(address, part), where the worker is itself an address."""

    def emit(context, builder, signature, arguments):
        word = ir.IntType(64)
        function = ir.FunctionType(ir.VoidType(), [word, word])
        pointer = builder.inttoptr(arguments[0], function.as_pointer())
        builder.call(pointer, arguments[1:])
        return context.get_dummy_value()

    return types.void(worker, address, part), emit


@intrinsic
def address_of(typing, task):
    """Where a tuple lies in memory. It lies there until the calling function returns."""

    def emit(context, builder, signature, arguments):
        place = cgutils.alloca_once_value(builder, arguments[0])
        return builder.ptrtoint(place, ir.IntType(64))

    return types.intp(task), emit


def task_reader(task_type):
    """An intrinsic read(address): the tuple that lies there, where task_type(float type) is its type."""

    @intrinsic
    def read(typing, address):
        task = task_type(address.dtype)

        def emit(context, builder, signature, arguments):
            pointer = builder.bitcast(arguments[0], context.get_value_type(task).as_pointer())
            return impl_ret_borrowed(context, builder, task, builder.load(pointer))

        return task(address), emit

    return read
