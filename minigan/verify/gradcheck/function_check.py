"""The check of one plain function."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._checks import Numbers, checked, numbers, shown
from .check_progress import progress_bar
from .differences import measure
from .report import TINY, Report

SMALLEST = 1e-200  # below it, the factor could overflow


@checked
def check_function(
    f: Callable[[np.ndarray], float], gradient: Any, x: Numbers, *, progress: bool = True
) -> Report:
    """Compares the gradient of a function with central differences of the function, at x.

        x = np.array([1.0, 2.0])
        print(minigan.gradcheck.check_function(lambda x: float(x @ x), lambda x: 2 * x, x))

    f        : array -> number; called with float64 copies of x, each with one entry moved
    gradient : array -> array of the shape of x, or that array itself
    x        : finite real numbers of any shape; converted to float64
    progress : show a progress bar if it takes more than two seconds

    Returns a Report with one row: it fails where a difference could not be measured (f not
    deterministic, not finite, or computed in less than float64), and says why.
    Raises TypeError for an f that is not a function or returns no number, for an x or a gradient
    that is not real numbers; ValueError for an x that is empty or not finite and for a gradient of
    another shape.
    """
    x = np.array(x, np.float64, order="C")
    if not x.size:
        raise ValueError(f"check_function: x must not be empty, got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError("check_function: x must be finite, got NaN or infinity")
    found = gradient(x.copy()) if callable(gradient) else gradient
    found = numbers("check_function", "gradient", found)
    if found.shape != x.shape:
        raise ValueError(
            f"check_function: gradient must have the shape of x, {x.shape}, got {found.shape}"
        )

    def value():
        result = f(x.copy())
        if np.ndim(result) or np.asarray(result).dtype.kind not in "fiub":
            raise TypeError(f"check_function: f must return a number, got {shown(result)}")
        return result

    report = Report(f"check of {getattr(f, '__name__', type(f).__name__)}")
    factor = _enlarging(value(), found)
    if factor != 1:
        report.notes.append(f"f and its gradient are shown {factor:g} times as large as they are")
    with progress_bar(x.size, progress) as bar:
        differences = measure(lambda: factor * value(), x, tick=bar.update)
        report.compare_difference("function", "gradient", factor * found, differences)
    return report


def _enlarging(value: float, gradient: np.ndarray) -> float:
    """A power of two that brings a small function and its gradient to about 1: what is below TINY
    is compared with TINY, beside which any gradient of such a function would look right."""
    size = max(abs(float(value)), float(np.abs(gradient).max(initial=0.0)))
    return 2.0 ** -math.floor(math.log2(size)) if SMALLEST < size < TINY else 1.0
