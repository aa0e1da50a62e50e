"""Transposed convolutions with few channels of output: one product with all taps, then their sums.

The phases of `images` would be products with one to four columns each, and each would read all of
x, padded. Here x is read once, as it is:

    t = x W                   what each pixel of x adds to the pixels of y that its taps reach
    y[n, i s + u - p, ..., o] = phi(sum of t[n, i, ..., u, ..., o] over all i s + u - p + b)
"""

import numpy as np
from numba import carray

from .buffers import empty
from .cache import cached_njit
from .codes import LEAKY_RELU
from .machine import index
from .products import finish, matmul
from .thin import THIN
from .threads import thread_safe, threads
from .workers import bits_of, float_of, pointer_to, run_parts, words_at, worker_address

SERIAL_BELOW = 20_000  # numbers; below this, waking the other threads does not pay


def has_few_channels(taps, channels, out):
    """Whether this way is the faster one; t then has at most twice as many numbers as x."""
    return out <= THIN < taps * out <= 2 * channels


def sums_of_taps(x, weight, stride, padding, size, bias, activation, slope):
    """y (N, *size, out) from x (N, H, W, in) and a weight (in, kh, kw, out)."""
    batch, height, width, channels = x.shape
    kh, kw, out = weight.shape[1:]
    taps = empty((batch * height * width, kh * kw * out), x.dtype)
    pixels, weight = x.reshape(-1, channels), weight.reshape(channels, -1)
    matmul(pixels, weight, out=taps)

    y = empty((batch, *size, out), x.dtype)
    parts = min(batch, threads()) if taps.size >= SERIAL_BELOW else 1
    run = _add_up if parts == 1 else _add_up_in_parallel
    flat = taps.reshape(-1), y.reshape(-1), y.reshape(-1)[:0] if bias is None else bias
    sizes = (batch, height, width, *size, out, kh, kw, stride, padding)
    slope = float(slope) if activation == LEAKY_RELU else 1.0  # applied to negative entries of y
    run(worker_address(_work, x.dtype), parts, flat, sizes, slope)
    return finish(y, activation)


# The words of a task: addresses, what is to be done, and the sizes in the order of `sums_of_taps`.
(
    WORKER, TAPS, Y, BIAS, HAS_BIAS, SLOPE, PARTS,
    BATCH, HEIGHT, WIDTH, DOWN, ACROSS, CHANNELS, KERNEL_ROWS, KERNEL_COLUMNS, STRIDE, PADDING,
) = range(17)  # fmt: skip
WORDS = PADDING + 1


@cached_njit()
def _add_up(worker, parts, flat, sizes, slope):
    task = np.empty(WORDS, np.int64)
    task[WORKER], task[PARTS] = worker, parts
    task[TAPS], task[Y] = flat[0].ctypes.data, flat[1].ctypes.data
    task[BIAS] = flat[2].ctypes.data
    task[HAS_BIAS], task[SLOPE] = len(flat[2]) > 0, bits_of(slope)
    for i in range(len(sizes)):
        task[BATCH + i] = sizes[i]
    run_parts(worker, parts, task.ctypes.data)
    return task[WORKER]  # so the task lives until here


_add_up_in_parallel = thread_safe(_add_up)


def _work(address, part):
    """Computes one part of a task: some of the images, row by row of y."""
    task = carray(words_at(address), WORDS)
    parts, batch, stride, padding = task[PARTS], task[BATCH], task[STRIDE], task[PADDING]
    height, width, down, across = task[HEIGHT], task[WIDTH], task[DOWN], task[ACROSS]
    channels, kh, kw = task[CHANNELS], task[KERNEL_ROWS], task[KERNEL_COLUMNS]
    taps, y = carray(pointer_to(task[TAPS], address), 1), carray(pointer_to(task[Y], address), 1)
    bias = carray(pointer_to(task[BIAS], address), channels * task[HAS_BIAS])
    slope = taps.dtype.type(float_of(task[SLOPE]))

    # a row of y, with the padding at its sides and whatever else the taps reach
    size = max((width - 1) * stride + kw, padding + across) * channels
    biases, line = np.zeros(size, taps.dtype), np.empty(size, taps.dtype)
    for j in range(size if len(bias) else 0):
        biases[j] = bias[j % channels]
    reach, step, pixel = kw * channels, stride * channels, kh * kw * channels
    for image in range(part * batch // parts, (part + 1) * batch // parts):
        for row in range(down):
            for j in range(size):
                line[index(j)] = biases[index(j)]
            i = (row + padding) // stride
            for u in range(row + padding - i * stride, kh, stride):
                if 0 <= i < height:
                    start = (image * height + i) * width * pixel + u * reach
                    for e in range(reach):
                        for j in range(width):
                            line[index(j * step + e)] += taps[index(start + j * pixel + e)]
                i -= 1
            target = (image * down + row) * across * channels
            for j in range(across * channels):
                z = line[index(padding * channels + j)]
                y[index(target + j)] = z if z > 0 else slope * z
