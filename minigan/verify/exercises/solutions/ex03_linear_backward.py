"""Exercise 3: the linear layer, backward

Forward, from exercise 2:

    y = x W + b

Backward, a layer is given dy, the gradient of the loss by its output. (In
this course "da" is always short for dL/da, and has the shape of a.) It
answers three questions: how does the loss move with x, with W and with b?

    dx[n, i] = sum over j of dy[n, j] W[i, j]
    dW[i, j] = sum over n of x[n, i] dy[n, j]
    db[j]    = sum over n of dy[n, j]

Wanted: dx, dW and db. The first two are matrix products, with a transpose in
them: W' (in NumPy, W.T) has the rows of W as its columns.

Shapes:
    dy (N, out)    x (N, in)    W (in, out)
    dx (N, in)     dW (in, out)    db (out,)

By hand, with two samples, one input and two neurons:

    x = [[1],    W = [[3, 4]]    dy = [[1, 0],
         [2]]                          [5, 6]]

    dx = [[1*3 + 0*4], [5*3 + 6*4]] = [[3], [39]]
    dW = [[1*1 + 2*5, 1*0 + 2*6]] = [[11, 12]]
    db = [1 + 5, 0 + 6] = [6, 6]

    >>> x, W = np.array([[1.0], [2.0]]), np.array([[3.0, 4.0]])
    >>> dy = np.array([[1.0, 0.0], [5.0, 6.0]])
    >>> linear_backward(dy, x, W)[0]
    array([[ 3.],
           [39.]])
    >>> linear_backward(dy, x, W)[1]
    array([[11., 12.]])
    >>> linear_backward(dy, x, W)[2]
    array([6., 6.])

Why it matters: dW and db are what a player learns from; dx is what the layer
before it learns from, and through D it is all that G ever learns from.
"""

import numpy as np


def linear_backward(dy, x, W):
    """dy (N, out), x (N, in), W (in, out) -> dx, dW, db"""
    # GAP dx, dW, db
    # HINT Of dy and W, only dy @ W.T has the shape of x.
    # HINT dW sums over the samples, so N must be the inner dimension: x.T @ ...
    # HINT db sums over the samples too: dy.sum(axis=...).
    dx = dy @ W.T
    dW = x.T @ dy
    db = dy.sum(axis=0)
    # END
    return dx, dW, db


# == for the checker ===========================================================


def cases(rng):
    for n, k, m in (4, 4, 4), (4, 3, 2), (1, 3, 2):
        arguments = {
            "dy": rng.standard_normal((n, m)),
            "x": rng.standard_normal((n, k)),
            "W": rng.standard_normal((k, m)),
        }
        yield "linear_backward", arguments, "dx, dW, db", f"N = {n}, in = {k}, out = {m}"


MISTAKES = [
    ("dx = dy @ W.T", "dx = dy @ W", "W must be transposed: dx sums over the outputs j"),
    (
        "dW = x.T @ dy",
        "dW = dy.T @ x",
        "it is the transpose of the right one; x' dy has the shape of W",
    ),
    ("dW = x.T @ dy", "dW = x @ dy", "x must be transposed: dW sums over the samples n"),
    (
        "dW = x.T @ dy",
        "dW = x.T @ dy / len(x)",
        "divided by N; the 1/N is in dy already (exercise 6)",
    ),
    ("db = dy.sum(axis=0)", "db = dy.mean(axis=0)", "a mean over the samples; the sum is wanted"),
    (
        "db = dy.sum(axis=0)",
        "db = dy.sum(axis=1)",
        "summed over the outputs; the sum over samples is wanted",
    ),
    (
        "db = dy.sum(axis=0)",
        "db = dy.sum()",
        "summed over everything; each output has a db of its own",
    ),
    (
        "db = dy.sum(axis=0)",
        "db = dy[-1]",
        "the gradient of the last sample only; sum over the samples",
    ),
]
