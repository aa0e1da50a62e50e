"""The whole collection, by name."""

from . import data, game, layers, losses, normalisation, penalties

ROOMS = game, losses, layers, normalisation, penalties, data
REGISTRY = {bug.name: bug for room in ROOMS for bug in room.BUGS}
