"""The record of a step: rows, as a table, as sums, as a file, and beside their differences."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._checks import Count, FilePath, Seed, checked, shown
from ..._random import random_generator
from ..gradcheck.differences import measure
from ..gradcheck.report import Report
from .sums import LARGEST

UNCHECKED = np.nan


@dataclass(eq=False, repr=False)
class LedgerRow:
    """One tensor of the step, and the gradient of the loss with respect to it.

    loss       : whose gradient: "L_D" or "L_G"
    player     : whose network it belongs to: "D" or "G"
    symbol     : "W1", "a1", "fake", ...; the gradient's is the same with a d before it
    layer      : the layer that made it, or whose parameter it is
    position   : of that layer in its network, from 1; 0 for what goes into the network
    kind       : "loss", "penalty", "value" or "parameter"
    formula    : what the value is, in symbols;   rule : what the gradient is
    value, gradient : arrays of one shape
    loss_at    : array -> float: the loss for another value, without terms that do not depend on it
    value_sums, gradient_sums : of a tiny network, every entry written out (see `sums`)
    error      : relative error of the gradient beside its central difference, once checked
    checked, kinks : how many entries were compared, and how many differences straddled a kink
    difference : the central differences, of the gradient's shape; NaN where none was taken
    """

    loss: str
    player: str
    symbol: str
    layer: str
    position: int
    kind: str
    formula: str
    rule: str
    value: np.ndarray
    gradient: np.ndarray
    loss_at: Callable
    value_sums: list = field(default_factory=list)
    gradient_sums: list = field(default_factory=list)
    error: float = UNCHECKED
    checked: int = 0
    kinks: int = 0
    difference: np.ndarray = field(init=False)

    def __post_init__(self):
        self.difference = np.full(np.shape(self.gradient), UNCHECKED)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def norm(self) -> float:
        """The gradient's Euclidean length."""
        with np.errstate(under="ignore"):
            return float(np.linalg.norm(np.ravel(self.gradient)))

    def __repr__(self):
        compared = f", relative error {self.error:.1e}" if self.checked else ""
        return f"Row({self.loss} through {self.player}: d{self.symbol} {self.shape}{compared})"


@checked
class Ledger:
    """One training step, row by row, from each loss back to what its network was given.

    rows    : [LedgerRow]: L_D back through D, L_G back through D (fixed), on through G to the noise
    moved   : [(symbol, value)]: D's parameters after its step, with which L_G is computed
    stepped : [(name, in this record, in a plain `train_step` of the same GAN)]
    start   : (gan, real): what the step began with
    tiny    : whether every entry is written out
    """

    def __init__(self, title, rows, moved, stepped, start):
        self.title, self.rows, self.moved, self.stepped = title, rows, moved, stepped
        self.start = start
        self.tiny = any(row.gradient_sums for row in rows)

    def section(self, loss: str, player: str) -> list[LedgerRow]:
        """The rows of one loss in one network."""
        if loss not in ("L_D", "L_G") or player not in ("D", "G"):
            raise ValueError(
                f'section: expected "L_D" or "L_G" and "D" or "G", got {shown((loss, player))}'
            )
        return [row for row in self.rows if (row.loss, row.player) == (loss, player)]

    @np.errstate(under="ignore")
    def check(self, entries: Count | None = None, *, rng: Seed = 0) -> Report:
        """Compares every gradient with central differences, and writes the errors into the rows.

        entries : at most so many entries of each tensor, drawn at random (None: all of them)
        rng     : a numpy Generator or a seed, for the drawing

        A parameter is changed in place. A value between layers is changed, and the rest of the
        network runs again from there. Returns a `gradcheck.Report`, which also compares the losses
        and gradients of a plain `train_step`.
        """
        rng = random_generator(rng)
        report = Report(f"check of the ledger: {self.title}")
        for row in self.rows:
            size = row.value.size
            chosen = np.arange(size)
            if entries is not None and entries < size:
                chosen = np.sort(rng.choice(size, entries, replace=False))
            differences = measure(*_displaced(row, chosen))
            found = row.gradient.reshape(-1)[chosen]
            check = f"{row.loss} through {row.player}"
            indices = list(np.ndindex(row.shape))
            report.compare_difference(
                check, f"d{row.symbol}", found, differences, [indices[entry] for entry in chosen]
            )
            row.difference = np.full(row.shape, UNCHECKED)
            row.difference.reshape(-1)[chosen] = differences.gradient.reshape(-1)
            row.error, row.checked = report.rows[-1].error, len(chosen)
            row.kinks = report.rows[-1].kinks
        for name, recorded, stepped in self.stepped:
            report.compare("train_step", name, stepped, recorded)
        return report

    # -- text ----------------------------------------------------------------------------------

    @np.errstate(under="ignore")
    def table(self) -> str:
        """Every row on two lines: the value with its formula, the gradient with its rule."""
        wide = {
            "symbol": max(len(row.symbol) for row in self.rows) + 1,
            "shape": max(len(str(row.shape)) for row in self.rows),
            "formula": max(max(len(row.formula), len(row.rule)) for row in self.rows),
        }
        lines = [self.title]
        for (loss, player), what in _SECTIONS.items():
            lines += ["", f"{loss}: {what}"]
            lines += [
                f"  {'':{wide['symbol']}}  {'shape':{wide['shape']}}  {'formula':{wide['formula']}}"
                f"  {'from':>10} {'to':>10} {'norm':>9}  {'difference':>10}"
            ]
            for row in self.section(loss, player):
                lines += _two_lines(row, wide)
        return "\n".join([*lines, "", *_LEGEND, self.verdict()])

    def differences(self, *, largest: Count = LARGEST) -> str:
        """Each gradient of at most `largest` entries in full, each entry beside its difference.

        Of a larger tensor one line says how many of its entries `check` compared. Of a tensor that
        `check(entries=...)` compared in part, the entries that it left out have a dash.
        Raises ValueError if nothing has been checked yet.
        """
        if not any(row.checked for row in self.rows):
            raise ValueError("differences: nothing has been compared yet; call check() first")
        lines = []
        for (loss, player), what in _SECTIONS.items():
            lines += ["", f"{loss}: {what}"]
            for row in self.section(loss, player):
                lines += _beside_differences(row, largest)
        return "\n".join([*lines, "", self.verdict()]).lstrip("\n")

    def numbers(self) -> str:
        """Every entry of every value and gradient of a tiny network as the sum that it is."""
        lines = []
        for loss, player, forward, what in _STORY:
            lines += ["", what]
            if (loss, player, forward) == ("L_G", "D", True):
                lines += [_given(symbol, "moved", value) for symbol, value in self.moved]
            rows = self.section(loss, player)
            for row in in_forward_order(rows) if forward else rows:
                sums = row.value_sums if forward else row.gradient_sums
                if sums:
                    left, right = ("", row.formula) if forward else ("d", row.rule)
                    lines += [f"   {left}{row.symbol} = {right}"]
                    lines += [f"     {line}" for line in sums]
                elif forward:
                    lines += [_given(row.symbol, row.formula, row.value)]
        return "\n".join(lines).lstrip("\n")

    def __str__(self):
        return f"{self.table()}\n\n{self.numbers()}" if self.tiny else self.table()

    __repr__ = __str__

    def verdict(self) -> str:
        """In one sentence, how far the gradients are from their differences."""
        checked = [row for row in self.rows if row.checked]
        if not checked:
            return "Not checked yet: see Ledger.check()."
        kinked, smooth = ([row for row in checked if bool(row.kinks) is k] for k in (True, False))
        text = (
            f"{sum(row.checked for row in checked)} entries of {len(checked)} gradients beside "
            f"central differences: relative errors up to {max(row.error for row in smooth):.0e}"
        )
        if kinked:
            text += f", or {max(row.error for row in kinked):.0e} where one straddled a kink"
        return f"{text}."

    # -- files ---------------------------------------------------------------------------------

    @np.errstate(under="ignore")
    def to_csv(self, path: FilePath) -> None:
        """Writes a line per row, in full digits; small tensors entry by entry, in one cell."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for row in self.rows:
                writer.writerow([
                    row.loss, row.player, row.symbol, row.kind, row.layer, row.formula, row.rule,
                    "x".join(map(str, row.shape)), _cell(row.value), _cell(row.gradient), row.norm,
                    row.error if row.checked else "", row.checked, row.kinks,
                ])  # fmt: skip

    @np.errstate(under="ignore")
    def plot(self, path: FilePath) -> None:
        """Draws the step: the network, layer by layer, every value and gradient as a heat map."""
        from .drawing import draw

        draw(self, path)

    def to_html(self, path: FilePath) -> None:
        """Writes one HTML file in which the step is computed: click a number to see the sum that it
        is, drag a weight and all follow. For MLPs of up to `explorer.LARGEST_STEP` numbers; raises
        ValueError for others, saying what a page can compute."""
        from . import explorer

        gan, real = self.start
        explorer.write(path, gan, real, self.title)

    def who_moved(self) -> Any:
        """The `moves.Shares`: what the step does to each fake, split into what caused it: each real
        sample, each fake, the penalties, the momentum. Raises as `to_html` does."""
        from . import explorer, moves

        explorer.game(*self.start)  # is it a step that can be split?
        return moves.shares(*self.start)


_SECTIONS = {
    ("L_D", "D"): "the discriminator's loss, back through D",
    ("L_G", "D"): "the generator's loss, back through D, updated and now fixed",
    ("L_G", "G"): "the generator's loss, on through G, back to the noise",
}

# What happens, in its order and numbered as in `minigan.gan`: (loss, player, forward?, in words)
_STORY = (
    ("L_G", "G", True, "3. generate: G makes samples of noise"),
    ("L_D", "D", True, "4. judge both: the first rows are real, the last ones fake"),
    ("L_D", "D", False, "5. update the discriminator: back through D"),
    ("L_G", "D", True, "6. update the generator: D, which has moved, judges the fakes anew"),
    ("L_G", "D", False, "   back through D, whose parameters are fixed"),
    ("L_G", "G", False, "   on through G, back to the noise"),
)

_LEGEND = (
    "dW1 is the loss's derivative with respect to W1, and so on; a prime transposes.",
    "from, to: the smallest and the largest entry. norm: Euclidean.",
    "difference: the relative error of the gradient beside its central difference.",
)

_COLUMNS = (
    "loss", "player", "symbol", "kind", "layer", "formula", "gradient_formula", "shape", "value",
    "gradient", "gradient_norm", "difference_error", "entries_checked", "kinks",
)  # fmt: skip


def in_forward_order(rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """The rows of a section from the input to the loss, parameters before what they make."""
    order = ("parameter", "value", "penalty", "loss")
    return sorted(rows, key=lambda row: (row.position, order.index(row.kind)))


def _displaced(row, chosen):
    """(function, x) for `measure`: the loss, the chosen entries displaced by x."""
    displacement = np.zeros(len(chosen))

    def function():
        moved = np.array(row.value, order="C")
        moved.reshape(-1)[chosen] += displacement
        return row.loss_at(moved)

    return function, displacement


def _two_lines(row, wide):
    def line(symbol, shape, formula, values, end=""):
        low, high = np.min(values) + 0.0, np.max(values) + 0.0  # + 0.0 makes a zero of -0.0
        return (
            f"  {symbol:{wide['symbol']}}  {shape:{wide['shape']}}  {formula:{wide['formula']}}"
            f"  {low:10.4g} {high:10.4g} {np.linalg.norm(np.ravel(values)):9.3g}  {end}"
        ).rstrip()

    error = f"{row.error:10.1e}" if row.checked else f"{'-':>10}"
    return [
        line(row.symbol, str(row.shape), row.formula, row.value),
        line(f"d{row.symbol}", "", row.rule, row.gradient, error + (" kink" if row.kinks else "")),
    ]


def _beside_differences(row, largest):
    """The head of a row's gradient and, if it is small, a line an entry."""
    size = row.value.size
    error = f"relative error {row.error:.1e}" + (", across a kink" if row.kinks else "")
    head = f"  d{row.symbol} {row.shape} = {row.rule}: {row.checked} of {size} compared, {error}"
    if size > largest:
        return [head]
    names = [
        f"d{row.symbol}{list(at) if at else ''}".replace(" ", "") for at in np.ndindex(row.shape)
    ]
    widest = max(map(len, names))
    lines = [head, f"    {'':{widest}}  {'gradient':>17}  {'difference':>17}"]
    for name, found, difference in zip(names, np.ravel(row.gradient), np.ravel(row.difference)):
        beside = "-" if np.isnan(difference) else f"{difference + 0.0:.10g}"
        lines += [f"    {name:{widest}}  {found + 0.0:17.10g}  {beside:>17}"]
    return lines


def _given(symbol, what, value):
    rows = [
        "  ".join(f"{entry + 0.0:.10g}" for entry in entries) for entries in np.atleast_2d(value)
    ]
    return "\n     ".join([f"   {symbol}, {what}:", *rows])


def _cell(values):
    """All entries, or where there are too many, the smallest and the largest."""
    if np.size(values) > LARGEST:
        return f"{float(np.min(values))!r} .. {float(np.max(values))!r}"
    return " ".join(repr(float(entry)) for entry in np.ravel(values))
