"""Convergence: stop training once a measurement no longer improves."""

import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _checks as checks
from .._checks import Count, NotNegative, checked
from ..gan import GAN


@checked
class Plateau:
    """Stops training when `measure` has not improved for `patience` measurements.

    Parameters
    ----------
    measure : gan -> float, lower is better, such as a distance between samples and held-out data;
        a loss is no such measure, since the losses of a GAN need not fall as it improves
    every : steps between measurements
    patience : number of measurements without improvement before training stops
    improvement : the relative decrease below the best value so far that counts as improvement
    """

    def __init__(
        self,
        measure: Callable[[GAN], float],
        *,
        every: Count = 100,
        patience: Count = 5,
        improvement: NotNegative = 0.01,
    ) -> None:
        self.measure, self.every, self.patience = measure, every, patience
        self.improvement = improvement
        self.values: list[tuple[int, float]] = []  # (step, measurement)
        self.best, self.waited = math.inf, 0

    def reached(self, step: Count, gan: Any) -> bool:
        """Measures every `every` steps; returns True once a measurement makes training stop.

        Raises TypeError or FloatingPointError for a measurement that is not a finite number.
        """
        if step % self.every:
            return False
        value = self.measure(gan)
        if not isinstance(value, numbers.Real):
            raise TypeError(f"Plateau: measure must give a number, got {checks.shown(value)}")
        if not math.isfinite(value):
            raise FloatingPointError(f"step {step}: the convergence measure is {value}")
        self._record(step, float(value))
        return self.over

    def _record(self, step: int, value: float) -> None:
        self.values.append((step, value))
        improved = value < self.best - self.improvement * abs(self.best) or self.best == math.inf
        self.waited = 0 if improved else self.waited + 1
        self.best = min(self.best, value) if improved else self.best

    @property
    def over(self) -> bool:
        """Whether there was no improvement for `patience` measurements."""
        return self.waited >= self.patience

    def restore(self, values: np.ndarray) -> None:
        """Replaces the measurements by those of an earlier run, rows (step, value)."""
        self.values, self.best, self.waited = [], math.inf, 0
        for step, value in values.tolist():
            self._record(int(step), value)

    def __repr__(self) -> str:
        options = f"every={self.every}, patience={self.patience}, improvement={self.improvement:g}"
        best = f"; best {self.best:.4g} of {len(self.values)}" if self.values else ""
        return f"<Plateau {options}{best}>"

    def __str__(self) -> str:
        return f"no better than {self.best:.4g} for {self.waited} measurements"
