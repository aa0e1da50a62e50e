"""Copies operands of a product into the order in which `microkernel` reads them.

    panel of B           its row k = 0, then k = 1, ...
    strip of A           by rows, ROW_STEP apart, or by columns where A is transposed

B is always packed: each panel is read once per strip of A, so it should be contiguous. A is read
once per panel, and is packed only where its strides slow it down (see `worth_packing`).
"""

from numba import njit
from numba.core import types
from numba.extending import intrinsic

from .cache import cached_njit
from .lanes import INDEX, Lanes, data_pointer
from .machine import PACKS_A, TILE_ROWS, TILE_VECTORS, VECTOR_BYTES, index
from .views import space

# The most steps k of a block. A packed strip of A should stay in the L1 cache: 8 rows x 512 x 4
# bytes are half of it. Without packing, longer blocks are better: C is read and written less often.
DEPTH = 512 if PACKS_A else 1024
ROW_STEP = DEPTH + 16  # one cache line more, so that packed rows are in different cache sets
PACK_FROM = 4 * TILE_VECTORS  # vectors of columns from which on packing A pays
CONFLICT = 2048  # bytes: rows a multiple of it apart are in few sets of a cache
ROWS_AHEAD = 16  # rows that the packing of B prefetches ahead
SQUARES_AHEAD = 4  # vectors that `_transpose_square` prefetches ahead, along each row


# %% A
@cached_njit(inner=True, error_model="numpy")
def worth_packing(rows, inner, run, size, vectors):
    """Whether to pack A, given the vectors of columns by which it is multiplied.

    Each panel reads the strip of A again. Numbers that are a large power of two apart are in the
    same set of the cache and evict each other. Of each cache line of a transposed A, a strip uses
    only TILE_ROWS numbers.
    """
    if not PACKS_A or vectors < PACK_FROM:
        return False
    if run == 1:
        return len(inner) > 1
    plain = run >= len(inner) and len(rows) > 1
    return plain and (rows[1] - rows[0]) * size % CONFLICT == 0


@cached_njit(inner=True, error_model="numpy")
def pack_rows(a, rows, row, end, top, bottom, strip):
    """Packs rows [row, row + TILE_ROWS) of a plain A: strip[i ROW_STEP + k] = A[row + i, top + k].

    An incomplete strip, of rows up to `end`, repeats the last row.
    """
    for i in range(TILE_ROWS):
        source, target = rows[min(row + i, end - 1)] + top, i * ROW_STEP
        for k in range(bottom - top):
            strip[index(target + k)] = a[index(source + k)]


@cached_njit(inner=True, error_model="numpy")
def pack_columns(a, rows, row, end, inner, top, bottom, strip):
    """The same for a transposed A: strip[k TILE_ROWS + i] = A[row + i, top + k].

    An incomplete strip, of rows up to `end`, repeats the last row.
    """
    first = rows[row]
    if row + TILE_ROWS <= end and rows[row + TILE_ROWS - 1] - first == TILE_ROWS - 1:
        for k in range(top, bottom):
            _copy_column(a, first + inner[k], strip, (k - top) * TILE_ROWS)
        return
    for i in range(TILE_ROWS):
        start, target = rows[min(row + i, end - 1)], i
        for k in range(top, bottom):
            strip[index(target)] = a[index(start + inner[k])]
            target += TILE_ROWS


@intrinsic
def _copy_column(typing, source, start, target, target_start):
    """Copies TILE_ROWS contiguous numbers."""

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        _, start, _, target_start = arguments
        source, target = (data_pointer(context, builder, signature, arguments, n) for n in (0, 2))
        lanes.copy(lanes.address(source, start), lanes.address(target, target_start), TILE_ROWS)
        return context.get_dummy_value()

    return types.void(source, start, target, target_start), emit


# %% B
@njit(inline="always")
def steps_of_squares(rows, step, lanes):
    """(line_step, square_step) for prefetching the part of a panel that is one vector wide.

    That part consists of squares of `lanes` cache lines. line_step is the step in B between the
    lines of a square, square_step between squares.
    """
    if step == 1:
        line = rows[1] - rows[0] if len(rows) > 1 else 0
        return line, line * lanes
    return step, lanes


@cached_njit(inner=True, error_model="numpy")
def pack_panels(b, rows, step, columns, starts, panels, packed):
    """Packs rows of B, given by their offsets, into panels; the last panel is padded with zeros.

    Panel p has the vectors [starts[p], starts[p + 1]) of each row. It is stored from the index
    (starts[p] - starts[0]) lanes len(rows) on, with `lanes` numbers in a vector.
    """
    lanes = VECTOR_BYTES // b.itemsize
    depth = len(rows)
    if step == 1:
        _pack_plain(b, rows, columns // lanes, starts, panels, depth, packed)
    else:
        _pack_transposed(b, rows, step, columns // lanes, starts, panels, depth, packed)
    if starts[panels] * lanes > columns:  # the last vector is incomplete
        width, last = starts[panels] - starts[panels - 1], starts[panels] - 1
        target = (starts[panels - 1] - starts[0]) * depth + width - 1
        inside = columns - last * lanes
        for k in range(len(rows)):
            for j in range(lanes):
                number = b[rows[k] + (last * lanes + j) * step] if j < inside else b.dtype.type(0)
                packed[(target + k * width) * lanes + j] = number


@njit(inline="always")
def _pack_plain(b, rows, whole, starts, panels, depth, packed):
    """Copies B row by row, in its order in memory; each row goes into all panels."""
    lanes = VECTOR_BYTES // b.itemsize
    columns, places, widths = space(panels, rows), space(panels, rows), space(panels, rows)
    for p in range(panels):
        columns[p] = starts[p] * lanes
        places[p] = (starts[p] - starts[0]) * lanes * depth
        widths[p] = starts[p + 1] - starts[p]
    incomplete = starts[panels] - whole  # vectors
    for k in range(len(rows)):
        ahead = rows[min(k + ROWS_AHEAD, len(rows) - 1)] - rows[k]
        for p in range(panels):
            _copy_vectors(
                b, rows[k] + columns[p], ahead, packed, places[p] + k * widths[p] * lanes,
                widths[p] - incomplete if p == panels - 1 else widths[p],
            )  # fmt: skip


@njit(inline="always")
def _pack_transposed(b, rows, step, whole, starts, panels, depth, packed):
    """Copies a transposed B, one vector of columns after the other; where k is contiguous, `lanes`
    steps at once, as a transposed square."""
    lanes = VECTOR_BYTES // b.itemsize
    for p in range(panels):
        width = starts[p + 1] - starts[p]
        for v in range(starts[p], min(starts[p + 1], whole)):
            target, k = ((starts[p] - starts[0]) * depth + v - starts[p]) * lanes, 0
            while k < len(rows):
                source = rows[k] + v * lanes * step
                if k + lanes <= len(rows) and rows[k + lanes - 1] == rows[k] + lanes - 1:
                    _transpose_square(b, source, step, packed, target, width * lanes)
                    k += lanes
                    target += lanes * width * lanes
                else:
                    for j in range(lanes):
                        packed[target + j] = b[source + j * step]
                    k += 1
                    target += width * lanes


@intrinsic
def _copy_vectors(typing, source, start, ahead, target, target_start, vectors):
    """Copies at most TILE_VECTORS vectors, and prefetches those `ahead` numbers further."""

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        _, start, ahead, _, target_start, vectors = arguments
        source, target = (data_pointer(context, builder, signature, arguments, n) for n in (0, 3))
        source, target = lanes.address(source, start), lanes.address(target, target_start)
        for v in range(TILE_VECTORS):
            with builder.if_then(builder.icmp_signed("<", INDEX(v), vectors)):
                lanes.prefetch(lanes.address(source, ahead), v)
                lanes.store(lanes.load(source, v), target, v)
        return context.get_dummy_value()

    return types.void(source, start, ahead, target, target_start, vectors), emit


@intrinsic
def _transpose_square(typing, source, start, step, target, target_start, target_step):
    """Copies a square of `count` vectors of `count` numbers, transposed.

    target[target_start + i target_step + j] = source[start + j step + i]
    """

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        _, start, step, _, target_start, target_step = arguments
        source, target = (data_pointer(context, builder, signature, arguments, n) for n in (0, 3))
        source = lanes.address(source, start)
        rows = []
        for _ in range(lanes.count):
            lanes.prefetch(source, SQUARES_AHEAD)
            rows.append(lanes.load(source))
            source = lanes.address(source, step)
        target = lanes.address(target, target_start)
        for row in lanes.transpose(rows):
            lanes.store(row, target)
            target = lanes.address(target, target_step)
        return context.get_dummy_value()

    return types.void(source, start, step, target, target_start, target_step), emit
