"""The matrix product of the dense and convolutional layers, C = phi(A B + bias), blocked for
registers and caches. (The part of one thread is in `gemm_part`, weight gradients with very few
rows or columns are in `thin`.)

    C is computed in tiles that fit in registers; the operands of a tile stay in the caches.

                       panel: tile columns wide
                            |----|
                     +------+----+------+
               k     |      |BBBB|      |   B is copied, k block by k block, into panels stored
             block   |      |BBBB|      |   row after row, so the micro-kernel reads them
                     +------+----+------+   sequentially. The panels of a block stay
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

(Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.) There are two
differences from that scheme. A is packed only where its strides slow it down: the micro-kernel can
broadcast its numbers from wherever they are. And all operands are addressed through tables of
offsets into flat arrays,

    A[i, k] = a[rows[i] + inner[k]]
    B[k, j] = b[rows[k] + j step]
    C[i, j] = c[rows[i] + j]

so the patches of an image can be used as a matrix without copying them: convolutions, their
gradients and all transpositions are this one function with different tables (the block-scatter
matrix of Matthews, "High-Performance Tensor Contraction without Transposition", 2018). Each entry
of C is summed in the same order for any number of threads.
"""

import numpy as np

from .cache import cached_njit
from .calls import ON, count_product
from .codes import IDENTITY, LEAKY_RELU
from .gemm_part import (
    A_ROWS,
    ACCUMULATE,
    ACROSS,
    B_ROWS,
    B_STEP,
    BIAS,
    C_ROWS,
    COLUMNS,
    DEPTH_OF_SUM,
    DOWN,
    HAS_BIAS,
    INNER,
    ROWS,
    RUN,
    SLOPE,
    SPLITS,
    WORDS,
    WORKER,
    A,
    B,
    C,
    multiply_part,
)
from .machine import TILE_ROWS, VECTOR_BYTES
from .thin import THIN
from .threads import thread_safe, threads
from .views import address_of
from .workers import bits_of, run_parts, worker_address

SMALL_B = 1 << 18  # bytes; packing it once per thread costs little
# C is cut by rows if it has at least this many strips per thread
STRIPS_PER_THREAD_SMALL_B, STRIPS_PER_THREAD_LARGE_B = 4, 64
SERIAL_BELOW = 200_000  # multiply-adds; below this, waking the other threads does not pay
STORE = 32  # multiply-adds that take as long as storing one number of C
# A sum over k of at least LONG_SUM steps, for a C of at most SMALL_C bytes, is computed in splits
LONG_SUM, SMALL_C, SPLITS_OF_SUM = 4096, 1 << 15, 8


def multiply(
    left, right, result, columns, bias=None, activation=IDENTITY, slope=0.0, accumulate=False
):
    """C = phi(A B + bias), or C += A B where `accumulate`; phi is the identity or a leaky ReLU.

    Parameters
    ----------
    left : (a, rows, inner, run)
        A's flat array and its tables of offsets. Along k, A is contiguous in pieces of `run`
        numbers.
    right : (b, rows, step)
        B's flat array, its table of row offsets and the step between columns.
    result : (c, rows)
        C's flat array and its table of row offsets; rows are contiguous.
    columns : int
        The number of columns of B and C.
    bias : array (columns,) or None
    """
    a, rows = left[:2]
    if ON:
        count_product(len(rows), len(right[1]), columns)
    bias = a[:0] if bias is None else np.ascontiguousarray(bias)
    slope = float(slope) if activation == LEAKY_RELU else 1.0  # applied to negative entries of C
    splits = splits_of_sum(len(rows), len(right[1]), columns, a.itemsize)
    if splits > 1 and left[3] == 1 and len(bias) == 0 and slope == 1:
        down, across = min(splits, threads()), 1
    else:
        splits = 1
        parts = _threads_for(len(rows), len(right[1]), columns)
        down, across = cut(len(rows), len(right[1]), columns, a.itemsize, parts)
    worker = multiplier(a.dtype)
    run = _multiply if down * across == 1 else _multiply_in_parallel
    run(worker, down, across, splits, left, right, result, columns, bias, slope, accumulate)


def splits_of_sum(rows, depth, columns, itemsize):
    """The number of splits of the sum over k ("split-K"), the same for any number of threads.

    A small C with a long sum, such as the weight gradient of the first convolution of an image, has
    too few tiles to be divided among threads: divided by columns, each thread would read all of A
    and half of each row of B. So the threads divide the sum over k instead.
    """
    small = rows * columns * itemsize <= SMALL_C and columns > THIN
    return SPLITS_OF_SUM if small and depth >= LONG_SUM else 1


def _threads_for(rows, depth, columns):
    """The number of threads for a product: one if it is too small to pay for waking the others."""
    return 1 if rows * (depth + STORE) * columns < SERIAL_BELOW else threads()


def cut(rows, depth, columns, itemsize, parts):
    """How C is divided into `parts` rectangles: by rows (parts, 1) or by columns (1, parts).

    A tall C is divided by rows: each thread packs all of B, but its rows of A, which it wrote in
    the layer before, are still in its cache. Otherwise C is divided by columns, which also divides
    the packing of B. A narrow C is always divided by rows: if its rows have fewer vectors than
    there are parts, or so few columns that `dot_rows` computes whole rows.
    """
    large_b = depth * columns * itemsize > SMALL_B
    per_thread = STRIPS_PER_THREAD_LARGE_B if large_b else STRIPS_PER_THREAD_SMALL_B
    tall = -(-rows // TILE_ROWS) >= per_thread * parts
    narrow = columns <= THIN or -(-columns * itemsize // VECTOR_BYTES) < parts
    return (parts, 1) if tall or narrow else (1, parts)


@cached_njit()
def _multiply(worker, down, across, splits, left, right, result, columns, bias, slope, accumulate):
    """Runs the product as down x across parts, each a rectangle of C; or, if splits > 1, as `down`
    parts, each of some splits of the sum over k, and then adds the splits in order."""
    (c, c_rows), rows = result, len(left[1])
    size = splits * rows * columns if splits > 1 else 0
    sums, sum_rows = np.empty(size, c.dtype), np.arange(rows) * columns
    task = np.empty(WORDS, np.int64)
    task[WORKER] = worker
    task[A], task[A_ROWS], task[INNER] = (
        address_of(left[0]),
        address_of(left[1]),
        address_of(left[2]),
    )
    task[RUN], task[B], task[B_ROWS] = left[3], address_of(right[0]), address_of(right[1])
    task[B_STEP], task[C], task[C_ROWS] = right[2], address_of(c), address_of(c_rows)
    task[BIAS], task[HAS_BIAS] = address_of(bias), len(bias) > 0
    task[SLOPE], task[ACCUMULATE] = bits_of(slope), accumulate
    task[ROWS], task[DEPTH_OF_SUM], task[COLUMNS] = rows, len(right[1]), columns
    task[DOWN], task[ACROSS], task[SPLITS] = down, across, splits
    if splits > 1:
        task[C], task[C_ROWS], task[ACCUMULATE] = address_of(sums), address_of(sum_rows), False
    run_parts(worker, down * across, address_of(task))
    for i in range(rows if splits > 1 else 0):
        for j in range(columns):
            z = c[c_rows[i] + j] if accumulate else c.dtype.type(0)
            for first in range(0, len(sums), rows * columns):
                z += sums[first + sum_rows[i] + j]
            c[c_rows[i] + j] = z
    return task[WORKER]  # a use of the task, so that Numba does not free it earlier


_multiply_in_parallel = thread_safe(_multiply)


def multiplier(dtype):
    """The address of the worker `multiply_part` for a dtype."""
    return worker_address(multiply_part, dtype)
