"""The tasks of a chain of linear layers that are not products (those are in `gemm`).

A worker takes views of its arrays and counts from zero, because LLVM does not vectorise a loop with
indices that may be negative. It also does not vectorise a loop that reads one array and writes
another if they may overlap. So an operation in place has a loop of its own, with a single array.
"""

from numba import njit

from .codes import SIGMOID, TANH
from .cotangents import sum_columns
from .machine import TILE_ROWS, VECTOR_BYTES
from .nonlinear import phi_prime, sigmoid, tanh
from .thin import sum_of_outer_products
from .views import float_like, numbers_at, sizeof, space, view, words_of

# The words of a task: addresses, then sizes.
(
    FIRST, SECOND, THIRD, FOURTH, ROWS, INPUTS, OUTPUTS, DOWN, ACROSS, ACTIVATION, SLOPE, ADDS,
) = range(1, 13)  # fmt: skip


@njit(inline="always")
def _part_of(task, part, itemsize):
    """(top, bottom, left, right) of the rectangle that this part of a product with the same cut
    computes: see `gemm_part._share_of`."""
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
    """(first, count, length): the rectangle of `_part_of` as `count` lines of `length` contiguous
    numbers. The first begins at the index `first`, the next ones OUTPUTS numbers apart."""
    top, bottom, left, right = _part_of(task, part, itemsize)
    if task[ACROSS] == 1:
        return top * task[OUTPUTS], 1, (bottom - top) * task[OUTPUTS]
    return top * task[OUTPUTS] + left, bottom - top, right - left


def activate(address, part):
    """y = phi(y), in place, for tanh and the sigmoid."""
    task = words_of(address)
    y = numbers_at(task[FIRST], address, task[ROWS] * task[OUTPUTS])
    first, count, length = _lines(task, part, sizeof(address))
    for line in range(count):
        numbers = view(y, first + line * task[OUTPUTS], length)
        if task[ACTIVATION] == TANH:
            for j in range(numbers.size):
                numbers[j] = tanh(numbers[j])
        elif task[ACTIVATION] == SIGMOID:
            for j in range(numbers.size):
                numbers[j] = sigmoid(numbers[j])


def through_activation(address, part):
    """dz = dy phi'(y); dz may be the same array as dy."""
    task = words_of(address)
    size, in_place = task[ROWS] * task[OUTPUTS], task[FIRST] == task[THIRD]
    dy, y = numbers_at(task[FIRST], address, size), numbers_at(task[SECOND], address, size)
    dz = numbers_at(task[THIRD], address, size)
    activation, slope = task[ACTIVATION], float_like(task[SLOPE], address)
    first, count, length = _lines(task, part, sizeof(address))
    for line in range(count):
        start = first + line * task[OUTPUTS]
        before, out = view(y, start, length), view(dz, start, length)
        if in_place:
            for j in range(out.size):
                out[j] *= phi_prime(before[j], activation, slope)
        else:
            given = view(dy, start, length)
            for j in range(out.size):
                out[j] = given[j] * phi_prime(before[j], activation, slope)


def scale_and_add(address, part):
    """out = scale x + x_dot, with one scale for each row."""
    task = words_of(address)
    columns, size = task[OUTPUTS], task[ROWS] * task[OUTPUTS]
    x, x_dot = numbers_at(task[FIRST], address, size), numbers_at(task[SECOND], address, size)
    out = numbers_at(task[THIRD], address, size)
    scale = numbers_at(task[FOURTH], address, task[ROWS])
    top, bottom, left, right = _part_of(task, part, sizeof(address))
    count = right - left
    for row in range(top, bottom):
        start, factor = row * columns + left, scale[row]
        a, b, c = view(x, start, count), view(x_dot, start, count), view(out, start, count)
        for j in range(c.size):
            c[j] = factor * a[j] + b[j]


def add(address, part):
    """a += b, for flat arrays (matrices of one row)."""
    task = words_of(address)
    _, _, left, right = _part_of(task, part, sizeof(address))
    a = view(numbers_at(task[FIRST], address, right), left, right - left)
    b = view(numbers_at(task[SECOND], address, right), left, right - left)
    for j in range(a.size):
        a[j] += b[j]


def thin_gradient(address, part):
    """dW = x' dz, or += if ADDS, for few inputs or few outputs; in one part."""
    task = words_of(address)
    rows, inputs, outputs = task[ROWS], task[INPUTS], task[OUTPUTS]
    x = numbers_at(task[FIRST], address, rows * inputs)
    dz = numbers_at(task[SECOND], address, rows * outputs)
    dw = numbers_at(task[THIRD], address, inputs * outputs)
    few_inputs = inputs <= outputs
    thin, thin_columns = (x, inputs) if few_inputs else (dz, outputs)
    wide, wide_columns = (dz, outputs) if few_inputs else (x, inputs)
    total = space(inputs * outputs, dw)
    sum_of_outer_products(thin, thin_columns, wide, wide_columns, total)
    for i in range(inputs):
        for j in range(outputs):
            at = i * outputs + j
            number = total[at] if few_inputs else total[j * inputs + i]
            dw[at] = dw[at] + number if task[ADDS] else number


def bias_gradient(address, part):
    """db = sum of dz over the rows, or += if ADDS; in one part."""
    task = words_of(address)
    dz = numbers_at(task[FIRST], address, task[ROWS] * task[OUTPUTS])
    db = numbers_at(task[THIRD], address, task[OUTPUTS])
    sums = sum_columns(dz, task[OUTPUTS])
    for j in range(db.size):
        number = db.dtype.type(sums[j])
        db[j] = db[j] + number if task[ADDS] else number
