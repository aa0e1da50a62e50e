"""Products with few columns or a short inner index ("few steps"), as plain loops.

A discriminator ends in one logit and a generator of points in the plane in two numbers, so every
training step has such products. They read one large matrix once and do little arithmetic on it, so
they are fast if they read it in memory order; a register tile would not help.
"""

import numpy as np

from .cache import cached_njit
from .machine import VECTOR_BYTES
from .microkernel import DOTS, MAX_STEPS, add_dots, combine_rows
from .views import space, view

BLOCK = 512  # rows
THIN = MAX_STEPS  # columns or steps; with more, a register tile is faster even if mostly padding


@cached_njit(error_model="numpy")
def few_columns(a, b, c, bias, slope):
    """C = leaky(A B + bias) for at most THIN columns; all arrays are C-contiguous.

    `dot_rows` computes the same sums from tables of offsets, and for a part of the rows.
    """
    rows, columns = c.shape
    slope = c.dtype.type(slope)
    depth, lanes = a.shape[1], VECTOR_BYTES // c.itemsize
    starts, totals, b_j = (
        np.empty(DOTS, np.int64),
        np.empty(DOTS, c.dtype),
        np.empty(depth, c.dtype),
    )
    whole = depth // lanes
    for j in range(columns):
        added = bias[j] if len(bias) else c.dtype.type(0)
        for k in range(depth):
            b_j[k] = b[k, j]
        for first in range(0, rows, DOTS):
            for i in range(DOTS):  # an incomplete block repeats the last row
                starts[i] = min(first + i, rows - 1) * depth
                totals[i] = 0
            add_dots(a, starts, 0, b_j, 0, whole, totals)
            for i in range(min(DOTS, rows - first)):
                z = totals[i]
                for k in range(whole * lanes, depth):
                    z += a[first + i, k] * b_j[k]
                z += added
                c[first + i, j] = z if z > 0 else slope * z


@cached_njit(inner=True, error_model="numpy")
def dot_rows(left, right, result, columns, bias, slope, accumulate, first_row, end_row):
    """Rows [first_row, end_row) of C = leaky(A B + bias), DOTS inner products at a time.

    The operands are as in `gemm.multiply`.
    """
    a, a_rows, inner, run = left
    b, b_rows, b_step = right
    c, c_rows = result
    depth = len(b_rows)
    lanes = VECTOR_BYTES // c.itemsize
    rows, totals = space(DOTS, a_rows), space(DOTS, c)
    b_transposed = space(columns * depth, b)
    for j in range(columns):
        for k in range(depth):
            b_transposed[j * depth + k] = b[b_rows[k] + j * b_step]
    for first in range(first_row, end_row, DOTS):
        for i in range(DOTS):  # an incomplete block repeats its last row
            rows[i] = a_rows[min(first + i, end_row - 1)]
        for j in range(columns):
            for i in range(DOTS):
                totals[i] = 0
            for k in range(0, depth, run):
                length = min(run, depth - k)
                vectors = length // lanes
                add_dots(a, rows, inner[k], b_transposed, j * depth + k, vectors, totals)
                for step in range(k + vectors * lanes, k + length):
                    for i in range(DOTS):
                        totals[i] += a[rows[i] + inner[step]] * b_transposed[j * depth + step]
            for i in range(min(DOTS, end_row - first)):
                at = c_rows[first + i] + j
                z = totals[i] + c[at] if accumulate else totals[i]
                if len(bias):
                    z += bias[j]
                c[at] = z if z > 0 else slope * z


@cached_njit(error_model="numpy")
def few_steps(a, b, c, bias, slope):
    """C = leaky(A B + bias) for an inner index of at most THIN steps; arrays are C-contiguous."""
    rows, columns = c.shape
    slope = c.dtype.type(slope)
    depth = a.shape[1]
    whole = columns // (VECTOR_BYTES // c.itemsize)
    if len(bias) == 0:
        bias = np.zeros(columns, c.dtype)
    combine_rows(a, b, c, bias, slope, rows, depth, columns, whole)
    for j in range(whole * (VECTOR_BYTES // c.itemsize), columns):
        for i in range(rows):
            z = bias[j]
            for k in range(depth):
                z += a[i, k] * b[k, j]
            c[i, j] = z if z > 0 else slope * z


@cached_njit(error_model="numpy")
def sum_of_outer_products(thin, thin_columns, wide, columns, total):
    """total[j, c] = sum over rows r of thin[r, j] wide[r, c], four rows per pass; all are flat.

    Blocks of rows are summed separately, because one long float32 sum would lose digits.
    """
    rows = wide.size // columns
    part = space(columns, total)
    for j in range(thin_columns):
        line = view(total, j * columns, columns)
        for c in range(columns):
            line[c] = 0
        for start in range(0, rows, BLOCK):
            stop = min(start + BLOCK, rows)
            for c in range(columns):
                part[c] = 0
            r = start
            while r < stop:
                s0, a = thin[r * thin_columns + j], view(wide, r * columns, columns)
                if r + 4 <= stop:
                    s1, b = thin[(r + 1) * thin_columns + j], view(a, columns, columns)
                    s2, d = thin[(r + 2) * thin_columns + j], view(b, columns, columns)
                    s3, e = thin[(r + 3) * thin_columns + j], view(d, columns, columns)
                    for c in range(columns):
                        part[c] += (s0 * a[c] + s1 * b[c]) + (s2 * d[c] + s3 * e[c])
                    r += 4
                else:
                    for c in range(columns):
                        part[c] += s0 * a[c]
                    r += 1
            for c in range(columns):
                line[c] += part[c]
