"""How OpenMP's threads wait for each other: a short spin, then sleep.

By default GNU OpenMP's threads spin for milliseconds at the end of a parallel loop. On a quiet
machine that saves waking them up for the next loop; beside any other busy process it takes the core
that the slowest thread is waiting for, and a training step becomes ten times slower.

libgomp reads its environment once, when it is loaded. So the variable is set for just that moment,
and neither this program nor the processes it starts see it afterwards. It has no effect where
libgomp has been loaded before (by a program that used Numba's threads first), and none on the
OpenMP runtimes that other packages bring along, such as PyTorch's; a package that shares this
libgomp waits in the same way.
"""

import contextlib
import os

SPINS = "20000"  # tries before a waiting thread sleeps: some tens of microseconds
CHOSEN_BY_USER = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"


def load_openmp():
    """Loads Numba's OpenMP layer, with a short spin unless the user's environment says otherwise.

    No thread is started, and Numba may still choose another layer.
    """
    undecided = not any(name in os.environ for name in CHOSEN_BY_USER)
    if undecided:
        os.environ["GOMP_SPINCOUNT"] = SPINS
    try:
        with contextlib.suppress(ImportError):  # where there is no OpenMP
            import numba.np.ufunc.omppool  # noqa: F401
    finally:
        if undecided:
            del os.environ["GOMP_SPINCOUNT"]
