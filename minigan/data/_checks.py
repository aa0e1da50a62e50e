"""Input checks of the data functions: one error that names the argument, the need and what came."""

import numpy as np

from .._old_checks import as_array, count, float_dtype, generator, number, path, shown  # noqa: F401


def positive(name, value):
    """`value` as a finite float above zero."""
    return number(name, value, above=0.0)


def points(name, value):
    """`value` as finite float64 points of the plane, (m, 2)."""
    found = as_array(name, value)
    if found.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected real numbers, got dtype {found.dtype}")
    if found.ndim != 2 or found.shape[1] != 2:
        raise ValueError(f"{name}: expected shape (m, 2), got {found.shape}")
    found = found.astype(np.float64)
    if not np.isfinite(found).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return found


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
