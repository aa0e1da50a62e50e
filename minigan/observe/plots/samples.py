"""Pictures of samples: points, exact densities, and grids of images."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap

from ... import _old_checks as checks
from . import _checks
from .style import FAKE, REAL, frame


def points(
    axes: Axes,
    samples: npt.ArrayLike,
    *,
    colour: str = FAKE,
    label: str | None = None,
    size: float = 3.0,
    alpha: float = 0.5,
) -> PathCollection:
    """Samples (n, 2) as dots; returns the artist."""
    _checks.axes("points", axes)
    samples = _checks.numbers("points", "samples", samples, ("n", 2))
    return axes.scatter(
        samples[:, 0], samples[:, 1], s=size, c=colour, alpha=alpha, linewidths=0, label=label
    )


def density(axes: Axes, distribution: Any, *, resolution: int = 300) -> None:
    """A distribution's exact density as a blue shade over its extent."""
    _checks.axes("density", axes)
    _checks.distribution("density", "distribution", distribution)
    resolution = checks.count("density: resolution", resolution, at_least=2)
    left, right, bottom, top = distribution.extent
    x, y = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    shade = distribution.density(grid).reshape(resolution, resolution)
    axes.imshow(
        np.sqrt(shade),  # the square root makes low densities visible next to peaks
        extent=distribution.extent,
        origin="lower",
        cmap=LinearSegmentedColormap.from_list("density", ["white", "#9fc3e8", REAL]),
        aspect="equal",
        interpolation="bilinear",
    )
    frame(axes, distribution.extent)


def image_grid(axes: Axes, images: npt.ArrayLike, *, columns: int = 10) -> None:
    """Images in [-1, 1] as a grid: (n, H, W) or (n, H, W, 1), 1 in black, or (n, H, W, 3), RGB.

    n is a multiple of `columns`.
    """
    _checks.axes("image_grid", axes)
    images = checks.as_array("image_grid: images", images)
    if images.ndim == 4 and images.shape[3] == 3:
        colours = _checks.numbers("image_grid", "images", images, ("n", "H", "W", "3"))
        images = (colours.clip(-1, 1) + 1) / 2
    else:
        if images.ndim == 4 and images.shape[3] == 1:
            images = images[..., 0]
        images = _checks.numbers("image_grid", "images", images, ("n", "H", "W"))
    n, height, width = images.shape[:3]
    columns = checks.count("image_grid: columns", columns)
    if not n or n % columns:
        raise ValueError(f"image_grid: expected a multiple of {columns} images, got {n}")
    sheet = images.reshape(n // columns, columns, height, width, -1).swapaxes(1, 2)
    sheet = sheet.reshape(n // columns * height, columns * width, *images.shape[3:])
    axes.imshow(sheet, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
