"""What backward passes do to dy before any product: dz = dy * phi'(y), padded, and summed for the bias.

All in one pass over memory. The same pass, with no activation, pads the input of a convolution.
"""

import numpy as np
from numba import get_num_threads, njit, prange

from ..codes import IDENTITY
from .nonlinear import phi_prime

SERIAL_BELOW = 200_000  # numbers; below, waking the other threads costs more than they give
_IMAGES_IN_A_CHUNK = 8  # fixed, so that sums come out the same for any number of threads


def masked(dy, y, activation, slope, dbias=None):
    """dz = dy * phi'(y), C-contiguous; adds its sum over all but the last axis into `dbias`."""
    dy = np.ascontiguousarray(dy)
    if activation == IDENTITY:
        if dbias is not None:
            dbias += np.add.reduce(dy.reshape(-1, dy.shape[-1]), axis=0)
        return dy
    shape = dy.shape
    if dy.ndim == 2:
        dy = dy.reshape(1, 1, *shape)
    return masked_and_padded(dy, y, activation, slope, dbias, (0, 0), (0, 0)).reshape(shape)


def padded(image, vertical, horizontal):
    """Images (N, H, W, C) with (before, after) lines of zeros round them; as they are if there are none."""
    image = np.ascontiguousarray(image)
    if vertical == horizontal == (0, 0):
        return image
    return masked_and_padded(image, image, IDENTITY, 0.0, None, vertical, horizontal)


def masked_and_padded(dy, y, activation, slope, dbias, vertical, horizontal):
    """dz = dy * phi'(y) with lines of zeros round each image; adds its sums into `dbias`."""
    dy = np.ascontiguousarray(dy)
    y = dy if activation == IDENTITY else np.ascontiguousarray(y)
    batch, height, width, channels = dy.shape
    dz = np.empty((batch, height + sum(vertical), width + sum(horizontal), channels), dy.dtype)
    chunks = -(-batch // _IMAGES_IN_A_CHUNK)
    sums = np.zeros((chunks, 0 if dbias is None else channels), dy.dtype)
    arguments = (
        dy.reshape(-1), y.reshape(-1), activation, dy.dtype.type(slope), dy.shape,
        vertical, horizontal, dz.reshape(-1), sums,
    )  # fmt: skip
    if dy.size < SERIAL_BELOW or get_num_threads() == 1:
        for chunk in range(chunks):
            _one_chunk(*arguments, chunk)
    else:
        _all_chunks(*arguments)
    if dbias is not None:
        dbias += np.add.reduce(sums, axis=0)
    return dz


@njit(cache=True, parallel=True)
def _all_chunks(dy, y, activation, slope, shape, vertical, horizontal, dz, sums):
    for chunk in prange(len(sums)):
        _one_chunk(dy, y, activation, slope, shape, vertical, horizontal, dz, sums, chunk)


@njit(cache=True)
def _one_chunk(dy, y, activation, slope, shape, vertical, horizontal, dz, sums, chunk):
    """The images of one chunk, line by line."""
    batch, height, width, channels = shape
    (top, bottom), (before, after) = vertical, horizontal
    line = width * channels
    padded_line = (before + width + after) * channels
    first = chunk * _IMAGES_IN_A_CHUNK
    source = first * height * line
    target = first * (top + height + bottom) * padded_line
    for _ in range(first, min(first + _IMAGES_IN_A_CHUNK, batch)):
        target = _zeros(dz, target, top * padded_line)
        for _ in range(height):
            target = _zeros(dz, target, before * channels)
            for j in range(line):
                dz[target + j] = dy[source + j] * phi_prime(y[source + j], activation, slope)
            if sums.shape[1]:
                for pixel in range(target, target + line, channels):
                    for c in range(channels):
                        sums[chunk, c] += dz[pixel + c]
            source += line
            target = _zeros(dz, target + line, after * channels)
        target = _zeros(dz, target, bottom * padded_line)


@njit(cache=True)
def _zeros(values, start, count):
    """Writes so many zeros; returns where they end."""
    for i in range(start, start + count):
        values[i] = 0
    return start + count
