"""Optimizer updates of a flat parameter vector, in place, in one pass over memory each.

Each array is read and written once. NumPy passes over the arrays once for each operation, and for
networks of this size memory traffic takes most of an optimizer's time. The formulas are in
`minigan.optim`. All vectors are contiguous and of one dtype.
"""

import math

from .calls import compiled_call
from .chunks import numbers_of, over_chunks, vectors_of

__all__ = ["sgd_update", "rmsprop_update", "adam_update"]


@compiled_call
def sgd_update(theta, grad, velocity, lr, momentum):
    """`minigan.optim.SGD`."""
    over_chunks(_sgd, (theta, grad, velocity), (lr, momentum))


@compiled_call
def rmsprop_update(theta, grad, square, lr, decay, eps):
    """`minigan.optim.RMSProp`."""
    over_chunks(_rmsprop, (theta, grad, square), (lr, decay, 1 - decay, eps))


@compiled_call
def adam_update(theta, grad, first, second, step, lr, beta1, beta2, eps):
    """`minigan.optim.Adam`. The two bias corrections are computed in float64, outside the loop."""
    rate, shrink = lr / (1 - beta1**step), 1 / math.sqrt(1 - beta2**step)
    numbers = rate, shrink, beta1, 1 - beta1, beta2, 1 - beta2, eps
    over_chunks(_adam, (theta, grad, first, second), numbers)


def _sgd(address, part):
    t, g, v, _ = vectors_of(address, part)
    numbers = numbers_of(address)
    lr, momentum = numbers[0], numbers[1]
    for i in range(t.size):
        v[i] = momentum * v[i] + g[i]
        t[i] -= lr * v[i]


def _rmsprop(address, part):
    t, g, s, _ = vectors_of(address, part)
    numbers = numbers_of(address)
    lr, decay, rest, eps = numbers[0], numbers[1], numbers[2], numbers[3]
    for i in range(t.size):
        s[i] = decay * s[i] + rest * g[i] * g[i]
        t[i] -= lr * g[i] / (math.sqrt(s[i]) + eps)


def _adam(address, part):
    t, g, m, v = vectors_of(address, part)
    rate, shrink, beta1, rest1, beta2, rest2, eps = numbers_of(address)
    for i in range(t.size):
        m[i] = beta1 * m[i] + rest1 * g[i]
        v[i] = beta2 * v[i] + rest2 * g[i] * g[i]
        t[i] -= rate * m[i] / (math.sqrt(v[i]) * shrink + eps)
