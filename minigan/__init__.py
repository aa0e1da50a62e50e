"""minigan: a GAN library without autograd.

Every gradient: read it, run it, check it, see it, write it.

The core, in the order in which to read it: `layers.base`, `layers.linear`, `layers.activations`,
`losses`, `network`, `gan`, `optim`. The names below are the public ones, wherever they are defined.
"""

from typing import TYPE_CHECKING

from . import _public_names, layers, losses, optim, penalties
from . import backend as kernels
from .gan import GAN
from .network import Sequential

if TYPE_CHECKING:  # imported when they are first used: see `_public_names`
    from . import data, metrics, models
    from .metrics import classifier, judge
    from .models import auxiliary, image_recipes, interop, recipes
    from .models import conditional_games as conditional
    from .models.saved import load
    from .observe import plots, watch
    from .observe.diagnosis import diagnose
    from .theory import dirac, spectrum
    from .training import checkpoint, game_steps, parallel, schedules, stabilisers
    from .training.averaging import Average
    from .training.history import History
    from .training.loop import train
    from .training.plateau import Plateau
    from .verify import bugs, exercises, gradcheck, ledger
else:
    __getattr__ = _public_names.get


__version__ = "0.1.0"
__all__ = [
    "GAN", "Sequential", "Average", "History", "Plateau", "diagnose", "load", "train",
    "auxiliary", "bugs", "checkpoint", "classifier", "conditional", "data", "dirac", "exercises",
    "game_steps", "gradcheck", "image_recipes", "interop", "judge", "kernels", "layers", "ledger",
    "losses", "metrics", "models", "optim", "parallel", "penalties", "plots", "recipes",
    "schedules", "spectrum", "stabilisers", "watch",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_public_names.PACKAGES})
