"""Pictures of a game in the plane, from a `minigan.watch.Film`: D's verdict and G's warped grid."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from ..._checks import Positive, WithDensity, checked, some_of, with_some_in
from ...layers.activations import sigmoid
from ..watch import Film, Frame
from .samples import density, points
from .style import DISCRIMINATOR, FAKE, REAL, figure, frame

VERDICT = LinearSegmentedColormap.from_list("verdict", ["#f6b98a", "#ffffff", "#9fc3e8"])
GRID = [  # lines of constant z_1, then of constant z_2: each from one end to the other
    LinearSegmentedColormap.from_list("z1", ["#7a2d00", FAKE, "#f9c08a"]),
    LinearSegmentedColormap.from_list("z2", ["#33165c", DISCRIMINATOR, "#c3a9e6"]),
]
ARROWS = 70  # fakes that get an arrow


Recorded = Annotated[Film, with_some_in("frames", Film)]
Shots = Annotated[Sequence[Frame], some_of(Frame)]


@checked
def arrow_scale(film: Recorded) -> float:
    """The length of an arrow, in units of the data per unit of gradient; the same for all frames.

    The 95% quantile of the drawn arrows' lengths becomes an eighth of the picture's width, or less:
    the scale is rounded down to 1, 2 or 5 times a power of ten.
    """
    lengths = np.concatenate([np.linalg.norm(f.push[:ARROWS], axis=1) for f in film.frames])
    lengths = lengths[np.isfinite(lengths)]  # those of a training that diverged are not
    typical = float(np.quantile(lengths, 0.95)) if len(lengths) else 0.0
    exact = (film.extent[1] - film.extent[0]) / 8 / max(typical, 1e-12)
    power = 10.0 ** np.floor(np.log10(exact))
    return float(power * max(d for d in (1, 2, 5) if d * power <= exact))  # 1, 2, 5, 10, 20, ...


@checked
def surface(axes: Axes, film: Recorded, shot: Frame, scale: Positive | None = None) -> AxesImage:
    """D's verdict sigmoid(logit) as a shade, its contour at 1/2, the samples, and arrows on fakes.

    An arrow is `scale` times -dL_G/dx of that sample, the gradient that G learns from; by default
    scale is the film's `arrow_scale`. Returns the shade, for a colour bar.
    """
    if scale is None:
        scale = arrow_scale(film)
    with np.errstate(under="ignore"):
        verdict = sigmoid(shot.logits)
    shade = axes.imshow(
        verdict, extent=film.extent, origin="lower", cmap=VERDICT, vmin=0, vmax=1, aspect="equal",
        interpolation="bilinear",
    )  # fmt: skip
    if shot.logits.min() < 0 < shot.logits.max():
        left, right, bottom, top = film.extent
        rows, columns = shot.logits.shape
        x, y = np.linspace(left, right, columns), np.linspace(bottom, top, rows)
        axes.contour(x, y, shot.logits, levels=[0], colors="#8a8f98", linewidths=0.7)
    points(axes, film.real, colour=REAL, label="real", size=7, alpha=0.75)
    points(axes, shot.fake, label="fake", size=7, alpha=0.85)
    start, arrow = shot.fake[:ARROWS], scale * shot.push[:ARROWS]
    axes.quiver(
        *start.T, *arrow.T, angles="xy", scale_units="xy", scale=1, width=0.0045, headwidth=4,
        headlength=4.5, headaxislength=4, color="#2b2b33", zorder=3,
    )  # fmt: skip
    frame(axes, film.extent, margin=0)
    return shade


@checked
def manifold(axes: Axes, film: Recorded, shot: Frame, data: WithDensity) -> None:
    """The data's density, and over it G's image of a latent grid with cells of equal mass."""
    density(axes, data)
    for lines, colours in zip(shot.grid, GRID):
        shades = colours(np.linspace(0, 1, len(lines)))
        axes.add_collection(LineCollection(lines, colors=shades, linewidths=0.9))
    frame(axes, film.extent, margin=0)


@checked
def learning(film: Recorded, data: WithDensity, shots: Shots) -> Figure:
    """A figure with a column for each of `shots`: `surface` above, `manifold` below."""
    made, panels = figure(2, len(shots), size=(2.9, 2.9 * _aspect(film) + 0.2))
    axes = np.reshape(panels, (2, len(shots)))  # one column comes without its axis
    scale = arrow_scale(film)
    for (above, below), shot in zip(axes.T, shots):
        shade = surface(above, film, shot, scale)
        manifold(below, film, shot, data)
        above.set_title(f"step {shot.step:,}")
    axes[0, 0].set_ylabel("what D says")
    axes[1, 0].set_ylabel("G's map of the noise")
    made.supxlabel(_caption(scale), size=10)
    bar = made.colorbar(shade, ax=axes[0], ticks=[0, 0.5, 1], pad=0.01, aspect=12)
    bar.ax.set_yticklabels(["fake", "1/2", "real"])
    bar.outline.set_visible(False)
    axes[0, -1].legend(loc="upper right", markerscale=2, handletextpad=0.1, borderpad=0.1)
    return made


@checked
def animation(film: Recorded, data: WithDensity) -> FuncAnimation:
    """The whole film as a matplotlib animation: `surface` on the left, `manifold` on the right."""
    made, axes = figure(1, 2, size=(4.2, 4.2 * _aspect(film) + 0.9))
    scale = arrow_scale(film)

    def draw(shot):
        for panel in axes:
            panel.clear()
        surface(axes[0], film, shot, scale)
        manifold(axes[1], film, shot, data)
        axes[0].set_title("what the discriminator says")
        axes[1].set_title("what the generator does to the plane")
        made.suptitle(f"step {shot.step:,}")
        axes[0].set_xlabel(_caption(scale))
        axes[1].set_xlabel("every cell of the grid holds the same share of samples")

    draw(film.frames[0])
    made.canvas.draw()
    made.set_layout_engine("none")  # so that the panels do not move between frames
    return FuncAnimation(made, draw, frames=film.frames)


def _caption(scale):
    return (
        rf"real (blue), fake (orange), $-\partial L_G / \partial x$ times {scale:g} (arrows), "
        "D undecided (grey line)"
    )


def _aspect(film):
    left, right, bottom, top = film.extent
    return (top - bottom) / (right - left)
