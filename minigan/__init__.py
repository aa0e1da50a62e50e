"""minigan: a GAN library without autograd.

Every gradient: read it, run it, check it, see it, write it.

The core, in the order in which to read it: `layers.base`, `layers.linear`, `layers.activations`,
`losses`, `network`, `gan`, `optim`. The names below are the public ones, wherever they are defined.
"""

import importlib.util
import sys
from types import ModuleType

from . import backend as kernels
from . import data, layers, losses, metrics, models, optim, penalties
from .gan import GAN
from .metrics import classifier, judge
from .models import auxiliary, image_recipes, interop, recipes
from .models import conditional_games as conditional
from .models.saved import load
from .network import Sequential
from .observe import watch
from .observe.diagnosis import diagnose
from .theory import dirac, spectrum
from .training import checkpoint, game_steps, parallel, schedules, stabilisers
from .training.averaging import Average
from .training.history import History
from .training.loop import train
from .training.plateau import Plateau
from .verify import bugs, gradcheck, ledger

__version__ = "0.1.0"
__all__ = [
    "GAN", "Sequential", "Average", "History", "Plateau", "diagnose", "load", "train",
    "auxiliary", "bugs", "checkpoint", "classifier", "conditional", "data", "dirac", "game_steps",
    "gradcheck", "image_recipes", "interop", "judge", "kernels", "layers", "ledger", "losses",
    "metrics", "models", "optim", "parallel", "penalties", "recipes", "schedules", "spectrum",
    "stabilisers", "watch",
]  # fmt: skip


def _lazily(name):
    """A module that is imported when something in it is first used."""
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


plots = _lazily("minigan.observe.plots")  # matplotlib is slow to import
exercises = _lazily("minigan.verify.exercises")
__all__ += ["plots", "exercises"]

for _name in __all__:  # so that `import minigan.gradcheck` finds the public name as well
    if isinstance(globals()[_name], ModuleType):
        sys.modules.setdefault(f"{__name__}.{_name}", globals()[_name])
