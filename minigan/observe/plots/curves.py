"""Curves over training: losses and gradient norms, of a whole network and layer by layer."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ..._checks import Count, LossLike, Vector, checked
from ...training.history import History
from ..watch import Vitals
from .equilibrium import EQUILIBRIUM
from .style import DISCRIMINATOR, GENERATOR, figure

DEPTH = colormaps["viridis"]  # from the first layer, dark, to the last
RAW, SMOOTHED = {"linewidth": 0.6, "alpha": 0.35}, {"linewidth": 1.5}


@checked
def smooth(values: Vector, window: Count) -> np.ndarray:
    """The running mean over `window` entries, of the same length; shorter windows at the ends.

    A window's sum is the sum of the end of one block and the beginning of the next, each added up
    within its block. A difference of two cumulative sums would lose small values after a large one.
    """
    values = values.astype(float)
    n, before = len(values), window // 2
    blocks = -(-(n + window) // window)
    padded = np.zeros((blocks, window))
    padded.reshape(-1)[before : before + n] = values
    from_start = np.cumsum(padded, axis=1).ravel()
    to_end = np.cumsum(padded[:, ::-1], axis=1)[:, ::-1].ravel()
    first = np.arange(n)  # of the window's entries, in `padded`
    total = to_end[:n] + np.where(first % window, from_start[first + window - 1], 0.0)
    low, high = np.maximum(first - before, 0), np.minimum(first + (window + 1) // 2, n)
    return total / (high - low)


@checked
def training_curves(history: History, *, loss: LossLike | None = None) -> Figure:
    """A figure of two panels: the losses, and the gradient norms on a log scale.

    Faint: every step. Strong: the mean over a hundredth of the steps, if that is more than one.

    Parameters
    ----------
    history : History
    loss : Loss, optional
        The game's loss: a dotted line marks its value at the equilibrium, where that is known.

    Raises ValueError for a history without steps.
    """
    if not len(history):
        raise ValueError(f"training_curves: history must be one with steps, got {history!r}")
    made, (losses, norms) = figure(1, 2, size=(4.6, 3.2))
    window = max(1, len(history) // 100)
    steps = history["step"]
    for axes, kind in ((losses, "loss"), (norms, "gradient_norm")):
        for player, colour in (("discriminator", DISCRIMINATOR), ("generator", GENERATOR)):
            values = history[f"{player}_{kind}"]
            _curve(axes, steps, values, window, "steps", color=colour, label=player)
        axes.set_xlabel("training step")
    for player, (value, words) in EQUILIBRIUM.get(type(loss), {}).items():
        colour = DISCRIMINATOR if player == "discriminator" else GENERATOR
        losses.axhline(
            value,
            color=colour,
            linestyle=":",
            linewidth=1.2,
            label=f"{player}, equilibrium: {words}",
        )
    losses.set_title("losses")
    norms.set_title("gradient norms")
    norms.set_yscale("log")
    norms.yaxis.set_major_formatter("{x:g}")
    norms.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    low, high = norms.get_ylim()
    norms.yaxis.set_minor_formatter("{x:g}" if high < 1000 * low else NullFormatter())
    lines, labels = losses.get_legend_handles_labels()
    # D's column, then G's
    order = sorted(range(len(labels)), key=lambda i: labels[i].split(",")[0])
    made.legend(
        [lines[i] for i in order], [labels[i] for i in order],
        loc="outside lower center", ncols=2, fontsize=9,
    )  # fmt: skip
    return made


def _curve(axes, steps, values, window, unit, *, color, label):
    """Every value, faint, and the mean over `window` of them; a single line for a window of 1."""
    if window == 1:
        axes.plot(steps, values, color=color, label=f"{label}, every step", **SMOOTHED)
        return
    axes.plot(steps, values, color=color, label=f"{label}, every step", **RAW)
    mean = smooth(values, window)
    axes.plot(steps, mean, color=color, label=f"{label}, mean of {window} {unit}", **SMOOTHED)


@checked
def layer_curves(vitals: Vitals) -> Figure:
    """A figure of the measurements of each layer; a column for each player.

    From top to bottom: the norm of each layer's gradient, the relative change of its parameters in
    a step, and the share of units that are off for every sample. Faint: every measurement. Strong:
    the mean over a fiftieth of them, if that is more than one. Raises ValueError where nothing was
    measured.
    """
    if not vitals.steps:
        raise ValueError(f"layer_curves: vitals must be one with measurements, got {vitals!r}")
    made, axes = figure(3, 2, size=(4.8, 2.3), sharex=True)
    window = max(1, len(vitals.steps) // 50)
    rows = {
        "gradient": "gradient norm",
        "update": "update / weight",
        "off": "share of units off",
    }
    for column, (player, layers) in zip(axes.T, vitals.layers.items()):
        column[0].set_title(player)
        for panel, kind in zip(column, rows):
            measured = {name: lines[kind] for name, lines in layers.items() if kind in lines}
            for i, (name, line) in enumerate(measured.items()):
                colour = DEPTH(0.9 * i / max(1, len(measured) - 1))
                if window > 1:
                    panel.plot(vitals.steps, line, color=colour, **RAW)
                panel.plot(vitals.steps, smooth(line, window), color=colour, label=name, **SMOOTHED)
            panel.set_yscale("linear" if kind == "off" else "log")
            panel.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(1, 1), handlelength=1)
            if kind == "off":
                panel.set_ylim(-0.03, 1.03)
        column[-1].set_xlabel("training step")
    if window > 1:
        made.supxlabel(f"faint: every measurement; strong: mean of {window}", size=9)
    for panel, label in zip(axes[:, 0], rows.values()):
        panel.set_ylabel(label)
    for row in axes[:2]:
        low = min(panel.get_ylim()[0] for panel in row)
        high = max(panel.get_ylim()[1] for panel in row)
        for panel in row:
            panel.set_ylim(low, high)  # one scale for both players
    return made
