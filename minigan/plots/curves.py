"""Curves over training: losses and gradient norms, of a whole network and layer by layer."""

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import LogLocator, NullFormatter

from .. import checks
from ..training import History
from ..watch import Vitals
from . import _checks
from .style import DISCRIMINATOR, GENERATOR, figure

DEPTH = colormaps["viridis"]  # from the first layer, dark, to the last


def smooth(values, window):
    """The running mean over `window` entries; the same length, its ends over what there is."""
    values = _checks.numbers("smooth", "values", values, ("n",)).astype(float)
    window = checks.count("smooth: window", window)
    total = np.cumsum(np.insert(values, 0, 0.0))
    index = np.arange(len(values))
    low = np.maximum(index - window // 2, 0)
    high = np.minimum(index + (window + 1) // 2, len(values))
    return (total[high] - total[low]) / (high - low)


def training_curves(history):
    """A figure of two panels from a History: both losses, and both gradient norms (log scale)."""
    checks.instance("training_curves", "history", history, History)
    made, (losses, norms) = figure(1, 2, size=(4.6, 3.0))
    window = max(1, len(history) // 100)
    steps = history["step"]
    for axes, kind in ((losses, "loss"), (norms, "gradient_norm")):
        for player, colour in (("discriminator", DISCRIMINATOR), ("generator", GENERATOR)):
            curve = smooth(history[f"{player}_{kind}"], window)
            axes.plot(steps, curve, color=colour, linewidth=1.5, label=player)
        axes.set_xlabel("training step")
    losses.set_title("losses")
    norms.set_title("gradient norms")
    norms.set_yscale("log")
    norms.yaxis.set_major_formatter("{x:g}")
    norms.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    low, high = norms.get_ylim()
    norms.yaxis.set_minor_formatter("{x:g}" if high < 1000 * low else NullFormatter())
    made.legend(*losses.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return made


def layer_curves(vitals):
    """A figure of what `minigan.watch.Vitals` measured of each layer; a column for each player.

    Above, the norm of each layer's gradient: where it vanishes or explodes. Then how far a step
    moves each layer, relative to its size. Below, the share of units that are off for every sample.
    """
    checks.instance("layer_curves", "vitals", vitals, Vitals)
    made, axes = figure(3, 2, size=(4.8, 2.3), sharex=True)
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
                curve = smooth(line, max(1, len(line) // 50))
                panel.plot(vitals.steps, curve, color=colour, linewidth=1.4, label=name)
            panel.set_yscale("linear" if kind == "off" else "log")
            panel.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(1, 1), handlelength=1)
            if kind == "off":
                panel.set_ylim(-0.03, 1.03)
        column[-1].set_xlabel("training step")
    for panel, label in zip(axes[:, 0], rows.values()):
        panel.set_ylabel(label)
    for row in axes[:2]:
        low = min(panel.get_ylim()[0] for panel in row)
        high = max(panel.get_ylim()[1] for panel in row)
        for panel in row:
            panel.set_ylim(low, high)  # one scale for both players
    return made
