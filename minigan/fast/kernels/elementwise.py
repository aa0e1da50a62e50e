"""Elementwise functions and their derivatives, in one pass over memory each.

The formulas are in `minigan.layers.activations`.
"""

import math

import numpy as np
from numba import njit

from .buffers import empty
from .cache import cached_njit
from .calls import compiled_call
from .chunks import numbers_of, over_chunks, vectors_of
from .codes import IDENTITY
from .nonlinear import phi, phi_prime

__all__ = ["activate", "activate_backward", "sigmoid", "softplus", "silu", "silu_backward"]


@compiled_call
def activate(z, activation, slope=0.0):
    """y = phi(z)."""
    if activation == IDENTITY:
        return z
    z = np.ascontiguousarray(z)
    y = empty(z.shape, z.dtype)
    over_chunks(_activate, (z, y), (activation, slope))
    return y


def activate_in_place(z, activation):
    """z = phi(z), for a contiguous z and a phi without a slope."""
    over_chunks(_activate_in_place, (z,), (activation,))


@compiled_call
def activate_backward(dy, y, activation, slope=0.0):
    """dz = dy phi'(z), with phi' computed from y = phi(z)."""
    if activation == IDENTITY:
        return dy
    dy, y = np.ascontiguousarray(dy), np.ascontiguousarray(y)
    dz = empty(dy.shape, dy.dtype)
    over_chunks(_activate_backward, (dy, y, dz), (activation, slope))
    return dz


@compiled_call
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return _map(_sigmoid, x)


@compiled_call
def softplus(x):
    """log(1 + exp(x))."""
    return _map(_softplus, x)


@compiled_call
def silu(x):
    """x sigmoid(x)."""
    return _map(_silu, x)


@compiled_call
def silu_backward(dy, x):
    """dx = dy * s (1 + x (1 - s)),  s = sigmoid(x)."""
    return _map(_silu_backward, x, dy)


def _map(loop, *arrays):
    """Runs loop(*arrays, out) on flat views; returns out."""
    arrays = [np.ascontiguousarray(array) for array in arrays]
    out = empty(arrays[0].shape, arrays[0].dtype)
    loop(*(array.reshape(-1) for array in arrays), out.reshape(-1))
    return out


def _activate(address, part):
    z, y, _, _ = vectors_of(address, part)
    activation, slope = numbers_of(address)[0], numbers_of(address)[1]
    for i in range(z.size):
        y[i] = phi(z[i], activation, slope)


def _activate_in_place(address, part):
    """In place, with one array: LLVM does not vectorise a loop over two arrays that overlap."""
    z, activation = vectors_of(address, part)[0], numbers_of(address)[0]
    for i in range(z.size):
        z[i] = phi(z[i], activation, z.dtype.type(0))


def _activate_backward(address, part):
    dy, y, dz, _ = vectors_of(address, part)
    activation, slope = numbers_of(address)[0], numbers_of(address)[1]
    for i in range(dy.size):
        dz[i] = dy[i] * phi_prime(y[i], activation, slope)


@njit(inline="always")
def _sigmoid_of(x):
    small = math.exp(-abs(x))  # of -|x|, so that nothing overflows
    return (1.0 if x >= 0 else small) / (1.0 + small)


@cached_njit(error_model="numpy")
def _sigmoid(x, y):
    for i in range(x.size):
        y[i] = _sigmoid_of(x[i])


@cached_njit(error_model="numpy")
def _softplus(x, y):
    for i in range(x.size):
        y[i] = max(x[i], 0.0) + math.log1p(math.exp(-abs(x[i])))


@cached_njit(error_model="numpy")
def _silu(x, y):
    for i in range(x.size):
        y[i] = x[i] * _sigmoid_of(x[i])


@cached_njit(error_model="numpy")
def _silu_backward(x, dy, dx):
    for i in range(x.size):
        s = _sigmoid_of(x[i])
        dx[i] = dy[i] * (s * (1.0 + x[i] * (1.0 - s)))
