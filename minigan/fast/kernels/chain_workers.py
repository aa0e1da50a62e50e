"""The tasks of a chain of linear layers that are not products (those are in `gemm`).

A worker slices its arrays and counts from zero: LLVM vectorises no loop with indices that may be
negative, and none over two arrays that may overlap. So what is done in place has a loop with one
array.
"""

import numpy as np
from numba import carray, njit

from . import gemm
from .codes import SIGMOID, TANH
from .cotangents import sum_columns
from .machine import TILE_ROWS, VECTOR_BYTES
from .nonlinear import phi_prime, sigmoid, tanh
from .thin import sum_of_outer_products
from .workers import float_of, pointer_to, words_at

# The words of a task: addresses, then sizes.
(
    FIRST, SECOND, THIRD, FOURTH, ROWS, INPUTS, OUTPUTS, PART, DOWN, ACROSS, ACTIVATION, SLOPE,
    ADDS,
) = range(1, 14)  # fmt: skip


@njit(inline="always")
def _words_of(address):
    return carray(words_at(address), gemm.WORDS)


@njit(inline="always")
def _matrix(which, task, address):
    """An array of the task, flat: a matrix of ROWS x OUTPUTS."""
    return carray(pointer_to(task[which], address), task[ROWS] * task[OUTPUTS])


@njit(inline="always")
def _part_of(task, part, itemsize):
    """(top, bottom, left, right) of what a product with this cut computes in this part."""
    rows, columns, down, across = task[ROWS], task[OUTPUTS], task[DOWN], task[ACROSS]
    strips, lanes = -(-rows // TILE_ROWS), VECTOR_BYTES // itemsize
    vectors = -(-columns // lanes)
    s, v = part // across, part % across
    return (
        s * strips // down * TILE_ROWS, min((s + 1) * strips // down * TILE_ROWS, rows),
        v * vectors // across * lanes, min((v + 1) * vectors // across * lanes, columns),
    )  # fmt: skip


@njit(inline="always")
def _lines(task, part, itemsize):
    """(first, count, length): that part in `count` lines of contiguous numbers, OUTPUTS apart."""
    top, bottom, left, right = _part_of(task, part, itemsize)
    if task[ACROSS] == 1:
        return top * task[OUTPUTS], 1, (bottom - top) * task[OUTPUTS]
    return top * task[OUTPUTS] + left, bottom - top, right - left


def activate(address, part):
    """y = phi(y), in place, for tanh and the sigmoid."""
    task = _words_of(address)
    y = _matrix(FIRST, task, address)
    first, count, length = _lines(task, part, y.itemsize)
    for line in range(count):
        start = first + line * task[OUTPUTS]
        numbers = y[start : start + length]
        if task[ACTIVATION] == TANH:
            for j in range(numbers.size):
                numbers[j] = tanh(numbers[j])
        elif task[ACTIVATION] == SIGMOID:
            for j in range(numbers.size):
                numbers[j] = sigmoid(numbers[j])


def through_activation(address, part):
    """dz = dy phi'(y); dz may be in the place of dy."""
    task = _words_of(address)
    dy, y = _matrix(FIRST, task, address), _matrix(SECOND, task, address)
    dz, in_place = _matrix(THIRD, task, address), task[FIRST] == task[THIRD]
    activation, slope = task[ACTIVATION], y.dtype.type(float_of(task[SLOPE]))
    first, count, length = _lines(task, part, y.itemsize)
    for line in range(count):
        start = first + line * task[OUTPUTS]
        before, out = y[start : start + length], dz[start : start + length]
        if in_place:
            for j in range(out.size):
                out[j] *= phi_prime(before[j], activation, slope)
        else:
            given = dy[start : start + length]
            for j in range(out.size):
                out[j] = given[j] * phi_prime(before[j], activation, slope)


def scale_and_add(address, part):
    """out = scale x + x_dot, with one scale for each row."""
    task = _words_of(address)
    x, x_dot = _matrix(FIRST, task, address), _matrix(SECOND, task, address)
    out, columns = _matrix(THIRD, task, address), task[OUTPUTS]
    scale = carray(pointer_to(task[FOURTH], address), task[ROWS])
    top, bottom, left, right = _part_of(task, part, x.itemsize)
    for row in range(top, bottom):
        start, stop, factor = row * columns + left, row * columns + right, scale[row]
        a, b, c = x[start:stop], x_dot[start:stop], out[start:stop]
        for j in range(c.size):
            c[j] = factor * a[j] + b[j]


def thin_gradient(address, part):
    """dW = x' dz, for few inputs or few outputs."""
    task = _words_of(address)
    if part != task[PART]:
        return
    rows, inputs, outputs = task[ROWS], task[INPUTS], task[OUTPUTS]
    x = carray(pointer_to(task[FIRST], address), (rows, inputs))
    dz = carray(pointer_to(task[SECOND], address), (rows, outputs))
    dw = carray(pointer_to(task[THIRD], address), inputs * outputs)
    thin, wide = (x, dz) if inputs <= outputs else (dz, x)
    total = np.empty((thin.shape[1], wide.shape[1]), dw.dtype)
    sum_of_outer_products(thin, wide, total)
    for i in range(inputs):
        for j in range(outputs):
            number = total[i, j] if inputs <= outputs else total[j, i]
            at = i * outputs + j
            dw[at] = dw[at] + number if task[ADDS] else number


def bias_gradient(address, part):
    """db = the sums of the columns of dz."""
    task = _words_of(address)
    if part != task[PART]:
        return
    dz = _matrix(FIRST, task, address)
    db = carray(pointer_to(task[SECOND], address), task[OUTPUTS])
    sums = sum_columns(dz, task[OUTPUTS])
    for j in range(db.size):
        number = db.dtype.type(sums[j])
        db[j] = db[j] + number if task[ADDS] else number
