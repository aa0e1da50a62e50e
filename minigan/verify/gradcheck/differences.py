"""Central differences that say where they cannot be trusted.

For a smooth f, (f(x + h) - f(x - h)) / 2h is f'(x) up to h^2 f''' / 6. Differences at two step
lengths, h and h/2, cancel that error term (Richardson extrapolation), and show whether f is smooth:
the second difference

    bend(h) = (f(x + h) - 2 f(x) + f(x - h)) / h

is h f'' where f is smooth, so bend(h) = 2 bend(h/2), up to rounding. The two disagree

    across a kink (ReLU at 0)         bend has the size of the jump in slope. The step is shortened
                                      until the kink lies outside it, and the entry is counted. An
                                      entry exactly on a kink has no derivative and is left out.
    where f is not finite             the step is shortened, in case the edge of f's domain is near;
                                      otherwise the entry is not measured.
    where f is coarser than float64   (part of it computed in float32) f is a fine staircase: it is
                                      smooth neither right of x nor left of it. Not measured.

A function that gives two values for one x is not measured at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._checks import Positive, checked, shown

# Steps relative to max(1, |x|). After the extrapolation the truncation error of STEP is of order
# h^4 = 1e-16; rounding adds EPS / h = 2e-12.
STEP = 1e-4
SHORTEST = 1e-9
EPS = float(np.finfo(np.float64).eps)
COARSE = 1e4 * EPS  # a function resolved no finer than this, relative to max(1, |f|), is refused
MEASURED, ON_KINK, NOT_FINITE, TOO_COARSE, NOT_TAKEN = range(5)


@dataclass(frozen=True)
class Differences:
    """The differences of one function over one array, entry by entry.

    gradient   : the derivative; NaN for an entry that was not measured
    kinks      : bool, whether the step had to be shortened or the entry was left out
    state      : MEASURED, ON_KINK, NOT_FINITE, TOO_COARSE, or NOT_TAKEN: left out by choice
    resolution : about how large the errors or jumps of the function are, where they are larger than
                 float64's rounding; else 0
    problem    : what prevents any measurement, in words; else None
    """

    gradient: np.ndarray
    kinks: np.ndarray
    state: np.ndarray
    resolution: np.ndarray
    problem: str | None = None

    @classmethod
    def none(
        cls, shape: tuple[int, ...], problem: str | None = None, state: int = NOT_FINITE
    ) -> "Differences":
        """Nothing measured."""
        return cls(
            np.full(shape, np.nan), np.zeros(shape, bool), np.full(shape, state), np.zeros(shape),
            problem,
        )  # fmt: skip

    def part(self, entries: slice, shape: tuple[int, ...]) -> "Differences":
        """The slice `entries` of flat differences, in the shape of the tensor they belong to."""
        arrays = self.gradient, self.kinks, self.state, self.resolution
        gradient, kinks, state, resolution = (a[entries].reshape(shape) for a in arrays)
        return Differences(gradient, kinks, state, resolution, self.problem)

    @property
    def compared(self) -> int:
        """The number of entries that were measured."""
        return 0 if self.problem else int(np.sum(self.state == MEASURED))

    @property
    def reason(self) -> str | None:
        """Why this is no basis for a comparison, in words; None if it is one.

        Entries on a kink may be left out, up to half of all; others may not.
        """
        size = int(np.sum(self.state != NOT_TAKEN))
        if self.problem:
            return self.problem
        unmeasured = np.sum(self.state == NOT_FINITE)
        if unmeasured:
            return f"not finite: {unmeasured} of {size} differences are NaN or infinite"
        coarse = np.sum(self.state == TOO_COARSE)
        if coarse:
            return (
                f"coarser than float64: {coarse} of {size} differences do not settle, resolution "
                f"about {self.resolution.max():.0e} (float32 has 1e-07)"
            )
        if 2 * self.compared < size:
            return (
                f"only {self.compared} of {size} entries compared: the others are exactly on a "
                "kink, where there is no derivative (parameters moved a little would avoid it)"
            )
        return None


@checked
def central_differences(
    function: Callable[[], float], x: np.ndarray, step: Positive = STEP
) -> tuple[np.ndarray, np.ndarray]:
    """(gradient, kinks) of `measure`: d function / d x, and where a difference straddled a kink.

    The gradient is NaN where it could not be measured.
    """
    found = measure(function, x, step)
    return found.gradient, found.kinks


def measure(
    function: Callable[[], float],
    x: np.ndarray,
    step: float = STEP,
    tick: Callable[[], Any] | None = None,
) -> Differences:
    """The `Differences` of `function` over every entry of x.

    function : () -> float, reading x as it stands
    x        : float64 array, changed in place and put back
    step     : h, relative to max(1, |x|)
    tick     : called after each entry, to show progress
    Raises TypeError for an x of another kind and a function that returns no number.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        raise TypeError(f"central_differences: x must be a float64 array, got {shown(x)}")

    centre, again = _number(function()), _number(function())
    problem = not_deterministic(centre, again)
    if problem or not np.isfinite(centre):
        return Differences.none(x.shape, problem)
    found = Differences.none(x.shape)
    for count, index in enumerate(np.ndindex(x.shape)):
        before = x[index]
        try:
            measured = entry(function, centre, x, index, step, first=count == 0)
            if measured[2] == ON_KINK:  # noise that was not recognised looks like a kink, once
                x[index] = before
                measured = entry(function, centre, x, index, 0.7 * step, first=True)
        finally:
            x[index] = before
        for values, value in zip(
            (found.gradient, found.kinks, found.state, found.resolution), measured
        ):
            values[index] = value
        if tick is not None:
            tick()
    problem = not_deterministic(centre, _number(function()))
    return Differences.none(x.shape, problem) if problem else found


def not_deterministic(
    first: ArrayLike, second: ArrayLike, what: str = "two evaluations"
) -> str | None:
    """The words for two results of one computation that differ; None if they are the same."""
    if np.array_equal(first, second, equal_nan=True):
        return None
    how_much = f"{np.shape(first)} and {np.shape(second)} in shape"
    if np.shape(first) == np.shape(second):
        with np.errstate(invalid="ignore"):
            how_much = f"{np.max(np.abs(np.subtract(first, second))):.1e}"
    return f"not deterministic: {what} with the same input and random state differ by {how_much}"


def _number(value):
    if isinstance(value, float):
        return float(value)
    if np.ndim(value) or np.asarray(value).dtype.kind not in "fiub":
        raise TypeError(f"central_differences: function must return a number, got {shown(value)}")
    return float(value)


def entry(
    function: Callable[[], float],
    centre: float,
    x: np.ndarray,
    index: Any,
    step: float,
    first: bool,
    examine: bool = True,
) -> tuple[float, bool, int, float]:
    """(derivative, kink, state, resolution) of an entry, which the caller puts back.

    first   : the first entry of a function is always examined for noise
    examine : whether the others are, where they look as if they might need it; it takes 48
              evaluations, and what one entry has shown need not be looked for in every other
    """
    start = float(x[index])
    scale = max(1.0, abs(start))
    size = max(1.0, abs(centre))
    # bend - 2 half_bend = (f(h) + f(-h) - 4 f(h/2) - 4 f(-h/2) + 6 f(0)) / h: errors of 4 EPS in
    # each value of f add up to 4 noise / h
    h, noise = step * scale, 16 * EPS * size

    def at(offset):
        x[index] = start + offset
        return _number(function())

    def sides(h):
        """(central slope, bend) at step h."""
        above, up = at(h), float(x[index]) - start  # the step as rounding left it
        below, down = at(-h), start - float(x[index])
        return (above - below) / (up + down), (above - centre) / up - (centre - below) / down

    shortest, examined = SHORTEST * scale, False
    straddled, resolution = False, 0.0
    slope, bend = sides(h)
    while h > shortest:
        half_slope, half_bend = sides(h / 2)
        settled = abs(bend - 2 * half_bend) <= 4 * noise / h
        level = slope == half_slope == bend == half_bend == 0
        if level and examine and (jump := _staircase(at, step * scale)):
            return np.nan, True, TOO_COARSE, jump
        # bends of exactly zero are suspicious: the points of a coarse grid can lie on a line
        suspicious = first or (examine and (not settled or bend == half_bend == 0))
        if suspicious and not (examined or level) and np.isfinite([bend, half_bend]).all():
            examined = True
            resolution = _noise(at, size, h)
            if resolution > COARSE * size:
                return np.nan, True, TOO_COARSE, resolution
            if resolution > 0:  # a little more rounding than usual, and perhaps no kink
                noise = max(noise, 8 * resolution)
                continue
        if settled:
            return half_slope + (half_slope - slope) / 3, straddled, MEASURED, resolution
        straddled = True
        h, slope, bend = h / 2, half_slope, half_bend
    return np.nan, True, ON_KINK if np.isfinite(bend) else NOT_FINITE, 0.0


def _noise(at, size, h):
    """The standard deviation of f's noise near x; 0 if f is smooth right of x or left of it.

    Fifth differences of neighbouring values vanish where f is smooth; of values with independent
    errors they have 252 times their variance (Hamming 1962; More and Wild 2011). One side is
    enough: a kink at x spoils neither, a kink nearby one of the two. Noise is found at the closest
    spacing, and two wider ones distinguish it from kinks on both sides and from a cusp at x, whose
    differences grow with the spacing.
    """
    noises = []
    for spacing in (h / 1005, h / 125.7, h / 15.71):  # off the grid of decimal, binary fractions
        tables = [np.array([at(sign * i * spacing) for i in range(1, 9)]) for sign in (1, -1)]
        fifths = [np.diff(table, 5) for table in tables]
        # the coefficients 1, 5, 10, 10, 5, 1 add up to 32: an error of 2 EPS in each value
        smooth = [np.max(np.abs(fifth)) <= 64 * EPS * size for fifth in fifths]
        level = all(np.ptp(table) == 0 for table, is_smooth in zip(tables, smooth) if is_smooth)
        if any(smooth) and not (noises or level):
            return 0.0
        rough = min(float(np.sqrt(np.mean(fifth**2) / 252)) for fifth in fifths)
        noises.append(0.0 if any(smooth) else rough)
    near, middle, far = noises
    if near == 0:  # level at the closest spacing
        return _staircase(at, h / 15.71) if any(noises) else 0.0
    return max(noises) if near > far / 5 or middle > far else 0.0


def _staircase(at, spacing):
    """About the height of f's steps if f is constant at x and monotonic around it, evenly; else 0.

    A function rounded to a few digits does, over a large enough interval. A ReLU that is off does
    on one side at most, and the gradient of a piecewise linear network jumps at uneven distances.
    """
    for wider in (16, 256):
        steps = np.diff([at(i * wider * spacing) for i in range(-8, 9)])
        sizes = np.abs(steps)
        if (np.all(steps > 0) or np.all(steps < 0)) and sizes.max() < 10 * sizes.min():
            offset, level = SHORTEST * spacing, at(0)
            while (jump := abs(at(offset) - level)) == 0:
                offset *= 2
            return jump
    return 0.0
