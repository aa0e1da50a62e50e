"""Parallel regions: when kernels may use Numba's threads, and when they must use one.

Numba runs a parallel loop on one of three threading layers. With OpenMP and TBB any number of
Python threads may each start a loop. The third, "workqueue", aborts the process if two do, so a
lock admits one at a time.

Threads of a process do not survive a fork: with GNU OpenMP, a parallel loop in a child process
kills the child. A child therefore runs each kernel on one thread. The results are the same bit for
bit, because the work is divided in the same way for any number of threads. So fewer threads can
also be used while other processes are computing (see `sharing`).
"""

import os
import threading
import time

import numba
from numba import config
from numba.core.compiler_lock import global_compiler_lock

from .cache import cached_njit
from .sharing import Sharing
from .waiting import load_openmp

THREADS: int = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]

_sharing = Sharing(THREADS)
_lock = None  # held during a parallel loop, where the threading layer needs that
_layer_known = False
_forked = False  # whether this process is a child of one that had started the threads

load_openmp()


def threads():
    """The number of threads that a kernel may use now."""
    if _forked:
        return 1
    return THREADS if _sharing.threads == THREADS else _sharing.allowed()


def thread_safe(kernel):
    """Wraps a compiled parallel loop so that several Python threads may call it."""

    def run(*arguments):
        if not _layer_known:
            _start_threads()
        if _lock is None:
            if _sharing.undisturbed():  # as nearly always
                return kernel(*arguments)
            return _run(kernel, arguments)
        with _lock:
            return _run(kernel, arguments)

    return run


def _run(kernel, arguments):
    """kernel(*arguments) on the number of threads that is allowed now, timed if `_sharing.due`."""
    allowed = threads()
    if allowed < THREADS:
        before = numba.get_num_threads()
        numba.set_num_threads(min(before, allowed))
        try:
            return _timed(kernel, arguments)
        finally:
            numba.set_num_threads(before)
    return _timed(kernel, arguments)


def _timed(kernel, arguments):
    if not _sharing.due():
        return kernel(*arguments)
    start, computed = time.perf_counter(), time.thread_time()
    result = kernel(*arguments)
    seconds = time.perf_counter() - start
    _sharing.note(seconds - (time.thread_time() - computed), seconds)
    return result


def parallel(**options):
    """Compiles a function with `prange` loops in a parallel and a serial version.

    Each version is compiled at its first call; the serial one is needed only after a fork.
    """

    def decorate(body):
        in_parallel = thread_safe(cached_njit(**options, parallel=True)(body))
        serial = cached_njit(**options)(body)

        def run(*arguments):
            return (serial if _forked else in_parallel)(*arguments)

        return run

    return decorate


def _start_threads():
    """Starts Numba's threads, and creates the lock if the threading layer needs one."""
    global _lock, _layer_known
    with global_compiler_lock:
        if not _layer_known:
            numba.get_num_threads()  # starts them
            if numba.threading_layer() == "workqueue":
                _lock = threading.RLock()
            _layer_known = True


def _threads_started():
    try:
        numba.threading_layer()
    except ValueError:
        return False
    return True


def _after_fork_in_child():
    global _forked
    global_compiler_lock.release()
    _forked = _forked or _threads_started()


if hasattr(os, "register_at_fork"):
    # No fork while another thread is compiling: the child would wait for the lock for ever.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=_after_fork_in_child,
    )
