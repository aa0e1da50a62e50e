"""Exercise 18: convolution, forward

A kernel of kh x kw taps slides over an image in steps of `stride`; at each
place it is a linear layer on the pixels below it:

    y[n, i, j] = b + sum over u, v of  x[n, i s + u, j s + v] @ W[u, v]

(s is the stride.) The shortest way to compute it goes tap by tap. Tap (u, v)
sees the pixels u, u + s, u + 2s, ... down and v, v + s, v + 2s, ... across,
as many as y has. They are one slice of x; all of them meet the same W[u, v].

Before that, x gets a border of p zeros (the padding), so it grows by 2p, and

    output size = (size + 2p - k) // s + 1

Wanted: the output size; the slice of one tap; and what a tap adds to y. (In
NumPy x[1:7:2] can be written x[rows] with rows = slice(1, 7, 2), that is
slice(start, stop, step). Such a slice is a view of x, not a copy.)

Shapes, images as (N, height, width, channels):
    x (N, H, W, in)    W (kh, kw, in, out)    b (out,)    y (N, H', W', out)
    tap (u, v) of x (N, H', W', in)

By hand, with one row of pixels [1, 2, 3, 4], a kernel [10, 1], and stride 2:

    output size = (4 - 2) // 2 + 1 = 2
    tap 0 sees [1, 3], tap 1 sees [2, 4]
    y = 10 * [1, 3] + 1 * [2, 4] = [12, 34]

    >>> x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 4, 1)
    >>> W = np.array([10.0, 1.0]).reshape(1, 2, 1, 1)
    >>> output_size(4, 2, stride=2, padding=0)
    2
    >>> tap(x, 0, 1, 2, (1, 2)).ravel()
    array([2., 4.])
    >>> conv_forward(x, W, np.zeros(1), stride=2, padding=0).ravel()
    array([12., 34.])

Why it matters: a critic of images is made of these; with stride 2 each one
halves the image, and no pooling is needed.
"""

import numpy as np


def output_size(size, kernel, stride, padding):
    """The number of places that a kernel has along one side of an image."""
    # GAP places
    # HINT // is division without remainder.
    places = (size + 2 * padding - kernel) // stride + 1
    # END
    return places


def tap(image, u, v, stride, places):
    """The pixels that tap (u, v) sees: image (N, H, W, C) -> (N, H', W', C).

    places is (H', W'). It is a view: to write to it is to write to the image.
    """
    height, width = places
    # GAP rows, columns
    # HINT A slice object is slice(start, stop, step): x[slice(1, 7, 2)] is x[1:7:2].
    # HINT Start at u; take `height` pixels, `stride` apart; so stop at u + ...
    rows = slice(u, u + height * stride, stride)
    columns = slice(v, v + width * stride, stride)
    # END
    return image[:, rows, columns]


def conv_forward(x, W, b, stride=1, padding=0):
    """x (N, H, W, in), W (kh, kw, in, out), b (out,) -> y (N, H', W', out)"""
    kh, kw, _, out = W.shape
    height = output_size(x.shape[1], kh, stride, padding)
    width = output_size(x.shape[2], kw, stride, padding)
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    y = np.zeros((len(x), height, width, out)) + b
    for u in range(kh):
        for v in range(kw):
            # GAP part
            # HINT @ works on the last axis: (N, H', W', in) @ (in, out).
            part = tap(x, u, v, stride, (height, width)) @ W[u, v]
            # END
            y = y + part
    return y


# == for the checker ===========================================================


def cases(rng):
    for size, kernel, stride, padding in (7, 3, 1, 0), (8, 4, 2, 1), (9, 3, 2, 0), (5, 5, 3, 2):
        arguments = {"size": size, "kernel": kernel, "stride": stride, "padding": padding}
        note = ", ".join(f"{name} {value}" for name, value in arguments.items())
        yield "output_size", arguments, "places", note
    image = rng.standard_normal((2, 9, 8, 3))
    arguments = {"image": image, "u": 2, "v": 1, "stride": 2, "places": (3, 3)}
    yield "tap", arguments, "the slice", "u = 2, v = 1, stride 2, 3 x 3 places"
    arguments = {"image": image, "u": 1, "v": 0, "stride": 1, "places": (7, 8)}
    yield "tap", arguments, "the slice", "u = 1, v = 0, stride 1, 7 x 8 places"
    for stride, padding, kernel in (1, 0, (3, 3)), (2, 1, (4, 3)):
        arguments = {
            "x": rng.standard_normal((5, 6, 5, 3)),
            "W": rng.standard_normal((*kernel, 3, 3)),
            "b": rng.standard_normal(3),
            "stride": stride,
            "padding": padding,
        }
        yield "conv_forward", arguments, "y", f"stride {stride}, padding {padding}"


SIZE, PART = (
    "places = (size + 2 * padding - kernel) // stride + 1",
    "part = tap(x, u, v, stride, (height, width)) @ W[u, v]",
)
ROWS = (
    "rows = slice(u, u + height * stride, stride)\n"
    "    columns = slice(v, v + width * stride, stride)"
)
MISTAKES = [
    (SIZE, "places = (size + 2 * padding - kernel) // stride", "the + 1 is missing"),
    (SIZE, SIZE.replace("2 * padding", "padding"), "the padding is on both sides: 2p"),
    (SIZE, SIZE.replace(" - kernel", ""), "the size of the kernel is not subtracted"),
    (
        SIZE,
        "places = (size + 2 * padding) // stride",
        "the size of the kernel, and the + 1, are missing",
    ),
    (
        ROWS,
        "rows = slice(u, u + height)\n    columns = slice(v, v + width)",
        "the stride is missing: take every s-th pixel",
    ),
    (
        ROWS,
        "rows = slice(0, height * stride, stride)\n    columns = slice(0, width * stride, stride)",
        "the start is missing: tap (u, v) begins at pixel (u, v)",
    ),
    (
        ROWS,
        "rows = slice(v, v + height * stride, stride)\n"
        "    columns = slice(u, u + width * stride, stride)",
        "u and v are exchanged: u counts down the rows, v across",
    ),
    (
        ROWS,
        "rows = slice(u, height * stride, stride)\n    columns = slice(v, width * stride, stride)",
        "the stop must move with the start: u + height * stride",
    ),
    (PART, PART.replace("W[u, v]", "W[-1 - u, -1 - v]"), "the kernel is turned around"),
    (PART, PART.replace("W[u, v]", "W[u, v].T"), "W[u, v] is transposed; it is (in, out) already"),
    (
        PART,
        PART.replace("x, u, v, stride", "x, v, u, stride"),
        "u and v are exchanged: u counts down the rows, v across",
    ),
    (
        SIZE,
        "places = (size + 2 * padding - kernel + 1) // stride",
        "the + 1 stands inside of the division; it comes after it",
    ),
    (
        ROWS,
        "rows = slice(u * stride, u * stride + height * stride, stride)\n"
        "    columns = slice(v * stride, v * stride + width * stride, stride)",
        "the start is multiplied by the stride; tap (u, v) begins at pixel (u, v)",
    ),
    (PART, f"{PART} + b", "b is added by every tap; it is in y already"),
]
