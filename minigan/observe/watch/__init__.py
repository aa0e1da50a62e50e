"""Callbacks for `minigan.train` that record a training without changing it.

    vitals = mg.watch.Vitals(gan, data)     # numbers: what `minigan.diagnose` and the curves read
    film = mg.watch.Film(gan, data, ...)    # arrays: what the pictures of a game in the plane show

Both use random generators of their own and run the networks in evaluation mode, so they do not
change the results of the training. Neither imports matplotlib: see `plots`.
"""

from .film import Film, Frame, moments
from .vitals import Vitals

__all__ = ["Film", "Frame", "Vitals", "moments"]
