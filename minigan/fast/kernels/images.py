"""Convolutions and their transposes through `gemm.multiply`, without im2col.

The patches of a convolution are the rows of a matrix that is never formed. Row r = (n, i, j) is a
position of the kernel on the (padded) image, column k = (u, v, c) a number under it, and the offset
of an entry is a sum:

      image row        i s   |  . . [x x x] . .         offset(r, k) = rows[r] + inner[k]
                    i s + 1  |  . . [x x x] . .
                                     `-- one run: kw pixels x channels, contiguous in NHWC

which is how `gemm.multiply` addresses its left operand. So

    y  = patches(x) W           forward: one product
    dW = patches(x)' dz         the same tables, rows and inner index exchanged
    dx = the adjoint, by phases: the pixels whose row and column are (a, b) modulo the stride see
         every stride-th tap only, and among themselves are a dense convolution of dz with stride 1

         x x x x      a b a b      stride 2: four phases, each one product that writes
         x x x x  ->  c d c d      its own pixels; nothing is scattered or added twice
         x x x x      a b a b

A transposed convolution is the same three with forward and dx exchanged. `taps` has another way
for dx with few channels. The formulas are in `minigan.layers.convolution`; activations and dz are
as in `products`.
"""

from functools import lru_cache

import numpy as np

from .buffers import empty
from .calls import compiled_call
from .codes import IDENTITY
from .cotangents import activation_gradient, padded, padded_activation_gradient
from .gemm import multiply
from .products import finish
from .tables import offsets, row_offsets, weight_rows
from .taps import has_few_channels, sums_of_taps

__all__ = [
    "conv2d_forward",
    "conv2d_backward_input",
    "conv2d_backward_params",
    "conv2d_backward",
    "conv_transpose2d_forward",
    "conv_transpose2d_backward_input",
    "conv_transpose2d_backward_params",
    "conv_transpose2d_backward",
]

NO_ZEROS = (0, 0), (0, 0)


@compiled_call
def conv2d_forward(x, weight, bias, stride, padding, activation=IDENTITY, slope=0.0):
    """y = phi(conv(x, W) + b): (N, H, W, C) -> (N, (H + 2p - kh) // s + 1, ..., out)."""
    return _convolve(_pad(x, padding), weight, stride, False, bias, activation, slope)


@compiled_call
def conv2d_backward_input(
    dy, y, weight, input_shape, stride, padding, activation=IDENTITY, slope=0.0
):
    """dx[n, i s + u - p, ..., c] = sum over (i, u, ...) of dz[n, i, ..., o] W[u, ..., c, o]."""
    sides = _zeros_around(dy, weight, stride, padding, input_shape[1:3], True)
    dz = _padded_gradient(dy, y, activation, slope, None, sides)
    return _convolve_transposed(dz, sides, weight, stride, padding, input_shape[1:3], True)


@compiled_call
def conv2d_backward_params(
    dy, y, x, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """dW[u, v] += x[at tap u, v]' dz,  db += sum of dz over batch and pixels."""
    dz = activation_gradient(dy, y, activation, slope, dbias)
    _weight_gradient(_pad(x, padding), dz, NO_ZEROS, dweight, stride)


@compiled_call
def conv2d_backward(
    dy, y, x, weight, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """Both, computing dz once: adds into dW and db, returns dx."""
    sides = _zeros_around(dy, weight, stride, padding, x.shape[1:3], True)
    dz = _padded_gradient(dy, y, activation, slope, dbias, sides)
    _weight_gradient(_pad(x, padding), dz, sides, dweight, stride)
    return _convolve_transposed(dz, sides, weight, stride, padding, x.shape[1:3], True)


@compiled_call
def conv_transpose2d_forward(x, weight, bias, stride, padding, activation=IDENTITY, slope=0.0):
    """y = phi(conv'(x, W) + b): (N, H, W, C) -> (N, (H - 1) s - 2p + kh, ..., out)."""
    size = tuple((n - 1) * stride - 2 * padding + k for n, k in zip(x.shape[1:3], weight.shape))
    sides = _zeros_around(x, weight, stride, padding, size, False)
    x = padded(x, *sides)
    return _convolve_transposed(
        x, sides, weight, stride, padding, size, False, bias, activation, slope
    )


@compiled_call
def conv_transpose2d_backward_input(dy, y, weight, stride, padding, activation=IDENTITY, slope=0.0):
    """dx = conv(dz, W with its channel axes exchanged)."""
    dz = _padded_gradient(dy, y, activation, slope, None, _equal(padding))
    return _convolve(dz, weight, stride, True)


@compiled_call
def conv_transpose2d_backward_params(
    dy, y, x, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """dW[u, v] += x' dz[at tap u, v],  db += sum of dz over batch and pixels."""
    dz = _padded_gradient(dy, y, activation, slope, dbias, _equal(padding))
    _weight_gradient_exchanged(dz, x, dweight, stride)


@compiled_call
def conv_transpose2d_backward(
    dy, y, x, weight, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """Both, computing dz once: adds into dW and db, returns dx."""
    dz = _padded_gradient(dy, y, activation, slope, dbias, _equal(padding))
    _weight_gradient_exchanged(dz, x, dweight, stride)
    return _convolve(dz, weight, stride, True)


def _equal(padding):
    """`padding` lines of zeros on each side."""
    return (padding, padding), (padding, padding)


def _pad(x, padding):
    return padded(x, *_equal(padding))


def _zeros_around(x, weight, stride, padding, size, exchange):
    """((above, below), (before, after)): the zeros that `_convolve_transposed` needs around x."""
    if _has_few_channels(weight, exchange):
        return NO_ZEROS
    return tuple(
        phases(x.shape[axis + 1], size[axis], max(weight.shape[axis], stride), stride, padding)[0]
        for axis in (0, 1)
    )


def _padded_gradient(dy, y, activation, slope, dbias, sides):
    """dz = dy phi'(y) with these zeros around it; adds its sum into `dbias`."""
    if sides == NO_ZEROS:
        return activation_gradient(dy, y, activation, slope, dbias)
    return padded_activation_gradient(dy, y, activation, slope, dbias, *sides)


def _convolve(x, weight, stride, exchange, bias=None, activation=IDENTITY, slope=0.0):
    """y = phi(patches(x) W + b), x padded; `exchange` reads the weight as (kh, kw, out, in)."""
    kh, kw = weight.shape[:2]
    out = weight.shape[2 if exchange else 3]
    batch, height, width, channels = x.shape
    places = (batch, (height - kh) // stride + 1, (width - kw) // stride + 1)
    y = empty((*places, out), x.dtype)

    rows = offsets(places, (height * width, stride * width, stride), channels)
    inner = offsets((kh, kw * channels), (width * channels, 1))
    left = (x.reshape(-1), rows, inner, kw * channels)
    right = weight_operand(weight, exchange, range(kh), range(kw))
    result = (y.reshape(-1), row_offsets(out, len(rows)))
    multiply(left, right, result, out, bias, activation, slope)
    return finish(y, activation)


def _weight_gradient_exchanged(image, dz, dweight, stride):
    """`_weight_gradient` for a dW (kh, kw, o, c)."""
    exchanged = np.zeros_like(dweight.swapaxes(2, 3), order="C")
    _weight_gradient(image, dz, NO_ZEROS, exchanged, stride)
    dweight += exchanged.swapaxes(2, 3)


def _weight_gradient(image, dz, sides, dweight, stride):
    """dW[u, v, c, o] += sum over n, i, j of image[n, i s + u, ..., c] dz[n, i, j, o], the image
    padded; dz with `sides` of zeros around it, which are left out."""
    height, width, channels = image.shape[1:]
    batch, lines, line, out = dz.shape
    (above, below), (before, after) = sides
    down, across = lines - above - below, line - before - after

    rows = offsets((*dweight.shape[:2], channels), (width * channels, channels, 1))
    steps = (height * width, stride * width, stride)
    inner = offsets((batch, down, across), steps, channels)
    left = (image.reshape(-1), rows, inner, 1)
    pixels = offsets((batch, down, across), (lines * line, line, 1), out, above * line + before)
    right = (np.ascontiguousarray(dz).reshape(-1), pixels, 1)
    multiply(left, right, (dweight.reshape(-1), row_offsets(out, len(rows))), out, accumulate=True)


def _convolve_transposed(
    x, sides, weight, stride, padding, size, exchange, bias=None, activation=IDENTITY, slope=0.0
):
    """The adjoint of `_convolve`, phase by phase, then bias and activation: y (N, *size, out).

    x has `sides` of zeros around it (see `_zeros_around`).
    """
    if _has_few_channels(weight, exchange):
        weight = weight.transpose((3, 0, 1, 2) if exchange else (2, 0, 1, 3))
        return sums_of_taps(x, weight, stride, padding, size, bias, activation, slope)
    missing = [max(0, stride - k) for k in weight.shape[:2]]
    if any(missing):  # every phase needs a tap, if only of zeros
        weight = np.pad(weight, ((0, missing[0]), (0, missing[1]), (0, 0), (0, 0)))
    rows_of_zeros, columns_of_zeros = sides
    batch, height, width, channels = x.shape
    inputs = height - sum(rows_of_zeros), width - sum(columns_of_zeros)
    _, vertical = phases(inputs[0], size[0], weight.shape[0], stride, padding)
    _, horizontal = phases(inputs[1], size[1], weight.shape[1], stride, padding)
    out = weight.shape[2 if exchange else 3]
    y = empty((batch, *size, out), x.dtype)

    for a, rows_of_taps, first_row, down in vertical:
        for b, columns_of_taps, first_column, across in horizontal:
            places = (batch, down, across)
            corner = (first_row + rows_of_zeros[0]) * width + first_column + columns_of_zeros[0]
            rows = offsets(places, (height * width, width, 1), channels, corner)
            run = len(columns_of_taps) * channels
            inner = offsets((len(rows_of_taps), run), (width * channels, 1))
            left = (x.reshape(-1), rows, inner, run)
            right = weight_operand(weight, exchange, rows_of_taps, columns_of_taps)
            steps = (size[0] * size[1], stride * size[1], stride)
            result = (y.reshape(-1), offsets(places, steps, out, a * size[1] + b))
            multiply(left, right, result, out, bias, activation, slope)
    return finish(y, activation)


def _has_few_channels(weight, exchange):
    kh, kw, inputs, out = (weight.swapaxes(2, 3) if exchange else weight).shape
    return has_few_channels(kh * kw, inputs, out)


@lru_cache(maxsize=256)
def phases(inputs, outputs, taps, stride, padding):
    """One axis of the adjoint y[i s + u - p] += x[i] W[u]: ((low, high), phases).

    Output a + s q reads x[first + q], x[first + q + 1], ... through `taps`, for q < count.
    A phase is (a, taps, first, count); x must be padded by `low` zeros before and `high` after.
    """
    found, low, high = [], 0, 0
    for a in range(min(stride, outputs)):
        smallest = (a + padding) % stride
        reading = range(smallest, taps, stride)[::-1]  # as i rises, u falls
        first = (a + padding - reading[0]) // stride
        count = -(-(outputs - a) // stride)
        found.append((a, reading, first, count))
        low = max(low, -first)
        high = max(high, first + count - 1 + len(reading) - inputs)
    return (low, high), found


def weight_operand(weight, exchange, rows_of_taps, columns_of_taps):
    """The weight as right operand: rows (u, v, channel) for the given taps, and the other channels
    as columns."""
    kh, kw, channels, out = weight.shape
    return (
        np.ascontiguousarray(weight).reshape(-1),
        weight_rows(weight.shape, exchange, rows_of_taps, columns_of_taps),
        out if exchange else 1,
    )
