"""Operations on flat vectors: zeros, the inner product, and s x + x_dot.

NumPy's inner product is as fast. But it sums long float32 vectors in float32, in an order that may
depend on the number of threads of its BLAS.
"""

import numpy as np
from numba import njit

from .buffers import empty
from .calls import compiled_call
from .chunks import CHUNK, NUMBERS, VECTORS, chunks_of, over_chunks, vectors_of
from .views import float_like, numbers_at, view, words_of
from .workers import floats_at

__all__ = ["clear", "dot", "scale_and_add"]

SHORT = 1 << 17  # numbers; one thread writes so few before a second one would have started


@compiled_call
def clear(vector):
    """vector = 0, for a contiguous vector."""
    if vector.size <= SHORT:
        vector.fill(0)
    else:
        over_chunks(_clear, (vector,))


def _clear(address, part):
    vector = vectors_of(address, part)[0]
    for i in range(vector.size):
        vector[i] = 0


@compiled_call
def dot(a, b):
    """sum_i a_i b_i, as a float: chunks are summed in the vectors' dtype, their sums in float64."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    sums = np.empty(-(-a.size // CHUNK))
    over_chunks(_chunk_sums, (a, b, sums.view(a.dtype)))
    return float(np.add.reduce(sums))


def _chunk_sums(address, part):
    x, y, _, _ = vectors_of(address, part)
    task = words_of(address)
    first, end = chunks_of(task, part)
    sums = numbers_at(task[VECTORS + 2], floats_at(address), end)
    for chunk in range(first, end):
        start = (chunk - first) * CHUNK
        count = min(CHUNK, x.size - start)
        sums[chunk] = _sum_of_products(view(x, start, count), view(y, start, count))


@njit(fastmath={"reassoc"})  # reordered sums, so that LLVM can vectorise them
def _sum_of_products(x, y):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@compiled_call
def scale_and_add(scale, x, x_dot):
    """scale_n x_n + x_dot_n for each sample n: scale (N, 1), x and x_dot (N, ...)."""
    scale, x, x_dot = (np.ascontiguousarray(array) for array in (scale, x, x_dot))
    out = empty(x.shape, x.dtype)
    over_chunks(_scale_and_add, (x, x_dot, out, scale), (x.size // max(1, len(x)),))
    return out


def _scale_and_add(address, part):
    x, x_dot, out, _ = vectors_of(address, part)
    task = words_of(address)
    row = int(float_like(task[NUMBERS], floats_at(address)))
    at, end = 0, x.size
    begin = chunks_of(task, part)[0] * CHUNK
    scale = numbers_at(task[VECTORS + 3], address, -(-(begin + end) // max(1, row)))
    while at < end:  # the part of each row that lies in this part
        sample = (begin + at) // row
        count = min(end, (sample + 1) * row - begin) - at
        factor = scale[sample]
        a, b, c = view(x, at, count), view(x_dot, at, count), view(out, at, count)
        for i in range(a.size):
            c[i] = factor * a[i] + b[i]
        at += count
