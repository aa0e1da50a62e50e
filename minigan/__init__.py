"""minigan: a GAN library without autograd. Every gradient: read it, run it, check it, see it."""

from . import (
    auxiliary,
    bugs,
    classifier,
    conditional,
    data,
    gradcheck,
    image_recipes,
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
__all__ += ["auxiliary", "bugs", "classifier", "conditional", "data", "gradcheck"]
__all__ += ["image_recipes", "judge"]
__all__ += ["kernels", "layers", "ledger"]
__all__ += ["losses", "metrics"]
__all__ += ["models", "optim", "penalties", "recipes", "schedules"]
__all__ += ["stabilisers", "watch"]
