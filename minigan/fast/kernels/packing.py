"""Copies operands of a product into the order in which `microkernel` reads them.

    panel of B           its row k = 0, then k = 1, ...
    strip of A           by rows, ROW_STEP apart, or by columns where A is transposed

B is always packed: each of its panels is read once per strip of A, and is then contiguous. A is
read once per panel, so it is packed only where its strides slow it down (see `worth_packing`).
"""

from numba import njit
from numba.core import types
from numba.extending import intrinsic

from .cache import cached_njit
from .lanes import INDEX, Lanes, data_pointer
from .machine import PACKS_A, TILE_ROWS, TILE_VECTORS, VECTOR_BYTES, index
from .views import space

# Steps k of a block, at most. A packed strip of A should stay in the L1 cache: 8 rows x 512 x 4
# bytes are half of it. Otherwise longer blocks are better: C is read and written less often.
DEPTH = 512 if PACKS_A else 1024
ROW_STEP = DEPTH + 16  # one cache line more, so that packed rows do not compete for a place in it
PACK_FROM = 4 * TILE_VECTORS  # vectors: packing A takes as long as multiplying it by one or two
CONFLICT = 2048  # bytes: rows that are a multiple of it apart share few places of a cache
ROWS_AHEAD = 16  # rows that the packing of B prefetches ahead
SQUARES_AHEAD = 4  # vectors that `_transpose_square` prefetches ahead, along each row


# %% A
@cached_njit(inner=True, error_model="numpy")
def worth_packing(rows, inner, run, size, vectors):
    """Whether to pack A before it is multiplied by so many vectors of columns.

    Each panel reads the strip again. Numbers that are a power of two apart compete for one place in
    the cache and do not stay there; a transposed A has only TILE_ROWS of them in a cache line.
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
    """Packs rows of a transposed A: strip[k TILE_ROWS + i] = A[row + i, top + k]."""
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
    """Copies TILE_ROWS adjacent numbers."""

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
    """(line_step, square_step): a vector's width of a panel lies in memory as squares, of as many
    cache lines as a vector has numbers. The steps between a square's lines, and between squares."""
    if step == 1:
        line = rows[1] - rows[0] if len(rows) > 1 else 0
        return line, line * lanes
    return step, lanes


@cached_njit(inner=True, error_model="numpy")
def pack_panels(b, rows, step, columns, starts, panels, packed):
    """Packs the rows of B at these offsets into panels; the last one is padded with zeros.

    Panel p has the vectors [starts[p], starts[p + 1]) of a row, and is stored from
    (starts[p] - starts[0]) x vector x len(rows) on.
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
    """Copies B, row by row across the panels, in the order in which it lies in memory."""
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
    """Copies a transposed B, vector by vector down the panels, by squares where k is contiguous."""
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
    """Copies at most TILE_VECTORS vectors, and prefetches the ones `ahead` numbers on."""

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
