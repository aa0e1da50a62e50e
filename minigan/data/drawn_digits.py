"""The ten digits of the fonts that matplotlib ships, drawn large."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, IdentityTransform

# Of the fonts that every matplotlib since 3.8 ships (cmti10 since 3.11), those whose digits read
# as digits: the monospaced DejaVu has a dot in its zero, cmmi10 an old-style one, like an o.
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta",
    "cmr10", "cmb10", "cmss10", "cmtt10",
)  # fmt: skip


@style.context("default")  # whatever the user's style: it may be dark, or sketchy
def draw_digits(cell: int, box: int) -> np.ndarray:
    """Every digit of every font, drawn into the middle of a square of its own.

    Args:
        cell: pixels along a side of the square.
        box: pixels along the longer side of the digit's ink.

    Returns:
        Array of shape (fonts * 10, cell, cell), float32: 0 paper, 1 ink, digits 0 to 9 of the
        first font first.
    """
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    figure = Figure(figsize=(10, len(FONTS)), dpi=cell)  # inches of one cell
    canvas = FigureCanvasAgg(figure)
    for row, font in enumerate(FONTS):
        properties = FontProperties(fname=folder / f"{font}.ttf")
        for digit in range(10):
            outline = TextPath((0, 0), str(digit), size=100, prop=properties)
            bounds = outline.get_extents()
            place = (
                Affine2D()
                .translate(-(bounds.x0 + bounds.x1) / 2, -(bounds.y0 + bounds.y1) / 2)
                .scale(box / max(bounds.width, bounds.height))
                .translate((digit + 0.5) * cell, (len(FONTS) - row - 0.5) * cell)
            )
            patch = PathPatch(place.transform_path(outline), facecolor="black", linewidth=0)
            patch.set_transform(IdentityTransform())  # the path is in pixels already
            figure.add_artist(patch)
    canvas.draw()
    grey = np.asarray(canvas.buffer_rgba())[..., 0]
    cells = grey.reshape(len(FONTS), cell, 10, cell).swapaxes(1, 2)
    return 1 - cells.reshape(-1, cell, cell) / np.float32(255)
