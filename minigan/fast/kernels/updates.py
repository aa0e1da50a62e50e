"""Updates of a flat parameter vector, in place (Numba backend): one pass over memory each.

A pass reads and writes every array once, where NumPy goes over them once per operation; for
networks of this size that traffic is the cost of an optimizer.
"""

import math

from numba import prange

from .chunks import CHUNK, over_chunks

__all__ = ["sgd_update", "rmsprop_update", "adam_update", "average_update"]


def sgd_update(theta, grad, velocity, lr, momentum):
    number = theta.dtype.type
    _sgd(theta, grad, velocity, number(lr), number(momentum))


def rmsprop_update(theta, grad, square, lr, decay, eps):
    number = theta.dtype.type
    _rmsprop(theta, grad, square, number(lr), number(decay), number(1 - decay), number(eps))


def adam_update(theta, grad, first, second, step, lr, beta1, beta2, eps):
    """The bias corrections are two numbers per step, taken out of the loop in double precision."""
    number = theta.dtype.type
    rate = number(lr / (1 - beta1**step))
    shrink = number(1 / math.sqrt(1 - beta2**step))
    betas = number(beta1), number(1 - beta1), number(beta2), number(1 - beta2)
    _adam(theta, grad, first, second, rate, shrink, *betas, number(eps))


def average_update(average, value, decay):
    _average(average, value, average.dtype.type(1 - decay))


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


@over_chunks
def _average(average, value, rest):
    for chunk in prange((average.size + CHUNK - 1) // CHUNK):
        part = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        a, v = average[part], value[part]
        for i in range(a.size):
            a[i] += rest * (v[i] - a[i])
