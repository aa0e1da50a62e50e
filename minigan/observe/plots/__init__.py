"""Pictures, with matplotlib: samples, training curves, films of a game in the plane.

Each function draws into given axes, or makes a figure and returns it. None writes a file or changes
matplotlib's settings or its backend. Real data are blue and fake samples orange everywhere: a pair
that most colour-blind readers tell apart.
"""

from .animation import animation, arrow_scale, learning, manifold, surface
from .curves import layer_curves, smooth, training_curves
from .samples import density, image_grid, points
from .style import (
    DISCRIMINATOR,
    FAKE,
    GENERATOR,
    MUTED,
    REAL,
    STYLE,
    figure,
    frame,
    has_screen,
    window,
)

__all__ = ["DISCRIMINATOR", "FAKE", "GENERATOR", "MUTED", "REAL", "STYLE"]
__all__ += ["animation", "arrow_scale", "density", "figure", "frame", "has_screen", "image_grid"]
__all__ += ["layer_curves", "learning", "manifold", "points", "smooth", "surface"]
__all__ += ["training_curves", "window"]
