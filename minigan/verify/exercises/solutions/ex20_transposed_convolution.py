"""Exercise 20: the transposed convolution

A generator of images needs the opposite of a convolution with stride 2: a
layer that makes images larger. It is the convolution's adjoint, used forward.
Each pixel of x paints a patch of kh x kw pixels, and the patches lie s apart:

    y_at_tap += x @ W[u, v]             for each tap (u, v) of y
    then the border of p pixels is cut off, and b is added, once

    output size = (size - 1) s + k - 2p

And since forward is an adjoint, backward is an ordinary convolution, of dy:

    dx = sum over u, v of  dy_at_tap @ W[u, v]'

Wanted: what a tap adds to y; the output; what a tap adds to dx.

Shapes:
    x, dx (N, H, W, in)    W (kh, kw, in, out)    b (out,)
    y, dy (N, H', W', out)

By hand, with x = [1, 2], a kernel [10, 1, 1], stride 2, no padding, b = 0:

    output size = (2 - 1) * 2 + 3 = 5
    pixel 0 paints 1 * [10, 1, 1] at 0, 1, 2
    pixel 1 paints 2 * [10, 1, 1] at 2, 3, 4
    y = [10, 1, 1 + 20, 2, 2]

    >>> x = np.array([1.0, 2.0]).reshape(1, 1, 2, 1)
    >>> W = np.array([10.0, 1.0, 1.0]).reshape(1, 3, 1, 1)
    >>> conv_transpose_forward(x, W, np.zeros(1), stride=2).ravel()
    array([10.,  1., 21.,  2.,  2.])
    >>> dy = np.array([1.0, 0.0, 0.0, 0.0, 5.0]).reshape(1, 1, 5, 1)
    >>> conv_transpose_backward_input(dy, W, stride=2).ravel()
    array([10.,  5.])

Why it matters: two of these take DCGAN's generator from 7 x 7 to 28 x 28.
Where patches overlap unevenly (21 above), images show a checkerboard: so the
kernel is a multiple of the stride, 4 and 2.
"""

import numpy as np
from ex18_convolution import output_size, tap


def conv_transpose_forward(x, W, b, stride=1, padding=0):
    """x (N, H, W, in), W (kh, kw, in, out), b (out,) -> y (N, H', W', out)"""
    kh, kw, _, out = W.shape
    places = x.shape[1:3]  # one place of the kernel for each pixel of x
    height, width = ((n - 1) * stride + k for n, k in zip(places, (kh, kw)))
    y = np.zeros((len(x), height, width, out))
    for u in range(kh):
        for v in range(kw):
            y_at_tap = tap(y, u, v, stride, places)  # a view: written below
            # GAP part
            # HINT @ works on the last axis: (N, H, W, in) @ (in, out).
            part = x @ W[u, v]
            # END
            y_at_tap += part
    # GAP y
    # HINT Cut the border off as in exercise 19, and then add b.
    y = y[:, padding : height - padding, padding : width - padding] + b
    # END
    return y


def conv_transpose_backward_input(dy, W, stride=1, padding=0):
    """dy (N, H', W', out), W (kh, kw, in, out) -> dx (N, H, W, in)"""
    kh, kw, inputs, _ = W.shape
    places = (
        output_size(dy.shape[1], kh, stride, padding),
        output_size(dy.shape[2], kw, stride, padding),
    )
    dy = np.pad(dy, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    dx = np.zeros((len(dy), *places, inputs))
    for u in range(kh):
        for v in range(kw):
            # GAP part
            # HINT As in exercise 18, tap(dy, ...) @ ...; W[u, v] is (in, out).
            part = tap(dy, u, v, stride, places) @ W[u, v].T
            # END
            dx = dx + part
    return dx


# == for the checker ===========================================================


def cases(rng):
    for stride, padding, kernel in (1, 0, (3, 3)), (2, 1, (4, 3)):
        size = tuple((n - 1) * stride + k - 2 * padding for n, k in zip((3, 4), kernel))
        options = {"stride": stride, "padding": padding}
        W, note = rng.standard_normal((*kernel, 3, 3)), f"stride {stride}, padding {padding}"
        arguments = {"x": rng.standard_normal((5, 3, 4, 3)), "W": W, "b": rng.standard_normal(3)}
        yield "conv_transpose_forward", arguments | options, "y", note
        arguments = {"dy": rng.standard_normal((5, *size, 3)), "W": W}
        yield "conv_transpose_backward_input", arguments | options, "dx", note


PART, BACK = "part = x @ W[u, v]\n", "part = tap(dy, u, v, stride, places) @ W[u, v].T"
CUT_OFF = "y = y[:, padding : height - padding, padding : width - padding] + b"
MISTAKES = [
    (PART, "part = x @ W[u, v].T\n", "W[u, v] is transposed; it is (in, out) already"),
    (PART, "part = x @ W[-1 - u, -1 - v]\n", "the kernel is turned around; tap by tap it is not"),
    (PART, "part = x @ W[u, v] + b\n", "b is added by every tap; it must be added once"),
    ("y_at_tap += part", "y_at_tap[...] = part", "overwritten by each tap; the patches add up"),
    (CUT_OFF, CUT_OFF.removesuffix(" + b"), "the bias b is missing"),
    (CUT_OFF, "y = y + b", "the border of `padding` pixels is not cut off"),
    (
        CUT_OFF,
        "y = y[:, : height - 2 * padding, : width - 2 * padding] + b",
        "the border is cut off on one side only; it is on both",
    ),
    (BACK, BACK.removesuffix(".T"), "W[u, v] must be transposed: dx sums over the outputs"),
    (BACK, BACK.replace("W[u, v]", "W[-1 - u, -1 - v]"), "the kernel is turned around"),
    (
        BACK,
        "part = dy[:, u : u + places[0], v : v + places[1]] @ W[u, v].T",
        "the stride is missing: use tap",
    ),
]
