"""The NumPy twin: what each operation computes, in as few lines as the mathematics takes."""

from .activations import *  # noqa: F403
from .convolution import *  # noqa: F403
from .normalisation import *  # noqa: F403
from .optimizers import *  # noqa: F403
from .products import *  # noqa: F403
