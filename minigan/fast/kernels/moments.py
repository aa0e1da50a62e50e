"""Normalisation of a (rows, features) matrix; the formulas are in `minigan.layers.normalisation`.

Batch norm needs the sum of each column. The rows are cut into blocks of a fixed size, each block
sums its own rows while they are in cache, and the partial sums are added in the order of the
blocks, so results do not depend on the number of threads. The means and squared deviations of
blocks are combined by the formula of Chan et al. (1979), which, unlike E[x^2] - E[x]^2, never
subtracts two large numbers. All sums are in float64: with a slightly wrong mean, a constant input
divided by its tiny deviation would not be normalised to 0.
"""

import math

import numpy as np
from numba import njit, prange

from .buffers import empty
from .cache import cached_njit
from .calls import compiled_call
from .codes import IDENTITY
from .nonlinear import phi, phi_prime
from .threads import parallel

__all__ = ["row_norm_forward", "row_norm_backward", "batch_norm_forward", "batch_norm_backward"]

BLOCK = 256  # rows


@compiled_call
def batch_norm_forward(x, gamma, beta, eps, activation=IDENTITY, slope=0.0):
    """y = phi(gamma x_hat + beta),  x_hat = (x - mean) inv_std.

    Returns (y, mean, variance, inv_std); x, y (N, C), the others (C,).
    """
    x = np.ascontiguousarray(x)
    mean, variance, inv_std = _column_moments(x, float(eps))
    y = empty(x.shape, x.dtype)
    _scale_and_shift(x, mean, inv_std, gamma, beta, activation, x.dtype.type(slope), y)
    return y, mean, variance, inv_std


@compiled_call
def batch_norm_backward(
    dy, y, x, mean, inv_std, gamma, dgamma, dbeta, activation=IDENTITY, slope=0.0
):
    """dx = gamma inv_std (dz - mean(dz) - x_hat mean(dz x_hat)),  dz = dy phi'(y), means over rows.

    Returns dx (N, C); dgamma += sum dz x_hat and dbeta += sum dz, unless they are None.
    """
    dy, x = np.ascontiguousarray(dy), np.ascontiguousarray(x)
    y = dy if activation == IDENTITY else np.ascontiguousarray(y)
    dx = empty(dy.shape, dy.dtype)
    dz_sum, dz_x_hat_sum = _batch_norm_backward(
        dy, y, x, mean, inv_std, gamma, activation, dy.dtype.type(slope), dx
    )
    if dgamma is not None:
        dgamma += dz_x_hat_sum
        dbeta += dz_sum
    return dx


@compiled_call
def row_norm_forward(x, eps):
    """x_hat = (x - mean) inv_std for each row: returns (x_hat (N, F), inv_std (N, 1))."""
    return _row_norm_forward(np.ascontiguousarray(x), x.dtype.type(eps))


@compiled_call
def row_norm_backward(g, x_hat, inv_std):
    """dx = inv_std (g - mean(g) - x_hat mean(g x_hat)) for each row, g = dL/dx_hat (N, F)."""
    return _row_norm_backward(np.ascontiguousarray(g), np.ascontiguousarray(x_hat), inv_std)


# Blocks are slices, indexed from zero: Numba wraps indices that may be negative, and LLVM does not
# vectorise a loop with wrapped indices.


@parallel(error_model="numpy")
def _column_moments(x, eps):
    """Mean, variance and 1 / sqrt(variance + eps) of each column."""
    rows, columns = x.shape
    blocks = (rows + BLOCK - 1) // BLOCK
    means = np.zeros((blocks, columns))
    squares = np.zeros((blocks, columns))  # summed squared deviations from the block's mean
    for block in prange(blocks):
        part, mean, square = x[block * BLOCK : (block + 1) * BLOCK], means[block], squares[block]
        for i in range(part.shape[0]):
            for j in range(columns):
                mean[j] += part[i, j]
        for j in range(columns):
            mean[j] /= part.shape[0]
        for i in range(part.shape[0]):
            for j in range(columns):
                deviation = part[i, j] - mean[j]
                square[j] += deviation * deviation
    mean, square = means[0].copy(), squares[0].copy()
    for block in range(1, blocks):
        before, after = block * BLOCK, min(rows, (block + 1) * BLOCK)
        share = (after - before) / after
        for j in range(columns):
            difference = means[block, j] - mean[j]
            mean[j] += difference * share
            square[j] += squares[block, j] + difference * difference * (before * share)
    inv_std = 1 / np.sqrt(square / rows + eps)
    return mean.astype(x.dtype), (square / rows).astype(x.dtype), inv_std.astype(x.dtype)


@parallel(error_model="numpy")
def _scale_and_shift(x, mean, inv_std, gamma, beta, activation, slope, y):
    rows, columns = x.shape
    scale = gamma * inv_std
    for block in prange((rows + BLOCK - 1) // BLOCK):
        start, stop = block * BLOCK, (block + 1) * BLOCK
        part, out = x[start:stop], y[start:stop]
        for i in range(part.shape[0]):
            for j in range(columns):
                out[i, j] = phi((part[i, j] - mean[j]) * scale[j] + beta[j], activation, slope)


@parallel(error_model="numpy")
def _batch_norm_backward(dy, y, x, mean, inv_std, gamma, activation, slope, dx):
    rows, columns = x.shape
    blocks = (rows + BLOCK - 1) // BLOCK
    dz_sums, dz_x_hat_sums = np.zeros((blocks, columns)), np.zeros((blocks, columns))
    for block in prange(blocks):
        start, stop = block * BLOCK, (block + 1) * BLOCK
        x_part, y_part, dy_part = x[start:stop], y[start:stop], dy[start:stop]
        dz_sum, dz_x_hat_sum = dz_sums[block], dz_x_hat_sums[block]
        for i in range(x_part.shape[0]):
            for j in range(columns):
                dz = dy_part[i, j] * phi_prime(y_part[i, j], activation, slope)
                dz_sum[j] += dz
                dz_x_hat_sum[j] += dz * ((x_part[i, j] - mean[j]) * inv_std[j])
    dz_sum, dz_x_hat_sum = dz_sums[0].copy(), dz_x_hat_sums[0].copy()
    for block in range(1, blocks):
        dz_sum += dz_sums[block]
        dz_x_hat_sum += dz_x_hat_sums[block]

    through_mean = (dz_sum / rows).astype(x.dtype)
    through_variance = (dz_x_hat_sum / rows).astype(x.dtype)
    for block in prange(blocks):
        start, stop = block * BLOCK, (block + 1) * BLOCK
        x_part, y_part, dy_part, dx_part = (
            x[start:stop],
            y[start:stop],
            dy[start:stop],
            dx[start:stop],
        )
        for i in range(x_part.shape[0]):
            for j in range(columns):
                dz = dy_part[i, j] * phi_prime(y_part[i, j], activation, slope)
                x_hat = (x_part[i, j] - mean[j]) * inv_std[j]
                centred = dz - through_mean[j] - x_hat * through_variance[j]
                dx_part[i, j] = gamma[j] * inv_std[j] * centred
    return dz_sum.astype(x.dtype), dz_x_hat_sum.astype(x.dtype)


@cached_njit(error_model="numpy")
def _row_norm_forward(x, eps):
    rows, columns = x.shape
    x_hat, inv_std = np.empty_like(x), np.empty((rows, 1), x.dtype)
    for i in range(rows):
        mean = x.dtype.type(_sum(x[i]) / columns)
        for j in range(columns):
            x_hat[i, j] = x[i, j] - mean
        square = _sum_of_products(x_hat[i], x_hat[i])
        inv_std[i, 0] = 1 / math.sqrt(square / columns + eps)
        for j in range(columns):
            x_hat[i, j] *= inv_std[i, 0]
    return x_hat, inv_std


@cached_njit(error_model="numpy")
def _row_norm_backward(g, x_hat, inv_std):
    rows, columns = g.shape
    dx = np.empty_like(g)
    for i in range(rows):
        through_mean = g.dtype.type(_sum(g[i]) / columns)
        through_variance = g.dtype.type(_sum_of_products(g[i], x_hat[i]) / columns)
        for j in range(columns):
            centred = g[i, j] - through_mean - x_hat[i, j] * through_variance
            dx[i, j] = inv_std[i, 0] * centred
    return dx


@njit(fastmath={"reassoc"})  # reordered sums, so that LLVM can vectorise them
def _sum(x):
    total = 0.0
    for i in range(x.size):
        total += x[i]
    return total


@njit(fastmath={"reassoc"})
def _sum_of_products(x, y):
    total = 0.0
    for i in range(x.size):
        total += np.float64(x[i]) * np.float64(y[i])
    return total
