"""minigan's style of figures: colours, figures, frames.

A figure's style affects no other figure: `matplotlib.rcParams` are set while something is drawn
into it and restored at once. Figures are not registered with pyplot, so no window opens, no backend
is loaded, and they need not be closed; a notebook shows one that is the last expression of a cell.
`window` is the exception, for pictures that change while a program runs.
"""

import functools
import io
import os
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..._checks import Count, Extent, Inches, NotNegative, checked

REAL, FAKE, DISCRIMINATOR, GENERATOR, MUTED = "#1f5fa8", "#e8710a", "#5b3a8e", "#e8710a", "#8a8f98"

STYLE: Any = {
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
}


def _styled(method):
    """Runs the method with the style's rcParams, many of which matplotlib reads at the call."""

    @functools.wraps(method)
    def in_style(*args, **options):
        with matplotlib.rc_context(STYLE):
            return method(*args, **options)

    return in_style


class StyledAxes(Axes):
    """Axes in minigan's style, whatever the rcParams are when something is added to them."""

    clear = _styled(Axes.clear)
    legend = _styled(Axes.legend)
    set_title = _styled(Axes.set_title)


class StyledFigure(Figure):
    """A figure in minigan's style, whatever the rcParams are when it is drawn or saved."""

    colorbar = _styled(Figure.colorbar)
    draw = _styled(Figure.draw)
    legend = _styled(Figure.legend)
    subplots = _styled(Figure.subplots)
    suptitle = _styled(Figure.suptitle)
    supxlabel = _styled(Figure.supxlabel)
    supylabel = _styled(Figure.supylabel)

    def savefig(self, fname: Any, **options: Any) -> None:
        """As `Figure.savefig`, at 150 dots per inch; margins are trimmed if `fname` is a path.

        The frames of an animation are saved to a stream and must all have the same size.
        """
        trim = STYLE["savefig.bbox"] if isinstance(fname, str | os.PathLike) else None
        defaults = {"dpi": STYLE["savefig.dpi"], "bbox_inches": trim, "facecolor": "auto"}
        super().savefig(fname, **{**defaults, **options})

    def _repr_png_(self) -> bytes:
        """The picture that a notebook shows."""
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=100, bbox_inches="tight")
        return picture.getvalue()


@checked
def figure(
    rows: Count = 1, columns: Count = 1, *, size: Inches = (4.0, 4.0), **options: Any
) -> tuple[Figure, Any]:
    """(figure, axes) in minigan's style, not shown on any screen.

    Parameters
    ----------
    rows, columns : int
        Panels.
    size : (width, height)
        Of each panel, in inches.
    **options
        As for `matplotlib.figure.Figure.subplots`, such as sharex=True.
    """
    figsize = size[0] * columns, size[1] * rows
    with matplotlib.rc_context(STYLE):
        made = StyledFigure(figsize=figsize, layout="constrained")
    return made, _panels(made, rows, columns, options)


@checked
def window(
    rows: Count = 1, columns: Count = 1, *, size: Inches = (4.0, 4.0), **options: Any
) -> tuple[Figure, Any]:
    """(figure, axes) as from `figure`, but managed by pyplot, which shows it if it can.

    Without a screen, or a backend for it, the figure has no window: see `has_screen`.
    Call `matplotlib.pyplot.show` or `pause` to show it, and `close` at the end.
    """
    figsize = size[0] * columns, size[1] * rows
    try:
        from matplotlib import pyplot

        with matplotlib.rc_context(STYLE):
            made = pyplot.figure(FigureClass=StyledFigure, figsize=figsize, layout="constrained")
    except ImportError:  # the backend, or the toolkit that it needs, is not installed
        return figure(rows, columns, size=size, **options)
    return made, _panels(made, rows, columns, options)


@checked
def frame(axes: Axes, extent: Extent, *, margin: NotNegative = 0.08) -> None:
    """Equal axes around an extent (left, right, bottom, top), with a margin and without ticks."""
    left, right, bottom, top = extent
    pad_x, pad_y = margin * (right - left), margin * (top - bottom)
    axes.set(xlim=(left - pad_x, right + pad_x), ylim=(bottom - pad_y, top + pad_y))
    axes.set(xticks=[], yticks=[], aspect="equal")
    for spine in axes.spines.values():
        spine.set(visible=True, color="#e1e4e8")


@checked
def has_screen(figure: Figure) -> bool:
    """Whether the figure is a `window` that can be shown on this machine."""
    return getattr(figure.canvas, "required_interactive_framework", None) is not None


def _panels(made, rows, columns, options):
    keywords = {"axes_class": StyledAxes, **options.pop("subplot_kw", {})}
    return made.subplots(rows, columns, subplot_kw=keywords, **options)
