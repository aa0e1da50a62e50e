"""The tasks of a convolution that are neither products (`gemm`) nor padding (`cotangents`).

As in `chain_workers`, a worker slices its arrays and counts from zero.
"""

from numba import carray, njit

from . import gemm
from .machine import index
from .workers import floats_at, pointer_to, words_at

# The words of a task: two addresses, then sizes. Each has so many MATRICES of ROWS x COLUMNS.
SOURCE, TARGET, MATRICES, ROWS, COLUMNS, ADDS, PARTS = range(1, 8)


@njit(inline="always")
def _words_of(address):
    return carray(words_at(address), gemm.WORDS)


def add_chunks(address, part):
    """db += the sums of the chunks (MATRICES, COLUMNS), in float64 and in their order."""
    task = _words_of(address)
    if part:
        return
    chunks, columns = task[MATRICES], task[COLUMNS]
    sums = carray(pointer_to(task[SOURCE], floats_at(address)), chunks * columns)
    db = carray(pointer_to(task[TARGET], address), columns)
    for c in range(columns):
        total = 0.0
        for chunk in range(chunks):
            total += sums[chunk * columns + c]
        db[c] += db.dtype.type(total)


def transpose_matrices(address, part):
    """target = source' of each matrix, or target += source'; source' is ROWS x COLUMNS."""
    task = _words_of(address)
    matrices, rows, columns = task[MATRICES], task[ROWS], task[COLUMNS]
    source = carray(pointer_to(task[SOURCE], address), matrices * rows * columns)
    target = carray(pointer_to(task[TARGET], address), matrices * rows * columns)
    first, end = part * matrices // task[PARTS], (part + 1) * matrices // task[PARTS]
    for matrix in range(first, end):
        start = matrix * rows * columns
        for i in range(rows):
            for j in range(columns):
                at = index(start + i * columns + j)
                number = source[index(start + j * rows + i)]
                target[at] = target[at] + number if task[ADDS] else number


def add_pieces(address, part):
    """target = the sum of the matrices, in their order, or target += the sum."""
    task = _words_of(address)
    pieces, size = task[MATRICES], task[ROWS] * task[COLUMNS]
    source = carray(pointer_to(task[SOURCE], address), pieces * size)
    target = carray(pointer_to(task[TARGET], address), size)
    first, end = part * size // task[PARTS], (part + 1) * size // task[PARTS]
    total = target[first:end]
    if not task[ADDS]:
        total[:] = 0
    for piece in range(pieces):
        sums = source[piece * size + first : piece * size + end]
        for i in range(total.size):
            total[i] += sums[i]
