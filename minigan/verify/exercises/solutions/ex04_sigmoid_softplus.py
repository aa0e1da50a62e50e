"""Exercise 4: sigmoid and softplus, from -1000 to 1000

    sigmoid(x)  = 1 / (1 + exp(-x))
    softplus(x) = log(1 + exp(x))

The first turns a logit into a probability; the second is the loss of a logit.
Its slope is the first. Typed in as they stand, both fail: exp(1000) is more
than the largest float. So exp must only be given numbers below 0. With

    t = exp(-|x|)                   never above 1

    sigmoid(x)  = 1 / (1 + t)       where x >= 0
                = t / (1 + t)       where x < 0
    softplus(x) = max(x, 0) + log(1 + t)

Wanted: both, right at every x and with no overflow on the way. (np.where
computes both of its branches, so neither of them may overflow.)

Shapes: x is an array of any shape, and the results have the same shape.

By hand: sigmoid(0) = 1/2 and softplus(0) = log 2 = 0.693...; at x = log 3,
exp(x) = 3, so that sigmoid = 3/4 and softplus = log 4 = 1.386...

    >>> sigmoid(np.array([0.0, np.log(3.0), -1000.0]))
    array([0.5 , 0.75, 0.  ])
    >>> softplus(np.array([0.0, -1000.0, 1000.0]))
    array([6.93147181e-01, 0.00000000e+00, 1.00000000e+03])

Why it matters: a discriminator that is sure gives large logits. There
log(sigmoid(x) + 1e-8), the formula of many GANs, has no slope any more, and
the generator stops learning when it most needs to.
"""

import numpy as np


def sigmoid(x):
    """1 / (1 + exp(-x)) for each entry of x, without overflow."""
    # GAP y
    # HINT np.exp(-np.abs(x)) is at most 1.
    # HINT np.where(condition, a, b) takes a where the condition holds, else b.
    t = np.exp(-np.abs(x))
    y = np.where(x >= 0, 1, t) / (1 + t)
    # END
    return y


def softplus(x):
    """log(1 + exp(x)) for each entry of x, without overflow."""
    # GAP y
    # HINT Use the same t; np.maximum(x, 0) is the larger of the two, per entry.
    # HINT np.log1p(t) is log(1 + t), and exact for a tiny t, where 1 + t is 1.
    t = np.exp(-np.abs(x))
    y = np.maximum(x, 0) + np.log1p(t)
    # END
    return y


# == for the checker ===========================================================


def far_below(page, x):
    return page.softplus(x) * 1e17


def cases(rng):
    x = 3 * rng.standard_normal((3, 4))
    far = np.array([[-1000.0, 1000.0], [-30.0, 30.0]])
    yield "sigmoid", {"x": x}, "y"
    yield "sigmoid", {"x": far}, "y", "x = -1000, 1000, -30, 30"
    yield "softplus", {"x": x}, "y"
    yield "softplus", {"x": far}, "y", "x = -1000, 1000, -30, 30"
    yield far_below, {"x": np.array([-40.0, -37.0])}, "y", "softplus at x = -40 and -37"


T = "t = np.exp(-np.abs(x))\n    y = np.where(x >= 0, 1, t) / (1 + t)"
S = "y = np.maximum(x, 0) + np.log1p(t)"
OVERFLOW = "exp must only be given numbers below 0: take exp(-|x|)"
MISTAKES = [
    (T, "y = 1 / (1 + np.exp(-x))", OVERFLOW),
    (
        T,
        "y = np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))",
        OVERFLOW,
    ),
    (T, "y = 1 / (1 + np.exp(x))", "this is sigmoid(-x): exp is taken of x, and not of -x"),
    (T, "y = 1 / (1 + np.exp(-np.abs(x)))", "right for x >= 0 only; below 0 it is t / (1 + t)"),
    (S, "y = np.log(1 + np.exp(x))", OVERFLOW),
    (S, "y = np.log1p(t)", "max(x, 0) is missing"),
    (S, "y = np.maximum(x, 0) + np.log(1 + t)", "1 + t is 1 for a tiny t; use np.log1p(t)"),
    (S, "y = np.maximum(x, 0) - np.log1p(t)", "the logarithm is added, not subtracted"),
    (T, "y = (1 + np.tanh(x)) / 2", "this is sigmoid(2 x): tanh would have to be taken at x / 2"),
    (S, "y = np.maximum(-x, 0) + np.log1p(t)", "this is softplus(-x)"),
]
