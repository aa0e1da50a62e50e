"""Input checks of the data functions: one error that names the argument, the need and what came."""

import math
import numbers
from pathlib import Path

import numpy as np

from minigan.checks import count, generator  # noqa: F401  (part of this module)


def positive(name, value):
    """`value` as a finite float above zero."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number, got {type(value).__name__} {value!r}")
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name}: expected a finite number > 0, got {value}")
    return float(value)


def float_dtype(name, value):
    """`value` as the NumPy dtype float32 or float64."""
    try:
        dtype = np.dtype(value)
    except TypeError:
        raise TypeError(f"{name}: expected float32 or float64, got {value!r}") from None
    if value is None or dtype not in (np.float32, np.float64):
        raise TypeError(f"{name}: expected float32 or float64, got {value!r}")
    return dtype


def points(name, value):
    """`value` as finite float64 points of the plane, (m, 2)."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected shape (m, 2), got a ragged sequence") from None
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected real numbers, got dtype {array.dtype}")
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name}: expected shape (m, 2), got {array.shape}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return array


def path(name, value):
    """`value` as a Path."""
    try:
        return Path(value)
    except TypeError:
        raise TypeError(f"{name}: expected a path, got {type(value).__name__}") from None


def file(name, value):
    """`value` as a Path that leads to a regular file; to read from a pipe could take forever."""
    found = path(name, value)
    if found.is_file():
        return found
    if found.is_dir():
        raise ValueError(f"{found}: expected a file, found a folder")
    if found.exists():
        raise ValueError(f"{found}: expected a regular file, found a pipe, socket or device")
    raise FileNotFoundError(f"{found}: no such file")
