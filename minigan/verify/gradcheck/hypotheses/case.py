"""A wrong gradient, the right one, and the arrays and numbers known about the case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray

TINY = 1e-12  # of a deviation, relative to the gradient: rounding, and nothing to explain


class Explanation(str):
    """A mistake in a sentence, as a str.

    kind    : the family of hypotheses that it comes from, such as "factor"
    error   : what it leaves unexplained, relative to the deviation: about 0
    exhibits : the names in `minigan.bugs` of the same mistake: none, one, or several where their
              numbers are the same here
    """

    kind: str
    error: float
    exhibits: tuple[str, ...]

    def __new__(
        cls, sentence: str, kind: str = "", error: float = 0.0, exhibits: tuple[str, ...] = ()
    ) -> "Explanation":
        made = super().__new__(cls, sentence)
        made.kind, made.error, made.exhibits = kind, error, exhibits
        return made

    @property
    def exhibit(self) -> str | None:
        """The first of them, or None."""
        return self.exhibits[0] if self.exhibits else None


def too_few(known: Array) -> bool:
    """Whether so few entries can be compared that their agreement says little."""
    return not known.any() or known.sum() < min(known.size / 2, 32)


@dataclass
class Candidate:
    """What a mistake would make of the gradient, and how to say it.

    value   : what would be found, in the shape of the gradient
    says    : the sentence that follows the gradient's name
    exhibit : the name of the same mistake in the museum, if it is there
    """

    value: Array
    says: str
    exhibit: str | None = None


@dataclass
class Case:
    """found, expected : float64 arrays; NaN in `expected` where nothing is known
    name      : what to call the gradient in a sentence: "dW", "dx"
    tolerance : how much of the deviation a hypothesis may leave unexplained
    context   : the arrays and numbers at hand, by name
    """

    found: Array
    expected: Array
    name: str
    tolerance: float
    context: Mapping[str, Any] = field(default_factory=dict)

    def array(self, name: str) -> Array | None:
        """An array of the context as float64; None if it is not there or not numbers."""
        value = self.context.get(name)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
            return None
        return value.astype(np.float64)

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """(name, array) of every array of the context, as float64."""
        for name in self.context:
            if (value := self.array(name)) is not None:
                yield name, value

    def number(self, name: str) -> float | None:
        """A number of the context; None if it is not there."""
        value = self.context.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            return None
        return float(value)

    @property
    def batch_size(self) -> int | None:
        """N, as given, or as the length of dy or x."""
        if (given := self.number("batch_size")) is not None:
            return int(given)
        for name in ("dy", "x"):
            array = self.array(name)
            if array is not None and array.ndim:
                return len(array)
        return None

    def agree(self, a: Array, b: Array, tolerance: float = 1e-6) -> bool:
        """Whether two arrays are the same but for rounding; entries that are NaN are left out."""
        if np.shape(a) != np.shape(b):
            return False
        with np.errstate(all="ignore"):
            deviation = np.abs(np.asarray(a) - b)
            known = np.isfinite(deviation)
            if too_few(known):
                return False
            size = max(np.abs(np.asarray(a))[known].max(), np.abs(np.asarray(b))[known].max())
        return bool(deviation[known].max() <= tolerance * size)

    def is_right(self, value: Array | None) -> bool:
        """Whether a formula, evaluated, gives the right gradient: only then do its variants mean
        anything here."""
        return value is not None and self.agree(value, self.expected)

    def unexplained(self, value: Array) -> float:
        """max |found - value| / max |found - expected|: 0 for what explains all, NaN for nothing
        that can be compared, infinite for what is no other than the right gradient."""
        value = np.asarray(value, np.float64)
        if value.shape != self.found.shape:
            return np.nan
        with np.errstate(all="ignore"):
            left, deviation = np.abs(self.found - value), np.abs(self.found - self.expected)
            known = np.isfinite(left) & np.isfinite(deviation)
            if too_few(known):
                return np.nan
            return float(left[known].max() / deviation[known].max())

    def ratio(self, of: Array, to: Array) -> Array:
        """of / to, entry by entry; NaN where `to` is next to nothing."""
        small = np.abs(to) <= 1e-9 * np.nanmax(np.abs(to), initial=0)
        with np.errstate(all="ignore"):
            return np.where(small, np.nan, of / to)

    def combination(self, terms: Mapping[str, Array]) -> dict[str, float] | None:
        """The coefficients with which the terms add up to what was found; None if they do not, or
        if there are too few entries to tell."""
        columns = [np.ravel(term) for term in terms.values()]
        if any(column.size != self.found.size for column in columns):
            return None
        matrix, found = np.stack(columns, axis=1), np.ravel(self.found)
        known = np.isfinite(matrix).all(axis=1) & np.isfinite(found)
        if known.sum() < matrix.shape[1] + 2:
            return None
        scale = np.abs(matrix[known]).max(axis=0)
        if (scale == 0).any():
            return None
        solution, _, rank, _ = np.linalg.lstsq(matrix[known] / scale, found[known], rcond=1e-9)
        coefficients = solution / scale
        if rank < len(columns):
            return None
        sum_of_terms = (matrix @ coefficients).reshape(self.found.shape)
        if not self.unexplained(sum_of_terms) <= self.tolerance:
            return None
        return dict(zip(terms, map(float, coefficients)))
