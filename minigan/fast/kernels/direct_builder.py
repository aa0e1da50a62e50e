"""The tasks of a convolution that is computed directly, by the products of its formula.

They are the three functions of `minigan.layers.convolution`:

    gather            small = patches(large) W
    scatter           large = the adjoint of gather, at small
    weight_gradient   dW = patches(large)' small       (there `correlate`)

A convolution gathers in the forward pass and scatters in the backward pass, a transposed one the
other way round.
"""

import math
from functools import lru_cache

from . import gemm, image_workers, taps
from .plan_builder import DWEIGHT, NO_PADDING, NO_PHI, RESULT, WEIGHT, PlanBuilder
from .programs import bits
from .tables import offsets, row_offsets, weight_rows


class DirectBuilder(PlanBuilder):
    """Builds the plan of a pass by products of patches of the images."""

    def __init__(self, geometry, dtype, threads):
        super().__init__(geometry, dtype, threads)
        self.to_exchange = None  # the place of a dW whose two channel axes are to be exchanged
        self.to_add = None  # the arguments of `image_workers.add_splits` for a split-K dW

    def gather(self, image, phi):
        """RESULT = phi(patches(image) W + b). For dx of a transposed convolution W is read as
        (kh, kw, out, in)."""
        weight, exchange, stride = self.weight, self.geometry.transposed, self.geometry.stride
        kh, kw = weight[:2]
        _, height, width, depth = image.shape
        places, out = self.small[:3], self.small[3]
        self.product(
            image.place, offsets(places, (height * width, stride * width, stride), depth),
            offsets((kh, kw * depth), (width * depth, 1)), kw * depth,
            (WEIGHT, 0), weight_rows(weight, exchange, range(kh), range(kw)),
            weight[3] if exchange else 1,
            (RESULT, 0), row_offsets(out, math.prod(places)), out, self.epilogue(phi),
        )  # fmt: skip
        self.activate(phi)

    def scatter(self, image, phi):
        """RESULT = phi(conv'(image, W) + b), the adjoint of `gather`, one product for each phase of
        the pixels (see `phases`). For dx of a convolution W is read as (kh, kw, out, in)."""
        if self._has_few_channels():
            self._scatter_to_few_channels(image, phi)
            return
        weight, exchange = (*self._taps(), *self.weight[2:]), not self.geometry.transposed
        stride, (_, height, width, depth) = self.geometry.stride, image.shape
        batch, down, across, out = self.large
        (_, vertical), (_, horizontal) = self._phases()
        for a, rows_of_taps, first_row, rows in vertical:
            for b, columns_of_taps, first_column, columns in horizontal:
                places = batch, rows, columns
                corner = (first_row + image.above) * width + first_column + image.left
                run = len(columns_of_taps) * depth
                steps = down * across, stride * across, stride
                self.product(
                    image.place, offsets(places, (height * width, width, 1), depth, corner),
                    offsets((len(rows_of_taps), run), (width * depth, 1)), run,
                    (WEIGHT, 0), weight_rows(weight, exchange, rows_of_taps, columns_of_taps),
                    weight[3] if exchange else 1,
                    (RESULT, 0), offsets(places, steps, out, a * across + b), out,
                    self.epilogue(phi),
                )  # fmt: skip
        self.activate(phi)

    def weight_gradient(self, large, small):
        """dW[u, v, c, o] += sum over n, i, j of large[n, i s + u, ..., c] small[n, i, j, o].

        A long sum over (n, i, j) is split (split-K). In a transposed convolution the result is dW
        as (kh, kw, out, in). `complete_gradients` adds the splits and exchanges the channels. If
        `in` or `out` is 1, both orders of the channels are the same in memory.
        """
        target, adds = (DWEIGHT, 0), 1
        if self.geometry.transposed and 1 not in self.weight[2:]:
            target, adds = self.allocate(math.prod(self.weight)), 0
            self.to_exchange = target
        kh, kw = self.weight[:2]
        _, height, width, channels = large.shape
        stride, (*places, out) = self.geometry.stride, self.small
        rows = offsets((kh, kw, channels), (width * channels, channels, 1))
        inner = offsets(tuple(places), (height * width, stride * width, stride), channels)
        words = {gemm.ACCUMULATE: adds, gemm.SLOPE: bits(1.0)}
        splits = gemm.splits_of_sum(len(rows), len(inner), out, self.dtype.itemsize)
        if splits > 1:
            place = self.allocate(splits * len(rows) * out)
            self.to_add = place, target, (splits, len(rows), out), adds
            target, words[gemm.ACCUMULATE], words[gemm.SPLITS] = place, 0, splits
        self.product(
            large.place, rows, inner, 1, small.place, small.pixels(places[1:]), 1,
            target, row_offsets(out, len(rows)), out, words,
        )  # fmt: skip

    def complete_gradients(self):
        """The tasks for dW after its products: adding the splits, exchanging the channels."""
        if self.to_add:
            self.barrier()
            self.matrices(image_workers.add_splits, *self.to_add)
        if self.to_exchange:
            self.barrier()
            kh, kw, *channels = self.weight
            shape = kh * kw, *channels
            self.matrices(
                image_workers.transpose_matrices, self.to_exchange, (DWEIGHT, 0), shape, adds=1
            )

    def padding_of_large(self):
        """The padding that `gather` and `weight_gradient` need around large images."""
        return ((self.geometry.padding,) * 2,) * 2

    def padding_of_small(self):
        """The padding that `scatter` needs around small images."""
        if self._has_few_channels():
            return NO_PADDING
        return tuple(padding for padding, _ in self._phases())

    def _phases(self):
        """`phases` of the rows and of the columns."""
        stride, padding = self.geometry.stride, self.geometry.padding
        for n, size, k in zip(self.small[1:3], self.large[1:3], self._taps()):
            yield phases(n, size, k, stride, padding)

    def _taps(self):
        """The size of the kernel after `images.with_all_taps`."""
        return tuple(max(k, self.geometry.stride) for k in self.weight[:2])

    def _has_few_channels(self):
        """Whether `scatter` is computed by `taps`: one product, then sums."""
        return taps.has_few_channels(math.prod(self._taps()), self.small[3], self.large[3])

    def _scatter_to_few_channels(self, image, phi):
        """`scatter` to few channels: t = image W', then sums over the taps; see `taps`."""
        (kh, kw), weight = self._taps(), (WEIGHT, 0)
        *places, depth = self.small
        _, down, across, out = self.large
        pixels, columns = math.prod(places), kh * kw * out
        if self.geometry.transposed and out > 1:  # (taps, in, out) becomes (taps, out, in)
            weight = self.allocate(columns * depth)
            self.matrices(
                image_workers.transpose_matrices, (WEIGHT, 0), weight, (kh * kw, out, depth)
            )
            self.barrier()
        t = self.allocate(pixels * columns)
        self.product(
            image.place, row_offsets(depth, pixels), row_offsets(1, depth), depth,
            weight, row_offsets(1, depth), depth,
            t, row_offsets(columns, pixels), columns, self.epilogue(NO_PHI),
        )  # fmt: skip
        self.barrier()
        batch, height, width = places
        words = self.epilogue(phi, taps) | {
            taps.TAPS: t, taps.Y: (RESULT, 0), taps.BATCH: batch, taps.HEIGHT: height,
            taps.WIDTH: width, taps.DOWN: down, taps.ACROSS: across, taps.CHANNELS: out,
            taps.KERNEL_ROWS: kh, taps.KERNEL_COLUMNS: kw, taps.STRIDE: self.geometry.stride,
            taps.PADDING: self.geometry.padding, taps.PARTS: self.parts,
        }  # fmt: skip
        self.task(taps.add_up, words)
        self.activate(phi)


@lru_cache(maxsize=256)
def phases(inputs, outputs, taps, stride, padding):
    """The phases of the adjoint y[i s + u - p] += x[i] W[u] along one axis.

    The outputs of phase a, the pixels a + s q for q < count, all read the same taps:

        y[a + s q] = x[first + q] W[taps[0]] + x[first + q + 1] W[taps[1]] + ...

    Returns ((low, high), [(a, taps, first, count), ...]); x must be padded by `low` zeros before
    and `high` after.
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
