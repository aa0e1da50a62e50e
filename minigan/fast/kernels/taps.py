"""Transposed convolutions with few output channels: one product with all taps, then sums over them.

Each phase (see `images`) would be a product with one to four columns that reads all of x, padded.
Here x is read once, without padding:

    t = x W                   for each pixel of x and each tap, the term that it adds to y
    y[n, i s + u - p, ..., o] = phi(sum of t[n, i, ..., u, ..., o] over all i s + u - p + b)
"""

from .machine import index
from .thin import THIN
from .views import float_like, numbers_at, space, words_of


def has_few_channels(taps, channels, out):
    """Whether this way is faster. Then t has at most twice as many numbers as x."""
    return out <= THIN < taps * out <= 2 * channels


# The words of a task: addresses, what is to be done, and sizes.
(
    TAPS, Y, BIAS, HAS_BIAS, SLOPE, PARTS,
    BATCH, HEIGHT, WIDTH, DOWN, ACROSS, CHANNELS, KERNEL_ROWS, KERNEL_COLUMNS, STRIDE, PADDING,
) = range(1, 17)  # fmt: skip


def add_up(address, part):
    """A worker: y from t (see above) for some of the images, one row of y at a time. phi is a leaky
    ReLU; slope 1 is the identity."""
    task = words_of(address)
    parts, batch, stride, padding = task[PARTS], task[BATCH], task[STRIDE], task[PADDING]
    height, width, down, across = task[HEIGHT], task[WIDTH], task[DOWN], task[ACROSS]
    channels, kh, kw = task[CHANNELS], task[KERNEL_ROWS], task[KERNEL_COLUMNS]
    taps, y = numbers_at(task[TAPS], address, 1), numbers_at(task[Y], address, 1)
    bias = numbers_at(task[BIAS], address, channels * task[HAS_BIAS])
    slope = float_like(task[SLOPE], address)

    # the length of a row of y with everything that the taps reach at its ends
    size = max((width - 1) * stride + kw, padding + across) * channels
    biases, line = space(size, taps), space(size, taps)
    for j in range(size):
        biases[j] = bias[j % channels] if len(bias) else taps.dtype.type(0)
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
