"""Watching a GAN learn: callbacks for `minigan.train` that record it without changing it.

    vitals = mg.watch.Vitals(gan, data)     # numbers: what `minigan.diagnose` and the curves read
    film = mg.watch.Film(gan, data, ...)    # data of the plane: what the pictures show

Both draw from random generators of their own and run the networks in evaluation mode, so a training
that is watched has the same bits as one that is not. Neither imports matplotlib: see `plots`.
"""

from .film import Film, Frame, moments
from .vitals import Vitals

__all__ = ["Film", "Frame", "Vitals", "moments"]
