"""The Numba twin: how the machine likes each operation computed."""

from .activations import *  # noqa: F403
from .convolution import *  # noqa: F403
from .normalisation import *  # noqa: F403
from .optimizers import *  # noqa: F403
from .products import *  # noqa: F403
