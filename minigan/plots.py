"""Pictures, with matplotlib: samples over a density, grids of images, curves of training.

Every function draws into axes that it is given, or makes a figure and returns it; none shows or
saves one. Real data are blue, fake samples orange, everywhere: a pair that most colour-blind
readers tell apart.
"""

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

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
    matplotlib.rcParams.update(STYLE)
    width, height = size
    return plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), layout="constrained", **options
    )


def points(axes, samples, *, colour=FAKE, label=None, size=3.0, alpha=0.5):
    """Samples (n, 2) as dots; returns the artist."""
    return axes.scatter(
        samples[:, 0], samples[:, 1], s=size, c=colour, alpha=alpha, linewidths=0, label=label
    )


def density(axes, distribution, *, resolution=300):
    """A distribution's exact density as a blue shade over its extent, and the frame to match."""
    left, right, bottom, top = distribution.extent
    x, y = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    shade = distribution.density(grid).reshape(resolution, resolution)
    axes.imshow(
        np.sqrt(shade),  # the square root, so that broad shallow parts can be seen beside peaks
        extent=distribution.extent,
        origin="lower",
        cmap=LinearSegmentedColormap.from_list("density", ["white", "#9fc3e8", REAL]),
        aspect="equal",
        interpolation="bilinear",
    )
    frame(axes, distribution.extent)


def frame(axes, extent, *, margin=0.08):
    """Equal axes around an extent (left, right, bottom, top), with a margin, without ticks."""
    left, right, bottom, top = extent
    pad_x, pad_y = margin * (right - left), margin * (top - bottom)
    axes.set(xlim=(left - pad_x, right + pad_x), ylim=(bottom - pad_y, top + pad_y))
    axes.set(xticks=[], yticks=[], aspect="equal")
    for spine in axes.spines.values():
        spine.set(visible=True, color="#e1e4e8")


def image_grid(axes, images, *, columns=10):
    """Images (n, H, W) or (n, H, W, 1) in [-1, 1] as one sheet, n a multiple of `columns`."""
    images = np.asarray(images).reshape(len(images), *images.shape[1:3])
    n, height, width = images.shape
    sheet = images.reshape(n // columns, columns, height, width).transpose(0, 2, 1, 3)
    sheet = sheet.reshape(n // columns * height, columns * width)
    axes.imshow(sheet, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def smooth(values, window):
    """The running mean over `window` entries; the same length, its ends over what there is."""
    total = np.cumsum(np.insert(np.asarray(values, float), 0, 0.0))
    index = np.arange(len(values))
    low = np.maximum(index - window // 2, 0)
    high = np.minimum(index + (window + 1) // 2, len(values))
    return (total[high] - total[low]) / (high - low)


def training_curves(history):
    """A figure of two panels from a History: both losses, and both gradient norms (log scale)."""
    made, (losses, norms) = figure(1, 2, size=(4.6, 3.0))
    window = max(1, len(history) // 100)
    steps = history["step"]
    for axes, kind in ((losses, "loss"), (norms, "gradient_norm")):
        for player, colour in (("discriminator", DISCRIMINATOR), ("generator", GENERATOR)):
            curve = smooth(history[f"{player}_{kind}"], window)
            axes.plot(steps, curve, color=colour, linewidth=1.5, label=player)
        axes.set_xlabel("training step")
        axes.legend()
    losses.set_title("losses")
    norms.set_title("gradient norms")
    norms.set_yscale("log")
    norms.yaxis.set_major_formatter("{x:g}")
    norms.yaxis.set_minor_formatter("{x:g}")
    return made
