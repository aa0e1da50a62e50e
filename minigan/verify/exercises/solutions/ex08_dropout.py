"""Exercise 8: dropout

In training each value is kept with the probability 1 - p and set to 0
otherwise. Those kept are divided by 1 - p, so that the mean stays what it was:

    mask = 1 / (1 - p)    where the value is kept
         = 0              where it is dropped
    y    = x mask

In evaluation nothing happens: y = x, and the mask is 1 everywhere. Backward,

    dx = dy mask          with the mask of the forward pass, not a new one

So that the result can be checked, the random numbers are given to you: u is
drawn uniformly from [0, 1), and a value is kept where u >= p.

Wanted: y and the mask, and then dx.

Shapes: x, u, y, mask, dy and dx all have the same shape, any shape.

By hand, with p = 0.5, so that 1 / (1 - p) = 2:

    x = [3, 4]    u = [0.1, 0.7]    mask = [0, 2]    y = [0, 8]

    >>> x, u = np.array([3.0, 4.0]), np.array([0.1, 0.7])
    >>> dropout_forward(x, 0.5, u, training=True)
    (array([0., 8.]), array([0., 2.]))
    >>> dropout_backward(np.array([1.0, 1.0]), mask=np.array([0.0, 2.0]))
    array([0., 2.])

Why it matters: D runs on real and on fake samples before either goes back. A
mask that is drawn anew, or kept in one place for both, gives a gradient of
something that was never computed.
"""

import numpy as np


def dropout_forward(x, p, u, training):
    """x, a probability p, u uniform in [0, 1) like x -> y, mask"""
    if not training:
        return x, np.ones_like(x)
    # GAP y, mask
    # HINT u >= p is an array of True and False; as a factor, True counts as 1.
    mask = (u >= p) / (1 - p)
    y = x * mask
    # END
    return y, mask


def dropout_backward(dy, mask):
    """dy, and the mask of the forward pass -> dx"""
    # GAP dx
    # HINT y = x * mask, and mask is a constant: what is dy/dx for one entry?
    dx = dy * mask
    # END
    return dx


# == for the checker ===========================================================


def cases(rng):
    x, dy = rng.standard_normal((2, 4, 6))
    u = rng.random((4, 6))
    for p in 0.3, 0.5:
        arguments = {"x": x, "p": p, "u": u, "training": True}
        yield "dropout_forward", arguments, "y, mask", f"p = {p}"
    arguments = {"x": x, "p": 0.3, "u": u, "training": False}
    yield "dropout_forward", arguments, "y, mask", "training = False"
    yield "dropout_backward", {"dy": dy, "mask": (u >= 0.3) / 0.7}, "dx"


M = "mask = (u >= p) / (1 - p)"
MISTAKES = [
    (
        M,
        "mask = (u >= p) * 1.0",
        "not divided by 1 - p, so the mean of y is smaller than that of x",
    ),
    (M, "mask = (u < p) / (1 - p)", "the wrong values are kept: keep where u >= p"),
    (M, "mask = (u < p) / p", "the wrong values are kept: keep where u >= p"),
    (M, "mask = (u >= p) / p", "divided by p; the share that is kept is 1 - p"),
    (M, "mask = (u >= p) * (1 - p)", "multiplied by 1 - p, where it must be divided"),
    ("dx = dy * mask", "dx = dy * (mask > 0)", "scaled forward, and not backward: use the mask"),
    ("dx = dy * mask", "dx = dy", "the mask is missing: dy is passed on as it is"),
    ("dx = dy * mask", "dx = dy / mask", "divided by the mask, where it must be multiplied"),
    (
        "    if not training:\n        return x, np.ones_like(x)\n",
        "",
        "values are dropped in evaluation too, where y must be x",
    ),
    (M, "mask = (u >= 1 - p) / (1 - p)", "the share p is kept; it is the one to be dropped"),
]
