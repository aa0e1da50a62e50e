"""Every numerical operation, twice: a NumPy twin that says what is computed, and a Numba twin that
says how the machine likes it.

    minigan.kernels.use_backend("numba")       # or "numpy"; the environment's MINIGAN_BACKEND

`use_backend` puts the chosen twin's functions into this module, so `kernels.linear_forward(...)` is
one plain call, whichever twin is active. The twins take the same arguments and agree to rounding.
With the NumPy backend chosen, Numba is not imported.
"""

import contextlib
import importlib
import importlib.util
import os

from ..checks import shown
from . import codes
from .codes import IDENTITY, LEAKY_RELU, SIGMOID, TANH
from .validation import check_product

__all__ = ["matmul", "use_backend", "backend", "OPERATIONS", "codes"]
__all__ += ["IDENTITY", "LEAKY_RELU", "SIGMOID", "TANH"]

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
_active = None


def backend():
    """The name of the active twin: "numba" or "numpy"."""
    return _active


class use_backend(contextlib.ContextDecorator):
    """Switches every operation to one twin: at once and for good, or for the length of a `with`.

    >>> use_backend("numpy")                          # doctest: +SKIP
    >>> with use_backend("numba"): gan.train_step(x)  # doctest: +SKIP

    Raises ValueError for a name that is neither "numba" nor "numpy", and ImportError when "numba"
    is asked for and not installed.
    """

    def __init__(self, name):
        if not isinstance(name, str) or name not in _MODULES:
            raise ValueError(f'backend: expected "numba" or "numpy", got {shown(name)}')
        self._previous = _active
        _activate(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _activate(self._previous)


def _activate(name):
    global _active
    try:
        twin = importlib.import_module(_MODULES[name])
    except ModuleNotFoundError as error:
        if error.name not in ("numba", "llvmlite"):
            raise
        raise ImportError(
            'backend "numba" needs the numba package: install it, or use_backend("numpy")'
        ) from error
    globals().update({operation: getattr(twin, operation) for operation in OPERATIONS})
    globals()["_matmul"] = twin.matmul
    _active = name


def matmul(a, b, *, transpose_a=False, transpose_b=False, out=None):
    """op(a) @ op(b), op transposing where asked: shapes (m, k) and (k, n) after op, result (m, n).

    `a` and `b` share a dtype, float32 or float64; `out`, where given, is overwritten and returned.
    Raises TypeError or ValueError when shapes or dtypes do not fit.
    """
    check_product(a, b, transpose_a, transpose_b, out)
    return _matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b, out=out)  # noqa: F821


def _default_backend():
    chosen = os.environ.get("MINIGAN_BACKEND")
    if chosen:
        return chosen
    return "numba" if importlib.util.find_spec("numba") else "numpy"


use_backend(_default_backend())
