"""Squared distances between many points, a block at a time: what three of the metrics stand on."""

import numpy as np

BLOCK = 2**22  # entries in one block of a distance matrix: 32 MB of float64


def row_blocks(rows, columns):
    """Slices that cut `rows` so that each slice x `columns` holds at most BLOCK entries."""
    step = max(1, BLOCK // columns)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def squared_distances(x, y):
    """|x_i - y_j|^2 for x (n, d) and y (m, d), as a matrix (n, m).

    By |a - b|^2 = |a|^2 + |b|^2 - 2 a.b, one matrix product. It cancels where a is close to b:
    so both sets move to y's mean first, where the norms are small, and what is left below the
    rounding error becomes exactly 0. Two equal points are then at distance 0, not at 1e-8.
    """
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    norms = np.einsum("id,id->i", x, x)[:, None] + np.einsum("id,id->i", y, y)
    squared = norms - 2.0 * (x @ y.T)
    rounding = (x.shape[1] + 2) * np.finfo(np.float64).eps
    squared[squared <= rounding * norms] = 0.0
    return squared
