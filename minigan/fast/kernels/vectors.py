"""Operations on flat vectors: the inner product, and s x + x_dot.

NumPy's inner product is as fast by itself, but the threads of its BLAS keep spinning after a call,
on the cores that the next kernel needs: one call per step made training twice as slow.
"""

from functools import partial

import numpy as np
from numba import prange

from .buffers import empty
from .calls import compiled_call
from .chunks import CHUNK, over_chunks

__all__ = ["dot", "scale_and_add"]


@compiled_call
def dot(a, b):
    """sum_i a_i b_i, as a float: chunks are summed in the vectors' dtype, their sums in float64."""
    return float(_chunk_sums(a, b).sum())


@partial(over_chunks, fastmath={"reassoc"})  # reordered sums, so that LLVM can vectorise them
def _chunk_sums(a, b):
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


@compiled_call
def scale_and_add(scale, x, x_dot):
    """scale_n x_n + x_dot_n for each sample n: scale (N, 1), x and x_dot (N, ...)."""
    x, x_dot = np.ascontiguousarray(x), np.ascontiguousarray(x_dot)
    out = empty(x.shape, x.dtype)
    _scale_and_add(x.reshape(-1), x_dot.reshape(-1), scale.reshape(-1), out.reshape(-1))
    return out


@over_chunks
def _scale_and_add(x, x_dot, scale, out):
    row = x.size // max(1, scale.size)
    for chunk in prange((x.size + CHUNK - 1) // CHUNK):
        at, end = chunk * CHUNK, min((chunk + 1) * CHUNK, x.size)
        while at < end:  # the part of each row that lies in this chunk
            stop = min(end, (at // row + 1) * row)
            factor = scale[at // row]
            a, b, c = x[at:stop], x_dot[at:stop], out[at:stop]
            for i in range(a.size):
                c[i] = factor * a[i] + b[i]
            at = stop
