"""minigan: a GAN library without autograd. Every gradient: read it, run it, check it, see it."""

from . import (
    bugs,
    classifier,
    data,
    gradcheck,
    judge,
    kernels,
    layers,
    ledger,
    losses,
    metrics,
    models,
    optim,
    penalties,
    recipes,
    schedules,
    stabilisers,
    watch,
)
from .averaging import Average
from .diagnosis import diagnose
from .gan import GAN
from .network import Sequential
from .training import History, Plateau, train

__version__ = "0.1.0"
__all__ = ["GAN", "Sequential", "Average", "History", "Plateau", "diagnose", "train"]
__all__ += ["bugs", "classifier", "data", "gradcheck", "judge", "kernels", "layers", "ledger"]
__all__ += ["losses", "metrics"]
__all__ += ["models", "optim", "penalties", "recipes", "schedules"]
__all__ += ["stabilisers", "watch"]
