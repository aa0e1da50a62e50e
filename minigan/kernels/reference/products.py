"""Matrix products (NumPy backend).

Shapes: x (N, in), weight (in, out), bias (out,), y (N, out). An activation phi is applied to the
product, and its derivative is read off y (see `codes`).
"""

import numpy as np

from ..codes import IDENTITY
from .activations import activate, activate_backward

__all__ = [
    "matmul",
    "dot",
    "scale_and_add",
    "linear_forward",
    "linear_backward_input",
    "linear_backward_params",
    "linear_backward",
]


def matmul(a, b, *, transpose_a=False, transpose_b=False, out=None):
    """out = op(a) @ op(b); op transposes where asked."""
    return np.matmul(a.T if transpose_a else a, b.T if transpose_b else b, out=out)


def dot(a, b):
    """sum of a_i b_i over two flat vectors, as a float, added up in float64."""
    return float(np.dot(a.astype(np.float64), b.astype(np.float64)))


def scale_and_add(scale, x, x_dot):
    """scale_n x_n + x_dot_n for each sample n: scale (N, 1), x and x_dot (N, ...)."""
    return scale.reshape(-1, *(1,) * (x.ndim - 1)) * x + x_dot


def linear_forward(x, weight, bias, activation=IDENTITY, slope=0.0):
    """y = phi(x @ W + b)."""
    z = x @ weight
    if bias is not None:
        z = z + bias
    return activate(z, activation, slope)


def linear_backward_input(dy, y, weight, activation=IDENTITY, slope=0.0):
    """dx = dz @ W',  dz = dy * phi'."""
    return activate_backward(dy, y, activation, slope) @ weight.T


def linear_backward_params(dy, y, x, dweight, dbias, activation=IDENTITY, slope=0.0):
    """dW += x' @ dz,  db += sum over the rows of dz."""
    dz = activate_backward(dy, y, activation, slope)
    dweight += x.T @ dz
    if dbias is not None:
        dbias += np.sum(dz, axis=0, dtype=np.float64).astype(dz.dtype)


def linear_backward(dy, y, x, weight, dweight, dbias, activation=IDENTITY, slope=0.0):
    """Both: adds into dW and db, returns dx."""
    dz = activate_backward(dy, y, activation, slope)
    linear_backward_params(dz, None, x, dweight, dbias)
    return linear_backward_input(dz, None, weight)
