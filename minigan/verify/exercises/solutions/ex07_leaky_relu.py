"""Exercise 7: LeakyReLU, and its mask

    y = x      where x > 0
      = s x    elsewhere, with a small slope s, such as 0.2

Backward, each entry of dy is multiplied by the slope at its x:

    dx = dy      where x > 0
       = s dy    elsewhere

Where dy goes through unchanged is decided by x (the mask x > 0), never by dy.

Wanted: y and dx, as new arrays: x and dy must stay as they are.

Shapes: x, y, dy and dx all have the same shape, any shape.

By hand, with s = 0.2:

    x  = [3, -5]      y  = [3, 0.2 * -5] = [3, -1]
    dy = [-10, 10]    dx = [-10, 0.2 * 10] = [-10, 2]

    >>> leaky_forward(np.array([3.0, -5.0]), 0.2)
    array([ 3., -1.])
    >>> leaky_backward(np.array([-10.0, 10.0]), np.array([3.0, -5.0]), 0.2)
    array([-10.,   2.])

Why it matters: where ReLU has the slope 0, no gradient passes. In a critic,
G would get nothing through such a neuron; the leak keeps the way open.
"""

import numpy as np


def leaky_forward(x, slope=0.2):
    """x -> y, of the same shape"""
    # GAP y
    # HINT np.where(condition, a, b) takes a where the condition holds, else b.
    y = np.where(x > 0, x, slope * x)
    # END
    return y


def leaky_backward(dy, x, slope=0.2):
    """dy, and the x of the forward pass -> dx, of the same shape"""
    # GAP dx
    # HINT The condition is the one of the forward pass; the values come from dy.
    dx = np.where(x > 0, dy, slope * dy)
    # END
    return dx


# == for the checker ===========================================================


def cases(rng):
    dy, x = rng.standard_normal((2, 4, 3))
    yield "leaky_forward", {"x": x, "slope": 0.2}, "y"
    yield "leaky_forward", {"x": x, "slope": 0.01}, "y", "slope 0.01"
    yield "leaky_backward", {"dy": dy, "x": x, "slope": 0.2}, "dx"
    yield "leaky_backward", {"dy": dy, "x": x, "slope": 0.01}, "dx", "slope 0.01"


Y, DX = "np.where(x > 0, x, slope * x)", "np.where(x > 0, dy, slope * dy)"
MISTAKES = [
    (Y, "np.where(x > 0, x, 0)", "the slope is lost: this is ReLU"),
    (Y, "np.where(x > 0, slope * x, x)", "the two sides are exchanged: s x belongs where x <= 0"),
    (Y, "np.where(x > 0, x, -slope * x)", "the sign is wrong where x <= 0"),
    (DX, "np.where(x > 0, dy, 0 * dy)", "the slope is lost on the way back: 0 instead of s"),
    (DX, "np.where(dy > 0, dy, slope * dy)", "the mask is taken from dy; it must be x > 0"),
    (DX, "np.where(x > 0, slope * dy, dy)", "the mask is the wrong way round"),
    (DX, "dy * leaky_forward(x, slope)", "dy is multiplied by y; multiply it by the slope at x"),
    (DX, "dy", "the mask is missing: dy is passed on as it is"),
    (DX, "np.where(x > 0, 1.0, slope)", "this is the slope alone; it must be multiplied by dy"),
    (Y, "np.maximum(x, 0) + slope * x", "s x is added everywhere; it belongs where x <= 0 only"),
    (Y, "np.where(x > 0, x, slope)", "this is s where x <= 0, and must be s x"),
]
