"""The inner product of two flat vectors (Numba twin).

NumPy's own would be as fast alone. But the threads of its BLAS go on spinning after a call, on the
cores that the next kernel needs: one call a step made training twice as slow.
"""

import numpy as np
from numba import njit, prange

from .optimizers import ALONE, CHUNK

__all__ = ["dot"]


def dot(a, b):
    """sum of a_i b_i, as a float."""
    partial = (_chunk_sums if a.size <= ALONE else _chunk_sums_together)(a, b)
    return float(partial.sum())


def _sums(a, b):
    """The sum over each chunk, in double precision from there on; the bits depend on no thread."""
    chunks = (a.size + CHUNK - 1) // CHUNK
    sums = np.empty(chunks)
    for chunk in prange(chunks):
        part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        x, y = a[part], b[part]
        total = a.dtype.type(0)
        for i in range(x.size):
            total += x[i] * y[i]
        sums[chunk] = total
    return sums


# `reassoc` lets LLVM add in vectors instead of one number after another.
_chunk_sums = njit(cache=True, error_model="numpy", fastmath={"reassoc"})(_sums)
_chunk_sums_together = njit(cache=True, error_model="numpy", fastmath={"reassoc"}, parallel=True)(
    _sums
)
