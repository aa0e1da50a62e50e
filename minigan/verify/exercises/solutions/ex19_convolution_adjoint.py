"""Exercise 19: convolution, backward

Forward, from exercise 18, each tap (u, v) adds to y what it sees:

    y += x_at_tap @ W[u, v]

So each tap is a linear layer, and goes back like one (exercise 3). The only
news: a pixel is seen by several taps, and collects a gradient from each.

    dx_at_tap += dy @ W[u, v]'          += : the taps overlap
    dW[u, v]   = sum over n, i, j of x_at_tap[n, i, j]' dy[n, i, j]
    db         = sum over n, i, j of dy[n, i, j]

The first line is the adjoint A' of the convolution A. A test of the two that
needs no differences: for any x and dy (and b = 0), the sum of (A x) dy is the
sum of x (A' dy).

Wanted: what a tap adds to the padded dx; dW[u, v]; db; and dx without its
border of p zeros on each side.

Shapes:
    x, dx (N, H, W, in)    dy (N, H', W', out)
    W, dW (kh, kw, in, out)    db (out,)

By hand, with x = [1, 2, 3], a kernel [10, 1], stride 1, and dy = [1, 5]:

    tap 0 sees pixels 0, 1:    dx += 10 * [1, 5, 0]    dW[0] = 1*1 + 2*5 = 11
    tap 1 sees pixels 1, 2:    dx +=  1 * [0, 1, 5]    dW[1] = 2*1 + 3*5 = 17
    dx = [10, 51, 5]           db = 6

    >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    >>> W = np.array([10.0, 1.0]).reshape(1, 2, 1, 1)
    >>> dy = np.array([1.0, 5.0]).reshape(1, 1, 2, 1)
    >>> dx, dW, db = conv_backward(dy, x, W)
    >>> dx.ravel(), dW.ravel(), db
    (array([10., 51.,  5.]), array([11., 17.]), array([6.]))

Why it matters: dx through a critic's convolutions is the picture of what
should change in each fake image.
"""

import numpy as np
from ex18_convolution import tap


def conv_backward(dy, x, W, stride=1, padding=0):
    """dy (N, H', W', out), x (N, H, W, in), W -> dx, dW, db"""
    kh, kw = W.shape[:2]
    places = dy.shape[1:3]
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    dx, dW = np.zeros_like(x), np.zeros_like(W)
    for u in range(kh):
        for v in range(kw):
            x_at_tap = tap(x, u, v, stride, places)  # (N, H', W', in)
            dx_at_tap = tap(dx, u, v, stride, places)  # a view: written below
            # GAP part, dW_at_tap
            # HINT part is the dx of a linear layer with the weight W[u, v].
            # HINT For dW_at_tap see each pixel of each image as a row of a matrix:
            # HINT x_at_tap.reshape(-1, in).T @ dy.reshape(-1, out), (in, out)
            part = dy @ W[u, v].T
            dW_at_tap = x_at_tap.reshape(-1, W.shape[2]).T @ dy.reshape(-1, W.shape[3])
            # END
            dx_at_tap += part
            dW[u, v] = dW_at_tap
    # GAP dx, db
    # HINT dx has a border of `padding` pixels around the image: cut it off.
    # HINT dx[:, p : H - p, p : W - p]; note that dx[:, 0:-0] would be empty.
    height, width = dx.shape[1:3]
    dx = dx[:, padding : height - padding, padding : width - padding]
    db = dy.sum(axis=(0, 1, 2))
    # END
    return dx, dW, db


# == for the checker ===========================================================


def cases(rng):
    for stride, padding, kernel in (1, 0, (3, 3)), (2, 1, (4, 3)):
        size = tuple((n + 2 * padding - k) // stride + 1 for n, k in zip((6, 5), kernel))
        arguments = {
            "dy": rng.standard_normal((5, *size, 3)),
            "x": rng.standard_normal((5, 6, 5, 3)),
            "W": rng.standard_normal((*kernel, 3, 3)),
            "stride": stride,
            "padding": padding,
        }
        yield "conv_backward", arguments, "dx, dW, db", f"stride {stride}, padding {padding}"


PART, DB = "part = dy @ W[u, v].T", "db = dy.sum(axis=(0, 1, 2))"
DW = "dW_at_tap = x_at_tap.reshape(-1, W.shape[2]).T @ dy.reshape(-1, W.shape[3])"
MISTAKES = [
    (PART, "part = dy @ W[u, v]", "W[u, v] must be transposed: dx sums over the outputs"),
    (PART, "part = dy @ W[-1 - u, -1 - v].T", "the kernel is turned around; tap by tap it is not"),
    (
        "dx_at_tap += part",
        "dx_at_tap[...] = part",
        "overwritten by each tap; the taps are added up",
    ),
    (DW, DW + " / len(x)", "divided by N; the 1/N is in dy already"),
    (DW, DW + " / dy[..., 0].size", "a mean over samples and pixels; the sum is wanted"),
    (
        DW,
        "dW_at_tap = x_at_tap[-1].reshape(-1, W.shape[2]).T @ dy[-1].reshape(-1, W.shape[3])",
        "the last sample only; sum over all of them",
    ),
    (
        DW,
        "dW_at_tap = dy.reshape(-1, W.shape[3]).T @ x_at_tap.reshape(-1, W.shape[2])",
        "transposed in each tap: x' dy, not dy' x",
    ),
    (
        DW,
        "dW_at_tap = np.eye(3) * (x_at_tap * dy).sum(axis=(0, 1, 2))",
        "channel by channel; every input channel meets every output channel",
    ),
    (DB, "db = dy.mean(axis=(0, 1, 2))", "a mean over samples and pixels; the sum is wanted"),
    (DB, "db = dy[-1].sum(axis=(0, 1))", "the last sample only; sum over all of them"),
    (DB, "db = dy.sum(axis=(1, 2)).mean(axis=0)", "divided by N; the 1/N is in dy already"),
    (
        "dx = dx[:, padding : height - padding, padding : width - padding]",
        "dx = dx[:, : height - 2 * padding, : width - 2 * padding]",
        "the border is cut off on one side only; it is on both",
    ),
]
