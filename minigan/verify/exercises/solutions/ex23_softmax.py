"""Exercise 23: softmax

Softmax turns a row of K numbers into K positive weights with the sum 1:

    y_k = exp(x_k) / sum over j of exp(x_j)

Subtracting the row's largest entry from all of it first changes nothing, and
keeps exp from overflowing. On the way back, every y of a row depends on every
x of it:

    dx_k = y_k (dy_k - sum over j of dy_j y_j)

Wanted: y, with no overflow at +-1000; and dx.

Shapes: x, y, dy and dx are all (N, K); sums are along the rows.

By hand, with x = [0, log 3], so that exp(x) = [1, 3]:

    y = [1/4, 3/4]
    dy = [8, 0]:    the sum of dy y is 2
    dx = [1/4 (8 - 2), 3/4 (0 - 2)] = [1.5, -1.5]

    >>> y = softmax(np.array([[0.0, np.log(3.0)], [1000.0, -1000.0]]))
    >>> y
    array([[0.25, 0.75],
           [1.  , 0.  ]])
    >>> softmax_backward(np.array([[8.0, 0.0]]), y[:1])
    array([[ 1.5, -1.5]])

Why it matters: it is the heart of attention, which the next exercise builds.
Its second path, the sum, is what makes the gradients of a row sum to zero.
"""

import numpy as np


def softmax(x):
    """x (N, K) -> y (N, K), positive, each row with the sum 1"""
    # GAP y
    # HINT x.max(axis=1, keepdims=True) has the shape (N, 1), and goes with x.
    e = np.exp(x - x.max(axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    # END
    return y


def softmax_backward(dy, y):
    """dy (N, K), and the y of the forward pass -> dx (N, K)"""
    # GAP dx
    # HINT The sum over j: np.sum(dy * y, axis=1, keepdims=True), of shape (N, 1).
    dx = y * (dy - np.sum(dy * y, axis=1, keepdims=True))
    # END
    return dx


# == for the checker ===========================================================


def cases(rng):
    x, dy = rng.standard_normal((2, 4, 4))
    yield "softmax", {"x": x}, "y"
    far = np.array([[1000.0, -1000.0, 999.0], [-1000.0, -1001.0, -5000.0]])
    yield "softmax", {"x": far}, "y", "x up to +-1000"
    y = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    yield "softmax_backward", {"dy": dy, "y": y}, "dx"
    yield "softmax_backward", {"dy": dy[:, :3], "y": np.full((4, 3), 1 / 3)}, "dx", "K = 3"


E = "e = np.exp(x - x.max(axis=1, keepdims=True))"
Y = "y = e / e.sum(axis=1, keepdims=True)"
DX = "dx = y * (dy - np.sum(dy * y, axis=1, keepdims=True))"
MISTAKES = [
    (E, "e = np.exp(x)", "exp overflows: subtract each row's largest entry first"),
    (Y, "y = e / e.sum(axis=0, keepdims=True)", "the columns sum to 1; the rows must"),
    (Y, "y = e / e.sum()", "everything sums to 1; each row must"),
    (Y, "y = e", "the division by the sum of the row is missing"),
    (DX, "dx = y * (1 - y) * dy", "this is the sigmoid's; each y depends on all x of the row"),
    (DX, "dx = y * dy", "the path through the sum is missing: - sum of dy y"),
    (DX, DX.replace("axis=1", "axis=0"), "the sum is over the batch; it is over the row"),
    (DX, DX.replace("np.sum(dy * y", "np.sum(dy"), "the factor y is missing in the sum"),
    (DX, DX.replace("np.sum(dy * y", "np.mean(dy * y"), "a mean along the row; the sum is wanted"),
]
