"""Samples: as points over the density that they should have, and as sheets of images."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from ... import _checks as checks
from . import _checks
from .style import FAKE, REAL, frame


def points(axes, samples, *, colour=FAKE, label=None, size=3.0, alpha=0.5):
    """Samples (n, 2) as dots; returns the artist."""
    _checks.axes("points", axes)
    samples = _checks.numbers("points", "samples", samples, ("n", 2))
    return axes.scatter(
        samples[:, 0], samples[:, 1], s=size, c=colour, alpha=alpha, linewidths=0, label=label
    )


def density(axes, distribution, *, resolution=300):
    """A distribution's exact density as a blue shade over its extent, and the frame to match."""
    _checks.axes("density", axes)
    _checks.distribution("density", "distribution", distribution)
    resolution = checks.count("density: resolution", resolution, at_least=2)
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


def image_grid(axes, images, *, columns=10):
    """Images (n, H, W) or (n, H, W, 1) in [-1, 1] as one sheet, n a multiple of `columns`."""
    _checks.axes("image_grid", axes)
    images = checks.as_array("image_grid: images", images)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    images = _checks.numbers("image_grid", "images", images, ("n", "H", "W"))
    n, height, width = images.shape
    columns = checks.count("image_grid: columns", columns)
    if not n or n % columns:
        raise ValueError(f"image_grid: expected a multiple of {columns} images, got {n}")
    sheet = images.reshape(n // columns, columns, height, width).transpose(0, 2, 1, 3)
    sheet = sheet.reshape(n // columns * height, columns * width)
    axes.imshow(sheet, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
