"""Callbacks for `minigan.train` that record a training without changing it.

    vitals = mg.watch.Vitals(gan, data)     # numbers: what `minigan.diagnose` and the curves read
    film = mg.watch.Film(gan, data, ...)    # arrays: what the pictures of a game in the plane show

    film.to_html("learning.html", vitals=vitals)    # a page with a slider over the steps
    live = mg.watch.Live(film, vitals)              # the same page while it trains

Both use random generators of their own and run the networks in evaluation mode, so they do not
change the results of the training. If the same GAN is trained again, they count its steps on from
where they stopped: training twice for 500 steps is recorded as training for 1,000.

Nothing here imports matplotlib: see `plots`.
"""

from .film import Film, Frame, moments
from .live import Live
from .vitals import Vitals

__all__ = ["Film", "Frame", "Live", "Vitals", "moments"]
