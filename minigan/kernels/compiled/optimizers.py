"""Updates of a flat parameter vector, in place (Numba twin): one pass over memory each.

A pass reads and writes every array once, where NumPy goes over them once per operation; for
networks of this size that traffic is the cost of an optimizer. The vector is cut into chunks that
run in parallel; no element depends on another, so the bits do not depend on the cut.
"""

import math

from numba import njit, prange

__all__ = ["sgd_update", "rmsprop_update", "adam_update", "average_update"]

CHUNK = 8192  # elements: long enough to pay for a task, short enough to balance two threads


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


@njit(cache=True, parallel=True)
def _sgd(theta, grad, velocity, lr, momentum):
    for chunk in prange((theta.size + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min(theta.size, (chunk + 1) * CHUNK)):
            velocity[i] = momentum * velocity[i] + grad[i]
            theta[i] -= lr * velocity[i]


@njit(cache=True, parallel=True)
def _rmsprop(theta, grad, square, lr, decay, rest, eps):
    for chunk in prange((theta.size + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min(theta.size, (chunk + 1) * CHUNK)):
            square[i] = decay * square[i] + rest * grad[i] * grad[i]
            theta[i] -= lr * grad[i] / (math.sqrt(square[i]) + eps)


@njit(cache=True, parallel=True)
def _adam(theta, grad, first, second, rate, shrink, beta1, rest1, beta2, rest2, eps):
    for chunk in prange((theta.size + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min(theta.size, (chunk + 1) * CHUNK)):
            first[i] = beta1 * first[i] + rest1 * grad[i]
            second[i] = beta2 * second[i] + rest2 * grad[i] * grad[i]
            theta[i] -= rate * first[i] / (math.sqrt(second[i]) * shrink + eps)


@njit(cache=True, parallel=True)
def _average(average, value, rest):
    for chunk in prange((average.size + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min(average.size, (chunk + 1) * CHUNK)):
            average[i] += rest * (value[i] - average[i])
