"""Makes OpenMP's waiting threads spin briefly and then sleep.

By default GNU OpenMP's threads spin for milliseconds at the end of a parallel loop. On an idle
machine that saves waking them for the next loop. If another process is busy, the spinning threads
take the core that the slowest thread needs, and a training step becomes many times slower.

libgomp reads its environment variables once, when it is loaded. Ours is set only for that moment,
so neither this program nor its child processes see it afterwards. It has no effect if libgomp is
loaded already, nor on OpenMP runtimes that other packages contain, such as PyTorch's. A package
that uses the same libgomp waits in the same way.
"""

import contextlib
import os

SPINS = "20000"  # tries before a waiting thread sleeps: half a millisecond on a Zen 4
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
