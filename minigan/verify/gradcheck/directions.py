"""A gradient compared along random directions: a few evaluations a tensor, not four an entry.

    d/de f(t + e v)  at e = 0  =  <df/dt, v>

for a tensor t and a direction v drawn anew. A wrong gradient agrees along a random direction only
if its error is orthogonal to it, which has probability zero; what can hide is an error that is
small beside the whole tensor. So each tensor has directions of its own, the entries of v are
of one size (1 / sqrt(size), within a factor of two), and errors are measured against the
length of the gradient. A tensor that fails is measured entry by entry, at a selection of its
entries if it is large: one that halving leads to, and others drawn at random.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...network import Sequential
from .differences import MEASURED, NOT_TAKEN, Differences, entry, measure
from .report import SMOOTH, Report

STEP = 1e-4  # along a direction of length 1
SHORT = 1e-2  # a shorter gradient is compared with this: rounding alone gives 1e-11 of error, and
# 1e-9 where the step had to be shortened to stay clear of kinks
ENTRIES = 64  # of a tensor that fails, measured at most
# Measured on the default DCGAN: 1e-10, and 6e-9 across kinks. An error of its own size in one entry
# of 70,000 is 1e-5 of the gradient's length, seen from a random direction.
ACROSS_KINKS = 1e-6


def random_direction(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A direction of length 1 with entries of about one size: no entry is left out, and errors of
    equal size do not cancel."""
    v = rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.0, shape)
    return v / np.linalg.norm(v)


class AlongDirections:
    """The comparison of a function's gradients, tensor by tensor.

    function : () -> float, of the arrays as they stand
    problem  : why nothing can be measured, or None
    """

    def __init__(
        self,
        function: Callable[[], float],
        directions: int,
        rng: np.random.Generator,
        *,
        problem: str | None = None,
        tick: Callable[[int], Any] | None = None,
    ) -> None:
        self.function, self.directions, self.rng = function, directions, rng
        self.problem, self.tick = problem, tick
        self.centre = float(function())
        self.examined = False

    def compare(
        self,
        report: Report,
        check: str,
        name: str,
        array: np.ndarray,
        found: np.ndarray,
        context: Callable[[], dict] | None = None,
    ) -> None:
        """Adds the row of a tensor: `found`, its gradient, along random directions; where they
        disagree, the entries themselves. `array` is moved, and put back."""
        length = max(float(np.linalg.norm(found)), SHORT)
        errors, kinks, bad = [], 0, self.problem
        for _ in range(self.directions):
            v = random_direction(array.shape, self.rng)
            slope, kink, state = self._along(array, v)
            if state != MEASURED:
                bad = bad or Differences.none((1,), state=state).reason
                break
            errors.append(abs(float(np.sum(found * v)) - slope) / length)
            kinks += kink
        tolerance = ACROSS_KINKS if kinks else SMOOTH
        if bad is None and max(errors) <= tolerance:
            report.add_directions(check, name, found, max(errors), tolerance, kinks, len(errors))
        elif self.problem:
            nothing = Differences.none(array.shape, self.problem)
            report.compare_difference(check, name, found, nothing, context=context)
        else:
            differences = self._entries(array, found)
            report.compare_difference(check, name, found, differences, context=context)
            if report.rows[-1].ok:  # the entries at fault are not among those that were measured
                report.rows.pop()
                report.add_directions(
                    check, name, found, max([*errors, 0.0]), tolerance, kinks, len(errors), bad
                )
        if self.tick is not None:
            self.tick(1)

    def compare_parameters(
        self,
        report: Report,
        check: str,
        network: Sequential,
        gradients: np.ndarray,
        context: Callable[[str], Callable[[], dict]],
    ) -> None:
        """A row for each parameter, from a flat vector laid out like `network.theta`."""
        start = 0
        for name, value, _ in network.named_parameters():
            stop = start + value.size
            found = gradients[start:stop].reshape(value.shape)
            self.compare(report, check, name, value, found, context(name))
            start = stop

    def _along(self, array, v):
        """(slope, kink, state) of the function along v."""
        start, moved = array.copy(), np.zeros(())

        def function():
            array[...] = start + moved * v
            return self.function()

        try:
            slope, kink, state, _ = entry(
                function, self.centre, moved, (), STEP, first=not self.examined, examine=False
            )
        finally:
            array[...] = start
        self.examined = True
        return slope, kink, state

    def _entries(self, array, found):
        """The Differences of all entries of a small tensor, of a selection of a large one's."""
        if array.size <= ENTRIES:
            return measure(self.function, array)
        chosen = self.rng.choice(array.size, ENTRIES - 1, replace=False)
        chosen = np.unique(np.append(chosen, self._halving(array, found)))
        result = Differences.none(array.shape, state=NOT_TAKEN)
        for index in zip(*np.unravel_index(chosen, array.shape)):
            before = array[index]
            try:
                measured = entry(self.function, self.centre, array, index, STEP, first=False)
            finally:
                array[index] = before
            for values, value in zip(
                (result.gradient, result.kinks, result.state, result.resolution), measured
            ):
                values[index] = value
        return result

    def _halving(self, array, found):
        """The flat index of an entry that is wrong: of two halves, always the one that disagrees
        more along a random direction."""
        low, high = 0, array.size
        while high - low > 1:
            middle = (low + high) // 2
            deviations = []
            for start, stop in ((low, middle), (middle, high)):
                v = np.zeros(array.size)
                v[start:stop] = random_direction((stop - start,), self.rng)
                v = v.reshape(array.shape)
                slope, _, state = self._along(array, v)
                deviation = abs(float(np.sum(found * v)) - slope) if state == MEASURED else 0.0
                deviations.append(deviation * np.sqrt(stop - start))
            low, high = (low, middle) if deviations[0] >= deviations[1] else (middle, high)
        return low
