"""Sparse linear maps of lines of numbers, a line per pixel: the maps B, G, A of `winograd`.

    target[row] = phi(sum over the terms of the row of  factor x source[place]  + bias)

for each image; phi is a leaky ReLU or the identity. A *line* is the channels of one pixel, a whole
number of vectors.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from .lanes import INDEX, Lanes
from .views import float_like, numbers_at, sizeof, words_of
from .workers import WORD, words_at

WIDTHS = 4, 2, 1  # vectors of a line that are summed in registers at once

# The words of a task: addresses, what is to be done, and sizes.
(
    SOURCE, TARGET, TARGETS, STARTS, PLACES, FACTORS, BIAS, HAS_BIAS, SLOPE, ADDS,
    IMAGES, ROWS, LENGTH, SOURCE_STEP, TARGET_STEP, PARTS,
) = range(1, 17)  # fmt: skip


def combine(address, part):
    """Computes a part of the rows of all images.

    Row r of an image is written at the offset TARGETS[r] from the start of the image. Its terms are
    those from STARTS[r] to STARTS[r + 1] in PLACES (offsets from the start of the source image) and
    FACTORS. SOURCE_STEP and TARGET_STEP are the steps between images.
    """
    task = words_of(address)
    rows, lines, size = task[ROWS], task[IMAGES] * task[ROWS], sizeof(address)
    targets = numbers_at(task[TARGETS], words_at(address), rows)
    starts = numbers_at(task[STARTS], words_at(address), rows + 1)
    slope = float_like(task[SLOPE], address)
    finishes = task[HAS_BIAS] != 0 or slope != 1
    first, end = part * lines // task[PARTS], (part + 1) * lines // task[PARTS]
    image, row = first // rows, first % rows
    for _ in range(first, end):
        _combine_line(
            address,
            task[SOURCE] + image * task[SOURCE_STEP] * size,
            task[TARGET] + (image * task[TARGET_STEP] + targets[row]) * size,
            task[PLACES] + starts[row] * WORD, task[FACTORS] + starts[row] * size,
            starts[row + 1] - starts[row], task[LENGTH], task[ADDS] != 0,
            finishes, task[BIAS], task[HAS_BIAS] != 0, slope,
        )  # fmt: skip
        row += 1
        if row == rows:
            image, row = image + 1, 0


@intrinsic
def _combine_line(
    typing, like, source, target, places, factors, terms, length, adds, finishes, bias, has_bias,
    slope,
):  # fmt: skip
    """One line of `length` numbers; source and target are addresses.

        z = (target if adds else 0) + sum over `terms` of factor x source[place]
        target = leaky(z + bias) if finishes else z

    `like` is a pointer to numbers of the type of the line.
    """
    signature = types.void(
        like, source, target, places, factors, terms, length, adds, finishes, bias, has_bias,
        slope,
    )  # fmt: skip

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0].dtype)
        pointer = lanes.scalar.as_pointer()
        source, target, factors, bias = (
            builder.inttoptr(arguments[n], pointer) for n in (1, 2, 4, 9)
        )
        places = builder.inttoptr(arguments[3], INDEX.as_pointer())
        terms, length, adds, finishes, has_bias = (arguments[n] for n in (5, 6, 7, 8, 10))
        slope = lanes.broadcast(arguments[11])

        def piece(width, first):
            here = lanes.address(target, first)
            totals = [cgutils.alloca_once(builder, lanes.vector) for _ in range(width)]

            def change(new):
                for v, total in enumerate(totals):
                    builder.store(new(v, builder.load(total)), total)

            for total in totals:
                builder.store(lanes.zero, total)
            with builder.if_then(adds):
                change(lambda v, _: lanes.load(here, v))
            with cgutils.for_range(builder, terms) as each:
                place = builder.add(builder.load(builder.gep(places, [each.index])), first)
                factor = lanes.broadcast(builder.load(lanes.address(factors, each.index)))
                line = lanes.address(source, place)
                change(lambda v, z: lanes.multiply_add(factor, lanes.load(line, v), z))
            with builder.if_then(finishes):
                with builder.if_then(has_bias):
                    change(lambda v, z: builder.fadd(z, lanes.load(lanes.address(bias, first), v)))
                positive = [
                    builder.fcmp_ordered(">", builder.load(total), lanes.zero) for total in totals
                ]
                change(lambda v, z: builder.select(positive[v], z, builder.fmul(slope, z)))
            for v, total in enumerate(totals):
                lanes.store(builder.load(total), here, v)

        begin = INDEX(0)
        for width in WIDTHS:
            step = INDEX(width * lanes.count)
            end = builder.mul(builder.sdiv(length, step), step)
            with cgutils.for_range_slice(builder, begin, end, step, inc=True) as (first, _):
                piece(width, first)
            begin = end
        return context.get_dummy_value()

    return signature, emit
