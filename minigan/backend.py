"""Which backend computes: NumPy, as the layers are written, or their compiled counterparts.

    minigan.kernels.use_backend("numba")     # or "numpy"; the environment's MINIGAN_BACKEND

Everything outside `minigan.fast` is plain NumPy. This is the only module that imports `fast`, and
it does so only where the "numba" backend is chosen. Four questions are asked of it:

    stages(network)     what a network runs: its layers, or compiled stages that stand for them
    update(optimizer)   the compiled update of an optimizer, or None
    step(gan)           D's gradient in fewer passes, or None
    loss(method)        the compiled counterpart of a method of a loss, or None

The backend has one default for the process, and `with` blocks for a single thread.
"""

import contextvars
import functools
import importlib
import importlib.util
import inspect
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._callers import callers_level
from ._checks import FLOATS, flag, shown

__all__ = [
    "matmul",
    "use_backend",
    "backend",
    "stages",
    "update",
    "step",
    "loss",
    "clear",
    "clear_rest",
    "norm",
]

NAMES = "numpy", "numba"
THREADING_LAYERS = "default", "safe", "threadsafe", "forksafe", "tbb", "omp", "workqueue"

_default = ""  # of every thread that is in no block
_blocks: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar(
    "backends of the open blocks", default=()
)  # the innermost last


def fast() -> Any:
    """The package of the compiled counterparts where the "numba" backend is active, else None."""
    return _compiled() if backend() == "numba" else None


@functools.cache
def _compiled():
    """Imported at the first use: it imports the layers, and they import this module."""
    return importlib.import_module("minigan.fast")


def stages(network: Any) -> list[Any]:
    """What `network` runs, in order: its layers, or stages that obey the same contract."""
    compiled = fast()
    return compiled.stages(network) if compiled else network.layers


def update(optimizer: Any) -> Callable[[np.ndarray, np.ndarray], None] | None:
    """A compiled update(theta, grad) with the formula of `optimizer`; None for its own."""
    compiled = fast()
    return compiled.update(optimizer) if compiled else None


def step(gan: Any) -> Callable[..., tuple] | None:
    """judge(real, fake), to be called in the place of `gan.judge`, in fewer passes; or None."""
    compiled = fast()
    return compiled.step(gan) if compiled else None


def loss(method: Callable[..., tuple]) -> Callable[..., tuple] | None:
    """A compiled counterpart of a loss's `discriminator` or `generator`, as it is defined in
    `minigan.losses`; or None."""
    compiled = fast()
    return compiled.loss(method) if compiled else None


def clear(grad: np.ndarray, caches: Sequence[Any] = ()) -> None:
    """Sets a network's flat vector of gradients to 0; or has the stages of `caches`, which are the
    next to add to it, write over it instead."""
    compiled = fast()
    if compiled:
        compiled.clear(grad, caches)
    else:
        grad.fill(0)


def clear_rest(caches: Sequence[Any]) -> None:
    """After a backward pass that was broken off: sets to 0 the gradients that it was to write."""
    compiled = fast()
    if compiled:
        compiled.clear_rest(caches)


def norm(vector: np.ndarray) -> float:
    """The Euclidean length of a flat vector, as a float, added up in float64."""
    compiled = fast()
    if compiled:
        return compiled.norm(vector)
    return float(np.sqrt(np.sum(vector.astype(np.float64) ** 2)))


def matmul(
    a: np.ndarray,
    b: np.ndarray,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """op(a) @ op(b), op transposing where asked: shapes (m, k) and (k, n) after op, result (m, n).

    `a` and `b` share a dtype, float32 or float64; `out`, where given, is overwritten and returned.
    Raises TypeError or ValueError when shapes or dtypes do not fit.
    """
    if not _plainly_fits(a, b, transpose_a, transpose_b, out):
        _check_product(a, b, transpose_a, transpose_b, out)
    compiled = fast()
    if compiled:
        return compiled.matmul(a, b, transpose_a, transpose_b, out)
    return np.matmul(a.T if transpose_a else a, b.T if transpose_b else b, out=out)


def backend() -> str:
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

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or name not in NAMES:
            raise ValueError(f'backend: expected "numba" or "numpy", got {shown(name)}')
        _require(name)
        self.name = name
        self._undo = _select(name)

    def __enter__(self) -> "use_backend":
        self._take_back()
        _blocks.set((*_blocks.get(), self.name))
        return self

    def __exit__(self, *_: object) -> None:
        _blocks.set(_blocks.get()[:-1])

    def __call__(self, function: Callable) -> Callable:
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
    global _default
    before = _blocks.get()
    if before:
        inside = (*before[:-1], name)
        _blocks.set(inside)
        return lambda: _blocks.set(before) if _blocks.get() is inside else None
    previous, _default = _default, name
    return lambda: _restore(previous, name)


def _restore(previous, name):
    global _default
    if _default == name and previous:
        _default = previous


def _require(name):
    """Raises ImportError where a backend cannot be used."""
    if name == "numpy":
        return
    if importlib.util.find_spec(".fast", __package__) is None:
        raise ImportError('backend "numba" needs minigan/fast, which is not here')
    _check_settings()
    try:
        config = importlib.import_module("numba").config
    except ModuleNotFoundError as error:
        if error.name not in ("numba", "llvmlite"):
            raise
        raise ImportError(
            'backend "numba" needs the numba package: install it, or use_backend("numpy")'
        ) from error
    layer = os.environ.get("NUMBA_THREADING_LAYER", "default")
    if layer.lower() in ("safe", "tbb"):
        try:
            importlib.import_module("numba.np.ufunc.tbbpool")
        except ImportError as error:
            raise ImportError(f"NUMBA_THREADING_LAYER={layer} needs the tbb package") from error
    if config.DISABLE_JIT:  # the kernels contain vector instructions: Python cannot run them
        raise ImportError("NUMBA_DISABLE_JIT is set, and the numba backend needs Numba's compiler")
    if config.BOUNDSCHECK:  # kernels make arrays from addresses, with no sizes
        raise ImportError(
            "NUMBA_BOUNDSCHECK is set, and the numba backend's kernels do not allow it"
        )


def _check_settings():
    """Raises ImportError, naming the environment variable, where Numba could not be imported or
    could not start its threads."""
    threads = os.environ.get("NUMBA_NUM_THREADS") or "1"
    if not threads.strip().isdecimal() or int(threads) < 1:
        raise ImportError(f"NUMBA_NUM_THREADS must be an integer >= 1, got {shown(threads)}")
    layer = os.environ.get("NUMBA_THREADING_LAYER", "default")
    if layer.lower() not in THREADING_LAYERS:
        known = ", ".join(THREADING_LAYERS)
        raise ImportError(f"NUMBA_THREADING_LAYER must be one of {known}, got {shown(layer)}")
    order = os.environ.get("NUMBA_THREADING_LAYER_PRIORITY", "tbb omp workqueue")
    if sorted(order.split()) != ["omp", "tbb", "workqueue"]:
        expected = "tbb, omp and workqueue in some order"
        raise ImportError(f"NUMBA_THREADING_LAYER_PRIORITY must be {expected}, got {shown(order)}")


def _plainly_fits(a, b, transpose_a, transpose_b, out):
    """Whether a, b and out fit and none of them is a view. This takes a quarter of the time of
    `_check_product`, which takes as long as a small product."""
    if not (type(a) is type(b) is type(out) is np.ndarray and a.ndim == b.ndim == 2):
        return False
    if not (a.base is b.base is out.base is None and out is not a and out is not b):
        return False
    dtype = out.dtype
    if not (a.dtype is b.dtype is dtype and (dtype is FLOATS[0] or dtype is FLOATS[1])):
        return False
    if not (type(transpose_a) is type(transpose_b) is bool and out.flags.writeable):
        return False
    rows, inner = a.shape[::-1] if transpose_a else a.shape
    inner_b, columns = b.shape[::-1] if transpose_b else b.shape
    return inner == inner_b and out.shape == (rows, columns)


def _check_product(a, b, transpose_a, transpose_b, out):
    """Raises TypeError or ValueError, naming the argument, unless op(a) @ op(b) can go to `out`."""
    for name, array in (("a", a), ("b", b)) + ((("out", out),) if out is not None else ()):
        if not isinstance(array, np.ndarray):
            raise TypeError(f"matmul: {name} must be a NumPy array, got {type(array).__name__}")
        if array.dtype not in FLOATS:
            raise TypeError(f"matmul: {name} must be float32 or float64, got {array.dtype}")
        if array.ndim != 2:
            raise ValueError(f"matmul: {name} must be a matrix, got shape {array.shape}")
        if array.dtype != a.dtype:
            raise TypeError(f"matmul: {name} must be {a.dtype} like a, got {array.dtype}")
    for name, value in (("transpose_a", transpose_a), ("transpose_b", transpose_b)):
        flag("matmul", name, value)
    rows, inner = a.shape[::-1] if transpose_a else a.shape
    inner_b, columns = b.shape[::-1] if transpose_b else b.shape
    if inner != inner_b:
        raise ValueError(
            f"matmul: op(a) is {rows} x {inner} and op(b) is {inner_b} x {columns}: "
            "their inner sizes must be equal"
        )
    if out is not None and out.shape != (rows, columns):
        raise ValueError(f"matmul: out must have shape {(rows, columns)}, got {out.shape}")
    if out is not None and not out.flags.writeable:
        raise ValueError("matmul: out must be writeable, got a read-only array")
    if out is not None and (np.may_share_memory(out, a) or np.may_share_memory(out, b)):
        raise ValueError("matmul: out must not share memory with a or b")


def _choose_backend():
    chosen = os.environ.get("MINIGAN_BACKEND")
    here = importlib.util.find_spec(".fast", __package__), importlib.util.find_spec("numba")
    if chosen or not all(here):
        use_backend(chosen or "numpy")
        return
    try:
        use_backend("numba")
    except ImportError as error:
        message = f"minigan: using the slower numpy backend: {error}"
        warnings.warn(message, stacklevel=callers_level())
        use_backend("numpy")


_choose_backend()
