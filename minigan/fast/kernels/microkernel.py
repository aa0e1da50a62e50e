"""The innermost loop of every product, written in vector instructions.

    C[i, j] = leaky(sum over k of A[i, k] panel[k, j] + C[i, j] + bias[j])      one register tile

The accumulators of a tile of r rows by v vectors live in registers for the whole sum. A step k
loads one row of the panel (v vectors) and broadcasts one number of A for each of the r rows:

            panel[k]   [  vector 0  ][  vector 1  ]
    A[0, k] o--------> [ acc 0,0    ][ acc 0,1    ]     r + v loads for r v multiply-adds:
    A[1, k] o--------> [ acc 1,0    ][ acc 1,1    ]     arithmetic, not memory, is the
     ...                                                bottleneck
    A[7, k] o--------> [ acc 7,0    ][ acc 7,1    ]

A is broadcast one number at a time, so it need not be packed: its rows may begin anywhere, and its
inner index may address memory in any order. The same tile therefore multiplies a matrix, a
transposed matrix, or the patches of an image (see `gemm`).

There are two ways to broadcast a number: once, into a register, for all v multiply-adds of its row;
or in each multiply-add, since an AVX-512 instruction can load and broadcast an operand itself. The
first way takes fewer loads, but in LLVM's models of Zen 4 and 5 also an arithmetic unit, and the
tile then reaches three quarters of the peak. With half of the rows each way, neither loads nor
arithmetic limit the tile on any processor (`benchmarks/tile.py`).

Prefetching is for what the hardware prefetcher cannot predict: it follows sequential reads, not
jumps between rows. Weights are often in no near cache, and packing would wait for them. So while a
panel is multiplied, the panel that is packed next is prefetched, a square of a few cache lines for
every CHUNK of steps.

Numba compiles the loops around this one well, but offers no way to keep a tile in vector registers.
An `@intrinsic` emits the instructions directly.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from .lanes import INDEX, Lanes, data_pointer
from .machine import PACKS_A, TILE_ROWS, TILE_VECTORS, VECTOR_BYTES

CHUNK = 2  # a tile prefetches one square of B per CHUNK x (numbers of a vector) steps
DOTS = 8  # inner products that `add_dots` computes at once
# `combine_rows`: the largest inner index, and vectors of columns in registers (4 x 4 of B, 4 of the
# bias)
MAX_STEPS, WIDE = 4, 4
# the rows of a tile whose multiply-adds load and broadcast the number of A themselves
BROADCASTING_ROWS = TILE_ROWS // 2 if VECTOR_BYTES == 64 else 0


@intrinsic
def multiply_tile(
    typing, c_rows, column, adds, a_rows, inner, first, last, panels, start, vectors,
    b, ahead, line_step, square_step, finishes, bias, bias_start, slope,
):  # fmt: skip
    """One register tile of C, `vectors` wide, over the steps k in [first, last) of the inner index:

        z = (C[i, j] if adds else 0)  +  sum over k of A[i][inner[k]] * panel[k, j]
        C[i, j] = leaky(z + bias[bias_start + j]) if finishes else z

    with leaky(z) = z where positive, else slope z.

    a_rows, c_rows : (TILE_ROWS,) memory addresses of the rows of A and C; the tile begins `column`
                     numbers into the rows of C
    inner          : int64 offsets of A's inner index, in numbers
    panels, bias   : flat arrays, read from `start` (one panel row per step k) and `bias_start`
    b, ahead       : squares of B are prefetched from the offset `ahead` on, for a panel that is
                     packed later; the two steps are those of `packing.steps_of_squares`
    """
    signature = types.void(
        c_rows, column, adds, a_rows, inner, first, last, panels, start, vectors,
        b, ahead, line_step, square_step, finishes, bias, bias_start, slope,
    )  # fmt: skip

    def emit(context, builder, signature, arguments):
        c_rows, a_rows, inner, panels, b, bias = (
            data_pointer(context, builder, signature, arguments, n) for n in (0, 3, 4, 7, 10, 15)
        )
        column, adds, first, last = (arguments[n] for n in (1, 2, 5, 6))
        start, vectors, ahead, line_step, square_step = (arguments[n] for n in (8, 9, 11, 12, 13))
        finishes, bias_start, slope = (arguments[n] for n in (14, 16, 17))
        lanes = Lanes(builder, signature.args[7].dtype)
        for width in range(1, TILE_VECTORS + 1):
            with builder.if_then(builder.icmp_signed("==", vectors, INDEX(width))):
                emit_tile(
                    lanes, width, c_rows, column, adds, a_rows, inner, first, last,
                    lanes.address(panels, start), (lanes.address(b, ahead), line_step, square_step),
                    finishes, lanes.address(bias, bias_start), slope,
                )  # fmt: skip
        return context.get_dummy_value()

    return signature, emit


def emit_tile(
    lanes, vectors, c_rows, column, adds, a_rows, inner, first, last, panel, ahead,
    finishes, bias, slope,
):  # fmt: skip
    """The code of `multiply_tile` for a constant number of `vectors`; arrays are pointers here."""
    builder, chunk = lanes.builder, CHUNK * lanes.count
    tile = [(i, v) for i in range(TILE_ROWS) for v in range(vectors)]

    def row_pointers(addresses):
        pointer = lanes.scalar.as_pointer()
        each = [builder.gep(addresses, [INDEX(i)]) for i in range(TILE_ROWS)]
        return [builder.inttoptr(builder.load(address), pointer) for address in each]

    # Stack variables, which LLVM promotes to registers. `alloca_once_value` sets them only once, at
    # the beginning of the function; this code runs in a loop, so they are set here again.
    total = {at: cgutils.alloca_once_value(builder, lanes.zero) for at in tile}
    for at in tile:
        builder.store(lanes.zero, total[at])
    c = [lanes.address(row, column) for row in row_pointers(c_rows)]
    for i, v in tile:  # so that C is in L1 when the sums are finished
        lanes.prefetch(c[i], v, to_write=True)

    a = row_pointers(a_rows)
    square, line_step, square_step = ahead
    panel_row, next_square = (cgutils.alloca_once(builder, p.type) for p in (panel, square))
    builder.store(panel, panel_row)
    builder.store(square, next_square)
    with cgutils.for_range_slice(builder, first, last, INDEX(chunk), inc=True) as (begin, _):
        line = builder.load(next_square)
        builder.store(lanes.address(line, square_step), next_square)
        for _ in range(lanes.count):
            lanes.prefetch(line)
            line = lanes.address(line, line_step)
        end = builder.add(begin, INDEX(chunk))
        end = builder.select(builder.icmp_signed("<", end, last), end, last)
        with cgutils.for_range_slice(builder, begin, end, INDEX(1), inc=True) as (k, _):
            offset, row_of_b = builder.load(builder.gep(inner, [k])), builder.load(panel_row)
            b = [lanes.load(row_of_b, v) for v in range(vectors)]
            if not PACKS_A:  # of a transposed A, the next cache line has the next strip
                lanes.prefetch(lanes.address(a[0], offset), 1)
            same = [offset] * vectors  # LLVM merges equal loads: one load and broadcast per row
            apart = [lanes.hidden_copy(offset) for _ in range(vectors if BROADCASTING_ROWS else 0)]
            for i in range(TILE_ROWS):
                for v, place in enumerate(apart if i < BROADCASTING_ROWS else same):
                    a_ik = lanes.broadcast(builder.load(lanes.address(a[i], place)))
                    acc = total[i, v]
                    builder.store(lanes.multiply_add(a_ik, b[v], builder.load(acc)), acc)
            builder.store(lanes.address(row_of_b, vectors * lanes.count), panel_row)

    with builder.if_then(adds):
        for i, v in tile:
            z = builder.fadd(lanes.load(c[i], v), builder.load(total[i, v]))
            builder.store(z, total[i, v])
    with builder.if_then(finishes):
        biases, slopes = [lanes.load(bias, v) for v in range(vectors)], lanes.broadcast(slope)
        for i, v in tile:
            z = builder.fadd(builder.load(total[i, v]), biases[v])
            positive = builder.fcmp_ordered(">", z, lanes.zero)
            builder.store(builder.select(positive, z, builder.fmul(slopes, z)), total[i, v])
    for i, v in tile:
        lanes.store(builder.load(total[i, v]), c[i], v)


@intrinsic
def add_dots(typing, a, a_rows, a_start, b, b_start, vectors, totals):
    """totals[i] += <a[a_rows[i] + a_start : ...], b[b_start : ...]>, of length `vectors` vectors.

    The DOTS inner products are interleaved, which hides the latency of the additions.
    """

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        a, a_rows, b, totals = (
            data_pointer(context, builder, signature, arguments, n) for n in (0, 1, 3, 6)
        )
        _, _, a_start, _, b_start, vectors, _ = arguments
        a, b = lanes.address(a, a_start), lanes.address(b, b_start)
        rows = [
            lanes.address(a, builder.load(builder.gep(a_rows, [INDEX(i)]))) for i in range(DOTS)
        ]
        sums = [cgutils.alloca_once(builder, lanes.vector) for _ in rows]
        for total in sums:
            builder.store(lanes.zero, total)
        with cgutils.for_range(builder, vectors) as loop:
            here = builder.mul(loop.index, INDEX(lanes.count))
            b_k = lanes.load(lanes.address(b, here))
            for row, total in zip(rows, sums):
                a_k = lanes.load(lanes.address(row, here))
                builder.store(lanes.multiply_add(a_k, b_k, builder.load(total)), total)
        at_once = min(DOTS, lanes.count)
        for first in range(0, DOTS, at_once):
            found = lanes.sums([builder.load(s) for s in sums[first : first + at_once]])
            place = builder.bitcast(lanes.address(totals, first), found.type.as_pointer())
            before = builder.load(place, align=lanes.bytes)
            builder.store(builder.fadd(before, found), place, align=lanes.bytes)
        return context.get_dummy_value()

    return types.void(a, a_rows, a_start, b, b_start, vectors, totals), emit


@intrinsic
def combine_rows(typing, a, b, c, bias, slope, rows, depth, columns, vectors):
    """C[i, j] = leaky(sum over k < depth of A[i, k] B[k, j] + bias[j]), j below `vectors` vectors.

    For a depth of at most MAX_STEPS. WIDE vectors of each row of B stay in registers, and the loop
    goes over the rows of A: compared with `multiply_tile`, the loops are exchanged.
    """
    signature = types.void(a, b, c, bias, slope, rows, depth, columns, vectors)

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        a, b, c, bias = (data_pointer(context, builder, signature, arguments, n) for n in range(4))
        slope, rows, depth, columns, vectors = arguments[4:]
        slope = lanes.broadcast(slope)

        def block(steps, width, first):
            """Computes `width` vectors of columns of C, from the vector `first` on."""
            column = builder.mul(first, INDEX(lanes.count))
            places = [builder.add(builder.mul(columns, INDEX(k)), column) for k in range(steps)]
            b_k = [[lanes.load(lanes.address(b, at), v) for v in range(width)] for at in places]
            added = [lanes.load(lanes.address(bias, column), v) for v in range(width)]
            with cgutils.for_range(builder, rows) as each:
                row = lanes.address(a, builder.mul(each.index, depth))
                a_k = [lanes.broadcast(builder.load(lanes.address(row, k))) for k in range(steps)]
                place = builder.add(builder.mul(each.index, columns), column)
                for v in range(width):
                    z = added[v]
                    for k in range(steps):
                        z = lanes.multiply_add(a_k[k], b_k[k][v], z)
                    positive = builder.fcmp_ordered(">", z, lanes.zero)
                    z = builder.select(positive, z, builder.fmul(slope, z))
                    lanes.store(z, lanes.address(c, place), v)

        wide = builder.mul(builder.sdiv(vectors, INDEX(WIDE)), INDEX(WIDE))
        for steps in range(1, MAX_STEPS + 1):
            with builder.if_then(builder.icmp_signed("==", depth, INDEX(steps))):
                for width, begin, end in ((WIDE, INDEX(0), wide), (1, wide, vectors)):
                    loop = cgutils.for_range_slice(builder, begin, end, INDEX(width), inc=True)
                    with loop as (first, _):
                        block(steps, width, first)
        return context.get_dummy_value()

    return signature, emit
