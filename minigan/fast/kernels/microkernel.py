"""The innermost loop of every product, written in vector instructions.

    C[i, j] = leaky(sum over k of A[i, k] panel[k, j] + C[i, j] + bias[j])      one register tile

The accumulators of a tile of r rows by v vectors live in registers for the whole sum. A step k
loads one row of the panel (v vectors), and for each of the r rows broadcasts one number of A:

            panel[k]   [  vector 0  ][  vector 1  ]
    A[0, k] o--------> [ acc 0,0    ][ acc 0,1    ]     r + v loads for r v multiply-adds, so
    A[1, k] o--------> [ acc 1,0    ][ acc 1,1    ]     the arithmetic sets the pace, not
     ...                                                the memory
    A[7, k] o--------> [ acc 7,0    ][ acc 7,1    ]

Because A is broadcast one number at a time it need not be packed: its rows may begin anywhere, and
its inner index may jump about in memory. Hence the same tile multiplies a matrix, a transposed
matrix, or the patches of an image (see `gemm`).

What will be wanted soon is sent for in time (`prefetch`), wherever the machine cannot guess it: it
sees through memory that is read in a line, and not through a jump from row to row.

Numba compiles the loops around this one very well, but cannot be told to hold a tile in vector
registers; an `@intrinsic` emits the instructions directly.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from .lanes import INDEX, Lanes
from .machine import TILE_ROWS, TILE_VECTORS

SQUARES_AHEAD = 4  # how far `transpose_square` looks ahead along its rows


@intrinsic
def multiply_tile(
    typing, c_rows, column, adds, a_rows, inner, first, last, panels, start,
    finishes, bias, bias_start, slope,
):  # fmt: skip
    """One register tile of C, over the steps k in [first, last) of the inner index:

        z = (C[i, j] if adds else 0)  +  sum over k of A[i][inner[k]] * panel[k, j]
        C[i, j] = leaky(z + bias[bias_start + j]) if finishes else z

    a_rows, c_rows (TILE_ROWS,): the addresses in memory where the tile's rows of A and C begin, the
    latter `column` numbers before the tile; inner: int64 offsets; panels, bias: flat arrays, read
    from `start`, one row of the panel for each step k, and from `bias_start`.
    leaky(z) is z where positive, else slope z.
    """
    signature = types.void(
        c_rows, column, adds, a_rows, inner, first, last, panels, start,
        finishes, bias, bias_start, slope,
    )  # fmt: skip
    return signature, _emit_multiply_tile


def _emit_multiply_tile(context, builder, signature, arguments):
    c_rows, a_rows, inner, panels, bias = (
        data_pointer(context, builder, signature, arguments, n) for n in (0, 3, 4, 7, 10)
    )
    column, adds, first, last, start, finishes, bias_start, slope = (
        arguments[n] for n in (1, 2, 5, 6, 8, 9, 11, 12)
    )
    lanes = Lanes(builder, signature.args[7].dtype)
    tile = [(i, v) for i in range(TILE_ROWS) for v in range(TILE_VECTORS)]

    def row_pointers(addresses):
        pointer = lanes.scalar.as_pointer()
        each = [builder.gep(addresses, [INDEX(i)]) for i in range(TILE_ROWS)]
        return [builder.inttoptr(builder.load(address), pointer) for address in each]

    # Written as stack variables, which LLVM promotes to registers.
    total = {at: cgutils.alloca_once_value(builder, lanes.zero) for at in tile}
    c = [lanes.address(row, column) for row in row_pointers(c_rows)]
    for i, v in tile:  # C is wanted last: the sum gives memory the time to bring it
        lanes.prefetch(c[i], v, to_write=True)

    a = row_pointers(a_rows)
    panel_row = cgutils.alloca_once_value(builder, lanes.address(panels, start))
    with cgutils.for_range_slice(builder, first, last, INDEX(1), inc=True) as (k, _):
        offset, row_of_b = builder.load(builder.gep(inner, [k])), builder.load(panel_row)
        b = [lanes.load(row_of_b, v) for v in range(TILE_VECTORS)]
        # Where A is a transpose, its rows are neighbours: this is the line of the tiles after next.
        lanes.prefetch(lanes.address(a[0], offset), 1)
        for i in range(TILE_ROWS):
            a_ik = lanes.broadcast(builder.load(lanes.address(a[i], offset)))
            for v in range(TILE_VECTORS):
                acc = total[i, v]
                builder.store(lanes.multiply_add(a_ik, b[v], builder.load(acc)), acc)
        builder.store(lanes.address(row_of_b, TILE_VECTORS * lanes.count), panel_row)

    with builder.if_then(adds):
        for i, v in tile:
            z = builder.fadd(lanes.load(c[i], v), builder.load(total[i, v]))
            builder.store(z, total[i, v])
    with builder.if_then(finishes):
        bias = lanes.address(bias, bias_start)
        biases, slopes = [lanes.load(bias, v) for v in range(TILE_VECTORS)], lanes.broadcast(slope)
        for i, v in tile:
            z = builder.fadd(builder.load(total[i, v]), biases[v])
            positive = builder.fcmp_ordered(">", z, lanes.zero)
            builder.store(builder.select(positive, z, builder.fmul(slopes, z)), total[i, v])
    for i, v in tile:
        lanes.store(builder.load(total[i, v]), c[i], v)
    return context.get_dummy_value()


@intrinsic
def copy_row(typing, source, source_start, ahead, target, target_start):
    """One row of a panel: TILE_VECTORS vectors, from one flat array to another; and has the row
    that begins at `ahead` brought near."""

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        _, source_start, ahead, _, target_start = arguments
        source, target = (data_pointer(context, builder, signature, arguments, n) for n in (0, 3))
        ahead = lanes.address(source, ahead)
        source, target = lanes.address(source, source_start), lanes.address(target, target_start)
        for v in range(TILE_VECTORS):
            lanes.prefetch(ahead, v)
            lanes.store(lanes.load(source, v), target, v)
        return context.get_dummy_value()

    return types.void(source, source_start, ahead, target, target_start), emit


@intrinsic
def transpose_square(typing, source, source_start, source_step, target, target_start):
    """A square of as many vectors as a vector has numbers, transposed on the way into a panel.

    target[target_start + i panel columns + j] = source[source_start + j source_step + i]
    """

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        _, source_start, step, _, target_start = arguments
        source, target = (data_pointer(context, builder, signature, arguments, n) for n in (0, 3))
        source = lanes.address(source, source_start)
        rows = []
        for _ in range(lanes.count):
            lanes.prefetch(source, SQUARES_AHEAD)
            rows.append(lanes.load(source))
            source = lanes.address(source, step)
        target = lanes.address(target, target_start)
        for i, row in enumerate(lanes.transpose(rows)):
            lanes.store(row, target, i * TILE_VECTORS)
        return context.get_dummy_value()

    return types.void(source, source_start, source_step, target, target_start), emit


@intrinsic
def add_dots(typing, a, a_rows, a_start, b, b_start, vectors, totals):
    """totals[i] += <a[a_rows[i] + a_start : ...], b[b_start : ...]>, of so many whole vectors, for
    TILE_ROWS rows side by side, so that each can wait for its last sum while the others add."""

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        a, a_rows, b, totals = (
            data_pointer(context, builder, signature, arguments, n) for n in (0, 1, 3, 6)
        )
        _, _, a_start, _, b_start, vectors, _ = arguments
        a, b = lanes.address(a, a_start), lanes.address(b, b_start)
        each = range(TILE_ROWS)
        rows = [lanes.address(a, builder.load(builder.gep(a_rows, [INDEX(i)]))) for i in each]
        sums = [cgutils.alloca_once_value(builder, lanes.zero) for _ in each]
        with cgutils.for_range(builder, vectors) as loop:
            here = builder.mul(loop.index, INDEX(lanes.count))
            b_k = lanes.load(lanes.address(b, here))
            for row, total in zip(rows, sums):
                a_k = lanes.load(lanes.address(row, here))
                builder.store(lanes.multiply_add(a_k, b_k, builder.load(total)), total)
        for i in each:
            at = builder.gep(totals, [INDEX(i)])
            builder.store(builder.fadd(builder.load(at), lanes.sum(builder.load(sums[i]))), at)
        return context.get_dummy_value()

    return types.void(a, a_rows, a_start, b, b_start, vectors, totals), emit


def data_pointer(context, builder, signature, arguments, position):
    """Where the numbers of an array argument begin."""
    array = context.make_array(signature.args[position])
    return array(context, builder, arguments[position]).data
