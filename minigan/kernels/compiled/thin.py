"""Products with few columns: most of a register tile would be padding, so these are plain loops.

A discriminator ends in a single logit and a 2-D generator in a point, so every step has a few of
them. They read one large matrix once, from end to end, and do next to no arithmetic on it: the aim
is to read it in the order in which it lies.
"""

import numpy as np
from numba import njit

from .machine import VECTOR_BYTES
from .microkernel import dot

THIN = 4  # columns; from about here on a register tile, though mostly empty, is faster


@njit(cache=True, error_model="numpy")
def dot_rows(left, right, result, columns, bias, slope, accumulate, first_row, end_row):
    """Rows [first_row, end_row) of C = leaky(A B + bias), an inner product at a time.

    Operands as in `gemm.contract`, the inner index of A with step 1.
    """
    a, a_rows, runs, length, _ = left
    b, b_rows, b_step = right
    c, c_rows = result
    depth = len(b_rows)
    lanes = VECTOR_BYTES // c.itemsize
    b_transposed = np.empty(columns * depth, b.dtype)
    for j in range(columns):
        for k in range(depth):
            b_transposed[j * depth + k] = b[b_rows[k] + j * b_step]
    for i in range(first_row, end_row):
        for j in range(columns):
            z = c[c_rows[i] + j] if accumulate else c.dtype.type(0)
            for run in range(len(runs)):
                k = run * length
                at_a, at_b = a_rows[i] + runs[run], j * depth + k
                vectors, rest = divmod(min(length, depth - k), lanes)
                z += dot(a, at_a, b_transposed, at_b, vectors)
                for step in range(vectors * lanes, vectors * lanes + rest):
                    z += a[at_a + step] * b_transposed[at_b + step]
            if len(bias):
                z += bias[j]
            c[c_rows[i] + j] = z if z > 0 else slope * z


@njit(cache=True)
def sum_of_outer_products(thin, wide, total):
    """total[j, c] = sum over rows r of thin[r, j] wide[r, c], four rows to a pass over `total`."""
    rows, columns = wide.shape
    total[:] = 0
    for j in range(thin.shape[1]):
        r = 0
        while r + 4 <= rows:
            s0, s1, s2, s3 = thin[r, j], thin[r + 1, j], thin[r + 2, j], thin[r + 3, j]
            for c in range(columns):
                total[j, c] += (s0 * wide[r, c] + s1 * wide[r + 1, c]) + (
                    s2 * wide[r + 2, c] + s3 * wide[r + 3, c]
                )
            r += 4
        while r < rows:
            for c in range(columns):
                total[j, c] += thin[r, j] * wide[r, c]
            r += 1
