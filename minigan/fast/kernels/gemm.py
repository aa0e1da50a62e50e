"""The matrix product of the dense and convolutional layers, C = phi(A B + bias), blocked for
registers and caches. (Weight gradients with very few rows or columns are in `thin`.)

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
from .machine import PACKS_A, TILE_ROWS, TILE_VECTORS, VECTOR_BYTES, index
from .microkernel import CHUNK, multiply_tile
from .packing import (
    DEPTH,
    ROW_STEP,
    pack_columns,
    pack_panels,
    pack_rows,
    steps_of_squares,
    worth_packing,
)
from .thin import THIN, dot_rows
from .threads import thread_safe, threads
from .views import address_of, float_like, numbers_at, space, view, words_of
from .workers import bits_of, run_parts, words_at, worker_address

PANELS_AT_ONCE = 5  # 5 panels x 512 x 48 x 4 bytes = 480 KB of the L2 cache
SMALL_B = 1 << 18  # bytes; packing it once per thread costs little
# C is cut by rows if it has at least this many strips per thread
STRIPS_PER_THREAD_SMALL_B, STRIPS_PER_THREAD_LARGE_B = 4, 64
SERIAL_BELOW = 200_000  # multiply-adds; below this, waking the other threads does not pay
STORE = 32  # multiply-adds that take as long as storing one number of C
# A sum of so many steps for a C of so few bytes is cut into pieces
MANY_STEPS, SMALL_C, PIECES_OF_SUM = 4096, 1 << 15, 8


def multiply(
    left, right, result, columns, bias=None, activation=IDENTITY, slope=0.0, accumulate=False
):
    """C = phi(A B + bias), or C += A B where `accumulate`; phi is the identity or a leaky ReLU.

    Parameters
    ----------
    left : (a, rows, inner, run)
        A's flat array and its tables of offsets. `run` numbers of a row of A are contiguous.
    right : (b, rows, step)
        B's flat array, its table of row offsets and the step between columns.
    result : (c, rows)
        C's flat array and its table of row offsets; rows are contiguous.
    columns : int
        Of B and C.
    bias : array (columns,) or None
    """
    a, rows = left[:2]
    if ON:
        count_product(len(rows), len(right[1]), columns)
    bias = a[:0] if bias is None else np.ascontiguousarray(bias)
    slope = float(slope) if activation == LEAKY_RELU else 1.0  # applied to negative entries of C
    pieces = pieces_of_sum(len(rows), len(right[1]), columns, a.itemsize)
    if pieces > 1 and left[3] == 1 and len(bias) == 0 and slope == 1:
        down, across = min(pieces, threads()), 1
    else:
        pieces = 1
        down, across = _cut(len(rows), len(right[1]), columns, a.itemsize, threads())
    worker = multiplier(a.dtype)
    run = _multiply if down * across == 1 else _multiply_in_parallel
    run(worker, down, across, pieces, left, right, result, columns, bias, slope, accumulate)


def pieces_of_sum(rows, depth, columns, itemsize):
    """How many pieces the sum over k is cut into, for any number of threads.

    A small C with a long sum, such as the weight gradient of an image's first convolution, has too
    few tiles to be divided: cut across, each thread would read all of A and half of each row of B.
    """
    small = rows * columns * itemsize <= SMALL_C and columns > THIN
    return PIECES_OF_SUM if small and depth >= MANY_STEPS else 1


def _cut(rows, depth, columns, itemsize, threads):
    """(down, across): how many rectangles C is cut into, one per thread.

    A tall C is cut by rows: each thread packs all of B, but its rows of A, which it wrote in the
    layer before, are still in its cache. Otherwise C is cut by columns, which divides the packing
    of B; with fewer vectors in a row of C than threads it is cut by rows as well.
    """
    if threads == 1 or rows * (depth + STORE) * columns < SERIAL_BELOW:
        return 1, 1
    strips = -(-rows // TILE_ROWS)
    large_b = depth * columns * itemsize > SMALL_B
    per_thread = STRIPS_PER_THREAD_LARGE_B if large_b else STRIPS_PER_THREAD_SMALL_B
    if strips >= per_thread * threads:
        return threads, 1
    across = min(-(-columns * itemsize // VECTOR_BYTES), threads)
    return min(strips, -(-threads // across)), across


# The words of a task: addresses, sizes, and what is to be done.
(
    WORKER, A, A_ROWS, INNER, RUN, B, B_ROWS, B_STEP, C, C_ROWS, BIAS, HAS_BIAS, SLOPE, ACCUMULATE,
    ROWS, DEPTH_OF_SUM, COLUMNS, DOWN, ACROSS, PIECES,
) = range(20)  # fmt: skip
WORDS = PIECES + 1


@cached_njit()
def _multiply(worker, down, across, pieces, left, right, result, columns, bias, slope, accumulate):
    """Computes C in down x across rectangles, each one part of the task; or its sum in pieces,
    which `down` threads share, and which are added up in their order."""
    (c, c_rows), rows = result, len(left[1])
    size = pieces * rows * columns if pieces > 1 else 0
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
    task[DOWN], task[ACROSS], task[PIECES] = down, across, pieces
    if pieces > 1:
        task[C], task[C_ROWS], task[ACCUMULATE] = address_of(sums), address_of(sum_rows), False
    run_parts(worker, down * across, address_of(task))
    for i in range(rows if pieces > 1 else 0):
        for j in range(columns):
            z = c[c_rows[i] + j] if accumulate else c.dtype.type(0)
            for first in range(0, len(sums), rows * columns):
                z += sums[first + sum_rows[i] + j]
            c[c_rows[i] + j] = z
    return task[WORKER]  # so the task lives until here


_multiply_in_parallel = thread_safe(_multiply)


def multiplier(dtype):
    """The worker that computes one part of a task."""
    return worker_address(_work, dtype)


def _work(address, part):
    """Computes one part of a task: a rectangle of C, whole strips by whole vectors.

    The panels are about equally wide: 8 vectors are 2 + 3 + 3, because a narrow tile is slower.
    """
    task, words = words_of(address), words_at(address)
    a, b = numbers_at(task[A], address, 1), numbers_at(task[B], address, 1)
    c, run, b_step = numbers_at(task[C], address, 1), task[RUN], task[B_STEP]
    columns, depth = task[COLUMNS], task[DEPTH_OF_SUM]
    bias = numbers_at(task[BIAS], address, columns * task[HAS_BIAS])
    slope, accumulate = float_like(task[SLOPE], address), task[ACCUMULATE] != 0
    a_rows = numbers_at(task[A_ROWS], words, task[ROWS])
    inner = numbers_at(task[INNER], words, depth)
    b_rows = numbers_at(task[B_ROWS], words, depth)
    c_rows = numbers_at(task[C_ROWS], words, task[ROWS])

    number, size = c.dtype.type, c.itemsize
    lanes = VECTOR_BYTES // size
    down, across, pieces = task[DOWN], task[ACROSS], task[PIECES]
    first_piece, end_piece = 0, 1
    if pieces > 1:  # some of the pieces of the sum, each for all of C
        first_piece, end_piece = part * pieces // down, (part + 1) * pieces // down
        part, down = 0, 1
    strips, vectors = -(-len(a_rows) // TILE_ROWS), -(-columns // lanes)
    first_strip, end_strip = part // across * strips // down, (part // across + 1) * strips // down
    first_vector = part % across * vectors // across
    vectors = (part % across + 1) * vectors // across - first_vector
    if columns <= THIN and run > 1:
        dot_rows(
            (a, a_rows, inner, run), (b, b_rows, b_step), (c, c_rows), columns, bias, slope,
            accumulate, first_strip * TILE_ROWS, min(end_strip * TILE_ROWS, len(a_rows)),
        )  # fmt: skip
        return
    widest = TILE_VECTORS * lanes  # of a panel, in columns
    # All blocks are about equally long, and whole squares of a transposed B.
    longest = -(-depth // pieces)
    block = max(1, -(-longest // (max(1, -(-longest // DEPTH)) * lanes))) * lanes
    line_step, square_step = steps_of_squares(b_rows, b_step, lanes)
    panels = -(-vectors // TILE_VECTORS)
    at_once = min(PANELS_AT_ONCE, panels)

    packs_a = worth_packing(a_rows, inner, run, size, vectors)
    # All temporary arrays are parts of two: allocating each would take longer than a small product.
    packed_size, bias_size = at_once * block * widest, at_once * widest
    edge_size, strip_size = TILE_ROWS * widest, TILE_ROWS * ROW_STEP * packs_a
    numbers = space(packed_size + bias_size + edge_size + strip_size + VECTOR_BYTES, c)
    aligned = -address_of(numbers) % VECTOR_BYTES // size
    packed = view(numbers, aligned, packed_size)
    padded_bias = view(numbers, aligned + packed_size, bias_size)
    edge = view(padded_bias, bias_size, edge_size)  # a tile that overlaps C's border
    strip = view(edge, edge_size, strip_size)  # of A
    steps_size = block * packs_a
    table = space(3 * TILE_ROWS + at_once + 1 + steps_size, b_rows)
    tile_a, tile_c = view(table, 0, TILE_ROWS), view(table, TILE_ROWS, TILE_ROWS)
    edge_rows = view(table, 2 * TILE_ROWS, TILE_ROWS)
    starts = view(table, 3 * TILE_ROWS, at_once + 1)  # of the panels
    steps = view(starts, at_once + 1, steps_size)  # the packed strip's inner
    for i in range(TILE_ROWS):
        edge_rows[i] = address_of(edge) + i * widest * size
    for k in range(len(steps)):
        steps[k] = k if run > 1 else k * TILE_ROWS

    for piece in range(first_piece, end_piece):
        c = numbers_at(task[C] + piece * len(a_rows) * columns * size, address, 1)
        begin, depth = piece * len(inner) // pieces, (piece + 1) * len(inner) // pieces
        for panel in range(0, panels, PANELS_AT_ONCE):
            at_once = min(PANELS_AT_ONCE, panels - panel)
            for p in range(at_once + 1):
                starts[p] = first_vector + (panel + p) * vectors // panels
            left_edge, right_edge = starts[0] * lanes, min(starts[at_once] * lanes, columns)
            for j in range(len(padded_bias)):
                inside = len(bias) > 0 and left_edge + j < right_edge
                padded_bias[j] = bias[left_edge + j] if inside else number(0)
            for top in range(begin, depth, block):
                bottom = min(top + block, depth)
                pack_panels(
                    b, view(b_rows, top, bottom - top), b_step, right_edge, starts, at_once, packed
                )
                next_top, next_panel = (
                    (bottom, panel) if bottom < depth else (begin, panel + PANELS_AT_ONCE)
                )
                squares = max(1, (min(next_top + block, depth) - next_top) // lanes)  # down a panel
                prefetched = -(-(bottom - top) // (CHUNK * lanes))  # squares, by each strip
                adds = accumulate or top > begin
                finishes = bottom == depth and (len(bias) > 0 or slope != 1)

                for s in range(first_strip, end_strip):
                    row = s * TILE_ROWS
                    rows = min(TILE_ROWS, len(a_rows) - row)
                    for i in range(TILE_ROWS):  # an incomplete strip repeats its last row
                        tile_a[i] = address_of(a) + a_rows[row + min(i, rows - 1)] * size
                        tile_c[i] = address_of(c) + c_rows[row + min(i, rows - 1)] * size
                    if PACKS_A:  # otherwise Numba leaves this out
                        if packs_a:
                            if run > 1:
                                pack_rows(a, a_rows, row, row + rows, top, bottom, strip)
                            else:
                                pack_columns(a, a_rows, row, row + rows, inner, top, bottom, strip)
                            for i in range(TILE_ROWS):
                                tile_a[i] = (
                                    address_of(strip) + (i * ROW_STEP if run > 1 else i) * size
                                )
                    for p in range(at_once):
                        column, width = starts[p] * lanes, starts[p + 1] - starts[p]
                        inside = rows == TILE_ROWS and column + width * lanes <= columns
                        if adds and not inside:
                            for i in range(rows):
                                for j in range(min(width * lanes, columns - column)):
                                    edge[i * widest + j] = c[index(c_rows[row + i] + column + j)]
                        before = (s - first_strip) * prefetched
                        v, down = before // squares, before % squares
                        exists = next_panel + p < panels and v < TILE_VECTORS
                        v += first_vector + (next_panel + p) * vectors // panels
                        ahead = (
                            b_rows[next_top + down * lanes] + v * lanes * b_step if exists else 0
                        )
                        multiply_tile(
                            tile_c if inside else edge_rows, column if inside else 0, adds,
                            tile_a, steps if packs_a else inner,
                            0 if packs_a else top, bottom - top if packs_a else bottom,
                            packed, (column - left_edge) * (bottom - top), width,
                            b, ahead, line_step * exists, square_step * exists,
                            finishes, padded_bias, column - left_edge, slope,
                        )  # fmt: skip
                        if not inside:
                            for i in range(rows):
                                for j in range(min(width * lanes, columns - column)):
                                    c[index(c_rows[row + i] + column + j)] = edge[i * widest + j]
