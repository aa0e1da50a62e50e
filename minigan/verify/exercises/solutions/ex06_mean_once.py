"""Exercise 6: the mean, once

The loss is a mean over the batch, so its gradient has a 1/N in it. Where? In
the gradient by the logits (exercise 5), and nowhere else: the weight gradient
of exercise 3 is a plain sum over the samples of what it is given.

Here D is one linear layer, and all N samples are real:

    r  = x W + b
    L  = mean of softplus(-r)
    dr = -sigmoid(-r) / N
    dW = x' dr        db = sum of dr over the samples

Wanted: L, dW and db. A test of where the 1/N is: with every sample in the
batch twice, none of the three may change.

Shapes:
    x (N, in)    W (in, 1)    b (1,)    r, dr (N, 1)    dW (in, 1)    db (1,)

By hand, with W = 0 and b = 0: r = 0, and dr = -1/2 / N. With x = [[2], [4]]:

    dr = [[-1/4], [-1/4]]     dW = 2 * -1/4 + 4 * -1/4 = -1.5     db = -0.5

    >>> x, W, b = np.array([[2.0], [4.0]]), np.zeros((1, 1)), np.zeros(1)
    >>> batch_gradient(x, W, b)[1]
    array([[-1.5]])
    >>> batch_gradient(np.tile(x, (2, 1)), W, b)[1]     # each sample twice
    array([[-1.5]])

Why it matters: with the mean taken twice, or not at all, a GAN's gradients
are wrong by the factor N. Adam hides that, since it divides by the gradient's
size; until a penalty is added whose gradient is not wrong by N.
"""

import numpy as np
from ex02_linear_forward import linear_forward
from ex03_linear_backward import linear_backward
from ex04_sigmoid_softplus import sigmoid, softplus


def batch_gradient(x, W, b):
    """x (N, in), W (in, 1), b (1,) -> L, dW (in, 1), db (1,)"""
    # GAP value, dW, db
    # HINT Three lines: the logits by linear_forward, then dr, then ...
    # HINT linear_backward returns dx, dW, db; dx is not needed here.
    r = linear_forward(x, W, b)
    value = np.mean(softplus(-r))
    dr = -sigmoid(-r) / len(r)
    _, dW, db = linear_backward(dr, x, W)
    # END
    return value, dW, db


# == for the checker ===========================================================


def every_sample_twice(page, x, W, b):
    return page.batch_gradient(np.tile(x, (2, 1)), W, b)


def cases(rng):
    x, W, b = rng.standard_normal((6, 3)), rng.standard_normal((3, 1)), rng.standard_normal(1)
    yield "batch_gradient", {"x": x, "W": W, "b": b}, "value, dW, db"
    yield every_sample_twice, {"x": x, "W": W, "b": b}, "value, dW, db", "each sample twice"


R, BACK = "dr = -sigmoid(-r) / len(r)", "_, dW, db = linear_backward(dr, x, W)"
MISTAKES = [
    (R, "dr = -sigmoid(-r)", "the 1/N is missing: this is the gradient of a sum"),
    (R, "dr = -sigmoid(-r) / len(r) ** 2", "divided by N twice: the 1/N is in dr already"),
    (
        BACK,
        f"{BACK}\n    dW = dW / len(x)",
        "divided by N twice: the 1/N is in dr already",
    ),
    (
        BACK,
        f"{BACK}\n    db = db / len(x)",
        "divided by N twice: the 1/N is in dr already",
    ),
    (R, "dr = -sigmoid(-r) / x.size", "divided by N times in; the mean is over the N logits"),
    (R, "dr = sigmoid(-r) / len(r)", "the sign is wrong: L falls when r grows"),
    (
        "value = np.mean(softplus(-r))",
        "value = np.sum(softplus(-r))",
        "a sum over the samples; the mean is wanted",
    ),
    (R, "dr = -sigmoid(r) / len(r)", "sigmoid is taken at r; the softplus is taken at -r"),
]
