"""Pictures of samples: points, exact densities, and grids of images."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap

from ..._checks import (
    Count,
    NotNegative,
    Pairs,
    Pictures,
    Share,
    TwoOrMore,
    WithDensity,
    checked,
)
from .style import FAKE, REAL, frame


@checked
def points(
    axes: Axes,
    samples: Pairs,
    *,
    colour: str = FAKE,
    label: str | None = None,
    size: NotNegative = 3.0,
    alpha: Share = 0.5,
) -> PathCollection:
    """Samples (n, 2) as dots; returns the artist."""
    return axes.scatter(
        samples[:, 0], samples[:, 1], s=size, c=colour, alpha=alpha, linewidths=0, label=label
    )


@checked
def density(axes: Axes, distribution: WithDensity, *, resolution: TwoOrMore = 300) -> None:
    """A distribution's exact density as a blue shade over its extent."""
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


@checked
def image_grid(axes: Axes, images: Pictures, *, columns: Count = 10) -> None:
    """Images in [-1, 1] as a grid: (n, H, W) or (n, H, W, 1), 1 in black, or (n, H, W, 3), RGB.

    n is a multiple of `columns`. Raises ValueError for another number, and for bytes, 0 to 255.
    """
    if images.size and images.min() >= 0 and images.max() > 2:
        found = f"{images.dtype} from {images.min():g} to {images.max():g}"
        raise ValueError(
            f"image_grid: images must be in [-1, 1], got {found}; draw images / 127.5 - 1"
        )
    if images.ndim == 4:
        images = (images.clip(-1, 1) + 1) / 2 if images.shape[3] == 3 else images[..., 0]
    n, height, width = images.shape[:3]
    if not n or n % columns:
        raise ValueError(f"image_grid: expected a multiple of {columns} images, got {n}")
    sheet = images.reshape(n // columns, columns, height, width, -1).swapaxes(1, 2)
    sheet = sheet.reshape(n // columns * height, columns * width, *images.shape[3:])
    axes.imshow(sheet, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
