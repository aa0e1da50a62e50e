"""The picture of a ledger: the network, layer by layer, with every value and every gradient.

Each band is one loss in one network. The network runs along its middle from left to right. The
values of the forward pass are above it, the gradients of the backward pass below it. Each is a heat
map beside its layer, small ones with their numbers. Everything is laid out in inches, in one pair
of axes.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ...observe.plots import FAKE, MUTED, REAL, STYLE
from .ledger import in_forward_order
from .sums import LARGEST

FORWARD, BACKWARD, INK = REAL, "#b0235f", "#24272c"
VALUES = LinearSegmentedColormap.from_list("values", [REAL, "white", FAKE])
GRADIENTS = LinearSegmentedColormap.from_list("gradients", ["#0b7a75", "white", BACKWARD])

NARROWEST = 8.0  # of a page
WIDEST = 9.3, 13.0, 17.0, 21.0  # of a line; the first at which the page is not taller than wide
CELL, ROW, MAP, GAP = 0.36, 0.21, 1.0, 0.05  # a number's cell, a map without numbers, between maps
STRIP, HEADER, TOP, LINE = 0.5, 0.42, 1.05, 0.105  # the network's, a band's title, of text

BANDS = {
    ("L_D", "D"): "The discriminator's update:  $L_D$, back through D",
    ("L_G", "D"): "The generator's update:  $L_G$, back through D, updated and now fixed ...",
    ("L_G", "G"): "... and on through G, back to the noise",
}


@dataclass
class Column:
    """One place of the network: a layer with its parameters, if any, or what a layer made."""

    name: str
    rows: list
    is_layer: bool = False
    note: str = ""

    @property
    def box(self) -> float:
        """The width of the name's box."""
        return 0.062 * max(map(len, self.name.split("\n"))) + 0.17

    @property
    def width(self) -> float:
        return max([self.box, *(width for width, _ in self.lane("value").sizes)]) + 0.22

    def lane(self, of: str) -> "Lane":
        """The maps of the values, or of the gradients, and what is written beside them."""
        sheets = [_sheet(row, getattr(row, of), 2 // len(self.rows)) for row in self.rows]
        text = []
        if sheets:
            prefix = "" if of == "value" else "d"
            symbols, shape = ", ".join(prefix + row.symbol for row in self.rows), self.rows[0].shape
            if self.is_layer or of == "gradient":
                text.append(symbols)
            if shape and of == "value":
                text.append(str(shape))
        return Lane(sheets, text)


class Lane:
    """Maps that are stacked outwards from the network, and the text behind them.

    Numbers stand in all of them or in none; where none do, the text tells the scale of the first.
    """

    def __init__(self, sheets, text):
        self.sheets, self.text = sheets, text
        self.has_numbers = all(sheet.size <= LARGEST and max(sheet.shape) <= 4 for sheet in sheets)
        self.sizes = list(self._sizes())
        if sheets and not self.has_numbers:
            self.text = [*text, f"up to {_largest(sheets[0]):.2g}"]
        elif sheets and self.factor != 1:
            self.text = [*text, f"times {self.factor:g}"]

    @property
    def factor(self) -> float:
        """The power of ten that the numbers are printed in: 1 while two decimals will do."""
        largest = max(map(_largest, self.sheets))
        return 1.0 if 0.1 <= largest < 100 else 10.0 ** np.floor(np.log10(largest))

    @property
    def height(self) -> float:
        return sum(height + GAP for _, height in self.sizes) + LINE * len(self.text)

    def _sizes(self):
        """(width, height) of each map, in inches; a vector is a strip as wide as the first map."""
        for sheet in self.sheets:
            rows, columns = sheet.shape
            if self.has_numbers:
                yield columns * CELL, rows * ROW
                continue
            main = self.sheets[0] if rows == 1 else sheet
            width = max(MAP * main.shape[1] / max(main.shape), 0.2)
            yield width, min(max(MAP * rows / max(main.shape), 0.13), MAP / len(self.sheets))


def draw(ledger: Any, path: Any) -> None:
    """Writes the picture to `path`, in the format that its ending names."""
    columns = {title: _columns(ledger, *of) for of, title in BANDS.items()}
    for widest in WIDEST:
        bands = [(title, _lines(band, widest)) for title, band in columns.items()]
        lines = [line for _, lines in bands for line in lines]
        width = max(NARROWEST, *(_width(line) for line in lines))
        height = TOP + HEADER * len(bands) + sum(sum(_height(line)) for line in lines)
        if height <= width or len(lines) == len(bands):
            break
    with rc_context(STYLE):
        figure = Figure(figsize=(width + 0.3, height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        _draw_title(axes, ledger)
        y = TOP
        for title, lines in bands:
            axes.text(0, -y - HEADER / 2, title, weight="bold", size=10, color=INK, va="center")
            y += HEADER
            for line in lines:
                above, below = _height(line)
                _draw_line(axes, line, -y - above)
                y += above + below
        axes.set(xlim=(-0.15, width + 0.15), ylim=(-height, 0))
        figure.savefig(path, dpi=160, bbox_inches=None)


# -- what stands where -----------------------------------------------------------------------------


def _columns(ledger, loss, player):
    """A section as columns: what goes in, then each layer and what it makes, up to the loss."""
    found = []
    if (loss, player) == ("L_G", "D"):  # D's input is the last output of G
        (fake,) = (row for row in ledger.section("L_G", "G") if row.symbol == "fake")
        found.append(Column("fake", [fake]))
    rows = in_forward_order(ledger.section(loss, player))
    trained = {row.position for row in ledger.section("L_D", player) if row.kind == "parameter"}
    for position in sorted({row.position for row in rows}):
        here = [row for row in rows if row.position == position]
        parameters = [row for row in here if row.kind == "parameter"]
        made = [row for row in here if row.kind != "parameter"]
        if made[-1].layer:
            name = re.sub(r", \w+=\w+", "", made[-1].layer).replace("()", "").replace("(", "\n(", 1)
            fixed = position in trained and not parameters
            found.append(Column(name, parameters, True, "fixed" if fixed else ""))
        found.append(Column(", ".join(row.symbol for row in made), made))
    return found


def _lines(columns, widest):
    """The columns in lines no wider than `widest`, as few and as even as can be."""
    fewest = _cut(columns, widest)
    for narrower in np.linspace(_width(columns) / len(fewest), widest, 20):
        lines = _cut(columns, narrower)
        if len(lines) == len(fewest):
            return lines
    return fewest


def _cut(columns, widest):
    """Lines filled up in their order, each new one beginning with a layer."""
    lines = [[]]
    for place, column in enumerate(columns):
        if column.is_layer and _width(lines[-1] + columns[place : place + 2]) > widest:
            lines.append([])
        lines[-1].append(column)
    return lines


def _width(line):
    return sum(column.width for column in line)


def _height(line):
    """How far a line reaches above and below the middle of the network."""
    lanes = [[column.lane(of).height for column in line] for of in ("value", "gradient")]
    return [max(lane) + STRIP / 2 + 0.08 for lane in lanes]


def _sheet(row, values, down):
    """A tensor as a matrix to look at. Of kernels and images the first few, as tiles: inputs down
    and outputs across; `down` samples down and two channels across (or samples, of one channel)."""
    if values.ndim != 4:
        return np.atleast_2d(values)
    if row.kind == "parameter":
        return _tiled(values.transpose(2, 3, 0, 1)[:4, :4])
    images = values.transpose(0, 3, 1, 2)
    if images.shape[1] > 1 or len(images) < 2 * down:
        return _tiled(images[:down, :2])
    return _tiled(images[: 2 * down].reshape(down, 2, *images.shape[2:]))


def _tiled(tiles):
    """Tiles (down, across, height, width) as one matrix, with a blank line between any two."""
    framed = np.pad(tiles, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    down, across, height, width = framed.shape
    return framed.transpose(0, 2, 1, 3).reshape(down * height, across * width)[:-1, :-1]


# -- drawing ---------------------------------------------------------------------------------------


def _draw_title(axes, ledger):
    axes.text(0, -0.2, ledger.title, weight="bold", size=12, color=INK, va="center")
    above = "above the network: values, blue < 0 < orange"
    below = "below it: the loss's gradient with respect to each, green < 0 < red"
    axes.text(0, -0.47, above, size=8.5, color=FORWARD, va="center")
    axes.text(3.1, -0.47, below, size=8.5, color=BACKWARD, va="center")
    first_few = any(row.value.ndim == 4 for row in ledger.rows)
    rows = "Rows are samples, real ones first. Each map has its own scale."
    rows += " Of images and kernels, the first few." if first_few else ""
    axes.text(0, -0.69, rows, size=8.5, color=MUTED, va="center")
    axes.text(0, -0.91, ledger.verdict(), size=8.5, color=MUTED, va="center")


def _draw_line(axes, line, y):
    """The network along y, the values above it, the gradients below."""
    x, edge = 0.0, None
    for column in line:
        centre = x + column.width / 2
        shape = "square,pad=0.3" if column.is_layer else "round,pad=0.35,rounding_size=0.6"
        axes.text(
            centre, y, column.name, size=8, color=INK, ha="center", va="center", linespacing=1.0,
            bbox={"boxstyle": shape, "facecolor": "#eef0f3" if column.is_layer else "white",
                  "edgecolor": "#9aa0a8", "linewidth": 0.7},
        )  # fmt: skip
        axes.text(centre, y - 0.29, column.note, size=7, color=MUTED, ha="center", va="center")
        if edge is not None:
            _arrow(axes, edge, centre - column.box / 2, y + 0.05, FORWARD)
            _arrow(axes, centre - column.box / 2, edge, y - 0.05, BACKWARD)
        edge = centre + column.box / 2
        _draw_lane(axes, column, "value", centre, y + STRIP / 2)
        _draw_lane(axes, column, "gradient", centre, y - STRIP / 2)
        x += column.width


def _arrow(axes, start, stop, y, colour):
    axes.annotate(
        "", (stop, y), (start, y),
        arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 0.9, "mutation_scale": 6,
                    "shrinkA": 1, "shrinkB": 1},
    )  # fmt: skip


def _draw_lane(axes, column, of, centre, edge):
    """The maps of a column, values upwards from the edge and gradients downwards, then the text."""
    lane, upwards = column.lane(of), of == "value"
    colours = VALUES if upwards else GRADIENTS
    stack = list(zip(lane.sheets, lane.sizes))
    for sheet, (width, height) in reversed(stack) if upwards else stack:
        corner = centre - width / 2, edge + height if upwards else edge
        _draw_map(axes, sheet, corner, (width, height), colours)
        if lane.has_numbers:
            _draw_numbers(axes, sheet, corner, colours, lane.factor)
        edge += (height + GAP) * (1 if upwards else -1)
    axes.text(
        centre, edge, "\n".join(lane.text), size=7, color=INK, ha="center",
        va="bottom" if upwards else "top", linespacing=1.05,
    )  # fmt: skip


def _draw_map(axes, sheet, corner, size, colours):
    (left, top), (width, height) = corner, size
    axes.imshow(
        sheet, extent=(left, left + width, top - height, top), aspect="auto", cmap=colours,
        vmin=-_largest(sheet), vmax=_largest(sheet), interpolation="nearest",
    )  # fmt: skip
    frame = [left, left + width, left + width, left], [top, top, top - height, top - height]
    axes.fill(*frame, fill=False, edgecolor="#b4bac2", linewidth=0.6)


def _draw_numbers(axes, sheet, corner, colours, factor):
    left, top = corner
    for (row, column), value in np.ndenumerate(sheet):
        red, green, blue, _ = colours(0.5 + value / _largest(sheet) / 2)
        is_dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
        shown = round(value / factor, 2) + 0.0  # adding 0 makes 0.00 of -0.00
        axes.text(
            left + (column + 0.5) * CELL, top - (row + 0.5) * ROW, f"{shown:.2f}",
            size=7, color="white" if is_dark else INK, ha="center", va="center",
        )  # fmt: skip


def _largest(sheet):
    """The end of a map's scale; 1 for zeros and for mere rounding errors."""
    largest = np.nanmax(np.abs(sheet))
    return largest if largest > 1e-14 else 1.0
