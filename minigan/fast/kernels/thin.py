"""Products with few columns: most of a register tile would be padding, so these are plain loops.

A discriminator ends in a single logit and a 2-D generator in a point, so every step has a few of
them. They read one large matrix once, from end to end, and do next to no arithmetic on it: the aim
is to read it in the order in which it lies.
"""

import numpy as np

from .cache import cached_njit
from .machine import TILE_ROWS, VECTOR_BYTES
from .microkernel import add_dots

BLOCK = 512  # rows
THIN = 4  # columns; from about here on a register tile, though mostly empty, is faster


@cached_njit(error_model="numpy")
def dot_rows(left, right, result, columns, bias, slope, accumulate, first_row, end_row):
    """Rows [first_row, end_row) of C = leaky(A B + bias), TILE_ROWS inner products at a time.

    Operands as in `gemm.contract`.
    """
    a, a_rows, inner, run = left
    b, b_rows, b_step = right
    c, c_rows = result
    depth = len(b_rows)
    lanes = VECTOR_BYTES // c.itemsize
    rows, totals = np.empty(TILE_ROWS, np.int64), np.empty(TILE_ROWS, c.dtype)
    b_transposed = np.empty(columns * depth, b.dtype)
    for j in range(columns):
        for k in range(depth):
            b_transposed[j * depth + k] = b[b_rows[k] + j * b_step]
    for first in range(first_row, end_row, TILE_ROWS):
        for i in range(TILE_ROWS):  # rows that hang over repeat the last
            rows[i] = a_rows[min(first + i, end_row - 1)]
        for j in range(columns):
            totals[:] = 0
            for k in range(0, depth, run):
                length = min(run, depth - k)
                vectors = length // lanes
                add_dots(a, rows, inner[k], b_transposed, j * depth + k, vectors, totals)
                for step in range(k + vectors * lanes, k + length):
                    for i in range(TILE_ROWS):
                        totals[i] += a[rows[i] + inner[step]] * b_transposed[j * depth + step]
            for i in range(min(TILE_ROWS, end_row - first)):
                at = c_rows[first + i] + j
                z = totals[i] + c[at] if accumulate else totals[i]
                if len(bias):
                    z += bias[j]
                c[at] = z if z > 0 else slope * z


@cached_njit()
def sum_of_outer_products(thin, wide, total):
    """total[j, c] = sum over rows r of thin[r, j] wide[r, c], four rows to a pass.

    Each block of rows is added up by itself first: one long float32 sum would lose digits.
    """
    rows, columns = wide.shape
    total[:] = 0
    part = np.empty(columns, total.dtype)
    for j in range(thin.shape[1]):
        for start in range(0, rows, BLOCK):
            stop = min(start + BLOCK, rows)
            part[:] = 0
            r = start
            while r + 4 <= stop:
                s0, s1, s2, s3 = thin[r, j], thin[r + 1, j], thin[r + 2, j], thin[r + 3, j]
                for c in range(columns):
                    part[c] += (s0 * wide[r, c] + s1 * wide[r + 1, c]) + (
                        s2 * wide[r + 2, c] + s3 * wide[r + 3, c]
                    )
                r += 4
            while r < stop:
                for c in range(columns):
                    part[c] += thin[r, j] * wide[r, c]
                r += 1
            for c in range(columns):
                total[j, c] += part[c]
