"""What a backward pass does to dy before any product: dz = dy * phi'(y), padded, and summed for db.

All in one pass over memory. The same pass, with no activation, pads the input of a convolution.
"""

import numpy as np
from numba import njit, prange
from numba.core import types

from ..codes import IDENTITY
from .buffers import empty
from .machine import index
from .nonlinear import phi_prime
from .workers import THREADS, call_worker, task_passing, worker_address

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
    """Images (N, H, W, C) with so many (before, after) lines of zeros; unchanged where none."""
    image = np.ascontiguousarray(image)
    if vertical == horizontal == (0, 0):
        return image
    return masked_and_padded(image, image, IDENTITY, 0.0, None, vertical, horizontal)


def masked_and_padded(dy, y, activation, slope, dbias, vertical, horizontal):
    """dz = dy * phi'(y) with lines of zeros round each image; adds its sums into `dbias`."""
    dy = np.ascontiguousarray(dy)
    y = dy if activation == IDENTITY else np.ascontiguousarray(y)
    batch, height, width, channels = dy.shape
    dz = empty((batch, height + sum(vertical), width + sum(horizontal), channels), dy.dtype)
    chunks = -(-batch // _IMAGES_IN_A_CHUNK)
    sums = np.zeros((chunks, 0 if dbias is None else channels), dy.dtype)
    worker = worker_address(_work, dy.dtype)
    parts = min(chunks, THREADS) if dy.size >= SERIAL_BELOW else 1
    flat = (dy.reshape(-1), y.reshape(-1), dz.reshape(-1), sums.reshape(-1))
    sides = (*vertical, *horizontal)
    _in_chunks(worker, parts, flat, activation, float(slope), dy.shape, sides)
    if dbias is not None:
        dbias += np.add.reduce(sums, axis=0)
    return dz


def _task_type(number):
    """The type of the task that `_work` is given, for float32 or float64."""
    whole = types.int64
    four = types.UniTuple(whole, 4)
    flat = types.UniTuple(types.Array(number, 1, "C"), 4)
    return types.Tuple((flat, whole, types.float64, four, four, whole))


_address_of, _task_at = task_passing(_task_type)


@njit(cache=True, parallel=True)
def _in_chunks(worker, parts, flat, activation, slope, shape, sides):
    task = _address_of((flat, activation, slope, shape, sides, parts))
    if parts == 1:
        call_worker(worker, task, 0)
    else:
        for part in prange(parts):
            call_worker(worker, task, np.int64(part))


def _work(address, part):
    """One part of a task: some of the chunks."""
    (dy, y, dz, sums), activation, slope, shape, sides, parts = _task_at(address)
    chunks = -(-shape[0] // _IMAGES_IN_A_CHUNK)
    channels = shape[3] if len(sums) else 0
    for chunk in range(part * chunks // parts, (part + 1) * chunks // parts):
        _one_chunk(dy, y, activation, dy.dtype.type(slope), shape, sides, dz, sums, channels, chunk)


@njit(inline="always")
def _one_chunk(dy, y, activation, slope, shape, sides, dz, sums, summed, chunk):
    """The images of one chunk: in memory, lines of pixels with gaps of zeros between them."""
    batch, height, width, channels = shape
    top, bottom, before, after = sides
    line = width * channels
    side = (before + after) * channels
    above = top * (side + line) + before * channels
    below = bottom * (side + line) + after * channels

    first = chunk * _IMAGES_IN_A_CHUNK
    source = first * height * line
    target = first * (top + height + bottom) * (side + line)
    for _ in range(first, min(first + _IMAGES_IN_A_CHUNK, batch)):
        for i in range(height + 1):
            gap = above if i == 0 else side if i < height else below
            for j in range(gap):
                dz[index(target + j)] = 0
            target += gap
            if i == height:
                break
            for j in range(line):
                at = index(source + j)
                dz[index(target + j)] = dy[at] * phi_prime(y[at], activation, slope)
            for pixel in range(target, target + line, channels):
                for c in range(summed):
                    sums[index(chunk * channels + c)] += dz[index(pixel + c)]
            source += line
            target += line
