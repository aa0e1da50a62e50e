"""Optimizer updates of a flat parameter vector, in place, in one pass over memory each.

Each array is read and written once; NumPy goes over the arrays once per operation, and for networks
of this size the memory traffic is the cost of an optimizer. The formulas are in `minigan.optim`.
"""

import math

from numba import prange

from .calls import compiled_call
from .chunks import CHUNK, over_chunks

__all__ = ["sgd_update", "rmsprop_update", "adam_update"]


@compiled_call
def sgd_update(theta, grad, velocity, lr, momentum):
    """`minigan.optim.SGD`."""
    number = theta.dtype.type
    _sgd(theta, grad, velocity, number(lr), number(momentum))


@compiled_call
def rmsprop_update(theta, grad, square, lr, decay, eps):
    """`minigan.optim.RMSProp`."""
    number = theta.dtype.type
    _rmsprop(theta, grad, square, number(lr), number(decay), number(1 - decay), number(eps))


@compiled_call
def adam_update(theta, grad, first, second, step, lr, beta1, beta2, eps):
    """`minigan.optim.Adam`. The two bias corrections are computed in float64, outside the loop."""
    number = theta.dtype.type
    rate = number(lr / (1 - beta1**step))
    shrink = number(1 / math.sqrt(1 - beta2**step))
    betas = number(beta1), number(1 - beta1), number(beta2), number(1 - beta2)
    _adam(theta, grad, first, second, rate, shrink, *betas, number(eps))


@over_chunks
def _sgd(theta, grad, velocity, lr, momentum):
    for chunk in prange((theta.size + CHUNK - 1) // CHUNK):
        part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        t, g, v = theta[part], grad[part], velocity[part]
        for i in range(t.size):
            v[i] = momentum * v[i] + g[i]
            t[i] -= lr * v[i]


@over_chunks
def _rmsprop(theta, grad, square, lr, decay, rest, eps):
    for chunk in prange((theta.size + CHUNK - 1) // CHUNK):
        part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        t, g, s = theta[part], grad[part], square[part]
        for i in range(t.size):
            s[i] = decay * s[i] + rest * g[i] * g[i]
            t[i] -= lr * g[i] / (math.sqrt(s[i]) + eps)


@over_chunks
def _adam(theta, grad, first, second, rate, shrink, beta1, rest1, beta2, rest2, eps):
    for chunk in prange((theta.size + CHUNK - 1) // CHUNK):
        part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        t, g, m, v = theta[part], grad[part], first[part], second[part]
        for i in range(t.size):
            m[i] = beta1 * m[i] + rest1 * g[i]
            v[i] = beta2 * v[i] + rest2 * g[i] * g[i]
            t[i] -= rate * m[i] / (math.sqrt(v[i]) * shrink + eps)
