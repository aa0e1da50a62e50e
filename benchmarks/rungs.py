"""The rungs of `matmul_ladder.py`: C = A B in eleven versions, one idea each.

Each computes the same as the one before, and can be read alone. The first are for square matrices
whose size is a multiple of four; from "edges" on, any will do.
"""

import numpy as np
from numba import njit, prange

TILE = 4  # rows and columns of a register tile
COLUMNS = 64  # of a block: 64 rows of B' x 1,000 steps x 4 bytes are 256 KB of the L2 cache


# %% Loops and their order
def three_loops(a, b, c):
    """The definition, in plain Python: c[i, j] = sum over k of a[i, k] b[k, j]."""
    for i in range(len(a)):
        for j in range(b.shape[1]):
            c[i, j] = sum(a[i, k] * b[k, j] for k in range(len(b)))


@njit
def compiled_loops(a, b, c):
    """The same loops compiled. The inner one goes down a column of b: each step is in another
    cache line, and no vector instructions are possible."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = c.dtype.type(0)
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            c[i, j] = total


@njit
def rows_of_b(a, b, c):
    """The two inner loops exchanged: the inner one now goes along rows of b and c, and the
    compiler uses vector instructions. But c is read and written for each k."""
    c[:] = 0
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            factor = a[i, k]
            for j in range(b.shape[1]):
                c[i, j] += factor * b[k, j]


@njit(fastmath=True)
def unrolled(a, b, c):
    """Four steps k in each pass over a row of c: it is read and written a quarter as often."""
    c[:] = 0
    for i in range(a.shape[0]):
        row = c[i]
        for k in range(0, a.shape[1], 4):
            a0, a1, a2, a3 = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
            b0, b1, b2, b3 = b[k], b[k + 1], b[k + 2], b[k + 3]
            for j in range(b.shape[1]):
                row[j] += (a0 * b0[j] + a1 * b1[j]) + (a2 * b2[j] + a3 * b3[j])


# %% Packing, and a tile in registers
@njit
def transposed(b):
    """A copy of b', so that a column of b is contiguous."""
    out = np.empty((b.shape[1], b.shape[0]), b.dtype)
    for k in range(b.shape[0]):
        for j in range(b.shape[1]):
            out[j, k] = b[k, j]
    return out


@njit(fastmath=True)
def packed(a, b, c):
    """Packing: b is copied, transposed, once. Each c[i, j] is then the inner product of two
    contiguous rows, summed in a register and written once; `fastmath` allows sixteen partial sums
    in a vector. But two numbers are loaded for each multiply-add."""
    bt = transposed(b)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            row, column = a[i], bt[j]
            total = c.dtype.type(0)
            for k in range(len(row)):
                total += row[k] * column[k]
            c[i, j] = total


@njit(fastmath=True)
def tile(a, bt, c, i, j):
    """c[i : i + 4, j : j + 4] = four rows of a times four rows of bt.

    Eight numbers are loaded for sixteen multiply-adds, and the sixteen sums stay in registers.
    """
    zero = c.dtype.type(0)
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = zero
    a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
    b0, b1, b2, b3 = bt[j], bt[j + 1], bt[j + 2], bt[j + 3]
    for k in range(a.shape[1]):
        x, y, z, w = b0[k], b1[k], b2[k], b3[k]
        s00, s01, s02, s03 = s00 + a0[k] * x, s01 + a0[k] * y, s02 + a0[k] * z, s03 + a0[k] * w
        s10, s11, s12, s13 = s10 + a1[k] * x, s11 + a1[k] * y, s12 + a1[k] * z, s13 + a1[k] * w
        s20, s21, s22, s23 = s20 + a2[k] * x, s21 + a2[k] * y, s22 + a2[k] * z, s23 + a2[k] * w
        s30, s31, s32, s33 = s30 + a3[k] * x, s31 + a3[k] * y, s32 + a3[k] * z, s33 + a3[k] * w
    c[i, j], c[i, j + 1], c[i, j + 2], c[i, j + 3] = s00, s01, s02, s03
    c[i + 1, j], c[i + 1, j + 1], c[i + 1, j + 2], c[i + 1, j + 3] = s10, s11, s12, s13
    c[i + 2, j], c[i + 2, j + 1], c[i + 2, j + 2], c[i + 2, j + 3] = s20, s21, s22, s23
    c[i + 3, j], c[i + 3, j + 1], c[i + 3, j + 2], c[i + 3, j + 3] = s30, s31, s32, s33


@njit
def register_tile(a, b, c):
    """A register tile in plain Numba: sixteen inner products at once, four rows of a by four
    columns of b. But all of b passes through the caches for every four rows of a."""
    bt = transposed(b)
    for i in range(0, a.shape[0], TILE):
        for j in range(0, b.shape[1], TILE):
            tile(a, bt, c, i, j)


# %% Caches, edges, cores
@njit
def cache_blocks(a, b, c):
    """Cache blocking: 64 columns of b are used for all rows of a before the next 64, so they stay
    in the L2 cache; the four rows of a that meet them stay in the L1 cache. (Where one core has a
    large and fast L3 cache to itself, as in this benchmark, that gains little.)"""
    bt = transposed(b)
    for left in range(0, b.shape[1], COLUMNS):
        for i in range(0, a.shape[0], TILE):
            for j in range(left, min(left + COLUMNS, b.shape[1]), TILE):
                tile(a, bt, c, i, j)


@njit
def padded(x):
    """x with rows of zeros up to a multiple of four."""
    out = np.zeros((-(-x.shape[0] // TILE) * TILE, x.shape[1]), x.dtype)
    out[: x.shape[0]] = x
    return out


@njit
def rows_of_c(a, bt, c, top, bottom):
    """Rows [top, bottom) of c, for padded operands. A tile that crosses the edge of c is computed
    in a corner of its own, and the part that exists is copied."""
    corner = np.empty((TILE, TILE), c.dtype)
    for left in range(0, c.shape[1], COLUMNS):
        for i in range(top, bottom, TILE):
            for j in range(left, min(left + COLUMNS, c.shape[1]), TILE):
                if i + TILE <= bottom and j + TILE <= c.shape[1]:
                    tile(a, bt, c, i, j)
                else:
                    tile(a[i : i + TILE], bt[j : j + TILE], corner, 0, 0)
                    inside = c[i : min(i + TILE, bottom), j : j + TILE]
                    inside[:] = corner[: inside.shape[0], : inside.shape[1]]


@njit
def edges(a, b, c):
    """Edges: any size. Both operands are padded with zeros; of a tile that crosses the edge of c,
    only the part that exists is copied."""
    rows_of_c(padded(a), padded(transposed(b)), c, 0, c.shape[0])


@njit(parallel=True)
def all_cores(a, b, c):
    """The rows of c divided among the cores, 64 at a time."""
    a, bt = padded(a), padded(transposed(b))
    for block in prange(-(-c.shape[0] // 64)):
        rows_of_c(a, bt, c, block * 64, min((block + 1) * 64, c.shape[0]))


def minigan(a, b, c):
    """minigan's: a tile of vector registers, written in vector instructions, for any strides; see
    `minigan/fast/kernels/gemm.py`."""
    from minigan import kernels

    kernels.matmul(a, b, out=c)


def blas(a, b, c):
    """NumPy's BLAS."""
    np.matmul(a, b, out=c)


RUNGS = {  # name -> (function, the largest size that takes seconds at most, whether on all cores)
    "three loops, Python": (three_loops, 64, False),
    "three loops, compiled": (compiled_loops, 500, False),
    "inner loop along rows": (rows_of_b, 1000, False),
    "four steps unrolled": (unrolled, 1000, False),
    "B packed": (packed, 1000, False),
    "register tile, plain Numba": (register_tile, 1000, False),
    "cache blocks": (cache_blocks, 1000, False),
    "edges": (edges, 1001, False),
    "all cores": (all_cores, 1001, True),
    "minigan": (minigan, 1001, True),
    "NumPy's BLAS": (blas, 1001, True),
}


def prepare(name):
    """In a process of its own: (size, run), after a check against float64."""
    function, size, _ = RUNGS[name]
    rng = np.random.default_rng(0)
    small = 67 if size % 4 else 64
    a, b, c = _operands(rng, small)
    function(a, b, c)
    error = np.abs(c - a.astype(np.float64) @ b).max() / np.abs(c).max()
    if not error < 1e-5:
        raise ValueError(f"{function.__name__} is wrong: relative error {error:.1e}")
    a, b, c = _operands(rng, size)

    def run(count):
        for _ in range(count):
            function(a, b, c)

    return size, run


def _operands(rng, size):
    return (
        *(rng.standard_normal((size, size)).astype(np.float32) for _ in range(2)),
        np.empty((size, size), np.float32),
    )
