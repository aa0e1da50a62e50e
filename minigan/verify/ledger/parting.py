"""Where two runs part: the first step and, in the order of the seven steps, the first tensor.

Training gives the same bits again, so two runs that differ in one thing (a bug, a rate, a loss) are
equal up to its first effect. The later differences follow from that one, and grow.
"""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from ..._checks import FilePath, checked
from ...gan import GAN
from ...layers.base import Array
from . import explorer
from .ledger import Ledger, in_forward_order
from .record import named_tensors, record
from .replay import Replay

NAMES = "the first run", "the second run"
# What happens, in its order and numbered as in `minigan.gan`: (loss, player, forward?)
MOMENTS = {
    ("L_G", "G", True): "3. generate",
    ("L_D", "D", True): "4. judge both",
    ("L_D", "D", False): "5. back through D",
    ("L_G", "D", True): "6. judge the fakes anew",
    ("L_G", "D", False): "6. back through D, which is fixed",
    ("L_G", "G", False): "6. on through G",
}


@dataclass(frozen=True)
class StepTensor:
    """One tensor of a step: where it is made, what it is called, and its name on the page."""

    moment: str
    symbol: str
    place: str
    value: Array


@dataclass(eq=False, repr=False)
class Parting:
    """The first difference of two runs.

    step    : the first step in which they differ
    moment  : where in the seven steps
    symbol  : the tensor, such as "dW1"
    index   : its first entry that differs
    numbers : (first, second): this entry in both runs
    count   : (entries that differ, entries)
    ledgers : (first, second): the Ledger of that step of each run
    """

    step: int
    moment: str
    symbol: str
    index: tuple[int, ...]
    numbers: tuple[float, float]
    count: tuple[int, int]
    ledgers: tuple[Ledger, Ledger]
    place: str

    @property
    def entry(self) -> str:
        """Its name, such as dW1[0,2]."""
        return self.symbol + (f"[{','.join(map(str, self.index))}]" if self.index else "")

    def __str__(self) -> str:
        differ, entries = self.count
        lines = [
            f"The runs part in step {self.step}, {self.moment}: {self.symbol} "
            f"({differ} of {entries} entries differ)."
        ]
        wide = max(map(len, NAMES))
        lines += [
            f"  {name:{wide}}  {self.entry} = {number!r}"
            for name, number in zip(NAMES, self.numbers)
        ]
        return "\n".join(lines)

    __repr__ = __str__

    @checked
    def to_html(self, path: FilePath, *, names: tuple[str, str] = NAMES) -> None:
        """Writes one HTML file with the explorer of both steps, side by side, open at this entry.

        A page computes its step as minigan's right code does. Where the run itself had another
        number, as in a run with a bug, that one is marked and shown beside it.

        names : what to call the two runs

        Raises as `Ledger.to_html` does, for a network that is too large for a page.
        """
        pages = [
            explorer.page(
                explorer.game(*ledger.start) | self._marks(ledger), f"{ledger.title}: {name}"
            )
            for ledger, name in zip(self.ledgers, names)
        ]
        text = (files(__package__) / "page" / "parting.html").read_text("utf-8")
        style = (files(__package__) / "page" / "page.css").read_text("utf-8")
        rows = [
            f"<tr><th>{html.escape(name)}</th><td>{number!r}</td></tr>"
            for name, number in zip(names, self.numbers)
        ]
        differ, entries = self.count
        parts = {
            "page.css": style,
            "step": f"step {self.step:,}",
            "moment": html.escape(self.moment),
            "entry": html.escape(self.entry),
            "count": f"{differ} of {entries}",
            "rows": "".join(rows),
            "first name": html.escape(names[0]),
            "second name": html.escape(names[1]),
            "first": html.escape(pages[0]),
            "second": html.escape(pages[1]),
        }
        for name, part in parts.items():
            text = text.replace("{{ " + name + " }}", part)
        path.write_text(text, encoding="utf-8")

    def _marks(self, ledger):
        """What the page opens first, and every number of the run."""
        tensors = {t.place: np.atleast_2d(t.value).tolist() for t in tensors_of(ledger) if t.place}
        row, column = np.atleast_1d((0, 0, *self.index))[-2:].tolist()
        return {"run": tensors, "open": [self.place, row, column] if self.place else None}


@checked
def where_they_part(first: Replay, second: Replay) -> Parting | None:
    """Repeats both runs, side by side, up to the first step that is not the same in both.

    first, second : `Replay`s of two runs of one architecture

    Returns the Parting; None if the runs are equal, to the last bit, in all the steps of both.
    Raises ValueError for networks of two architectures.
    """
    runs = first, second
    networks = [(run.gan.generator, run.gan.discriminator) for run in runs]
    if repr(networks[0]) != repr(networks[1]):
        got = " and ".join(f"{generator}, {discriminator}" for generator, discriminator in networks)
        raise ValueError(
            f"where_they_part: first and second must be runs of one architecture, got {got}"
        )
    while not (first.over or second.over):
        reals = [run.minibatch() for run in runs]
        before = [run.gan.copy() for run in runs]
        figures = [run.take(real) for run, real in zip(runs, reals)]
        states = [_state(run.gan, real) for run, real in zip(runs, reals)]
        if figures[0] != figures[1] or not all(map(np.array_equal, *states)):
            return _parting(runs, before, reals)
    return None


def _parting(runs: tuple[Replay, Replay], before: list[GAN], reals: list[Array]) -> Parting:
    ledgers = []
    for run, gan, real in zip(runs, before, reals):
        with run.within():
            ledgers.append(record(gan, real))
    found = [
        {(t.moment, t.symbol): t for t in (*tensors_of(ledger), *_afterwards(run.gan))}
        for run, ledger in zip(runs, ledgers)
    ]
    for name, one in found[0].items():
        other = found[1].get(name)
        if other is None or np.array_equal(one.value, other.value):
            continue
        differ = one.value != other.value
        index = tuple(map(int, np.argwhere(differ)[0]))
        return Parting(
            runs[0].done, one.moment, one.symbol, index,
            (float(one.value[index]), float(other.value[index])),
            (int(differ.sum()), differ.size), (ledgers[0], ledgers[1]), one.place,
        )  # fmt: skip
    raise AssertionError("two states differ, but none of their tensors")


def tensors_of(ledger: Ledger) -> Iterator[StepTensor]:
    """Every tensor of the step, in the order of the seven steps."""
    yield StepTensor("1. the real minibatch", "real", "data/real", ledger.start[1])
    for (loss, player, forward), moment in MOMENTS.items():
        if (loss, player, forward) == ("L_G", "D", True):
            for symbol, value in ledger.moved:
                place = f"move D/{symbol}⁺"
                yield StepTensor("5. the discriminator moves", f"{symbol}⁺", place, value)
        rows = ledger.section(loss, player)
        for row in in_forward_order(rows) if forward else rows:
            yield _tensor(
                row, "2. draw noise" if forward and row.symbol == "z" else moment, forward
            )


def _tensor(row: Any, moment: str, forward: bool) -> StepTensor:
    """The value or the gradient of a row of the ledger."""
    band = {("L_D", "D"): "L_D", ("L_G", "D"): "L_G", ("L_G", "G"): "G"}[row.loss, row.player]
    if forward:
        band = row.player if row.kind == "parameter" else band
        band = {"x": "D", "z": "noise", "r": "real", "fake": "G"}.get(row.symbol, band)
        return StepTensor(moment, row.symbol, f"{band}/{row.symbol}", row.value)
    band = "L_G" if row.symbol == "fake" else band
    return StepTensor(moment, f"d{row.symbol}", f"{band}/d{row.symbol}", row.gradient)


def _afterwards(gan: GAN) -> Iterator[StepTensor]:
    """The weights after the step, as the run itself has them."""
    for network, player, moment in (
        (gan.discriminator, "D", "5. the discriminator has moved"),
        (gan.generator, "G", "6. the generator moves"),
    ):
        for symbol, value, _ in named_tensors(network):
            yield StepTensor(moment, f"{symbol}⁺", f"move {player}/{symbol}⁺", value)


def _state(gan: GAN, real: Array) -> list[Array]:
    return [real, gan.discriminator.theta, gan.generator.theta]
