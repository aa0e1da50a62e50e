"""Which check catches which bug: every bug is put in, one after the other, and every check run."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import backend as kernels
from ..._checks import CountOrZero, checked, instance
from ..._progress import track
from ..gradcheck import Report
from .catalogue import REGISTRY
from .checks import CHECKS
from .mutants import GENERAL
from .weak import WEAK

HEALTHY = "(healthy code)"


@checked
def complaint(check: Callable[[int], Any], seed: CountOrZero = 0) -> str | None:
    """What `check` finds wrong with the code as it is now, in a few words; None if nothing.

    An error that the check raises counts as a complaint.
    """
    try:
        with np.errstate(all="ignore"):
            report = check(seed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if instance(Report)("complaint", "what check returns", report).ok:
        return None
    row = report.failures[0]
    return f"{row.check}, {row.tensor}: {row.reason or f'off by {row.error:.1g}'}"


@checked
def examine(*, seed: CountOrZero = 0, progress: bool = False) -> "Examination":
    """Runs all CHECKS and all WEAK checks on healthy code, then on every bug of the museum.

    progress : show a progress bar
    Everything runs on the NumPy kernels, where the bugs are. Returns an Examination.
    """
    exhibits = {HEALTHY: lambda: kernels.use_backend("numpy"), **REGISTRY}
    complaints = {}
    for name, exhibit in track(exhibits.items(), show=progress, unit="bug"):
        with exhibit():
            complaints[name] = {
                check: complaint(run, seed) for check, run in (CHECKS | WEAK).items()
            }
    return Examination(complaints)


class Examination:
    """complaints[bug][check] : what the check found wrong, in words; None where it passed."""

    def __init__(self, complaints):
        self.complaints = complaints

    @property
    def bugs(self) -> list[str]:
        return [name for name in self.complaints if name != HEALTHY]

    def caught(self, bug: str) -> list[str]:
        """The names of the CHECKS that catch `bug`."""
        return [name for name in CHECKS if self.complaints[bug][name] is not None]

    def caught_by_general(self) -> list[str]:
        """The names of the bugs that one of the general checker's four checks catches."""
        return [bug for bug in self.bugs if any(self.complaints[bug][check] for check in GENERAL)]

    def missed_by(self, check: str) -> list[str]:
        """The names of the bugs that `check`, weak or not, does not catch."""
        return [bug for bug in self.bugs if self.complaints[bug][check] is None]

    def __str__(self):
        """A row for each bug: x where a check catches it, a dot where it does not."""
        short = [name.removeprefix("check_") for name in GENERAL]
        by_name = {
            bug: ", ".join(name for name in CHECKS if name not in GENERAL and said[name]) or "."
            for bug, said in self.complaints.items()
        }
        wide, wide_named = max(map(len, by_name)), max(17, *map(len, by_name.values()))
        head = f"{'bug':{wide}}  {'  '.join(short)}  {'a test of its own':{wide_named}}"
        lines = [
            f"{'':{len(head)}}  | the famous weak checks, which catch",
            f"{head}  | {'  '.join(WEAK)}",
        ]
        for bug, said in self.complaints.items():
            marks = self._marks(said, GENERAL, short)
            weak = self._marks(said, WEAK, WEAK)
            lines.append(f"{bug:{wide}}  {marks}  {by_name[bug]:{wide_named}}  | {weak}".rstrip())
        total = len(self.bugs)
        caught = [bug for bug in self.bugs if self.caught(bug)]
        general = len(self.caught_by_general())
        misses = ", ".join(f"{name} {len(self.missed_by(name))}" for name in WEAK)
        lines.append(f"caught: {len(caught)} of {total}")
        lines.append(
            f"  {general} by the general checker ({', '.join(short)}), "
            f"{len(caught) - general} only by a test of their own"
        )
        lines.append(f"not caught by the weak checks: of {total}, {misses}")
        return "\n".join(lines)

    @staticmethod
    def _marks(said, checks, headings):
        """x or a dot for each check, in the middle of columns as wide as the headings."""
        marks = ("." if said[check] is None else "x" for check in checks)
        return "  ".join(f"{mark:^{len(heading)}}" for mark, heading in zip(marks, headings))
