"""The whole collection, by name, and how many there are of each kind."""

from . import data_bugs as data
from . import game_bugs as game
from . import layer_bugs as layers
from . import loss_bugs as losses
from . import normalisation_bugs as normalisation
from . import penalty_bugs as penalties

MODULES = game, losses, layers, normalisation, penalties, data
REGISTRY = {bug.name: bug for module in MODULES for bug in module.BUGS}


def counts() -> dict[str, int]:
    """How many bugs there are, as a dict of ints:

    bugs    : all of them
    shipped : those that a public project shipped;  ours : the others
    general : those that the general checker catches (`check_layer`, `check_loss`, `check_penalty`,
              `check_step`);  own_test : those that it cannot catch, each with a test of its own
    """
    bugs = list(REGISTRY.values())
    shipped, general = sum(bug.shipped for bug in bugs), sum(bug.general for bug in bugs)
    return {
        "bugs": len(bugs),
        "shipped": shipped,
        "ours": len(bugs) - shipped,
        "general": general,
        "own_test": len(bugs) - general,
    }
