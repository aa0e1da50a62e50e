"""Workers: calling the body of a parallel loop through a pointer, so that it is compiled once.

Numba compiles the body of a `parallel=True` function three times: as a function, as one thread's
loop, and where that loop is started. For a kernel of this size each takes seconds. The bodies of
the large parallel loops are therefore a single call of a *worker*, a C function of two arguments:
the address of a task, and which part of it to do. A task is a tuple of whatever the worker needs,
on the stack of the function that runs the loop:

    @njit(parallel=True)
    def run(worker, parts, a, b):
        task = address_of((a, b))
        for part in prange(parts):
            call_worker(worker, task, np.int64(part))     # prange counts in unsigned integers
"""

from functools import cache

from llvmlite import ir
from numba import from_dtype
from numba.core import cgutils, types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import TypingError
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic

from .cache import cached_cfunc

_workers: dict = {}  # never emptied: their machine code lives only as long as they do


@cache
def worker_address(function, dtype):
    """The address of function(task, part), compiled for tasks of one float type."""
    with global_compiler_lock:  # two threads may ask for the same worker
        if (function, dtype) not in _workers:
            task = types.CPointer(from_dtype(dtype))  # the float type tells the tasks' types apart
            signature = types.void(task, types.intp)
            _workers[function, dtype] = cached_cfunc(signature, function)
        return _workers[function, dtype].address


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


@intrinsic
def pointer_to(typing, address, like):
    """A pointer, for `numba.carray`, to numbers of the type of those in the array `like`."""

    def emit(context, builder, signature, arguments):
        kind = context.get_value_type(signature.return_type)
        return builder.inttoptr(arguments[0], kind)

    return types.CPointer(like.dtype)(address, like), emit


def task_passing(task_type):
    """Two intrinsics: address_of(task), the address of a tuple, valid until the calling function
    returns, and task_at(address), the tuple at an address.

    task_type(float type) is the tuple's type. Pointers are not checked at run time, so `address_of`
    raises TypingError at compile time for a tuple of another type.
    """

    @intrinsic
    def address_of(typing, task):
        expected = task_type(_first_array(task).dtype)
        if not _fits(task, expected):
            raise TypingError(f"the task should be {expected}, and is {task}")

        def emit(context, builder, signature, arguments):
            place = cgutils.alloca_once_value(builder, arguments[0])
            return builder.ptrtoint(place, ir.IntType(64))

        return types.intp(task), emit

    @intrinsic
    def task_at(typing, address):
        task = task_type(address.dtype)

        def emit(context, builder, signature, arguments):
            pointer = builder.bitcast(arguments[0], context.get_value_type(task).as_pointer())
            return impl_ret_borrowed(context, builder, task, builder.load(pointer))

        return task(address), emit

    return address_of, task_at


def _first_array(given):
    return _first_array(given[0]) if isinstance(given, types.BaseTuple) else given


def _fits(given, expected):
    """Whether the types look alike in memory (a read-only array looks like any other)."""
    if isinstance(expected, types.BaseTuple):
        same_length = isinstance(given, types.BaseTuple) and len(given) == len(expected)
        return same_length and all(map(_fits, given, expected))
    if isinstance(expected, types.Array):
        kind = (expected.dtype, expected.ndim, expected.layout)
        return isinstance(given, types.Array) and (given.dtype, given.ndim, given.layout) == kind
    return given == expected
