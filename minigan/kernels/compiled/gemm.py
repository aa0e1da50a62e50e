"""The one matrix product that every layer uses: C = phi(A B + bias), blocked for registers and caches.

    Cut C into tiles that fit in registers; keep what a tile needs close by.

                       panel: tile columns wide
                            |----|
                     +------+----+------+
               k     |      |BBBB|      |   B is copied, k block by k block, into panels stored
             block   |      |BBBB|      |   row after row, so the micro-kernel reads it as one
                     +------+----+------+   straight line of vectors. The panels of a block stay
                     |      |    |      |   in the second-level cache.
                     +------+----+------+
         k block
       +---------+-- +------+----+------+
       |         |   |      |    |      |
       +---------+-- +------+----+------+
       |AAAAAAAAA|   |      |tile|      |   strip: TILE_ROWS rows of A. One k block of it stays in
       +---------+-- +------+----+------+   the first-level cache while the panels pass by.
       |         |   |      |    |      |
       +---------+-- +------+----+------+
            A                 C

(Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.) Two things are
different here. A is not packed: the micro-kernel broadcasts its numbers one at a time, wherever they
are. And all three operands are addressed by tables of offsets into flat arrays,

    A[i, k] = a[rows[i] + runs[k // length] + (k % length) step]      the inner index in runs
    B[k, j] = b[rows[k] + j step]
    C[i, j] = c[rows[i] + j]

so that an image's patches are a matrix without ever being copied into one: convolutions, their
gradients and all transpositions are this one function with different tables. (The idea is that of
the block-scatter matrix: Matthews, "High-Performance Tensor Contraction without Transposition",
2018.) Each entry of C is summed in the same order however many threads there are.
"""

import numpy as np
from numba import njit
from numba.core import types

from ..codes import IDENTITY, LEAKY_RELU
from .fork import THREADS, address_of, compiled_worker, fork, task_reader
from .machine import TILE_ROWS, TILE_VECTORS, VECTOR_BYTES, index
from .microkernel import copy_row, multiply_tile, transpose_square
from .thin import THIN, dot_rows

DEPTH = 256  # k steps in a block: 8 rows of A x 256 x 4 bytes = 8 KB of the first-level cache
PANELS_AT_ONCE = 16  # 16 panels x 256 x 32 x 4 bytes = 512 KB of the second-level cache
SERIAL_BELOW = 200_000  # multiply-adds; below, waking the other threads costs more than they give


def contract(
    left, right, result, columns, bias=None, activation=IDENTITY, slope=0.0, accumulate=False
):
    """C = phi(A B + bias), or C += A B where `accumulate`; phi is the identity or a leaky ReLU.

    left (a, rows, runs, length, step), right (b, rows, step) and result (c, rows) are the operands'
    flat arrays and tables, as above; bias has one number a column.
    """
    a, rows = left[:2]
    bias = a[:0] if bias is None else np.ascontiguousarray(bias)
    slope = float(slope) if activation == LEAKY_RELU else 1.0  # of C where it is negative
    worker = compiled_worker(_work, a.dtype).address
    down, across = 1, 1
    if THREADS > 1 and len(rows) * len(right[1]) * columns >= SERIAL_BELOW:
        panels = -(-columns * a.itemsize // (TILE_VECTORS * VECTOR_BYTES))
        across = min(panels, THREADS)
        down = min(-(-len(rows) // TILE_ROWS), -(-THREADS // across))
    _contract(worker, down, across, left, right, result, columns, bias, slope, accumulate)


@njit(cache=True)
def _contract(worker, down, across, left, right, result, columns, bias, slope, accumulate):
    """C cut into down x across rectangles, one a thread.

    By columns first: that divides the packing of B as well. Where there are too few panels the rows
    are cut too, and each thread packs the panels it needs.
    """
    task = (left, right, result, columns, bias, slope, accumulate, down, across)
    fork(worker, address_of(task), down * across)


def _task_type(number):
    """The type of that task, for float32 or float64."""
    numbers, table, whole = types.Array(number, 1, "C"), types.Array(types.int64, 1, "C"), types.int64
    left = types.Tuple((numbers, table, table, whole, whole))
    right, result = types.Tuple((numbers, table, whole)), types.Tuple((numbers, table))
    return types.Tuple(
        (left, right, result, whole, numbers, types.float64, types.boolean, whole, whole)
    )


_read_task = task_reader(_task_type)


def _work(address, part):
    """One part of a task: a rectangle of C."""
    left, right, result, columns, bias, slope, accumulate, down, across = _read_task(address)
    strips = -(-len(left[1]) // TILE_ROWS)
    panels = -(-columns * left[0].itemsize // (TILE_VECTORS * VECTOR_BYTES))
    s, p = part // across, part % across
    _rectangle(
        left, right, result, columns, bias, slope, accumulate,
        s * strips // down, (s + 1) * strips // down,
        p * panels // across, (p + 1) * panels // across,
    )  # fmt: skip


@njit(inline="always")
def _rectangle(
    left, right, result, columns, bias, slope, accumulate,
    first_strip, end_strip, first_panel, end_panel,
):  # fmt: skip
    """Whole strips by whole panels of C, on one thread."""
    a, a_rows, runs, length, step = left
    b, b_rows, b_step = right
    c, c_rows = result
    number, size = c.dtype.type, c.itemsize
    if columns <= THIN and step == 1:
        first_row, end_row = first_strip * TILE_ROWS, min(end_strip * TILE_ROWS, len(a_rows))
        dot_rows(left, right, result, columns, bias, number(slope), accumulate, first_row, end_row)
        return
    depth = len(b_rows)
    width = TILE_VECTORS * VECTOR_BYTES // size  # of a panel, in columns
    runs_at_once = max(1, DEPTH // length)

    block_size = min(depth, runs_at_once * length) * width
    packed = np.empty(min(PANELS_AT_ONCE, end_panel - first_panel) * block_size + VECTOR_BYTES, c.dtype)
    aligned = -packed.ctypes.data % VECTOR_BYTES // size
    padded_bias = np.zeros(PANELS_AT_ONCE * width, c.dtype)
    edge = np.empty((TILE_ROWS, width), c.dtype)  # stands in for tiles that hang over C's edges
    tile_a, tile_c = np.empty(TILE_ROWS, np.int64), np.empty(TILE_ROWS, np.int64)
    edge_rows = np.empty(TILE_ROWS, np.int64)
    for i in range(TILE_ROWS):
        edge_rows[i] = edge.ctypes.data + i * width * size

    for panel in range(first_panel, end_panel, PANELS_AT_ONCE):
        panels = min(PANELS_AT_ONCE, end_panel - panel)
        left_edge, right_edge = panel * width, min((panel + panels) * width, columns)
        if len(bias):
            for j in range(right_edge - left_edge):
                padded_bias[j] = bias[left_edge + j]
        for run in range(0, len(runs), runs_at_once):
            end_run = min(run + runs_at_once, len(runs))
            top, bottom = run * length, min(end_run * length, depth)
            run_length = min(length, depth - top)  # shorter where a matrix ends within its last run
            pack(b, b_rows[top:bottom], b_step, left_edge, right_edge, packed[aligned:])
            adds, ends = accumulate or run > 0, end_run == len(runs)
            finishes = ends and (len(bias) > 0 or slope != 1)

            for strip in range(first_strip, end_strip):
                row = strip * TILE_ROWS
                rows = min(TILE_ROWS, len(a_rows) - row)
                for i in range(TILE_ROWS):  # a strip that hangs over repeats its last row
                    tile_a[i] = a.ctypes.data + a_rows[row + min(i, rows - 1)] * size
                    tile_c[i] = c.ctypes.data + c_rows[row + min(i, rows - 1)] * size
                for p in range(panels):
                    column = left_edge + p * width
                    inside = rows == TILE_ROWS and column + width <= columns
                    if adds and not inside:
                        for i in range(rows):
                            for j in range(min(width, columns - column)):
                                edge[i, j] = c[index(c_rows[row + i] + column + j)]
                    multiply_tile(
                        tile_c if inside else edge_rows, column if inside else 0, adds,
                        tile_a, runs, run, end_run, run_length, step,
                        packed, aligned + p * (bottom - top) * width,
                        finishes, padded_bias, p * width, number(slope),
                    )  # fmt: skip
                    if not inside:
                        for i in range(rows):
                            for j in range(min(width, columns - column)):
                                c[index(c_rows[row + i] + column + j)] = edge[i, j]


@njit(cache=True)
def pack(b, rows, step, left_edge, right_edge, packed):
    """Copies columns [left_edge, right_edge) of B into panels; zeros fill up the last panel."""
    lanes = VECTOR_BYTES // b.itemsize
    width = TILE_VECTORS * lanes
    start = 0
    for column in range(left_edge, right_edge, width):
        inside = min(width, right_edge - column)
        k = 0
        while k < len(rows):
            source, target = rows[k] + column * step, start + k * width
            if step == 1 and inside == width:
                copy_row(b, source, packed, target)
                k += 1
            elif inside == width and k + lanes <= len(rows) and rows[k + lanes - 1] == rows[k] + lanes - 1:
                for v in range(0, width, lanes):
                    transpose_square(b, source + v * step, step, packed, target + v)
                k += lanes
            else:
                for j in range(inside):
                    packed[index(target + j)] = b[index(source + j * step)]
                for j in range(inside, width):
                    packed[index(target + j)] = 0
                k += 1
        start += len(rows) * width
