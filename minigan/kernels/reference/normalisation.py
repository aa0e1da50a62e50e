"""Normalisation of a (rows, features) matrix (NumPy backend).

Batch norm (Ioffe and Szegedy 2015) normalises each column over the rows, layer norm (Ba et al.
2016) each row over its columns. They share the algebra: with x_hat = (x - mean) * inv_std, where
inv_std = 1 / sqrt(var + eps), and both mean and var functions of x,

    dx = inv_std * (g - mean(g) - x_hat * mean(g * x_hat)),      g = dL/dx_hat,

the means running over the axis that was normalised. The two subtracted terms are the paths through
the mean and through the variance.

Means are taken in float64: NumPy adds up a column one number at a time, and a float32 sum of many
numbers loses digits.
"""

import numpy as np

from ..codes import IDENTITY
from .activations import activate, activate_backward

__all__ = ["row_norm_forward", "row_norm_backward", "batch_norm_forward", "batch_norm_backward"]


def _normalise(x, axis, eps):
    """x_hat, mean, variance, inv_std, the last three with `axis` kept at length 1."""
    mean = _mean(x, axis)
    centred = x - mean
    variance = _mean(centred * centred, axis)
    inv_std = 1 / np.sqrt(variance + eps)
    return centred * inv_std, mean, variance, inv_std


def _mean(x, axis):
    return np.mean(x, axis=axis, keepdims=True, dtype=np.float64).astype(x.dtype)


def _normalise_backward(g, x_hat, inv_std, axis):
    """dx from g = dL/dx_hat, by the formula above."""
    through_mean = _mean(g, axis)
    through_variance = x_hat * _mean(g * x_hat, axis)
    return inv_std * (g - through_mean - through_variance)


def row_norm_forward(x, eps):
    """Normalises each row of x (N, F); returns (x_hat (N, F), inv_std (N, 1))."""
    x_hat, _, _, inv_std = _normalise(x, 1, eps)
    return x_hat, inv_std


def row_norm_backward(g, x_hat, inv_std):
    """dx of `row_norm_forward` from g = dL/dx_hat."""
    return _normalise_backward(g, x_hat, inv_std, 1)


def batch_norm_forward(x, gamma, beta, eps, activation=IDENTITY, slope=0.0):
    """y = phi(gamma x_hat + beta), each column of x (N, C) normalised over the rows; returns
    (y, mean, variance, inv_std), the last three of shape (C,)."""
    x_hat, mean, variance, inv_std = _normalise(x, 0, eps)
    y = activate(gamma * x_hat + beta, activation, slope)
    return y, mean[0], variance[0], inv_std[0]


def batch_norm_backward(
    dy, y, x, mean, inv_std, gamma, dgamma, dbeta, activation=IDENTITY, slope=0.0
):
    """Returns dx; adds dgamma = sum dz x_hat and dbeta = sum dz into the last two unless None."""
    dz = activate_backward(dy, y, activation, slope)
    x_hat = (x - mean) * inv_std
    if dgamma is not None:
        dgamma += np.sum(dz * x_hat, axis=0, dtype=np.float64).astype(dz.dtype)
        dbeta += np.sum(dz, axis=0, dtype=np.float64).astype(dz.dtype)
    return _normalise_backward(dz * gamma, x_hat, inv_std, 0)
