"""What a check found, as rows that print as a table."""

from dataclasses import dataclass

import numpy as np

from ..checks import as_array

SMOOTH, KINKED, EXACT = 1e-7, 1e-5, 1e-12

# A difference of a function near 1, rounded to 2e-16, over a step of 1e-4, knows a slope to some
# 1e-11 and no better. A tensor whose every entry is below TINY (a bias in front of a batch norm has
# gradient zero) is compared with TINY instead of with its own size: 1e-7 of it is 1e-10.
TINY = 1e-3


@dataclass(frozen=True)
class Row:
    """One comparison: a tensor, its size, its relative error, and the bar it is held to.

    kinks is the number of entries whose difference straddled a kink.
    """

    check: str
    tensor: str
    entries: int
    norm: float
    error: float
    tolerance: float
    kinks: int = 0

    @property
    def ok(self):
        return bool(self.error <= self.tolerance)  # False for NaN


class Report:
    """Rows, and what they come to: `.ok`, `.max_relative_error`, and a table through `str`."""

    def __init__(self, title, rows=()):
        self.title, self.rows = title, list(rows)

    def compare(self, check, tensor, found, expected, tolerance=EXACT):
        """Adds a row: two values that must agree to `tolerance` (0: to the last bit)."""
        error = relative_error(found, expected)
        if tolerance == 0:
            error = 0.0 if np.array_equal(found, expected) else max(error, np.finfo(float).tiny)
        self.rows.append(Row(check, tensor, np.size(found), _norm(found), error, tolerance))

    def compare_difference(self, check, tensor, found, difference, kinks):
        """Adds a row: a gradient beside its difference. Entries that sit on a kink are left out."""
        known = ~np.isnan(difference)
        error = relative_error(found[known], difference[known])
        tolerance = KINKED if kinks.any() else SMOOTH
        self.rows.append(
            Row(check, tensor, found.size, _norm(found), error, tolerance, int(kinks.sum()))
        )

    @property
    def ok(self):
        return bool(self.rows) and all(row.ok for row in self.rows)

    @property
    def max_relative_error(self):
        """The largest error of all rows (NaN if any is NaN)."""
        return float(np.max([row.error for row in self.rows]))

    @property
    def failures(self):
        return [row for row in self.rows if not row.ok]

    def __str__(self):
        wide_check = max(len(row.check) for row in self.rows)
        wide_tensor = max(len(row.tensor) for row in self.rows)
        lines = [
            self.title,
            f"  {'check':{wide_check}}  {'tensor':{wide_tensor}}  entries       norm"
            "  rel. error   bar    kinks",
        ]
        for row in self.rows:
            lines.append(
                f"  {row.check:{wide_check}}  {row.tensor:{wide_tensor}}  {row.entries:7d}  "
                f"{row.norm:9.3g}  {row.error:10.1e}  {row.tolerance:5.0e}  {row.kinks or '':>5}"
                f"{'' if row.ok else '   <-- WRONG'}"
            )
        verdict = "all right" if self.ok else f"{len(self.failures)} of {len(self.rows)} rows WRONG"
        lines.append(f"  {verdict}; largest relative error {self.max_relative_error:.1e}")
        return "\n".join(lines)

    __repr__ = __str__


def relative_error(a, b):
    """max |a - b| / max(max |a|, max |b|, TINY), over whole tensors.

    Entry by entry, the rounding of the differences would swamp the small entries.
    """
    a, b = as_array("relative_error: a", a), as_array("relative_error: b", b)
    for name, values in (("a", a), ("b", b)):
        if values.dtype.kind not in "fiub":
            raise TypeError(f"relative_error: {name} must be real numbers, got {values.dtype}")
    a, b = a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
    if a.shape != b.shape:
        return np.inf
    if not a.size:
        return 0.0
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(a)), np.max(np.abs(b)), TINY))


def _norm(values):
    return float(np.linalg.norm(np.ravel(values)))
