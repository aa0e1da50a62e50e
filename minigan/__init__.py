"""minigan: a GAN library without autograd. Every gradient: read it, run it, check it, see it."""

from . import (
    bugs,
    data,
    gradcheck,
    kernels,
    layers,
    ledger,
    losses,
    metrics,
    models,
    optim,
    penalties,
    schedules,
)
from .averaging import Average
from .gan import GAN
from .network import Sequential
from .training import History, Plateau, train

__version__ = "0.1.0"
__all__ = ["GAN", "Sequential", "Average", "History", "Plateau", "train"]
__all__ += ["data", "gradcheck", "kernels", "layers", "losses", "metrics", "models", "optim"]
__all__ += ["bugs", "ledger", "penalties", "schedules"]
