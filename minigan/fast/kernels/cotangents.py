"""The gradient before the activation, dz = dy phi'(y), padded and summed for db, in one pass.

Without an activation the same pass pads the input of a convolution.
"""

import numpy as np
from numba import njit, prange
from numba.core import types

from .buffers import empty
from .cache import cached_njit
from .codes import IDENTITY
from .machine import index
from .nonlinear import phi_prime
from .threads import thread_safe, threads
from .workers import call_worker, task_passing, worker_address

SERIAL_BELOW = 20_000  # numbers; below this, waking the other threads does not pay
CHUNK = 16_384  # numbers, in whole images; fixed, so that sums do not depend on the threads
LINES = 32  # that are added in their own dtype, before float64; more would lose digits
LINE = 64  # numbers in a line of `column_sums`, at least: shorter ones are not vectorised


def activation_gradient(dy, y, activation, slope, dbias=None):
    """dz = dy phi'(y), C-contiguous; adds its sum over all but the last axis into `dbias`."""
    dy = np.ascontiguousarray(dy)
    if activation == IDENTITY:
        if dbias is not None:
            dbias += column_sums(dy).astype(dy.dtype)
        return dy
    shape = dy.shape
    if dy.ndim == 2:
        dy = dy.reshape(len(dy), 1, 1, dy.shape[1])  # images of one pixel
    return padded_activation_gradient(dy, y, activation, slope, dbias, (0, 0), (0, 0)).reshape(
        shape
    )


def column_sums(dy):
    """The sum of dy over all but its last axis, in float64."""
    return sum_columns(dy.reshape(-1), dy.shape[-1])


@cached_njit(error_model="numpy")
def sum_columns(dy, columns):
    """Sums of the flat dy: lines of several rows are added to each other, then folded."""
    line = columns * max(1, LINE // columns)
    part, by_place = np.zeros(line, dy.dtype), np.zeros(line)
    for first in range(0, dy.size, LINES * line):
        part[:] = 0
        for start in range(first, min(first + LINES * line, dy.size), line):
            numbers = dy[start : min(start + line, dy.size)]
            for j in range(numbers.size):
                part[index(j)] += numbers[index(j)]
        for j in range(line):
            by_place[index(j)] += part[index(j)]
    sums = np.zeros(columns)
    for j in range(line):
        sums[j % columns] += by_place[j]
    return sums


def padded(image, vertical, horizontal):
    """Images (N, H, W, C) padded by (before, after) lines of zeros; the input itself if by none."""
    image = np.ascontiguousarray(image)
    if vertical == horizontal == (0, 0):
        return image
    return padded_activation_gradient(image, image, IDENTITY, 0.0, None, vertical, horizontal)


def padded_activation_gradient(dy, y, activation, slope, dbias, vertical, horizontal):
    """dz = dy phi'(y), padded by (before, after) lines of zeros; adds its sums into `dbias`."""
    dy = np.ascontiguousarray(dy)
    y = dy if activation == IDENTITY else np.ascontiguousarray(y)
    batch, height, width, channels = dy.shape
    dz = empty((batch, height + sum(vertical), width + sum(horizontal), channels), dy.dtype)
    images_per_chunk = max(1, CHUNK * batch // max(dy.size, 1))
    worker = worker_address(_work, dy.dtype)
    parts = min(-(-batch // images_per_chunk), threads()) if dy.size >= SERIAL_BELOW else 1
    flat = dy.reshape(-1), y.reshape(-1), dz.reshape(-1)
    sides = (*vertical, *horizontal)
    sums = dz.reshape(-1)[:0] if dbias is None else dbias
    run = _in_chunks if parts == 1 else _in_chunks_in_parallel
    run(worker, parts, flat, activation, float(slope), dy.shape, sides, images_per_chunk, sums)
    return dz


def _task_type(number):
    """The type of the task that `_work` is given, for float32 or float64."""
    whole = types.int64
    four = types.UniTuple(whole, 4)
    numbers = types.Array(number, 1, "C")
    flat, sums = types.UniTuple(numbers, 3), types.Array(types.float64, 1, "C")
    return types.Tuple((flat, sums, whole, types.float64, four, four, whole, whole))


_address_of, _task_at = task_passing(_task_type)


@cached_njit(parallel=True)
def _in_chunks(worker, parts, flat, activation, slope, shape, sides, images_per_chunk, dbias):
    channels, chunks = len(dbias), -(-shape[0] // images_per_chunk)
    sums = np.empty(chunks * channels)
    task = _address_of((flat, sums, activation, slope, shape, sides, images_per_chunk, parts))
    if parts == 1:
        call_worker(worker, task, 0)
    else:
        for part in prange(parts):
            call_worker(worker, task, np.int64(part))
    for c in range(channels):
        total = 0.0
        for chunk in range(chunks):
            total += sums[chunk * channels + c]
        dbias[c] += flat[0].dtype.type(total)


_in_chunks_in_parallel = thread_safe(_in_chunks)


def _work(address, part):
    """Computes one part of a task: some of the chunks."""
    (dy, y, dz), sums, activation, slope, shape, sides, images_per_chunk, parts = _task_at(address)
    chunks = -(-shape[0] // images_per_chunk)
    for chunk in range(part * chunks // parts, (part + 1) * chunks // parts):
        start, stop = chunk * images_per_chunk, min((chunk + 1) * images_per_chunk, shape[0])
        chunk_sums = sums[chunk * shape[3] : (chunk + 1) * shape[3]]  # empty without dbias
        _one_chunk(
            dy, y, activation, dy.dtype.type(slope), shape, sides, dz, chunk_sums, start, stop
        )


@njit(inline="always")
def _one_chunk(dy, y, activation, slope, shape, sides, dz, sums, start, stop):
    """Images [start, stop): lines of pixels, written with gaps of zeros between them."""
    _, height, width, channels = shape
    top, bottom, before, after = sides
    line = width * channels
    side = (before + after) * channels
    above = top * (side + line) + before * channels
    below = bottom * (side + line) + after * channels

    source = start * height * line
    target = start * (top + height + bottom) * (side + line)
    part = np.zeros(line if len(sums) else 0, dy.dtype)
    line_sums, lines = np.zeros(len(part)), 0  # in float64
    for _ in range(start, stop):
        for i in range(height + 1):
            gap = above if i == 0 else side if i < height else below
            for j in range(gap):
                dz[index(target + j)] = 0
            target += gap
            if i == height:
                break
            if len(sums):
                for j in range(line):
                    at = index(source + j)
                    number = dy[at] * phi_prime(y[at], activation, slope)
                    dz[index(target + j)] = number
                    part[index(j)] += number
                lines += 1
                if lines % LINES == 0:
                    for j in range(line):
                        line_sums[index(j)] += part[index(j)]
                        part[index(j)] = 0
            else:
                for j in range(line):
                    at = index(source + j)
                    dz[index(target + j)] = dy[at] * phi_prime(y[at], activation, slope)
            source += line
            target += line
    for c in range(len(sums)):
        sums[index(c)] = 0
        for j in range(c, line, channels):
            sums[index(c)] += line_sums[index(j)] + part[index(j)]
