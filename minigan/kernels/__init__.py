"""The numerical operations behind the layers, losses and optimizers, in two implementations.

The NumPy implementation (`reference`) is short and defines the result; the Numba implementation
(`compiled`) is fast. Both take the same arguments and agree to rounding.

    minigan.kernels.use_backend("numba")       # or "numpy"; the environment's MINIGAN_BACKEND

`kernels.linear_forward(...)` calls the active implementation. Numba is imported only when its
backend is chosen.
"""

import importlib
import importlib.util
import os
import warnings

from . import codes
from .backends import OPERATIONS, backend, use_backend
from .codes import IDENTITY, LEAKY_RELU, SIGMOID, TANH
from .validation import check_product

__all__ = ["matmul", "use_backend", "backend", "OPERATIONS", "codes"]
__all__ += ["IDENTITY", "LEAKY_RELU", "SIGMOID", "TANH"]


def matmul(a, b, *, transpose_a=False, transpose_b=False, out=None):
    """op(a) @ op(b), op transposing where asked: shapes (m, k) and (k, n) after op, result (m, n).

    `a` and `b` share a dtype, float32 or float64; `out`, where given, is overwritten and returned.
    Raises TypeError or ValueError when shapes or dtypes do not fit.
    """
    check_product(a, b, transpose_a, transpose_b, out)
    return _matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b, out=out)  # noqa: F821


def _choose_backend():
    chosen = os.environ.get("MINIGAN_BACKEND")
    if chosen or not importlib.util.find_spec("numba"):
        use_backend(chosen or "numpy")
        return
    try:
        use_backend("numba")
    except ImportError as error:
        warnings.warn(f"minigan: using the slower numpy backend: {error}", stacklevel=3)
        use_backend("numpy")


_choose_backend()
