"""Plans: what the threads do in the passes of a convolution (see `images`).

A pass is a program (see `programs`) of a few phases: first the images are padded and dz computed,
then come the products, which read them. A plan depends on shapes and options alone, not on arrays:
layers of the same shapes share it, and nothing that happens to a network can make it wrong.
(`plans` holds addresses, too, so those plans belong to their network.)
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from . import chain_workers as chain
from . import cotangents, gemm, taps
from . import image_workers as own
from .codes import IDENTITY, LEAKY_RELU, SIGMOID, TANH
from .gemm import STRIPS_PER_THREAD_LARGE_B, STRIPS_PER_THREAD_SMALL_B
from .machine import TILE_ROWS, VECTOR_BYTES
from .programs import FIXED, Program, address, bits, program_of, task_of
from .tables import cached, offsets, row_offsets, weight_rows
from .taps import has_few_channels
from .workers import follow, worker_address

# The arrays of a pass: the layer's input and output, dy, the result, the parameters and their
# gradients, and space for what lives only during the pass.
X, Y, DY, RESULT, WEIGHT, DWEIGHT, BIAS, DBIAS, SPACE = range(FIXED + 1, FIXED + 10)


class ImagePlan(NamedTuple):
    """A pass with all that it needs but its arrays."""

    worker: int
    parts: int
    program: Program
    shape: tuple[int, ...]  # of the result; () for none
    space: tuple[int]  # its shape
    products: list[tuple[int, int, int]]
    tables: list[np.ndarray]  # kept, because tasks hold their addresses


class Images(NamedTuple):
    """Where images are during a pass, their shape with its lines of zeros, and how many of these
    are above and left."""

    place: tuple[int, int]
    shape: tuple[int, ...]
    above: int = 0
    left: int = 0

    def pixels(self, size):
        """The offsets of the pixels that are not padding, `size` of them down and across."""
        batch, height, width, channels = self.shape
        if (height, width) == tuple(size):  # no padding
            return row_offsets(channels, batch * height * width)
        corner = self.above * width + self.left
        return offsets((batch, *size), (height * width, width, 1), channels, corner)


@cached
def conv2d_forward(x_shape, weight_shape, stride, padding, activation, slope, bias, dtype, threads):
    """y = phi(patches(x) W + b)."""
    plan = _Pass(_convolved(x_shape, weight_shape, stride, padding), weight_shape, dtype, threads)
    x = plan.padded((X, 0), x_shape, ((padding, padding),) * 2)
    plan.wait()
    plan.gather(x, stride, False, bias, activation, slope)
    return plan.finished(plan.small)


@cached
def conv2d_backward(
    x_shape, weight_shape, stride, padding, activation, slope, bias, dtype, threads, dx, dw
):
    """dx and dW, or one of them."""
    y_shape = _convolved(x_shape, weight_shape, stride, padding)
    plan = _Pass(y_shape, weight_shape, dtype, threads)
    sides = plan.sides(y_shape, x_shape, stride, padding, True) if dx else NO_SIDES
    dz = plan.cotangent(y_shape, sides, activation, slope, bias)
    x = plan.padded((X, 0), x_shape, ((padding, padding),) * 2) if dw else None
    plan.wait()
    if dw:
        plan.weight_gradient(x, dz, y_shape, stride, (DWEIGHT, 0))
        plan.bias_gradient()
    if dx:
        plan.scatter(dz, y_shape, x_shape, stride, padding, True)
    plan.complete_gradients()
    return plan.finished(x_shape if dx else ())


@cached
def conv_transpose2d_forward(
    x_shape, weight_shape, stride, padding, activation, slope, bias, dtype, threads
):
    """y = phi(conv'(x, W) + b)."""
    y_shape = _spread(x_shape, weight_shape, stride, padding)
    plan = _Pass(x_shape, weight_shape, dtype, threads)
    x = plan.padded((X, 0), x_shape, plan.sides(x_shape, y_shape, stride, padding, False))
    plan.wait()
    plan.scatter(x, x_shape, y_shape, stride, padding, False, bias, activation, slope)
    return plan.finished(y_shape)


@cached
def conv_transpose2d_backward(
    x_shape, weight_shape, stride, padding, activation, slope, bias, dtype, threads, dx, dw
):
    """dx and dW, or one of them."""
    y_shape = _spread(x_shape, weight_shape, stride, padding)
    plan = _Pass(x_shape, weight_shape, dtype, threads)
    dz = plan.cotangent(y_shape, ((padding, padding),) * 2, activation, slope, bias)
    plan.wait()
    if dw:
        plan.exchanged_weight_gradient(dz, x_shape, stride)
        plan.bias_gradient()
    if dx:
        plan.gather(dz, stride, True)
    plan.complete_gradients()
    return plan.finished(x_shape if dx else ())


def _convolved(x_shape, weight_shape, stride, padding):
    """The shape of y of a convolution."""
    size = ((n + 2 * padding - k) // stride + 1 for n, k in zip(x_shape[1:3], weight_shape))
    return (x_shape[0], *size, weight_shape[3])


def _spread(x_shape, weight_shape, stride, padding):
    """The shape of y of a transposed convolution."""
    size = ((n - 1) * stride - 2 * padding + k for n, k in zip(x_shape[1:3], weight_shape))
    return (x_shape[0], *size, weight_shape[3])


class _Pass:
    """A plan in the making.

    `small` is the shape of y of a convolution, or of x of a transposed one: the images whose pixels
    are places of the kernel.
    """

    def __init__(self, small, weight_shape, dtype, threads):
        multiply_adds = math.prod(small[:3]) * math.prod(weight_shape)
        self.parts = threads if multiply_adds >= gemm.SERIAL_BELOW else 1
        self.small, self.weight_shape, self.dtype = small, weight_shape, dtype
        self.phases, self.products, self.tables = [[]], [], []
        self.used = 0  # bytes of the space
        self.sums = None  # where the sums of dz are, and of how many chunks
        self.exchanged = None  # where an exchanged gradient is
        self.pieces = None  # of a gradient: where they are, where they belong, ...

    def finished(self, result):
        numbers = -(-self.used // self.dtype.itemsize)
        return ImagePlan(
            worker_address(follow, self.dtype),
            self.parts,
            program_of([phase for phase in self.phases if phase]),
            result,
            (1 << (numbers - 1).bit_length() if numbers else 1,),  # few kinds, so kept by `buffers`
            self.products,
            self.tables,
        )

    def wait(self):
        """The tasks that follow may read what other threads have written up to here."""
        self.phases.append([])

    def task(self, worker, words):
        self.phases[-1].append(task_of(worker_address(worker, self.dtype), words))

    def place(self, size, itemsize=None):
        """A place for so many numbers."""
        start = self.used
        self.used += -(-size * (itemsize or self.dtype.itemsize) // VECTOR_BYTES) * VECTOR_BYTES
        return SPACE, start

    def table(self, table):
        self.tables.append(table)
        return address(table)

    def padded(self, source, shape, sides, y=None, activation=IDENTITY, slope=0.0, sums=False):
        """`cotangents.padded_activation_gradient` as a task; the images themselves if there is
        nothing to do."""
        vertical, horizontal = sides
        if activation == IDENTITY and sides == NO_SIDES:
            return Images(source, shape)
        batch, height, width, channels = shape
        target = (batch, height + sum(vertical), width + sum(horizontal), channels)
        place = self.place(math.prod(target))
        per_chunk = max(1, cotangents.CHUNK * batch // max(math.prod(shape), 1))
        words = {
            cotangents.DY: source, cotangents.Y: y or source, cotangents.DZ: place,
            cotangents.ACTIVATION: activation, cotangents.SLOPE: bits(slope),
            cotangents.IMAGES: batch, cotangents.HEIGHT: height, cotangents.WIDTH: width,
            cotangents.CHANNELS: channels, cotangents.PER_CHUNK: per_chunk,
            cotangents.PARTS: self.parts,
        }  # fmt: skip
        words |= {cotangents.TOP + i: side for i, side in enumerate((*vertical, *horizontal))}
        if sums:
            chunks = -(-batch // per_chunk)
            self.sums = self.place(chunks * channels, 8), chunks
            words |= {cotangents.SUMS: self.sums[0], cotangents.SUMMED: 1}
        self.task(cotangents.pad_chunks, words)
        return Images(place, target, vertical[0], horizontal[0])

    def cotangent(self, y_shape, sides, activation, slope, bias):
        """dz = dy phi'(y), padded, and what its sums are made from if there is a bias."""
        self.dz_shape, self.sums_dy = y_shape, bias
        return self.padded((DY, 0), y_shape, sides, (Y, 0), activation, slope, bias)

    def bias_gradient(self):
        """db += the sums of dz."""
        channels = self.dz_shape[3]
        if self.sums:
            place, chunks = self.sums
            self.matrices(own.add_chunks, place, (DBIAS, 0), (chunks, 1, channels))
        elif self.sums_dy:
            words = {chain.FIRST: (DY, 0), chain.SECOND: (DBIAS, 0), chain.ADDS: 1}
            words |= {chain.ROWS: math.prod(self.dz_shape[:3]), chain.OUTPUTS: channels}
            self.task(chain.bias_gradient, words)

    def gather(self, image, stride, exchange, bias=False, activation=IDENTITY, slope=0.0):
        """RESULT = phi(patches(image) W + b); `exchange` reads W as (kh, kw, out, in)."""
        kh, kw, *channels = self.weight_shape
        _, out = reversed(channels) if exchange else channels
        batch, height, width, depth = image.shape
        places = (batch, *self.small[1:3])
        self.product(
            image.place, offsets(places, (height * width, stride * width, stride), depth),
            offsets((kh, kw * depth), (width * depth, 1)), kw * depth,
            (WEIGHT, 0), weight_rows(self.weight_shape, exchange, range(kh), range(kw)),
            channels[1] if exchange else 1,
            (RESULT, 0), row_offsets(out, math.prod(places)), out,
            self.epilogue(bias, activation, slope),
        )  # fmt: skip
        self.activate(activation, math.prod(places), out)

    def sides(self, small, large, stride, padding, exchange):
        """The lines of zeros that `scatter` needs around the small images."""
        if self.spreads(stride, exchange):
            return NO_SIDES
        return tuple(phases(*axis)[0] for axis in self.axes(small, large, stride, padding))

    def axes(self, small, large, stride, padding):
        """The arguments of `phases` for both axes."""
        for n, size, k in zip(small[1:3], large[1:3], self.weight_shape):
            yield n, size, max(k, stride), stride, padding

    def scatter(
        self, x, small, large, stride, padding, exchange, bias=False, activation=IDENTITY, slope=0.0
    ):
        """RESULT = phi(conv'(x, W) + b), the adjoint of `gather`: phase by phase."""
        kh, kw, *channels = self.weight_shape
        out = channels[0 if exchange else 1]
        if self.spreads(stride, exchange):
            self.spread(x, small, large, stride, padding, exchange, bias, activation, slope)
            return
        weight = (max(kh, stride), max(kw, stride), *channels)  # see `images.with_all_taps`
        batch, height, width, depth = x.shape
        (_, vertical), (_, horizontal) = (
            phases(*axis) for axis in self.axes(small, large, stride, padding)
        )
        for a, rows_of_taps, first_row, down in vertical:
            for b, columns_of_taps, first_column, across in horizontal:
                places = (batch, down, across)
                corner = (first_row + x.above) * width + first_column + x.left
                run = len(columns_of_taps) * depth
                steps = (large[1] * large[2], stride * large[2], stride)
                self.product(
                    x.place, offsets(places, (height * width, width, 1), depth, corner),
                    offsets((len(rows_of_taps), run), (width * depth, 1)), run,
                    (WEIGHT, 0), weight_rows(weight, exchange, rows_of_taps, columns_of_taps),
                    channels[1] if exchange else 1,
                    (RESULT, 0), offsets(places, steps, out, a * large[2] + b), out,
                    self.epilogue(bias, activation, slope),
                )  # fmt: skip
        self.activate(activation, math.prod(large[:3]), out)

    def spreads(self, stride, exchange):
        """Whether `scatter` is to be done by `spread`."""
        kh, kw, *channels = self.weight_shape
        out, depth = channels if exchange else reversed(channels)
        return has_few_channels(max(kh, stride) * max(kw, stride), depth, out)

    def spread(self, x, small, large, stride, padding, exchange, bias, activation, slope):
        """`scatter` to few channels: t = x W', then the sums of the taps; see `taps`."""
        kh, kw, *channels = self.weight_shape
        kh, kw = max(kh, stride), max(kw, stride)
        out, depth = channels if exchange else reversed(channels)
        pixels, columns, weight = math.prod(small[:3]), kh * kw * out, (WEIGHT, 0)
        if not exchange and out > 1:  # (taps, in, out) becomes (taps, out, in)
            weight = self.place(columns * depth)
            self.matrices(own.transpose_matrices, (WEIGHT, 0), weight, (kh * kw, out, depth))
            self.wait()
        t = self.place(pixels * columns)
        self.product(
            x.place, row_offsets(depth, pixels), row_offsets(1, depth), depth,
            weight, row_offsets(1, depth), depth,
            t, row_offsets(columns, pixels), columns, self.epilogue(False, IDENTITY, 0.0),
        )  # fmt: skip
        self.wait()
        words = self.epilogue(bias, activation, slope)
        words = {
            taps.BIAS: words[gemm.BIAS], taps.HAS_BIAS: words[gemm.HAS_BIAS],
            taps.SLOPE: words[gemm.SLOPE], taps.TAPS: t, taps.Y: (RESULT, 0),
            taps.BATCH: small[0], taps.HEIGHT: small[1], taps.WIDTH: small[2],
            taps.DOWN: large[1], taps.ACROSS: large[2], taps.CHANNELS: out,
            taps.KERNEL_ROWS: kh, taps.KERNEL_COLUMNS: kw, taps.STRIDE: stride,
            taps.PADDING: padding, taps.PARTS: self.parts,
        }  # fmt: skip
        self.task(taps.add_up, words)
        self.activate(activation, math.prod(large[:3]), out)

    def weight_gradient(self, image, dz, dz_shape, stride, target, adds=1):
        """dW[u, v, c, o] = sum over n, i, j of image[n, i s + u, ..., c] dz[n, i, j, o], or +=.
        A long sum is cut into pieces, which `complete_gradients` adds up."""
        kh, kw = self.weight_shape[:2]
        _, height, width, channels = image.shape
        batch, down, across, out = dz_shape
        rows = offsets((kh, kw, channels), (width * channels, channels, 1))
        steps = (height * width, stride * width, stride)
        inner = offsets((batch, down, across), steps, channels)
        words = {gemm.ACCUMULATE: adds, gemm.SLOPE: bits(1.0)}
        pieces = gemm.pieces_of_sum(len(rows), len(inner), out, self.dtype.itemsize)
        if pieces > 1:
            place = self.place(pieces * len(rows) * out)
            self.pieces = place, target, (pieces, len(rows), out), adds
            target, words[gemm.ACCUMULATE], words[gemm.PIECES] = place, 0, pieces
        self.product(
            image.place, rows, inner, 1, dz.place, dz.pixels((down, across)), 1,
            target, row_offsets(out, len(rows)), out, words,
        )  # fmt: skip

    def exchanged_weight_gradient(self, dz, x_shape, stride):
        """`weight_gradient` of a dW (kh, kw, o, c), which `complete_gradients` adds to the real
        one. One with a single o, or a single c, is in memory what the real one is."""
        alike = 1 in self.weight_shape[2:]
        self.exchanged = None if alike else self.place(math.prod(self.weight_shape))
        target = self.exchanged or (DWEIGHT, 0)
        self.weight_gradient(dz, Images((X, 0), x_shape), x_shape, stride, target, int(alike))

    def complete_gradients(self):
        """What is left to be done for dW when the products are done."""
        if self.pieces:
            self.wait()
            self.matrices(own.add_pieces, *self.pieces)
        if self.exchanged:
            self.wait()
            kh, kw, *channels = self.weight_shape
            shape = (kh * kw, *channels)
            self.matrices(own.transpose_matrices, self.exchanged, (DWEIGHT, 0), shape, 1)

    def matrices(self, worker, source, target, shape, adds=0):
        """A task of `image_workers`."""
        words = {own.SOURCE: source, own.TARGET: target, own.ADDS: adds, own.PARTS: self.parts}
        sizes = own.MATRICES, own.ROWS, own.COLUMNS
        self.task(worker, words | dict(zip(sizes, shape)))

    @staticmethod
    def epilogue(bias, activation, slope):
        """The words for what a product does with its sums."""
        leaky = slope if activation == LEAKY_RELU else 1.0
        return {gemm.BIAS: (BIAS, 0), gemm.HAS_BIAS: int(bias), gemm.SLOPE: bits(leaky)}

    def activate(self, activation, pixels, channels):
        """RESULT = phi(RESULT), for the activations that a product does not know."""
        if activation == TANH or activation == SIGMOID:
            self.wait()
            words = {chain.FIRST: (RESULT, 0), chain.ACTIVATION: activation, chain.ROWS: pixels}
            words |= {chain.OUTPUTS: channels, chain.DOWN: self.parts, chain.ACROSS: 1}
            self.task(chain.activate, words)

    def product(self, a, a_rows, inner, run, b, b_rows, b_step, c, c_rows, columns, words):
        """A product; the arguments are those of `gemm.multiply`."""
        rows, depth = len(a_rows), len(inner)
        pieces = words.get(gemm.PIECES, 1)
        down, across = self.cut(rows, depth, columns) if pieces == 1 else (self.parts, 1)
        self.products.append((rows, depth, columns))
        tables = gemm.A_ROWS, gemm.INNER, gemm.B_ROWS, gemm.C_ROWS
        words = words | {
            column: self.table(table)
            for column, table in zip(tables, (a_rows, inner, b_rows, c_rows))
        }
        words |= {gemm.A: a, gemm.RUN: run, gemm.B: b, gemm.B_STEP: b_step, gemm.C: c}
        words |= {gemm.ROWS: rows, gemm.DEPTH_OF_SUM: depth, gemm.COLUMNS: columns}
        words |= {gemm.DOWN: down, gemm.ACROSS: across, gemm.PIECES: pieces}
        self.phases[-1].append(task_of(gemm.multiplier(self.dtype), words))

    def cut(self, rows, depth, columns):
        """(down, across): how the threads divide a product, as in `gemm.multiply`."""
        large_b = depth * columns * self.dtype.itemsize > gemm.SMALL_B
        strips = STRIPS_PER_THREAD_LARGE_B if large_b else STRIPS_PER_THREAD_SMALL_B
        vectors = -(-columns * self.dtype.itemsize // VECTOR_BYTES)
        by_rows = -(-rows // TILE_ROWS) >= strips * self.parts or vectors < self.parts
        return (self.parts, 1) if by_rows else (1, self.parts)


NO_SIDES = ((0, 0), (0, 0))


@lru_cache(maxsize=256)
def phases(inputs, outputs, taps, stride, padding):
    """One axis of the adjoint y[i s + u - p] += x[i] W[u]: ((low, high), phases).

    Output a + s q reads x[first + q], x[first + q + 1], ... through `taps`, for q < count.
    A phase is (a, taps, first, count); x must be padded by `low` zeros before and `high` after.
    """
    found, low, high = [], 0, 0
    for a in range(min(stride, outputs)):
        smallest = (a + padding) % stride
        reading = range(smallest, taps, stride)[::-1]  # as i rises, u falls
        first = (a + padding - reading[0]) // stride
        count = -(-(outputs - a) // stride)
        found.append((a, reading, first, count))
        low = max(low, -first)
        high = max(high, first + count - 1 + len(reading) - inputs)
    return (low, high), found
