"""Softmax along the rows of a matrix, and its backward pass; formulas in `layers.attention`."""

import numpy as np
from numba import njit, prange

from .buffers import empty
from .calls import compiled_call
from .nonlinear import as_type_of, exp_of_negative
from .threads import parallel

BLOCK = 64  # rows


@compiled_call
def softmax(S):
    """A = exp(S - max) / sum exp(S - max) along the last axis."""
    rows = np.ascontiguousarray(S).reshape(-1, S.shape[-1])
    A = empty(rows.shape, rows.dtype)
    _softmax(rows, rows.max(axis=1), A)
    return A.reshape(S.shape)


@compiled_call
def softmax_backward(A, g):
    """A (g - <A, g>) along the last axis."""
    rows = np.ascontiguousarray(A).reshape(-1, A.shape[-1])
    dS = empty(rows.shape, rows.dtype)
    _softmax_backward(rows, np.ascontiguousarray(g).reshape(rows.shape), dS)
    return dS.reshape(A.shape)


@parallel(error_model="numpy")
def _softmax(S, largest, A):
    rows = S.shape[0]
    for block in prange((rows + BLOCK - 1) // BLOCK):
        start, stop = block * BLOCK, (block + 1) * BLOCK
        part, top, out = S[start:stop], largest[start:stop], A[start:stop]
        for i in range(part.shape[0]):
            _softmax_row(part[i], top[i], out[i])


@parallel(error_model="numpy")
def _softmax_backward(A, g, dS):
    rows = A.shape[0]
    for block in prange((rows + BLOCK - 1) // BLOCK):
        start, stop = block * BLOCK, (block + 1) * BLOCK
        part, upper, out = A[start:stop], g[start:stop], dS[start:stop]
        for i in range(part.shape[0]):
            mean = _row_dot(part[i], upper[i])
            for j in range(part.shape[1]):
                out[i, j] = part[i, j] * (upper[i, j] - mean)


@njit(error_model="numpy")
def _softmax_row(S, top, A):
    for j in range(S.size):
        A[j] = exp_of_negative(S[j] - top)
    scale = as_type_of(top, 1) / _row_sum(A)
    for j in range(S.size):
        A[j] *= scale


@njit(fastmath={"reassoc"})  # reordered sums, so that LLVM can vectorise them
def _row_sum(x):
    total = as_type_of(x[0], 0)
    for j in range(x.size):
        total += x[j]
    return total


@njit(fastmath={"reassoc"})
def _row_dot(x, y):
    total = as_type_of(x[0], 0)
    for j in range(x.size):
        total += x[j] * y[j]
    return total
