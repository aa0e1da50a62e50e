"""Elementwise functions and their derivatives (NumPy backend).

The exponentials are taken of -|x|, so nothing overflows at any logit; an underflow to zero is the
correctly rounded answer and is not an error.
"""

import numpy as np

from ..codes import LEAKY_RELU, SIGMOID, TANH

__all__ = ["activate", "activate_backward", "sigmoid", "softplus", "silu", "silu_backward"]
__all__ += ["log_softmax"]


def activate(z, activation, slope=0.0):
    """y = phi(z), for one of the activations in `minigan.kernels.codes`."""
    if activation == LEAKY_RELU:
        return np.where(z > 0, z, slope * z)
    if activation == TANH:
        return np.tanh(z)
    if activation == SIGMOID:
        return sigmoid(z)
    return z


def activate_backward(dy, y, activation, slope=0.0):
    """dz = dy * phi'(z), with phi' read off the output y. (Diagonal, so it is the tangent too.)"""
    if activation == LEAKY_RELU:
        return np.where(y > 0, dy, slope * dy)
    if activation == TANH:
        return dy * (1 - y * y)
    if activation == SIGMOID:
        return dy * (y * (1 - y))
    return dy


def sigmoid(x):
    """1 / (1 + exp(-x)), exact at both ends."""
    with np.errstate(under="ignore"):
        small = np.exp(-np.abs(x))  # in (0, 1]
        return np.where(x >= 0, 1, small) / (1 + small)


def softplus(x):
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))."""
    with np.errstate(under="ignore"):
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def silu(x):
    """x sigmoid(x)  (Elfwing et al. 2018; Ramachandran et al. 2017, "swish")."""
    return x * sigmoid(x)


def silu_backward(dy, x):
    """dx = dy * s (1 + x (1 - s)),  s = sigmoid(x)."""
    s = sigmoid(x)
    return dy * (s * (1 + x * (1 - s)))


def log_softmax(x):
    """x - log sum_k exp(x_k) along each row: the largest entry is taken out before exp."""
    with np.errstate(under="ignore"):
        x = x - x.max(axis=1, keepdims=True)
        return x - np.log(np.exp(x).sum(axis=1, keepdims=True))
