"""Which check catches which bug: every bug put in, one after the other, and every check run."""

import numpy as np

from .. import kernels
from ..checks import count, flag, function, instance
from ..gradcheck import Report
from ..progress import track
from .catalogue import REGISTRY
from .checks import CHECKS
from .weak import WEAK

GRADCHECKS = "check_layer", "check_loss", "check_penalty", "check_step"
HEALTHY = "(healthy code)"


def complaint(check, seed=0):
    """What `check` has against the code as it now is, in a few words; None if it has nothing.

    A check that stops with an error has complained, too.
    """
    check, seed = function("complaint", "check", check), count("seed", seed, at_least=0)
    try:
        with np.errstate(all="ignore"):
            report = check(seed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if instance("complaint", "what check returns", report, Report).ok:
        return None
    row = report.failures[0]
    return f"{row.check}, {row.tensor}: off by {row.error:.1g}"


def examine(*, seed=0, progress=False):
    """Runs all CHECKS and all WEAK checks on healthy code, then on every bug of the museum.

    progress : show a progress bar. All of it on the NumPy kernels, where the bugs are.
    Returns an Examination.
    """
    seed, progress = count("seed", seed, at_least=0), flag("examine", "progress", progress)
    exhibits = {HEALTHY: lambda: kernels.use_backend("numpy"), **REGISTRY}
    complaints = {}
    for name, exhibit in track(exhibits.items(), show=progress, unit="bug"):
        with exhibit():
            complaints[name] = {
                check: complaint(run, seed) for check, run in (CHECKS | WEAK).items()
            }
    return Examination(complaints)


class Examination:
    """complaints[bug][check] : what the check said, None where it passed."""

    def __init__(self, complaints):
        self.complaints = complaints

    @property
    def bugs(self):
        return [name for name in self.complaints if name != HEALTHY]

    def caught(self, bug):
        """The names of the CHECKS that catch `bug`."""
        return [name for name in CHECKS if self.complaints[bug][name] is not None]

    def missed_by(self, check):
        """The names of the bugs that `check`, weak or not, lets pass."""
        return [bug for bug in self.bugs if self.complaints[bug][check] is None]

    def __str__(self):
        """A row for each bug: x where a check catches it, a dot where it passes."""
        short = [name.removeprefix("check_") for name in GRADCHECKS]
        by_name = {
            bug: ", ".join(name for name in CHECKS if name not in GRADCHECKS and said[name]) or "."
            for bug, said in self.complaints.items()
        }
        wide, wide_named = max(map(len, by_name)), max(map(len, by_name.values()))
        head = f"{'bug':{wide}}  {'  '.join(short)}  {'a test by name':{wide_named}}"
        lines = [
            f"{'':{len(head)}}  | the famous weak checks, which catch",
            f"{head}  | {'  '.join(WEAK)}",
        ]
        for bug, said in self.complaints.items():
            marks = self._marks(said, GRADCHECKS, short)
            weak = self._marks(said, WEAK, WEAK)
            lines.append(f"{bug:{wide}}  {marks}  {by_name[bug]:{wide_named}}  | {weak}".rstrip())
        total = len(self.bugs)
        misses = ", ".join(f"{name} {len(self.missed_by(name))}" for name in WEAK)
        lines.append(f"caught: {sum(bool(self.caught(bug)) for bug in self.bugs)} of {total}")
        lines.append(f"passed by the weak checks: of {total}, {misses}")
        return "\n".join(lines)

    @staticmethod
    def _marks(said, checks, headings):
        """x or a dot for each check, in the middle of columns as wide as the headings."""
        marks = ("." if said[check] is None else "x" for check in checks)
        return "  ".join(f"{mark:^{len(heading)}}" for mark, heading in zip(marks, headings))
