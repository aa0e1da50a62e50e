"""The tasks of a convolution that are neither products (`gemm`) nor padding (`cotangents`).

As in `chain_workers`, a worker takes views of its arrays and counts from zero.
"""

from .machine import index
from .views import numbers_at, view, words_of
from .workers import floats_at

# The words of a task: two addresses, then sizes: each array has MATRICES matrices ROWS x COLUMNS.
SOURCE, TARGET, MATRICES, ROWS, COLUMNS, ADDS, PARTS = range(1, 8)


def add_chunks(address, part):
    """db += the sum of the chunks, SOURCE (MATRICES, COLUMNS) in float64, in order."""
    task = words_of(address)
    if part:
        return
    chunks, columns = task[MATRICES], task[COLUMNS]
    sums = numbers_at(task[SOURCE], floats_at(address), chunks * columns)
    db = numbers_at(task[TARGET], address, columns)
    for c in range(columns):
        total = 0.0
        for chunk in range(chunks):
            total += sums[chunk * columns + c]
        db[c] += db.dtype.type(total)


def transpose_matrices(address, part):
    """target = source' of each matrix, or target += source'; source' is ROWS x COLUMNS."""
    task = words_of(address)
    matrices, rows, columns = task[MATRICES], task[ROWS], task[COLUMNS]
    source = numbers_at(task[SOURCE], address, matrices * rows * columns)
    target = numbers_at(task[TARGET], address, matrices * rows * columns)
    first, end = part * matrices // task[PARTS], (part + 1) * matrices // task[PARTS]
    for matrix in range(first, end):
        start = matrix * rows * columns
        for i in range(rows):
            for j in range(columns):
                at = index(start + i * columns + j)
                number = source[index(start + j * rows + i)]
                target[at] = target[at] + number if task[ADDS] else number


def add_splits(address, part):
    """target = sum of the matrices in order (the splits of a split-K product), or target += it."""
    task = words_of(address)
    splits, size = task[MATRICES], task[ROWS] * task[COLUMNS]
    source = numbers_at(task[SOURCE], address, splits * size)
    target = numbers_at(task[TARGET], address, size)
    first, end = part * size // task[PARTS], (part + 1) * size // task[PARTS]
    total = view(target, first, end - first)
    for i in range(0 if task[ADDS] else total.size):
        total[i] = 0
    for split in range(splits):
        sums = view(source, split * size + first, end - first)
        for i in range(total.size):
            total[i] += sums[i]
