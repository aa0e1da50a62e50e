"""Exercise 2: the linear layer, forward

A layer of many neurons, applied to a batch of N samples at once:

    y = x W + b

Each row of x is a sample; column j of W holds the weights of neuron j.

Wanted: y.

Shapes:
    x (N, in)    W (in, out)    b (out,)    y (N, out)

By hand, with two samples, two inputs and one neuron:

    x = [[1, 2],     W = [[10],     b = [5]     y = [[1*10 + 2*1 + 5],
         [3, 4]]          [ 1]]                      [3*10 + 4*1 + 5]]

    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> linear_forward(x, W=np.array([[10.0], [1.0]]), b=np.array([5.0]))
    array([[17.],
           [39.]])

Why it matters: generators and discriminators consist mostly of this line; a
convolution is the same line for every pixel.
"""

import numpy as np


def linear_forward(x, W, b):
    """x (N, in), W (in, out), b (out,) -> y (N, out)"""
    # GAP y
    # HINT @ multiplies matrices: (N, in) @ (in, out) has the shape (N, out).
    # HINT NumPy adds a vector (out,) to each row of a matrix (N, out).
    y = x @ W + b
    # END
    return y


# == for the checker ===========================================================


def cases(rng):
    x, W, b = rng.standard_normal((3, 3)), rng.standard_normal((3, 3)), rng.standard_normal(3)
    yield "linear_forward", {"x": x, "W": W, "b": b}, "y", "N = in = out = 3"
    x, W, b = rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), rng.standard_normal(2)
    yield "linear_forward", {"x": x, "W": W, "b": b}, "y", "N = 4, in = 3, out = 2"
    yield "linear_forward", {"x": x[:1], "W": W, "b": b}, "y", "N = 1, in = 3, out = 2"


MISTAKES = [
    ("x @ W + b", "x @ W", "the bias b is missing"),
    ("x @ W + b", "x @ W.T + b", "W is transposed; it has the shape (in, out) already"),
    ("x @ W + b", "x.T @ W + b", "x is transposed; its rows are the samples already"),
    ("x @ W + b", "W @ x + b", "the factors are exchanged: x stands on the left of W"),
    ("x @ W + b", "x * W + b", "* multiplies entry by entry; the product of matrices is @"),
    ("x @ W + b", "x @ W + b[:, None]", "b is added along the batch; each column has its own b"),
    ("x @ W + b", "x @ W - b", "b is subtracted; it must be added"),
    ("x @ W + b", "x @ W + b.sum()", "the sum of b is added; each column has its own b"),
    ("x @ W + b", "x @ (W + b)", "b is added to W; it is added to the product"),
]
