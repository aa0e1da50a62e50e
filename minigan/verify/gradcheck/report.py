"""What a check found, as rows that print as a table."""

import functools
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..._checks import AnyArray, Numbers, checked
from .differences import Differences
from .explanation import explain
from .hypotheses import Explanation

# Bars for relative errors. Where a function is smooth, the differences of right gradients are good
# to 1e-9 (README.md). Near a kink the step may shrink to 1e-9, where the rounding of a
# function near 1 leaves 2e-16 / 1e-9 = 2e-7. EXACT is for one sum in two orders.
SMOOTH, KINKED, EXACT = 1e-7, 1e-5, 1e-12

# A difference of a function near 1, rounded to 2e-16, over a step of 1e-4, has an error of about
# 1e-11. A tensor whose every entry is below TINY (a bias in front of a batch norm has gradient
# zero) is compared with TINY instead of with its own size: 1e-7 of it is 1e-10.
TINY = 1e-3

IN_FLOAT32 = ", float32"  # ends the name of a check that is made in float32
SINGLE = 1e-5  # two results that agree to this, and no better, agree as float32 numbers do
WIDTH = 100  # columns of the printed table
COLUMNS = 53  # of them, taken by everything but the two names


@dataclass(frozen=True)
class Worst:
    """The entry of a tensor with the largest error: its index, and both values there."""

    index: tuple
    found: float
    expected: float

    @property
    def ratio(self) -> float:
        """found / expected; NaN where expected is 0."""
        return self.found / self.expected if self.expected else float("nan")

    def __str__(self):
        where = f"worst entry {self.index}: " if self.index else ""
        ratio = "" if np.isnan(self.ratio) else f", ratio {self.ratio:.6g}"
        return f"{where}found {self.found:.9g}, expected {self.expected:.9g}{ratio}"


@dataclass(frozen=True)
class Row:
    """One comparison of a tensor with what it should be.

    entries, compared : how many entries the tensor has, and how many could be compared
    norm      : the Euclidean length of what was found
    error     : the relative error; NaN if nothing could be compared
    tolerance : the largest error that passes
    kinks     : the number of entries whose difference straddled a kink
    worst     : the entry with the largest error, a `Worst`; None if nothing could be compared
    reason    : why this comparison says nothing about the tensor (the row then fails); else None
    found, expected, context : of a row that is wrong, what `gradcheck.explain` takes
    """

    check: str
    tensor: str
    entries: int
    norm: float
    error: float
    tolerance: float
    kinks: int = 0
    compared: int = 0
    worst: Worst | None = None
    reason: str | None = None
    found: np.ndarray | None = field(default=None, repr=False, compare=False)
    expected: np.ndarray | None = field(default=None, repr=False, compare=False)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @functools.cached_property
    def diagnosis(self) -> Explanation | None:
        """What is wrong, in a sentence; None for a right row, and where no known mistake explains
        the numbers. See `gradcheck.explain`."""
        if self.ok or self.found is None or self.expected is None:
            return None
        return explain(self.found, self.expected, **{"tensor": self.tensor} | dict(self.context))

    @property
    def ok(self) -> bool:
        """Compared, and within the tolerance."""
        return self.reason is None and bool(self.error <= self.tolerance)  # False for NaN

    @property
    def verdict(self) -> str:
        """WRONG for a wrong value, FAILED for one that has a `reason`, nothing for a right one."""
        return "" if self.ok else "FAILED" if self.reason else "WRONG"

    @property
    def explanation(self) -> list[str]:
        """What a reader of a failed row needs to know; [] for a row that passes."""
        if self.ok:
            return []
        lines = [self.reason] if self.reason else []
        if self.worst and not self.error <= self.tolerance:
            lines.append(str(self.worst))
        if not self.reason and self.entries > 1:
            lines.append(self.diagnosis or "no known mistake")
        return lines


@checked
class Report:
    """Rows and notes: `.ok`, `.max_relative_error`, `.failures`, and a table through `str`.

    notes : lines about what was not checked, or only in part; a note does not make a check fail
    """

    def __init__(self, title, rows=(), notes=()):
        self.title, self.rows, self.notes = title, list(rows), list(notes)

    def compare(
        self,
        check: str,
        tensor: str,
        found: AnyArray,
        expected: AnyArray,
        tolerance: float = EXACT,
        context: Any = None,
    ) -> None:
        """Adds a row: two values that must agree to `tolerance` (0: to the last bit).

        Values that are not finite, empty, or of two shapes do not agree.
        context : () -> the context of `explain`, called if the row is wrong
        """
        error = relative_error(found, expected)
        if tolerance == 0 and error <= np.finfo(float).tiny:
            error = 0.0 if np.array_equal(found, expected) else np.finfo(float).tiny
        reason = _incomparable(found, expected)
        self._add(check, tensor, found, expected, error, tolerance, reason=reason, context=context)

    def compare_difference(
        self,
        check: str,
        tensor: str,
        found: AnyArray,
        differences: Differences,
        indices: Any = None,
        context: Any = None,
    ) -> None:
        """Adds a row: a gradient beside its `Differences`.

        indices : the index of each entry in its tensor, if found is a selection of entries
        context : () -> the context of `explain`, called if the row is wrong
        """
        reason = differences.reason
        kinks = int(differences.kinks.sum())
        tolerance = KINKED if kinks or differences.resolution.any() else SMOOTH
        known = ~np.isnan(differences.gradient)
        reason = _incomparable(found, np.where(known, differences.gradient, 0)) or reason
        if reason is not None and found.shape != known.shape:
            expected, error = np.empty(0), np.nan
        else:
            expected = differences.gradient
            error = relative_error(found[known], expected[known])
        self._add(
            check, tensor, found, expected, error, tolerance,
            kinks=kinks, compared=differences.compared, reason=reason, indices=indices,
            context=context,
        )  # fmt: skip

    def fail(self, check: str, tensor: str, reason: str) -> None:
        """Adds a row that fails, with nothing to compare."""
        self.rows.append(Row(check, tensor, 0, 0.0, float("nan"), 0.0, reason=reason))

    def add_directions(
        self,
        check: str,
        tensor: str,
        found: Any,
        error: float,
        tolerance: float,
        kinks: int,
        directions: int,
        reason: str | None = None,
    ) -> None:
        """Adds a row: a gradient that was compared along random directions.

        error : the largest deviation along one of them, relative to the gradient's length
        """
        if reason is None and not error <= tolerance:
            reason = (
                f"wrong along a random direction, by {error:.1e} of the gradient's length; the "
                "entries at fault are not among those that were measured"
            )
        self.rows.append(
            Row(
                check, tensor, found.size, _norm(found), error, tolerance, kinks, directions,
                reason=reason,
            )
        )  # fmt: skip

    def _add(self, check, tensor, found, expected, error, tolerance, *, reason, kinks=0,
             compared=None, indices=None, context=None):  # fmt: skip
        if reason is None and 0 < tolerance < error <= SINGLE:
            reason = (
                f"coarser than float64: agrees to {error:.0e} only, as if a part of it were "
                "computed in float32"
            )
        same_shape = found.shape == expected.shape
        if compared is None:
            compared = found.size if same_shape else 0
        row = Row(
            check, tensor, found.size, _norm(found), error, tolerance, kinks, compared,
            _worst(found, expected, indices) if same_shape else None, reason,
        )  # fmt: skip
        if not row.ok:
            known = {} if context is None else context()
            row = replace(row, found=found.copy(), expected=expected.copy(), context=known)
        self.rows.append(row)

    @property
    def ok(self) -> bool:
        """Whether there are rows, and every one passes."""
        return bool(self.rows) and all(row.ok for row in self.rows)

    @property
    def max_relative_error(self) -> float:
        """The largest error of the rows in float64; NaN if any is NaN, or if there are none.

        Rows in float32, with a bar of their own, would hide it behind their rounding.
        """
        errors = [row.error for row in self.rows if not row.check.endswith(IN_FLOAT32)]
        return float(np.max(errors)) if errors else float("nan")

    @property
    def failures(self) -> list[Row]:
        return [row for row in self.rows if not row.ok]

    def __str__(self):
        wide_check = min(max([5, *(len(row.check) for row in self.rows)]), 24)
        wide_tensor = max([6, *(len(row.tensor) for row in self.rows)])
        wide_tensor = min(wide_tensor, WIDTH - COLUMNS - wide_check)
        lines = [
            *textwrap.wrap(self.title, WIDTH, subsequent_indent="    "),
            f"  {'check':{wide_check}}  {'tensor':{wide_tensor}}  entries      norm    error"
            "    bar  kinks",
        ]
        for row in self.rows:
            check, tensor = _cut(row.check, wide_check), _cut(row.tensor, wide_tensor)
            lines.append(
                f"  {check:{wide_check}}  {tensor:{wide_tensor}}  {row.entries:7d}  {row.norm:8.3g}"
                f"  {row.error:7.1e}  {row.tolerance:5.0e}  {row.kinks or '':>5}  {row.verdict}"
            )
            for words in row.explanation:
                lines += _indented(words)
        for note in self.notes:
            lines += textwrap.wrap(f"note: {note}", WIDTH - 2, initial_indent="  ",
                                   subsequent_indent="      ")  # fmt: skip
        lines.append(f"  {self._summary()}; largest relative error {self.max_relative_error:.1e}")
        return "\n".join(line.rstrip() for line in lines)

    __repr__ = __str__

    def _summary(self):
        if not self.rows:
            return "nothing was checked"
        verdicts = [row.verdict for row in self.rows]
        counts = [
            f"{verdicts.count('WRONG')} WRONG" if "WRONG" in verdicts else "",
            f"{verdicts.count('FAILED')} FAILED, for the reasons given"
            if "FAILED" in verdicts
            else "",
        ]
        if not any(counts):
            return "all right"
        return f"of {len(self.rows)} rows " + " and ".join(filter(None, counts))


@checked
def relative_error(a: Numbers, b: Numbers) -> float:
    """max |a - b| / max(max |a|, max |b|, TINY), over whole tensors.

    Entry by entry, the rounding of the differences would swamp the small entries. Infinite for two
    shapes; NaN where there is nothing to compare: for empty arrays, and where an entry is NaN or
    infinite. Raises TypeError for what is not real numbers.
    """
    a, b = a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
    if a.shape != b.shape:
        return np.inf
    if not a.size or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.nan
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(a)), np.max(np.abs(b)), TINY))


def _incomparable(found, expected):
    """Why two arrays cannot be compared, in words; None if they can."""
    if found.shape != expected.shape:
        return f"shape {found.shape}, expected {expected.shape}"
    if not found.size:
        return "nothing to compare: it is empty"
    for name, values in (("the value found", found), ("the value expected", expected)):
        bad = np.sum(~np.isfinite(values))
        if bad:
            return f"not finite: {bad} of {values.size} entries of {name} are NaN or infinite"
    return None


def _worst(found, expected, indices):
    """The `Worst` entry; one that is not finite is worse than any other."""
    known = ~np.isnan(expected) | np.isnan(found)
    if not known.any():
        return None
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        error = np.abs(found - expected)
    error = np.where(np.isnan(error), np.inf, error)
    error = np.where(known, error, -1.0)
    at = int(np.argmax(error))
    index = np.unravel_index(at, found.shape) if indices is None else indices[at]
    return Worst(tuple(map(int, index)), float(found.flat[at]), float(expected.flat[at]))


def _norm(values):
    return float(np.linalg.norm(np.ravel(values)))


def _cut(name, width):
    """`name` in at most `width` characters, without its middle if it is longer."""
    if len(name) <= width:
        return name
    end = (width - 3) // 2
    return f"{name[: width - 3 - end]}...{name[len(name) - end :]}"


def _indented(words):
    return textwrap.wrap(words, WIDTH - 6, initial_indent=" " * 6, subsequent_indent=" " * 8)
