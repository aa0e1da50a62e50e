"""Plans: the tasks of the threads in the passes of a chain of linear layers (see `chains`).

A pass is a sequence of tasks (see `workers`). Each task is divided into parts, one per thread, in
one of two ways:

    by rows       small weights: each thread takes its own samples through the layer
    by columns    large weights: each thread packs and multiplies its own part of the weight

A thread needs no barrier between two tasks if it reads only what it has written itself: that holds
for elementwise tasks that are divided in the same way, and for products by rows. Where a task reads
what other threads have written, a new parallel region begins (see `programs`). In a small network a
whole pass is one region; with large weights there is a region for each product. The weight
gradients of all layers read finished arrays only, so they share a region.

In a small network the sums over the rows in these gradients are computed in two halves, for any
number of threads, so that the results do not depend on that number. With two threads, each sums
over the rows that it has just written: it does not wait, and does not read from the cache of the
other core. A short region then adds the halves.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from . import gemm
from .chain_workers import (
    ACROSS,
    ACTIVATION,
    ADDS,
    DOWN,
    FIRST,
    FOURTH,
    INPUTS,
    OUTPUTS,
    ROWS,
    SECOND,
    SLOPE,
    THIRD,
    activate,
    add,
    bias_gradient,
    scale_and_add,
    thin_gradient,
    through_activation,
)
from .codes import IDENTITY, LEAKY_RELU
from .machine import TILE_ROWS
from .programs import FIXED, OWNER, Program, address, bits, program_of, task_of
from .tables import row_offsets
from .thin import THIN
from .threads import threads
from .workers import run_tasks, worker_address

# The arrays of a pass, to which the words of a task are relative: x, the outputs y of all layers,
# dy, dz of all layers, dx; in `chain_merge` the scale, x_dot, the tangents y_dot of all layers, and
# scale x + x_dot of all layers; and the gradients of the second half of the rows. The addresses of
# parameters do not change, so they are constants.
X, Y, DY, DZ, DX, SCALE, X_DOT, Y_DOT, SUMS, SECOND_HALF = range(FIXED + 1, FIXED + 11)


class ChainLayer(NamedTuple):
    """A linear layer and its activation; the arrays are views of the network's vectors."""

    weight: np.ndarray  # (in, out)
    bias: np.ndarray | None  # (out,)
    dweight: np.ndarray
    dbias: np.ndarray | None
    activation: int  # see `codes`
    slope: float


class Task(NamedTuple):
    """A task, and how it is divided into parts."""

    words: np.ndarray  # made by `task_of`
    cut: tuple[int, int]  # the numbers of parts (down, across) the matrix
    needs_barrier: bool  # whether it reads what other threads have written


class Half(NamedTuple):
    """The rows [first, first + rows) that one sum of a gradient takes: a half of them, or all."""

    number: int
    first: int
    rows: int


class Plan:
    """The programs of a chain for a batch of `rows` samples and `parts` threads.

    Layers are numbered from 0: y_i is the output of layer i, and y_{-1} = x.
    """

    def __init__(self, layers: list[ChainLayer], rows: int, parts: int) -> None:
        self.layers, self.rows, self.parts = layers, rows, parts
        self.dtype = layers[0].weight.dtype
        self.worker = worker_address(run_tasks, self.dtype)
        self.widths = [layer.weight.shape[1] for layer in layers]
        self.weights = [layer.weight.size for layer in layers]
        ends = [rows * int(end) for end in np.cumsum(self.widths)]
        self.slices = [slice(end - rows * n, end) for end, n in zip(ends, self.widths)]
        self.places = [(part, (rows, n)) for part, n in zip(self.slices, self.widths)]
        self.size = ends[-1]  # of the outputs of all layers
        self.tables: list[np.ndarray] = []  # kept alive, because tasks contain their addresses
        self.numbers = range(len(layers))
        self.halves = self._halves()
        # With one or two threads, the thread that sums over a half has written that half itself.
        self.own_halves = len(self.halves) == 2 and parts <= 2
        self.parameters = sum(self.weights) + sum(
            layer.dbias.size for layer in layers if layer.dbias is not None
        )
        self._backward: dict[tuple[bool, str], Program] = {}

    def per_layer(self, numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        """A flat array of all layers as a matrix (rows, outputs) for each layer."""
        return tuple([numbers[part].reshape(shape) for part, shape in self.places])

    @cached_property
    def forward(self) -> Program:
        """The program for y of all layers."""
        tasks = []
        for i in self.numbers:
            tasks.append(self.output(i))
            if self.layers[i].activation not in (IDENTITY, LEAKY_RELU):
                tasks.append(self.activation(i))
        return _program(tasks)

    def backward(self, wants_dx: bool, gradients: str) -> Program:
        """The program for dz of all layers, dx if `wants_dx`, and dW and db of all layers.

        gradients : "added" to the arrays, "written" over them, or "" for none
        """
        kind = wants_dx, gradients
        if kind not in self._backward:
            tasks = []
            for i in reversed(self.numbers):
                tasks.append(self.preactivation_gradient(i))
                if i or wants_dx:
                    tasks.append(self.input_gradient(i))
            self._backward[kind] = self.with_gradients(
                tasks, gradients, self.before, self.bias_gradient
            )
        return self._backward[kind]

    def merge(self, gradients: str) -> Program:
        """The program of `chain_merge`: y_dot and scale x + x_dot of all layers, then dW and db."""
        kind = False, f"merged, {gradients}"
        if kind not in self._backward:
            steps = [
                (self.sum(i), self.tangent(i), self.activation_tangent(i)) for i in self.numbers
            ]
            tasks = [task for each in steps for task in each]
            self._backward[kind] = self.with_gradients(
                tasks, gradients, self.sums_at, self.scaled_bias_gradient
            )
        return self._backward[kind]

    def with_gradients(self, tasks, kind, left, bias_gradient):
        """The program of `tasks` and then of dW_i = left(i)' @ dz_i and db_i: first the sums over
        each half of the rows, then the sum of the halves."""
        sums, totals, place = [], [], 0
        for i, layer in enumerate(self.layers if kind else ()):
            for array, sum_over in (
                (layer.dweight, self.weight_gradient), (layer.dbias, bias_gradient)
            ):  # fmt: skip
                if array is None:
                    continue
                places = address(array), (SECOND_HALF, place * self.dtype.itemsize)
                for half in self.halves:
                    adds = kind == "added" and half.number == 0
                    target = {THIRD: places[half.number], ADDS: int(adds)}
                    sums.append(sum_over(i, half, left, target))
                if len(self.halves) == 2:
                    words = {FIRST: places[0], SECOND: places[1], ROWS: 1}
                    totals.append(self.elementwise(add, array.size, (1, self.parts), words))
                place += array.size
        return _program(tasks + sums, totals) if self.own_halves else _program(tasks, sums, totals)

    def output(self, i):
        """y_i = phi(y_{i-1} @ W_i + b_i) if phi is a leaky ReLU, else z_i (see `activation`)."""
        layer = self.layers[i]
        inputs, outputs = layer.weight.shape
        words = {} if layer.bias is None else {gemm.BIAS: address(layer.bias), gemm.HAS_BIAS: 1}
        words[gemm.SLOPE] = bits(layer.slope if layer.activation == LEAKY_RELU else 1.0)
        return self.product(
            self.before(i), (inputs, 1), address(layer.weight), (outputs, 1), self.at(Y, i),
            (self.rows, inputs, outputs), self.cut(i), words,
        )  # fmt: skip

    def activation(self, i):
        """y_i = phi(z_i), in place."""
        words = {FIRST: self.at(Y, i), ACTIVATION: self.layers[i].activation}
        return self.elementwise(activate, self.widths[i], self.cut(i), words)

    def preactivation_gradient(self, i):
        """dz_i = dy_i phi'(y_i). The last layer's dy is an argument of the pass; `input_gradient`
        has written that of the others where dz_i will be."""
        layer, last = self.layers[i], i == len(self.layers) - 1
        words = {
            FIRST: (DY, 0) if last else self.at(DZ, i), SECOND: self.at(Y, i),
            THIRD: self.at(DZ, i), ACTIVATION: layer.activation, SLOPE: bits(layer.slope),
        }  # fmt: skip
        cut = (self.parts, 1) if last else self.cut(i + 1)
        return self.elementwise(through_activation, self.widths[i], cut, words)

    def input_gradient(self, i):
        """dy_{i-1} = dz_i @ W_i'."""
        weight = self.layers[i].weight
        inputs, outputs = weight.shape
        return self.product(
            self.at(DZ, i), (outputs, 1), address(weight), (1, outputs),
            self.at(DZ, i - 1) if i else (DX, 0), (self.rows, outputs, inputs), self.cut(i),
            {gemm.SLOPE: bits(1.0)},
        )  # fmt: skip

    def sum(self, i):
        """scale y_{i-1} + y_dot_{i-1}, the left factor of dW_i in `chain_merge`."""
        words = {FIRST: self.before(i), SECOND: self.tangent_before(i), THIRD: self.sums_at(i)}
        cut = self.cut(i - 1) if i else (self.parts, 1)
        inputs = len(self.layers[i].weight)
        return self.elementwise(scale_and_add, inputs, cut, words | {FOURTH: (SCALE, 0)})

    def tangent(self, i):
        """z_dot_i = y_dot_{i-1} @ W_i, written where y_dot_i will be."""
        weight = self.layers[i].weight
        inputs, outputs = weight.shape
        return self.product(
            self.tangent_before(i), (inputs, 1), address(weight), (outputs, 1), self.at(Y_DOT, i),
            (self.rows, inputs, outputs), self.cut(i), {gemm.SLOPE: bits(1.0)},
        )  # fmt: skip

    def activation_tangent(self, i):
        """y_dot_i = z_dot_i phi'(y_i)."""
        layer, place = self.layers[i], self.at(Y_DOT, i)
        words = {FIRST: place, SECOND: self.at(Y, i), THIRD: place}
        words |= {ACTIVATION: layer.activation, SLOPE: bits(layer.slope)}
        return self.elementwise(through_activation, self.widths[i], self.cut(i), words)

    def weight_gradient(self, i, half, left, target):
        """dW_i = left(i)' @ dz_i over the rows of `half`; `target` is where it is written."""
        inputs, outputs = self.layers[i].weight.shape
        factor, dz = self.below(left(i), half, inputs), self.below(self.at(DZ, i), half, outputs)
        if min(inputs, outputs) <= THIN:
            words = {FIRST: factor, SECOND: dz, INPUTS: inputs}
            return self.by_one_thread(thin_gradient, i, half, words | target, turn=i)
        task = self.product(
            factor, (1, inputs), dz, (outputs, 1), target[THIRD], (inputs, half.rows, outputs),
            (1, 1 if self.own_halves else self.parts),
            {gemm.SLOPE: bits(1.0), gemm.ACCUMULATE: target[ADDS]},
        )  # fmt: skip
        return self.owned(task.words, half.number) if self.own_halves else task

    def bias_gradient(self, i, half, left, target):
        """db_i = the sum of dz_i over the rows of `half`."""
        words = {FIRST: self.below(self.at(DZ, i), half, self.widths[i])}
        return self.by_one_thread(bias_gradient, i, half, words | target, turn=i + 1)

    def scaled_bias_gradient(self, i, half, left, target):
        """db_i = scale' dz_i over the rows of `half`."""
        scale, dz = (SCALE, 0), self.at(DZ, i)
        words = {FIRST: self.below(scale, half, 1), SECOND: self.below(dz, half, self.widths[i])}
        words |= {INPUTS: 1} | target
        return self.by_one_thread(thin_gradient, i, half, words, turn=i + 1)

    def cut(self, i):
        """How threads divide a product with W_i: by rows (parts, 1) or by columns (1, parts)."""
        weight = self.layers[i].weight
        enough_rows = gemm.STRIPS_PER_THREAD_LARGE_B * TILE_ROWS * self.parts
        if _is_small(weight) or self.rows >= enough_rows:
            return self.parts, 1
        return 1, self.parts

    def _halves(self):
        """The rows over which the gradients are summed: two halves if all weights are small and
        there are so many rows that adding the halves takes little time; else all rows."""
        weights, strips = sum(self.weights), -(-self.rows // TILE_ROWS)
        many = self.size >= 2 * weights and strips > 1 and not _is_serial(self.rows, weights)
        if not many or not all(_is_small(layer.weight) for layer in self.layers):
            return [Half(0, 0, self.rows)]
        middle = strips // 2 * TILE_ROWS  # where the second of two threads begins, as in `gemm`
        return [Half(0, 0, middle), Half(1, middle, self.rows - middle)]

    def at(self, array, i):
        """Where layer i begins in an array of all layers: (array, bytes from its start)."""
        return array, self.slices[i].start * self.dtype.itemsize

    def below(self, place, half, columns):
        """Where a half begins in a matrix at `place` with this number of columns."""
        array, start = place
        return array, start + half.first * columns * self.dtype.itemsize

    def before(self, i):
        """Where the input of layer i is."""
        return self.at(Y, i - 1) if i else (X, 0)

    def tangent_before(self, i):
        """Where the tangent of the input of layer i is."""
        return self.at(Y_DOT, i - 1) if i else (X_DOT, 0)

    def sums_at(self, i):
        """Where scale y_{i-1} + y_dot_{i-1} is: that of x first, then in the order of Y."""
        inputs = self.rows * len(self.layers[0].weight)
        place = inputs + self.slices[i - 1].start if i else 0
        return SUMS, place * self.dtype.itemsize

    def elementwise(self, worker, columns, cut, words):
        """An elementwise task on a matrix, divided like a product with this cut."""
        words = {ROWS: self.rows} | words | {OUTPUTS: columns, DOWN: cut[0], ACROSS: cut[1]}
        return Task(task_of(worker_address(worker, self.dtype), words), cut, False)

    def by_one_thread(self, worker, i, half, words, turn):
        """A gradient of layer i, computed by one thread: by the thread whose half it is, or by the
        threads in turn."""
        words = words | {ROWS: half.rows, OUTPUTS: self.widths[i]}
        task = task_of(worker_address(worker, self.dtype), words)
        return self.owned(task, half.number if self.own_halves else turn)

    def owned(self, words, turn):
        """A task of a single part, for thread `turn` modulo the number of threads."""
        words[0, OWNER] = 1 + turn % self.parts
        return Task(words, (self.parts, 1), False)

    def product(self, a, a_steps, b, b_steps, c, sizes, cut, words):
        """C = A B. a, b, c are places; `a_steps` and `b_steps` the steps between rows and between
        columns; sizes = (rows of A, inner, columns of B)."""
        rows, depth, columns = sizes
        tables = {
            gemm.A_ROWS: row_offsets(a_steps[0], rows), gemm.INNER: row_offsets(a_steps[1], depth),
            gemm.B_ROWS: row_offsets(b_steps[0], depth), gemm.C_ROWS: row_offsets(columns, rows),
        }  # fmt: skip
        self.tables += tables.values()
        words = words | {word: address(table) for word, table in tables.items()}
        words |= {gemm.A: a, gemm.B: b, gemm.C: c, gemm.B_STEP: b_steps[1]}
        words |= {gemm.RUN: depth if a_steps[1] == 1 else 1, gemm.DOWN: cut[0], gemm.ACROSS: cut[1]}
        words |= {gemm.ROWS: rows, gemm.DEPTH_OF_SUM: depth, gemm.COLUMNS: columns, gemm.SPLITS: 1}
        return Task(task_of(gemm.multiplier(self.dtype), words), cut, cut[1] > 1)


def _program(tasks: Iterable[Task], *loops: Iterable[Task]) -> Program:
    """A program: regions of `tasks`, with a barrier where one is needed, then a region for each of
    the lists in `loops`."""
    regions: list[list[Any]] = []
    cut = None
    for task in tasks:
        if not regions or task.needs_barrier or task.cut != cut:
            regions.append([])
        regions[-1].append(task.words)
        cut = task.cut
    return program_of(regions + [[task.words for task in loop] for loop in loops if loop])


def parts_of(rows: int, weights: int) -> int:
    """The number of threads for a batch, given the number of entries of all weights together."""
    return 1 if _is_serial(rows, weights) else threads()


def _is_serial(rows: int, weights: int) -> bool:
    """Whether a batch has too little work for more than one thread."""
    return rows * weights < gemm.SERIAL_BELOW


def _is_small(weight):
    """Whether a product by rows is cheap: each thread packs all of the weight, or none of it."""
    return weight.nbytes <= gemm.SMALL_B or min(weight.shape) <= THIN
