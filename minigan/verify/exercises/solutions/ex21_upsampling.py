"""Exercise 21: upsampling

The simplest way to a larger image: each pixel becomes a block of s x s equal
pixels.

    y[n, i s + a, j s + b, c] = x[n, i, j, c]        for a, b = 0 .. s - 1

On the way back a pixel collects the gradient of all its copies:

    dx[n, i, j, c] = sum over a, b of  dy[n, i s + a, j s + b, c]

Wanted: y and dx.

Shapes:
    x, dx (N, H, W, C)    y, dy (N, s H, s W, C)

By hand, with one row of two pixels and s = 2:

    x = [[1, 2]]      y = [[1, 1, 2, 2],
                           [1, 1, 2, 2]]

    dy = [[1, 2, 3, 4],
          [5, 6, 7, 8]]     dx = [[1 + 2 + 5 + 6, 3 + 4 + 7 + 8]] = [[14, 22]]

    >>> x = np.array([1.0, 2.0]).reshape(1, 1, 2, 1)
    >>> upsample_forward(x, 2)[0, :, :, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.]])
    >>> upsample_backward(np.arange(1.0, 9.0).reshape(1, 2, 4, 1), 2).ravel()
    array([14., 22.])

Why it matters: with a convolution behind it, it does what a transposed
convolution does, without the checkerboard. A public library took one copy's
gradient instead of the sum, and lost three quarters of it.
"""

import numpy as np


def upsample_forward(x, s):
    """x (N, H, W, C) -> y (N, s H, s W, C)"""
    # GAP y
    # HINT np.repeat(x, s, axis=1) repeats each row s times. And the columns?
    y = np.repeat(np.repeat(x, s, axis=1), s, axis=2)
    # END
    return y


def upsample_backward(dy, s):
    """dy (N, s H, s W, C) -> dx (N, H, W, C)"""
    n, height, width, channels = dy.shape
    # GAP dx
    # HINT See dy as blocks: dy.reshape(n, H, s, W, s, C), with H = height // s.
    # HINT Then sum over the two axes of length s: .sum(axis=(2, 4)).
    blocks = dy.reshape(n, height // s, s, width // s, s, channels)
    dx = blocks.sum(axis=(2, 4))
    # END
    return dx


# == for the checker ===========================================================


def cases(rng):
    for s in 2, 3:
        yield "upsample_forward", {"x": rng.standard_normal((5, 3, 3, 2)), "s": s}, "y", f"s = {s}"
        arguments = {"dy": rng.standard_normal((5, 3 * s, 3 * s, 2)), "s": s}
        yield "upsample_backward", arguments, "dx", f"s = {s}"


Y, DX = "y = np.repeat(np.repeat(x, s, axis=1), s, axis=2)", "dx = blocks.sum(axis=(2, 4))"
BLOCKS = "blocks = dy.reshape(n, height // s, s, width // s, s, channels)"
MISTAKES = [
    (Y, "y = np.tile(x, (1, s, s, 1))", "the image is repeated as a whole; repeat each pixel"),
    (Y, "y = np.repeat(x, s, axis=1)", "only the rows are repeated, and not the columns"),
    (Y, Y.replace("axis=2)", "axis=2) / s**2"), "divided by s^2; the copies are not made smaller"),
    (DX, "dx = dy[:, ::s, ::s]", "the gradient of one copy only; sum over all s x s of them"),
    (DX, "dx = blocks.mean(axis=(2, 4))", "a mean over the copies; the sum is wanted"),
    (
        BLOCKS,
        "blocks = dy.reshape(n, s, height // s, s, width // s, channels).swapaxes(1, 2)"
        ".swapaxes(3, 4)",
        "the blocks are cut wrongly: pixels that lie side by side belong together",
    ),
    (
        DX,
        "dx = blocks[:, :, 0].sum(axis=3)",
        "summed along the columns only; a block has s rows too",
    ),
    (
        DX,
        "dx = dy[:, s - 1 :: s, s - 1 :: s]",
        "the gradient of one copy only; sum over all s x s of them",
    ),
]
