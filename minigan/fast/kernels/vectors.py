"""Operations on flat vectors: zeros, the inner product, and s x + x_dot.

NumPy's inner product is as fast, but adds long float32 vectors up in float32, in an order that may
depend on the number of threads of its BLAS.
"""

import numpy as np
from numba import carray, njit

from .buffers import empty
from .calls import compiled_call
from .chunks import CHUNK, NUMBERS, VECTORS, chunks_of, over_chunks, part_of, words_of
from .workers import float_of, floats_at, pointer_to

__all__ = ["clear", "dot", "scale_and_add"]

SHORT = 1 << 17  # numbers; one thread writes fewer before a second one would have started


@compiled_call
def clear(vector):
    """Every number becomes 0; the vector is contiguous."""
    if vector.size <= SHORT:
        vector.fill(0)
    else:
        over_chunks(_clear, (vector,))


def _clear(address, part):
    part_of(0, address, part)[:] = 0


@compiled_call
def dot(a, b):
    """sum_i a_i b_i, as a float: chunks are summed in the vectors' dtype, their sums in float64."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    sums = np.empty(-(-a.size // CHUNK))
    over_chunks(_chunk_sums, (a, b, sums.view(a.dtype)))
    return float(sums.sum())


def _chunk_sums(address, part):
    x, y, task = part_of(0, address, part), part_of(1, address, part), words_of(address)
    first, end = chunks_of(task, part)
    sums = carray(pointer_to(task[VECTORS + 2], floats_at(address)), end)
    for chunk in range(first, end):
        start, stop = (chunk - first) * CHUNK, (chunk - first + 1) * CHUNK
        sums[chunk] = _sum_of_products(x[start:stop], y[start:stop])


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
    x, x_dot = part_of(0, address, part), part_of(1, address, part)
    out, task = part_of(2, address, part), words_of(address)
    row = int(float_of(task[NUMBERS]))
    at, end = 0, x.size
    begin = chunks_of(task, part)[0] * CHUNK
    scale = carray(pointer_to(task[VECTORS + 3], address), -(-(begin + end) // max(1, row)))
    while at < end:  # the part of each row that lies in this part
        sample = (begin + at) // row
        stop = min(end, (sample + 1) * row - begin)
        factor = scale[sample]
        a, b, c = x[at:stop], x_dot[at:stop], out[at:stop]
        for i in range(a.size):
            c[i] = factor * a[i] + b[i]
        at = stop
