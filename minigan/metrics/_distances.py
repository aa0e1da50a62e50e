"""Squared distances between many points, a block at a time."""

from collections.abc import Iterator

import numpy as np

BLOCK = 2**22  # entries in one block of a distance matrix: 32 MB of float64
SURE = 1e-6  # relative error up to which the fast formula's distances are taken


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices that cut `rows` so that each slice x `columns` holds at most BLOCK entries."""
    step = max(1, BLOCK // columns)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x_i - y_j|^2 for x (n, d) and y (m, d), as a matrix (n, m).

    By |a - b|^2 = |a|^2 + |b|^2 - 2 a.b, one matrix product, around y's mean. It cancels where a is
    close to b: distances that rounding may have changed by more than SURE of themselves are
    computed anew, from the differences. So two equal points are at distance 0, not at 1e-8, and
    narrow clusters far from each other keep their widths.
    """
    centre = y.mean(axis=0)
    x_moved, y_moved = x - centre, y - centre
    norms = np.einsum("id,id->i", x_moved, x_moved)[:, None]
    norms = norms + np.einsum("id,id->i", y_moved, y_moved)
    squared = norms - 2.0 * (x_moved @ y_moved.T)
    rounding = (x.shape[1] + 2) * np.finfo(np.float64).eps
    rows, columns = np.nonzero(squared <= rounding / SURE * norms)
    for part in row_blocks(len(rows), x.shape[1]):
        differences = x[rows[part]] - y[columns[part]]
        squared[rows[part], columns[part]] = np.einsum("id,id->i", differences, differences)
    return squared
