"""Input checks shared by the metrics: one error that names the argument, the need and what came."""

import numpy as np

from .._old_checks import as_array, count, function, generator, number  # noqa: F401

LARGEST = 1e140  # its square, summed over many coordinates and samples, is still a float64


def points(name, value, *, rows=1):
    """`value` as a float64 matrix (n, d): n samples in rows, d >= 1 coordinates, n >= `rows`."""
    array = _real_array(name, value)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(
            f"{name}: expected a matrix (samples, dimensions), got shape {array.shape}; "
            "flatten images to one row each"
        )
    if len(array) < rows:
        raise ValueError(f"{name}: expected at least {rows} samples, got {len(array)}")
    bad = np.count_nonzero(~np.isfinite(array).all(axis=1))
    if bad:
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or infinity in {bad} of {len(array)} rows"
        )
    if len(array) and np.abs(array).max() > LARGEST:
        raise ValueError(
            f"{name}: expected numbers of magnitude {LARGEST:g} at most, "
            f"got {np.abs(array).max():.3g}"
        )
    return array


def two_sets(x_name, x, y_name, y, *, rows=1):
    """Two sets of points with the same number of coordinates: (n, d) and (m, d)."""
    x, y = points(x_name, x, rows=rows), points(y_name, y, rows=rows)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"{y_name}: expected {x.shape[1]} dimensions, as in {x_name}, got {y.shape[1]}"
        )
    return x, y


def distribution(name, value, *, bins=None):
    """`value` as float64 shares (bins,): non-negative, summing to 1."""
    array = _real_array(name, value)
    if array.ndim != 1 or len(array) == 0 or (bins is not None and len(array) != bins):
        expected = f"{bins} shares" if bins is not None else "a vector of shares"
        raise ValueError(f"{name}: expected {expected}, got shape {array.shape}")
    total = array.sum()
    if not (np.all(array >= 0.0) and abs(total - 1.0) <= 1e-4):  # NaN fails both
        raise ValueError(
            f"{name}: expected non-negative shares that sum to 1, "
            f"got a minimum of {array.min():.4g} and a sum of {total:.6g}"
        )
    return array / total  # float32 shares sum to 1 only within their rounding


def _real_array(name, value):
    array = as_array(name, value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected real numbers, got dtype {array.dtype}")
    return array.astype(np.float64, copy=False)
