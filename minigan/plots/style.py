"""The house style: colours, figures, frames."""

import matplotlib
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .. import checks

REAL, FAKE, DISCRIMINATOR, GENERATOR, MUTED = "#1f5fa8", "#e8710a", "#5b3a8e", "#e8710a", "#8a8f98"

STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#c4c8ce",
    "axes.labelcolor": "#3c4048",
    "xtick.color": "#3c4048",
    "ytick.color": "#3c4048",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.dpi": 150,
    "savefig.bbox": "tight",
    "animation.embed_limit": 40,
}


def figure(rows=1, columns=1, *, size=(4.0, 4.0), **options):
    """(figure, axes) in the house style: `size` inches for each panel; on no screen."""
    rows, columns = checks.count("figure: rows", rows), checks.count("figure: columns", columns)
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise TypeError(f"figure: size must be (width, height), got {checks.shown(size)}")
    width, height = (checks.number("figure: size", length, above=0.0) for length in size)
    matplotlib.rcParams.update(STYLE)
    return plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), layout="constrained", **options
    )


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
    """True if the figure can be shown in a window here."""
    checks.instance("has_screen", "figure", figure, Figure)
    return getattr(figure.canvas, "required_interactive_framework", None) is not None
