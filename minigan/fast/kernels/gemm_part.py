"""The worker of a matrix product: the part of one thread (see `gemm` for the scheme).

A thread computes a rectangle of C, whole strips of rows by whole vectors of columns. It runs a
*macro-kernel* for each block of steps k and each group of panels of B:

    for each macro-kernel:               its panels stay in the second-level cache
        pack the panels
        for each strip of A:             the strip stays in the first-level cache
            for each panel:              the micro-kernel computes one register tile

During a macro-kernel the part of B that the next one packs is prefetched. The three loops are in
one function: if the code of the tile were in an inner function, Numba would compile it again with
each function that calls it, which takes a second each time.
"""

from .cache import cached_njit
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
from .views import address_of, float_like, numbers_at, space, view, words_of
from .workers import words_at

# Bytes of a group of panels, at most: half of a second-level cache of 1 MB. The other half is for
# the part of B that is prefetched meanwhile.
GROUP_BYTES = 480 << 10

# The words of a task: addresses, sizes, and what is to be done.
(
    WORKER, A, A_ROWS, INNER, RUN, B, B_ROWS, B_STEP, C, C_ROWS, BIAS, HAS_BIAS, SLOPE, ACCUMULATE,
    ROWS, DEPTH_OF_SUM, COLUMNS, DOWN, ACROSS, SPLITS,
) = range(20)  # fmt: skip
WORDS = SPLITS + 1


def multiply_part(address, part):
    """Computes one part of a task: its rectangle of C, or its splits of the sum over k."""
    task, words = words_of(address), words_at(address)
    a, b = numbers_at(task[A], address, 1), numbers_at(task[B], address, 1)
    c, run, b_step = numbers_at(task[C], address, 1), task[RUN], task[B_STEP]
    columns, depth, splits = task[COLUMNS], task[DEPTH_OF_SUM], task[SPLITS]
    bias = numbers_at(task[BIAS], address, columns * task[HAS_BIAS])
    slope, accumulate = float_like(task[SLOPE], address), task[ACCUMULATE] != 0
    a_rows = numbers_at(task[A_ROWS], words, task[ROWS])
    inner = numbers_at(task[INNER], words, depth)
    b_rows = numbers_at(task[B_ROWS], words, depth)
    c_rows = numbers_at(task[C_ROWS], words, task[ROWS])
    size = c.itemsize
    lanes = VECTOR_BYTES // size
    first_strip, end_strip, first_vector, vectors, first_split, end_split = _share_of(
        task, part, lanes
    )

    if columns <= THIN and run > 1:
        dot_rows(
            (a, a_rows, inner, run), (b, b_rows, b_step), (c, c_rows), columns, bias, slope,
            accumulate, first_strip * TILE_ROWS, min(end_strip * TILE_ROWS, len(a_rows)),
        )  # fmt: skip
        return

    widest = TILE_VECTORS * lanes  # columns of a panel
    blocks, block, panels, groups, at_once = _blocking(depth, splits, vectors, lanes, size)
    line_step, square_step = steps_of_squares(b_rows, b_step, lanes)
    packs_a = worth_packing(a_rows, inner, run, size, vectors)

    # All temporary arrays are parts of two: allocating each one would take as long as a small
    # product.
    packed_size, bias_size = at_once * block * widest, at_once * widest
    edge_size, strip_size = TILE_ROWS * widest, TILE_ROWS * ROW_STEP * packs_a
    numbers = space(packed_size + bias_size + edge_size + strip_size + VECTOR_BYTES, c)
    packed = view(numbers, -address_of(numbers) % VECTOR_BYTES // size, packed_size)
    padded_bias = view(packed, packed_size, bias_size)
    edge = view(padded_bias, bias_size, edge_size)  # for a tile that crosses C's border
    strip = view(edge, edge_size, strip_size)  # of A
    steps_size = block * packs_a
    table = space(3 * TILE_ROWS + at_once + 1 + steps_size, b_rows)
    tile_a, tile_c = view(table, 0, TILE_ROWS), view(table, TILE_ROWS, TILE_ROWS)
    edge_rows = view(table, 2 * TILE_ROWS, TILE_ROWS)
    starts = view(table, 3 * TILE_ROWS, at_once + 1)  # of the group's panels, in vectors
    steps = view(starts, at_once + 1, steps_size)  # the packed strip's inner
    for i in range(TILE_ROWS):
        edge_rows[i] = address_of(edge) + i * widest * size
    for k in range(len(steps)):
        steps[k] = k if run > 1 else k * TILE_ROWS

    sizes = depth, splits, panels, groups, blocks, block
    end_macro = end_split * groups * blocks
    for macro in range(first_split * groups * blocks, end_macro):
        split, panel, end_panel, begin, top, bottom, end = _ranges(macro, sizes)
        if top >= bottom:  # a split that needs fewer blocks than the longest one
            continue
        _, next_panel, next_end_panel, _, next_top, next_bottom, _ = _ranges(macro + 1, sizes)
        prefetches = macro + 1 < end_macro and next_top < next_bottom
        squares = max(1, (next_bottom - next_top) // lanes)  # down a panel of the next macro-kernel
        per_strip = -(-(bottom - top) // (CHUNK * lanes))  # squares that a tile prefetches
        c = numbers_at(task[C] + split * len(a_rows) * columns * size, address, 1)
        adds = accumulate or top > begin
        finishes = bottom == end and (len(bias) > 0 or slope != 1)

        for p in range(panel, end_panel + 1):
            starts[p - panel] = first_vector + p * vectors // panels
        left = starts[0] * lanes
        right = min(starts[end_panel - panel] * lanes, columns)
        _pad_bias(bias, left, right, padded_bias)
        pack_panels(
            b, view(b_rows, top, bottom - top), b_step, right, starts, end_panel - panel, packed
        )

        for s in range(first_strip, end_strip):
            row = s * TILE_ROWS
            rows = min(TILE_ROWS, len(a_rows) - row)
            places = view(c_rows, row, rows)
            for i in range(TILE_ROWS):  # an incomplete strip repeats its last row
                tile_a[i] = address_of(a) + a_rows[row + min(i, rows - 1)] * size
                tile_c[i] = address_of(c) + c_rows[row + min(i, rows - 1)] * size
            if PACKS_A:  # a constant: if it is False, Numba does not compile this branch
                if packs_a:
                    if run > 1:
                        pack_rows(a, a_rows, row, row + rows, top, bottom, strip)
                    else:
                        pack_columns(a, a_rows, row, row + rows, inner, top, bottom, strip)
                    for i in range(TILE_ROWS):
                        tile_a[i] = address_of(strip) + (i * ROW_STEP if run > 1 else i) * size

            for p in range(end_panel - panel):
                column, width = starts[p] * lanes, starts[p + 1] - starts[p]
                inside = rows == TILE_ROWS and column + width * lanes <= columns
                if adds and not inside:
                    _copy_to_edge(
                        c, places, column, min(width * lanes, columns - column), edge, widest
                    )
                # The square of B to prefetch: the squares are numbered down the first vector of a
                # panel, then down the second, and so on.
                square = (s - first_strip) * per_strip
                vector, down = square // squares, square % squares
                exists = prefetches and next_panel + p < next_end_panel and vector < TILE_VECTORS
                vector += first_vector + (next_panel + p) * vectors // panels
                ahead = b_rows[next_top + down * lanes] + vector * lanes * b_step if exists else 0
                multiply_tile(
                    tile_c if inside else edge_rows, column if inside else 0, adds,
                    tile_a, steps if packs_a else inner,
                    0 if packs_a else top, bottom - top if packs_a else bottom,
                    packed, (column - left) * (bottom - top), width,
                    b, ahead, line_step * exists, square_step * exists,
                    finishes, padded_bias, column - left, slope,
                )  # fmt: skip
                if not inside:
                    _copy_from_edge(
                        c, places, column, min(width * lanes, columns - column), edge, widest
                    )


@cached_njit(inner=True, error_model="numpy")
def _share_of(task, part, lanes):
    """(first strip, end strip, first vector, vectors, first split, end split) of a part.

    If the sum over k is split, a part is some of the splits, each over all of C.
    """
    down, across, splits = task[DOWN], task[ACROSS], task[SPLITS]
    strips, vectors = -(-task[ROWS] // TILE_ROWS), -(-task[COLUMNS] // lanes)
    if splits > 1:
        return 0, strips, 0, vectors, part * splits // down, (part + 1) * splits // down
    i, j = part // across, part % across
    first, end = j * vectors // across, (j + 1) * vectors // across
    return i * strips // down, (i + 1) * strips // down, first, end - first, 0, 1


@cached_njit(inner=True, error_model="numpy")
def _blocking(depth, splits, vectors, lanes, size):
    """(blocks of a split, steps of a block, panels, groups of panels, panels of a group).

    Blocks are about equally long, and a multiple of the squares of a transposed B. Panels are about
    equally wide (8 vectors are 2 + 3 + 3), because a narrow tile is slower; so are their groups.
    """
    longest = -(-depth // splits)
    blocks = max(1, -(-longest // DEPTH))
    block = max(1, -(-longest // (blocks * lanes))) * lanes
    panels = -(-vectors // TILE_VECTORS)
    groups = -(-panels // max(1, GROUP_BYTES // (block * TILE_VECTORS * lanes * size)))
    return blocks, block, panels, groups, -(-panels // max(1, groups))


@cached_njit(inner=True, error_model="numpy")
def _pad_bias(bias, left, right, padded):
    """padded = the bias of the columns [left, right), then zeros; all zeros without a bias."""
    for j in range(len(padded)):
        inside = len(bias) > 0 and left + j < right
        padded[j] = bias[left + j] if inside else padded.dtype.type(0)


@cached_njit(inner=True, error_model="numpy")
def _ranges(macro, sizes):
    """(split, first panel, end panel, begin, top, bottom, end) of a macro-kernel: it multiplies the
    steps [top, bottom) of a split, whose steps are [begin, end)."""
    depth, splits, panels, groups, blocks, block = sizes
    split, group = macro // (groups * blocks), macro // blocks % groups
    begin, end = split * depth // splits, (split + 1) * depth // splits
    top = begin + macro % blocks * block
    return (
        split, group * panels // groups, (group + 1) * panels // groups,
        begin, top, min(top + block, end), end,
    )  # fmt: skip


@cached_njit(inner=True, error_model="numpy")
def _copy_to_edge(c, places, column, width, edge, step):
    """Copies the part of C under a tile at its border: rows at `places`, from `column` on."""
    for i in range(len(places)):
        for j in range(width):
            edge[i * step + j] = c[index(places[i] + column + j)]


@cached_njit(inner=True, error_model="numpy")
def _copy_from_edge(c, places, column, width, edge, step):
    """The reverse of `_copy_to_edge`."""
    for i in range(len(places)):
        for j in range(width):
            c[index(places[i] + column + j)] = edge[i * step + j]
