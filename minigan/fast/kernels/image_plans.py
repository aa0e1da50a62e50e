"""Plans: what the threads do in the passes of a convolution (see `images`).

A pass is a program (see `programs`) of a few phases: first the images are padded and dz computed,
then come the products, which read them. `plan_builder` writes the single tasks. Convolutions that
can be computed with fewer multiplications have plans of their own: see `winograd_plans`.

A plan depends on shapes and options alone, not on arrays: layers of the same shapes share it, and
nothing that happens to a network can make it wrong. (`plans` holds addresses, too, so those plans
belong to their network.)
"""

import math
from functools import lru_cache

from . import gemm, taps
from . import image_workers as own
from . import winograd_plans as winograd
from .codes import IDENTITY
from .plan_builder import (
    DWEIGHT,
    NO_SIDES,
    RESULT,
    WEIGHT,
    Images,
    PlanBuilder,
    X,
)
from .programs import bits
from .tables import cached, offsets, row_offsets, weight_rows
from .taps import has_few_channels


@cached
def conv2d_forward(x_shape, weight_shape, stride, padding, activation, slope, bias, dtype, threads):
    """y = phi(patches(x) W + b)."""
    y_shape = _convolved(x_shape, weight_shape, stride, padding)
    if winograd.pays(y_shape, weight_shape, stride, dtype):
        shapes, phi = (x_shape, y_shape, weight_shape), (bias, activation, slope)
        return winograd.forward(shapes, stride, padding, phi, dtype, threads, False)
    plan = _Pass(y_shape, weight_shape, dtype, threads)
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
    if winograd.pays(y_shape, weight_shape, stride, dtype):
        shapes, phi = (x_shape, y_shape, weight_shape), (bias, activation, slope)
        return winograd.backward(shapes, stride, padding, phi, dtype, threads, False, dx, dw)
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
    if winograd.pays(x_shape, weight_shape, stride, dtype):
        shapes, phi = (x_shape, y_shape, weight_shape), (bias, activation, slope)
        return winograd.forward(shapes, stride, padding, phi, dtype, threads, True)
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
    if winograd.pays(x_shape, weight_shape, stride, dtype):
        shapes, phi = (x_shape, y_shape, weight_shape), (bias, activation, slope)
        return winograd.backward(shapes, stride, padding, phi, dtype, threads, True, dx, dw)
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


class _Pass(PlanBuilder):
    """A plan in the making, and what its products compute.

    `small` is the shape of y of a convolution, or of x of a transposed one: the images whose pixels
    are places of the kernel.
    """

    def __init__(self, small, weight_shape, dtype, threads):
        multiply_adds = math.prod(small[:3]) * math.prod(weight_shape)
        super().__init__(threads if multiply_adds >= gemm.SERIAL_BELOW else 1, dtype)
        self.small, self.weight_shape = small, weight_shape
        self.exchanged = None  # where an exchanged gradient is
        self.pieces = None  # of a gradient: where they are, where they belong, ...

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
