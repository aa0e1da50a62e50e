"""The Numba backend: the same operations, written for speed.

Raises ImportError where Numba's compiler is switched off (NUMBA_DISABLE_JIT): the kernels contain
vector instructions, which the Python interpreter cannot run.
"""

# ruff: noqa: E402, F403
from numba import config

if config.DISABLE_JIT:
    raise ImportError("NUMBA_DISABLE_JIT is set, and the numba backend needs Numba's compiler")

from .activations import *
from .convolution import *
from .normalisation import *
from .optimizers import *
from .products import *
from .vectors import *
