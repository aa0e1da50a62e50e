"""minigan: a GAN library without autograd. Every gradient: read it, run it, check it, see it."""

import importlib

from . import (
    auxiliary,
    bugs,
    checkpoint,
    classifier,
    conditional,
    data,
    dirac,
    gradcheck,
    image_recipes,
    judge,
    layers,
    ledger,
    losses,
    metrics,
    models,
    optim,
    penalties,
    recipes,
    schedules,
    spectrum,
    stabilisers,
    watch,
)
from . import backend as kernels
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
__all__ += ["checkpoint", "dirac", "spectrum"]


def __getattr__(name):
    """minigan.plots is imported when it is first asked for: it needs matplotlib, which is slow."""
    if name == "plots":
        return importlib.import_module(".plots", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), "plots"})
