"""The Numba twin: how the machine likes each operation computed."""

# ruff: noqa: F403
from .cache import kept_by_content

with kept_by_content():
    from .activations import *
    from .convolution import *
    from .normalisation import *
    from .optimizers import *
    from .products import *
    from .vectors import *
