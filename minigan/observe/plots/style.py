"""The house style: colours, figures, frames.

A figure of minigan keeps its style to itself. `matplotlib.rcParams` are set while something is
drawn into it and put back at once, and pyplot knows nothing of it: no window opens, no backend is
loaded, a notebook shows it where it is the last expression of a cell, once, and it need not be
closed. `window` is the exception, for pictures that move while a program runs.
"""

import functools
import io
import os

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import _checks as checks

REAL, FAKE, DISCRIMINATOR, GENERATOR, MUTED = "#1f5fa8", "#e8710a", "#5b3a8e", "#e8710a", "#8a8f98"

STYLE = {
    "font.size": 10,
    "text.color": "black",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#c4c8ce",
    "axes.labelcolor": "#3c4048",
    "xtick.color": "#3c4048",
    "ytick.color": "#3c4048",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "auto",
    "savefig.dpi": 150,
    "savefig.bbox": "tight",
    "animation.embed_limit": 40,
}


def _styled(method):
    """The method, under the house style's rcParams: matplotlib reads many of them when called."""

    @functools.wraps(method)
    def in_style(*args, **options):
        with matplotlib.rc_context(STYLE):
            return method(*args, **options)

    return in_style


class StyledAxes(Axes):
    """Axes in the house style, whatever the rcParams are when something is added to them."""

    clear = _styled(Axes.clear)
    legend = _styled(Axes.legend)
    set_title = _styled(Axes.set_title)


class StyledFigure(Figure):
    """A figure in the house style, whatever the rcParams are when it is drawn or saved."""

    colorbar = _styled(Figure.colorbar)
    draw = _styled(Figure.draw)
    legend = _styled(Figure.legend)
    subplots = _styled(Figure.subplots)
    suptitle = _styled(Figure.suptitle)
    supxlabel = _styled(Figure.supxlabel)
    supylabel = _styled(Figure.supylabel)

    def savefig(self, fname, **options):
        """As `Figure.savefig`, at 150 dots per inch; margins are trimmed where it goes to a path.

        A film's frames go to a stream, and must all have one size.
        """
        trim = STYLE["savefig.bbox"] if isinstance(fname, str | os.PathLike) else None
        defaults = {"dpi": STYLE["savefig.dpi"], "bbox_inches": trim, "facecolor": "auto"}
        super().savefig(fname, **{**defaults, **options})

    def _repr_png_(self):
        """What a notebook shows."""
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=100, bbox_inches="tight")
        return picture.getvalue()


def figure(rows=1, columns=1, *, size=(4.0, 4.0), **options):
    """(figure, axes) in the house style: `size` inches for each panel; on no screen.

    options : as for `matplotlib.figure.Figure.subplots`, such as sharex=True
    """
    figsize = _figsize("figure", rows, columns, size)
    with matplotlib.rc_context(STYLE):
        made = StyledFigure(figsize=figsize, layout="constrained")
    return made, _panels(made, rows, columns, options)


def window(rows=1, columns=1, *, size=(4.0, 4.0), **options):
    """(figure, axes) as from `figure`, but handled by pyplot, which shows it where it can.

    Where there is no screen, or no backend for it, the figure has no window: see `has_screen`.
    Call `matplotlib.pyplot.show` or `pause` to show it, `close` when it is done with.
    """
    figsize = _figsize("window", rows, columns, size)
    try:
        from matplotlib import pyplot

        with matplotlib.rc_context(STYLE):
            made = pyplot.figure(FigureClass=StyledFigure, figsize=figsize, layout="constrained")
    except ImportError:  # the backend, or the toolkit that it needs, is not installed
        return figure(rows, columns, size=size, **options)
    return made, _panels(made, rows, columns, options)


def frame(axes, extent, *, margin=0.08):
    """Equal axes around an extent (left, right, bottom, top), with a margin, without ticks."""
    checks.instance("frame", "axes", axes, Axes)
    left, right, bottom, top = checks.extent("frame", extent)
    margin = checks.number("frame: margin", margin, at_least=0.0)
    pad_x, pad_y = margin * (right - left), margin * (top - bottom)
    axes.set(xlim=(left - pad_x, right + pad_x), ylim=(bottom - pad_y, top + pad_y))
    axes.set(xticks=[], yticks=[], aspect="equal")
    for spine in axes.spines.values():
        spine.set(visible=True, color="#e1e4e8")


def has_screen(figure):
    """True if the figure is a `window` that can be shown here."""
    checks.instance("has_screen", "figure", figure, Figure)
    return getattr(figure.canvas, "required_interactive_framework", None) is not None


def _figsize(owner, rows, columns, size):
    """(width, height) of a whole figure, in inches."""
    rows, columns = checks.count(f"{owner}: rows", rows), checks.count(f"{owner}: columns", columns)
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise TypeError(f"{owner}: size must be (width, height), got {checks.shown(size)}")
    width, height = (checks.number(f"{owner}: size", length, above=0.0) for length in size)
    return width * columns, height * rows


def _panels(made, rows, columns, options):
    keywords = {"axes_class": StyledAxes, **options.pop("subplot_kw", {})}
    return made.subplots(rows, columns, subplot_kw=keywords, **options)
