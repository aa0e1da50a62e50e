"""Updates of a flat parameter vector, in place (NumPy backend); formulas: `minigan.optim`.

Each returns nothing: theta and the optimizer's moments are changed where they stand.
"""

import numpy as np

__all__ = ["sgd_update", "rmsprop_update", "adam_update", "average_update"]


def sgd_update(theta, grad, velocity, lr, momentum):
    velocity *= momentum
    velocity += grad
    theta -= lr * velocity


def rmsprop_update(theta, grad, square, lr, decay, eps):
    square *= decay
    square += (1 - decay) * grad * grad
    theta -= lr * grad / (np.sqrt(square) + eps)


def adam_update(theta, grad, first, second, step, lr, beta1, beta2, eps):
    first *= beta1
    first += (1 - beta1) * grad
    second *= beta2
    second += (1 - beta2) * grad * grad
    unbiased_first = first / (1 - beta1**step)
    unbiased_second = second / (1 - beta2**step)
    theta -= lr * unbiased_first / (np.sqrt(unbiased_second) + eps)


def average_update(average, value, decay):
    average += (1 - decay) * (value - average)
