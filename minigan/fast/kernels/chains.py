"""Several linear layers and their activations in one compiled call.

In a small network the products take less time than what is around them: Python, and starting and
ending a parallel loop for each. But rows are samples, and no linear layer mixes them. So each
thread takes its part of the rows through all layers, without waiting for the others:

    thread 1    rows   0 to 127     x -> y_1 -> y_2 -> y_3      dx <- dz_1 <- dz_2 <- dz_3 <- dy
    thread 2    rows 128 to 255     x -> y_1 -> y_2 -> y_3      dx <- dz_1 <- dz_2 <- dz_3 <- dy

A weight gradient needs all rows. Those of all layers follow in a second loop, in which each thread
computes a part of the columns of each, dW = x' dz. The parts do not change any sum.

The tangents of a penalty and the gradients that they change are two such loops as well
(`chain_merge`). What is to be done is in a plan, made once for each batch size: lists of tasks (see
`workers`).
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import carray, njit

from . import gemm
from .buffers import empty
from .cache import cached_njit
from .calls import ON, compiled_call, count_product
from .codes import LEAKY_RELU
from .cotangents import sum_columns
from .machine import TILE_ROWS
from .nonlinear import phi_prime
from .products import finish
from .tables import row_offsets
from .thin import THIN, sum_of_outer_products
from .threads import thread_safe, threads
from .workers import (
    COUNT,
    LENGTH,
    float_of,
    follow,
    pointer_to,
    run_parts,
    words_at,
    worker_address,
)

# An address in a plan is relative to one of the arrays of a pass, which are not always the same
# ones: its input, the outputs of all layers, dy, dz of all layers, dx; and of `chain_merge`, the
# scale, x_dot, the tangents of all layers, and all scale x + x_dot. Or it is an address itself.
FIXED, X, Y, DY, DZ, DX, SCALE, X_DOT, Y_DOT, SUMS = range(10)
# The words of the tasks that are not products (these are in `gemm`): addresses, then sizes.
(
    FIRST, SECOND, THIRD, FOURTH, ROWS, INPUTS, OUTPUTS, PART, PARTS, ACTIVATION, SLOPE,
) = range(1, 12)  # fmt: skip


class ChainLayer(NamedTuple):
    """A layer of a chain: the views of its arrays, its activation's code and slope."""

    weight: np.ndarray
    bias: np.ndarray | None
    dweight: np.ndarray
    dbias: np.ndarray | None
    activation: int
    slope: float


class Plan:
    """What the threads do with a batch of `rows` samples, cut into `parts`.

    forward   : a list of tasks
    backward  : two lists, without dx of the first layer and with it
    gradients : a list
    """

    def __init__(self, layers: list[ChainLayer], rows: int, parts: int) -> None:
        self.layers, self.rows, self.parts = layers, rows, parts
        self.dtype = layers[0].weight.dtype
        self.widths = [layer.weight.shape[1] for layer in layers]
        self.weights = [layer.weight.size for layer in layers]
        ends = rows * np.cumsum(self.widths)
        self.slices = [slice(end - rows * n, end) for end, n in zip(ends, self.widths)]
        self.tables: list[np.ndarray] = []  # kept, because tasks hold their addresses
        numbers = range(len(layers))
        self.forward = _list_of(self.output(i) for i in numbers)
        back = [task for i in reversed(numbers) for task in (self.signal(i), self.input(i))]
        self.backward = _list_of(back[:-1]), _list_of(back)
        gradients = [self.weight_gradient(i) for i in numbers]
        self.gradients = _list_of(
            gradients + [self.bias_gradient(i) for i in numbers if layers[i].dbias is not None]
        )

    @cached_property
    def merge(self):
        """Two lists for `chain_merge`: the tangents and the sums, then the gradients."""
        numbers = range(len(self.layers))
        steps = [(self.sum(i), self.tangent(i), self.tangent_signal(i)) for i in numbers]
        gradients = [self.weight_gradient(i, self.sums_at(i)) for i in numbers]
        with_bias = [i for i in numbers if self.layers[i].dbias is not None]
        return (
            _list_of(task for each in steps for task in each),
            _list_of(gradients + [self.scaled_bias_gradient(i) for i in with_bias]),
        )

    def output(self, i):
        """y_i = phi(y_{i-1} @ W_i + b_i), unless phi is left to `finish`."""
        layer = self.layers[i]
        inputs, outputs = layer.weight.shape
        words = {} if layer.bias is None else {gemm.BIAS: _address(layer.bias), gemm.HAS_BIAS: 1}
        slope = layer.slope if layer.activation == LEAKY_RELU else 1.0
        words |= {gemm.SLOPE: _bits(slope), gemm.DOWN: self.parts, gemm.ACROSS: 1}
        return self.product(
            self.before(i), (inputs, 1), _address(layer.weight), (outputs, 1), self.at(Y, i),
            (self.rows, inputs, outputs), words,
        )  # fmt: skip

    def signal(self, i):
        """dz_i = dy_i phi'(y_i), where dy_i is already in the place of dz_i except in the last."""
        layer, last = self.layers[i], i == len(self.layers) - 1
        words = {
            FIRST: (DY, 0) if last else self.at(DZ, i), SECOND: self.at(Y, i),
            THIRD: self.at(DZ, i), ACTIVATION: layer.activation, SLOPE: _bits(layer.slope),
        }  # fmt: skip
        return self.task(_through_activation, i, words)

    def input(self, i):
        """dy_{i-1} = dz_i @ W_i'."""
        weight = self.layers[i].weight
        inputs, outputs = weight.shape
        return self.product(
            self.at(DZ, i), (outputs, 1), _address(weight), (1, outputs),
            self.at(DZ, i - 1) if i else (DX, 0), (self.rows, outputs, inputs),
            {gemm.SLOPE: _bits(1.0), gemm.DOWN: self.parts, gemm.ACROSS: 1},
        )  # fmt: skip

    def sum(self, i):
        """scale y_{i-1} + y_dot_{i-1}, the factor of dz_i in a merged gradient."""
        words = {FIRST: self.before(i), SECOND: self.tangent_before(i), THIRD: self.sums_at(i)}
        return self.task(_scale_and_add, i, words | {FOURTH: (SCALE, 0)})

    def tangent(self, i):
        """z_dot_i = y_dot_{i-1} @ W_i, in the place of y_dot_i."""
        weight = self.layers[i].weight
        inputs, outputs = weight.shape
        return self.product(
            self.tangent_before(i), (inputs, 1), _address(weight), (outputs, 1), self.at(Y_DOT, i),
            (self.rows, inputs, outputs),
            {gemm.SLOPE: _bits(1.0), gemm.DOWN: self.parts, gemm.ACROSS: 1},
        )  # fmt: skip

    def tangent_signal(self, i):
        """y_dot_i = z_dot_i phi'(y_i)."""
        layer, place = self.layers[i], self.at(Y_DOT, i)
        words = {FIRST: place, SECOND: self.at(Y, i), THIRD: place}
        words |= {ACTIVATION: layer.activation, SLOPE: _bits(layer.slope)}
        return self.task(_through_activation, i, words)

    def scaled_bias_gradient(self, i):
        """db_i += scale' dz_i."""
        words = {FIRST: (SCALE, 0), SECOND: self.at(DZ, i), THIRD: _address(self.layers[i].dbias)}
        return self.task(_thin_gradient, i, words, turn=i + 1, inputs=1)

    def weight_gradient(self, i, left=None):
        """dW_i += y_{i-1}' @ dz_i, or left' @ dz_i: the columns are cut into parts."""
        left = left or self.before(i)
        weight, gradient = self.layers[i].weight, _address(self.layers[i].dweight)
        inputs, outputs = weight.shape
        if min(weight.shape) <= THIN:
            words = {FIRST: left, SECOND: self.at(DZ, i), THIRD: gradient}
            return self.task(_thin_gradient, i, words, turn=i)
        return self.product(
            left, (1, inputs), self.at(DZ, i), (outputs, 1), gradient,
            (inputs, self.rows, outputs),
            {gemm.SLOPE: _bits(1.0), gemm.ACCUMULATE: 1, gemm.DOWN: 1, gemm.ACROSS: self.parts},
        )  # fmt: skip

    def bias_gradient(self, i):
        """db_i += the sum of dz_i over the rows: one thread does it."""
        words = {FIRST: self.at(DZ, i), SECOND: _address(self.layers[i].dbias)}
        return self.task(_bias_gradient, i, words, turn=i + 1)

    def at(self, array, i):
        """The place of layer i in an array of all layers."""
        return array, self.slices[i].start * self.dtype.itemsize

    def before(self, i):
        """The place of the input of layer i."""
        return self.at(Y, i - 1) if i else (X, 0)

    def tangent_before(self, i):
        """The place of the tangent of the input of layer i."""
        return self.at(Y_DOT, i - 1) if i else (X_DOT, 0)

    def sums_at(self, i):
        """The place of scale y_{i-1} + y_dot_{i-1}: of the inputs, then as in the outputs."""
        inputs = self.rows * len(self.layers[0].weight)
        place = inputs + self.slices[i - 1].start if i else 0
        return SUMS, place * self.dtype.itemsize

    def task(self, worker, i, words, turn=0, inputs=None):
        """A task of a worker in this file, on layer i."""
        shape = self.layers[i].weight.shape
        words |= {ROWS: self.rows, INPUTS: inputs or shape[0], OUTPUTS: shape[1]}
        words |= {PART: turn % self.parts, PARTS: self.parts}
        return _task(worker_address(worker, self.dtype), words)

    def product(self, a, a_steps, b, b_steps, c, sizes, words):
        """A product, from the places of the operands and the steps between rows and columns."""
        rows, depth, columns = sizes
        tables = {
            gemm.A_ROWS: row_offsets(a_steps[0], rows), gemm.INNER: row_offsets(a_steps[1], depth),
            gemm.B_ROWS: row_offsets(b_steps[0], depth), gemm.C_ROWS: row_offsets(columns, rows),
        }  # fmt: skip
        self.tables += tables.values()
        words |= {column: _address(table) for column, table in tables.items()}
        words |= {gemm.A: a, gemm.B: b, gemm.C: c, gemm.B_STEP: b_steps[1]}
        words |= {gemm.RUN: depth if a_steps[1] == 1 else 1}
        words |= {gemm.ROWS: rows, gemm.DEPTH_OF_SUM: depth, gemm.COLUMNS: columns}
        return _task(gemm.multiplier(self.dtype), words)


def _address(array):
    return array.ctypes.data


def _bits(number):
    return int(np.float64(number).view(np.int64))


def _task(worker, words):
    """(2, words): the words, and what each is relative to."""
    task = np.zeros((2, gemm.WORDS), np.int64)
    task[0, gemm.WORKER] = worker
    for column, word in words.items():
        base, number = word if isinstance(word, tuple) else (FIXED, word)
        task[:, column] = number, base
    return task


def _list_of(tasks):
    """A list for `workers.follow`: the number of tasks and their length, then the tasks. Two flat
    arrays, the words and what each is relative to."""
    tasks = list(tasks)
    head = np.zeros((2, gemm.WORDS), np.int64)
    head[0, COUNT], head[0, LENGTH] = len(tasks), gemm.WORDS
    return tuple(np.concatenate([head, *tasks], axis=1))


def parts_of(rows, weights):
    """How many threads are to share a batch, for so many weights in all."""
    return 1 if rows * weights < gemm.SERIAL_BELOW else min(threads(), max(1, rows // TILE_ROWS))


@compiled_call
def chain_forward(x, plan):
    """(y_1, ..., y_n) of all layers, y_i = phi_i(y_{i-1} @ W_i + b_i), y_0 = x."""
    x = np.ascontiguousarray(x)
    y = empty((plan.slices[-1].stop,), x.dtype)
    if ON:
        count_product(plan.rows, sum(plan.weights), 1)
    _follow(plan, plan.forward, x, y, y, y, y)
    outputs = _of_each(y, plan)
    finish(outputs[-1], plan.layers[-1].activation)
    return outputs


@compiled_call
def chain_backward(dy, x, outputs, plan, adds, wants_dx):
    """Adds dW_i = y_{i-1}' @ dz_i and db_i into the layers' arrays where `adds`.

    Returns (dx, (dz_1, ..., dz_n)), dx None if unwanted.
    """
    x, dy, y = np.ascontiguousarray(x), np.ascontiguousarray(dy), outputs[0].base
    dz, dx = empty(y.shape, y.dtype), empty(x.shape, x.dtype) if wants_dx else x
    if ON:
        backwards = sum(plan.weights if wants_dx else plan.weights[1:])
        count_product(plan.rows, backwards + adds * sum(plan.weights), 1)
    _follow(plan, plan.backward[wants_dx], x, y, dy, dz, dx)
    if adds:
        _follow(plan, plan.gradients, x, y, dy, dz, dx)
    return dx if wants_dx else None, _of_each(dz, plan)


@compiled_call
def chain_merge(x_dot, scale, x, outputs, signals, plan):
    """y_dot of the last layer, along x_dot; adds dW_i = (scale y_{i-1} + y_dot_{i-1})' @ dz_i and
    db_i = scale' dz_i (see `minigan.fast.sweeps`). scale (N, 1), signals (dz_1, ..., dz_n)."""
    x, x_dot, scale = (np.ascontiguousarray(array) for array in (x, x_dot, scale))
    y, dz = outputs[0].base, signals[0].base
    y_dot, sums = empty(y.shape, y.dtype), empty((x.size + y.size,), y.dtype)
    if ON:
        count_product(plan.rows, 2 * sum(plan.weights), 1)
    for tasks in plan.merge:
        _follow(plan, tasks, x, y, y, dz, x, scale, x_dot, y_dot, sums)
    return _of_each(y_dot, plan)[-1]


def _of_each(numbers, plan):
    """The parts of a flat array that belong to the layers."""
    return tuple(numbers[part].reshape(plan.rows, n) for part, n in zip(plan.slices, plan.widths))


def _follow(plan, tasks, *arrays):
    """Lets the threads do a list of tasks, for these arrays of a pass."""
    run = _launch if plan.parts == 1 else _launch_in_parallel
    places = np.zeros(SUMS + 1, np.int64)
    places[X : X + len(arrays)] = [_address(array) for array in arrays]
    run(worker_address(follow, plan.dtype), plan.parts, *tasks, places)


@cached_njit()
def _launch(worker, parts, words, relative_to, base):
    absolute = np.empty(words.size, np.int64)
    for i in range(words.size):
        absolute[i] = words[i] + base[relative_to[i]]
    run_parts(worker, parts, absolute.ctypes.data)
    return absolute[COUNT]  # so the words live until here


_launch_in_parallel = thread_safe(_launch)


@njit(inline="always")
def _rows_of(task, part):
    """(first, end) of the rows that the products of this part have."""
    strips = -(-task[ROWS] // TILE_ROWS)
    first = part * strips // task[PARTS] * TILE_ROWS
    return first, min((part + 1) * strips // task[PARTS] * TILE_ROWS, task[ROWS])


def _scale_and_add(address, part):
    """out = scale x + x_dot, with one scale for each row."""
    task = carray(words_at(address), gemm.WORDS)
    first, end = _rows_of(task, part)
    shape = end, task[INPUTS]
    x, x_dot = (
        carray(pointer_to(task[FIRST], address), shape)[first:],
        carray(pointer_to(task[SECOND], address), shape)[first:],
    )
    out = carray(pointer_to(task[THIRD], address), shape)[first:]
    scale = carray(pointer_to(task[FOURTH], address), end)[first:]
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = scale[i] * x[i, j] + x_dot[i, j]


def _through_activation(address, part):
    """dz = dy phi'(y), in the rows that the products of this part have."""
    task = carray(words_at(address), gemm.WORDS)
    first, end = _rows_of(task, part)
    dy, y = (
        carray(pointer_to(task[FIRST], address), 1),
        carray(pointer_to(task[SECOND], address), 1),
    )
    dz = carray(pointer_to(task[THIRD], address), 1)
    activation, slope = task[ACTIVATION], y.dtype.type(float_of(task[SLOPE]))
    for i in range(first * task[OUTPUTS], end * task[OUTPUTS]):
        dz[i] = dy[i] * phi_prime(y[i], activation, slope)


def _thin_gradient(address, part):
    """dW += x' dz, for few inputs or few outputs."""
    task = carray(words_at(address), gemm.WORDS)
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
            dw[i * outputs + j] += total[i, j] if inputs <= outputs else total[j, i]


def _bias_gradient(address, part):
    """db += the sums of the columns of dz."""
    task = carray(words_at(address), gemm.WORDS)
    if part != task[PART]:
        return
    dz = carray(pointer_to(task[FIRST], address), task[ROWS] * task[OUTPUTS])
    db = carray(pointer_to(task[SECOND], address), task[OUTPUTS])
    sums = sum_columns(dz, task[OUTPUTS])
    for j in range(db.size):
        db[j] += db.dtype.type(sums[j])
