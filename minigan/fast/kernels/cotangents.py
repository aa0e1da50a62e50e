"""The gradient before the activation, dz = dy phi'(y), padded and summed for db, in one pass.

With the identity as activation, the same pass pads the input of a convolution: see `plan_builder`.
"""

import numpy as np
from numba import njit

from .buffers import empty
from .cache import cached_njit
from .codes import IDENTITY
from .machine import index
from .nonlinear import phi_prime
from .threads import thread_safe, threads
from .views import address_of, float_like, numbers_at, space, view, words_of
from .workers import bits_of, floats_at, run_parts, worker_address

SERIAL_BELOW = 20_000  # numbers; below this, waking the other threads does not pay
CHUNK = 16_384  # numbers, in whole images; fixed, so that sums do not depend on the threads
LINES = 32  # lines summed in their own dtype, then in float64: longer sums would lose digits
LINE = 64  # least numbers in a line of `sum_columns`: shorter loops are not vectorised


def activation_gradient(dy, y, activation, slope, dbias=None):
    """dz = dy phi'(y), C-contiguous; dbias += sum of dz over all but the last axis.

    dy, y, dz (N, C) or (N, H, W, C); dbias (C,) or None.
    """
    dy = np.ascontiguousarray(dy)
    if activation == IDENTITY:
        if dbias is not None:
            dbias += column_sums(dy).astype(dy.dtype)
        return dy
    y, dz = np.ascontiguousarray(y), empty(dy.shape, dy.dtype)
    shape = dy.shape if dy.ndim == 4 else (len(dy), 1, 1, dy.shape[1])  # images of one pixel
    images_per_chunk = max(1, CHUNK * len(dy) // max(dy.size, 1))
    worker = worker_address(pad_chunks, dy.dtype)
    parts = min(-(-len(dy) // images_per_chunk), threads()) if dy.size >= SERIAL_BELOW else 1
    flat = dy.reshape(-1), y.reshape(-1), dz.reshape(-1)
    sums = flat[2][:0] if dbias is None else dbias
    run = _in_chunks if parts == 1 else _in_chunks_in_parallel
    run(worker, parts, flat, activation, float(slope), shape, images_per_chunk, sums)
    return dz


def column_sums(dy):
    """The sum of dy (..., C) over all but its last axis: (C,), in float64."""
    return sum_columns(dy.reshape(-1), dy.shape[-1])


@cached_njit(error_model="numpy")
def sum_columns(dy, columns):
    """The column sums of a flat matrix with this number of columns, in float64.

    Several rows are taken as one line, so that the loop over a line is long enough to be
    vectorised: lines are summed first, then the rows of the sum.
    """
    line = columns * max(1, LINE // columns)
    part, by_place, sums = space(line, dy), np.empty(line), np.empty(columns)
    for j in range(line):
        by_place[j] = 0
    for first in range(0, dy.size, LINES * line):
        for j in range(line):
            part[j] = 0
        end = min(first + LINES * line, dy.size)
        for start in range(first, end, line):
            numbers = view(dy, start, min(line, end - start))
            for j in range(numbers.size):
                part[j] += numbers[j]
        for j in range(line):
            by_place[j] += part[j]
    for j in range(columns):
        sums[j] = 0
    for j in range(line):
        sums[j % columns] += by_place[j]
    return sums


# The words of a task: addresses and sizes.
(
    WORKER, DY, Y, DZ, SUMS, SUMMED, ACTIVATION, SLOPE, IMAGES, HEIGHT, WIDTH, CHANNELS,
    TOP, BOTTOM, BEFORE, AFTER, PER_CHUNK, PARTS,
) = range(18)  # fmt: skip
WORDS = PARTS + 1


@cached_njit()
def _in_chunks(worker, parts, flat, activation, slope, shape, images_per_chunk, dbias):
    channels, chunks = len(dbias), -(-shape[0] // images_per_chunk)
    sums = np.empty(chunks * channels)
    task = np.empty(WORDS, np.int64)
    task[WORKER] = worker
    # one by one: some of the three may be read-only, which makes them arrays of different types
    task[DY], task[Y], task[DZ] = address_of(flat[0]), address_of(flat[1]), address_of(flat[2])
    task[SUMS], task[SUMMED] = address_of(sums), channels > 0
    task[ACTIVATION], task[SLOPE] = activation, bits_of(slope)
    for i in range(4):
        task[IMAGES + i], task[TOP + i] = shape[i], 0
    task[PER_CHUNK], task[PARTS] = images_per_chunk, parts
    run_parts(worker, parts, address_of(task))
    for c in range(channels):
        total = 0.0
        for chunk in range(chunks):
            total += sums[chunk * channels + c]
        dbias[c] += flat[0].dtype.type(total)
    return task[WORKER]  # a use of the task, so that Numba does not free it earlier


_in_chunks_in_parallel = thread_safe(_in_chunks)


def pad_chunks(address, part):
    """A worker: dz of some chunks of images, with padding, and the sum of dz over each chunk."""
    task = words_of(address)
    dy, y = numbers_at(task[DY], address, 1), numbers_at(task[Y], address, 1)
    dz = numbers_at(task[DZ], address, 1)
    shape = task[IMAGES], task[HEIGHT], task[WIDTH], task[CHANNELS]
    sides = task[TOP], task[BOTTOM], task[BEFORE], task[AFTER]
    batch, channels, per_chunk, parts = shape[0], shape[3], task[PER_CHUNK], task[PARTS]
    slope, chunks = float_like(task[SLOPE], address), -(-batch // per_chunk)
    sums = numbers_at(task[SUMS], floats_at(address), chunks * channels * task[SUMMED])
    for chunk in range(part * chunks // parts, (part + 1) * chunks // parts):
        start, stop = chunk * per_chunk, min((chunk + 1) * per_chunk, batch)
        chunk_sums = view(sums, chunk * channels, channels * task[SUMMED])  # none without dbias
        _one_chunk(dy, y, task[ACTIVATION], slope, shape, sides, dz, chunk_sums, start, stop)


@njit(inline="always")
def _one_chunk(dy, y, activation, slope, shape, sides, dz, sums, start, stop):
    """dz of the images [start, stop), a line of pixels at a time, with zeros around them.

    sides = (top, bottom, before, after): the lines and columns of zeros on each side.
    sums (C,) becomes the sum of dz, unless it is empty.
    """
    _, height, width, channels = shape
    top, bottom, before, after = sides
    line = width * channels
    side = (before + after) * channels
    above = top * (side + line) + before * channels
    below = bottom * (side + line) + after * channels

    source = start * height * line
    target = start * (top + height + bottom) * (side + line)
    part = space(line if len(sums) else 0, dy)
    line_sums, lines = np.empty(len(part)), 0  # in float64
    for j in range(len(part)):
        part[index(j)] = 0
        line_sums[index(j)] = 0
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
