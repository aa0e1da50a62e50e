"""Which backend is active: one default for the process, and `with` blocks for a single thread.

`minigan.kernels` holds the operations as plain functions, so that a call costs nothing extra. While
any `with use_backend(...)` block is open, functions that look up the thread's own backend stand
there instead.
"""

import contextvars
import functools
import importlib
import inspect
import os
import sys
import threading

from ..checks import shown

OPERATIONS = (
    "activate",
    "activate_backward",
    "sigmoid",
    "softplus",
    "silu",
    "silu_backward",
    "dot",
    "scale_and_add",
    "linear_forward",
    "linear_backward_input",
    "linear_backward_params",
    "linear_backward",
    "conv2d_forward",
    "conv2d_backward_input",
    "conv2d_backward_params",
    "conv2d_backward",
    "conv_transpose2d_forward",
    "conv_transpose2d_backward_input",
    "conv_transpose2d_backward_params",
    "conv_transpose2d_backward",
    "row_norm_forward",
    "row_norm_backward",
    "batch_norm_forward",
    "batch_norm_backward",
    "sgd_update",
    "rmsprop_update",
    "adam_update",
    "average_update",
)

_MODULES = {"numpy": "minigan.kernels.reference", "numba": "minigan.kernels.compiled"}
_IN_KERNELS = {**{operation: operation for operation in OPERATIONS}, "_matmul": "matmul"}

_default = None  # of every thread that is in no block
_blocks = contextvars.ContextVar("backends of the open blocks", default=())  # the innermost last
_open_blocks = 0  # in all threads
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):  # a child must not inherit it from a thread that it has not
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


def backend():
    """The name of the backend that is active in this thread: "numba" or "numpy"."""
    blocks = _blocks.get()
    return blocks[-1] if blocks else _default


class use_backend:
    """Selects the backend, "numba" or "numpy".

    >>> use_backend("numpy")                          # doctest: +SKIP
    >>> with use_backend("numba"): gan.train_step(x)  # doctest: +SKIP
    >>> @use_backend("numpy")                         # doctest: +SKIP
    ... def slow_but_plain(): ...

    As a statement of its own it takes effect at once: outside any block for the whole process and
    for good, inside a block until that block ends. A `with` block and a decorated function (or
    generator, or coroutine) use the backend while they run, in their own thread or asyncio task
    only; threads started in there use the process's default. Blocks nest, and one object may be
    entered many times. Select the default before starting threads: the object of a `with`
    statement sets it for an instant, between its construction and the start of the block.

    Raises ValueError for a name that is neither "numba" nor "numpy", and ImportError when "numba"
    cannot be used.
    """

    def __init__(self, name):
        if not isinstance(name, str) or name not in _MODULES:
            raise ValueError(f'backend: expected "numba" or "numpy", got {shown(name)}')
        _implementation(name)
        self.name = name
        self._undo = _select(name)

    def __enter__(self):
        self._take_back()
        _blocks.set((*_blocks.get(), self.name))
        _count_blocks(+1)
        return self

    def __exit__(self, *_):
        _blocks.set(_blocks.get()[:-1])
        _count_blocks(-1)

    def __call__(self, function):
        self._take_back()
        if inspect.isgeneratorfunction(function):
            return self._around_generator(function)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run(*args, **kwargs):
                with self:
                    return await function(*args, **kwargs)

        else:

            @functools.wraps(function)
            def run(*args, **kwargs):
                with self:
                    return function(*args, **kwargs)

        return run

    def _around_generator(self, function):
        """The backend is active while the generator runs, and not where it has yielded to."""

        @functools.wraps(function)
        def run(*args, **kwargs):
            generator = function(*args, **kwargs)
            resume = functools.partial(next, generator)
            try:
                while True:
                    try:
                        with self:
                            value = resume()
                    except StopIteration as end:
                        return end.value
                    try:
                        resume = functools.partial(generator.send, (yield value))
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        resume = functools.partial(generator.throw, error)
            finally:
                with self:
                    generator.close()

        return run

    def _take_back(self):
        """Undoes what the constructor did for an object that turns out not to be a statement."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()


def _select(name):
    """Makes `name` the backend of the innermost block, or the default; returns how to undo it."""
    before = _blocks.get()
    if before:
        inside = (*before[:-1], name)
        _blocks.set(inside)
        return lambda: _blocks.set(before) if _blocks.get() is inside else None
    previous = _default
    _set_default(name)
    return lambda: _set_default(previous) if _default == name and previous else None


def _set_default(name):
    global _default
    with _lock:
        if name != _default:
            _default = name
            _install()


def _count_blocks(change):
    global _open_blocks
    with _lock:
        _open_blocks += change
        if _open_blocks == max(change, 0):  # the first has been opened, or the last closed
            _install()


def _install():
    """Puts the functions into `minigan.kernels`: the default's, or those that look it up."""
    kernels = sys.modules[__package__]
    for name, operation in _IN_KERNELS.items():
        plain = getattr(_implementation(_default), operation)
        setattr(kernels, name, _looked_up(operation) if _open_blocks else plain)


@functools.cache
def _looked_up(operation):
    @functools.wraps(getattr(_implementation("numpy"), operation))
    def call(*args, **kwargs):
        return getattr(_implementation(backend()), operation)(*args, **kwargs)

    return call


@functools.cache
def _implementation(name):
    try:
        return importlib.import_module(_MODULES[name])
    except ModuleNotFoundError as error:
        if error.name not in ("numba", "llvmlite"):
            raise
        raise ImportError(
            'backend "numba" needs the numba package: install it, or use_backend("numpy")'
        ) from error
