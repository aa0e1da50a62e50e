"""The layout of U, M, V and their gradients in memory (see `winograd`).

A pass processes the images in blocks, and these arrays have the images of one block. `large` and
`small` images are those of `geometry`: the kernel slides over large images, and its positions are
the pixels of small ones. The shapes are, with C and c the channels of large and small images,

    U, dU   (images, products down, products across, stride, stride, C)
    M, dM   (images, products down, products across, c)
    V, dV   (kinds down, kinds across, stride, stride, C, c); in a transposed convolution
            (kinds down, kinds across, c, stride, stride, C)

So the products of one kind, for all images of a block, are one matrix product.
"""

import math
from functools import cached_property, partial
from itertools import accumulate, product
from typing import NamedTuple

import numpy as np

from .machine import TILE_ROWS, VECTOR_BYTES
from .plan_builder import PlanBuilder
from .tables import offsets
from .winograd import axis

BLOCK_BYTES = 1 << 21  # the most bytes of U in a block, unless there would be too many blocks
MAX_BLOCKS = 16  # so that a plan stays short
MANY_STRIPS = 8  # with at least so many strips, an incomplete one costs little


class Lines(NamedTuple):
    """Lines of numbers of several images: see `combinations`."""

    place: tuple[int, int]  # of the first image
    at: np.ndarray  # the offset of the line (i, j) from the start of an image
    images: int
    step: int  # numbers between images


class Matrix(NamedTuple):
    """U, M, dU or dM as a matrix."""

    place: tuple[int, int]
    columns: int
    step: int  # numbers between rows


class WinogradLayout(PlanBuilder):
    """A `PlanBuilder` with the arrays of `winograd`."""

    def __init__(self, geometry, dtype, threads):
        super().__init__(geometry, dtype, threads)
        self.stride, self.transposed = geometry.stride, geometry.transposed
        self.axes = tuple(
            axis(outputs, pixels, self.stride, geometry.padding)
            for outputs, pixels in zip(self.small[1:3], self.large[1:3])
        )
        self.counts = tuple(sum(axis.counts) for axis in self.axes)  # products down and across
        self.kinds = tuple(len(axis.counts) for axis in self.axes)
        self.u_columns, self.m_columns = self.stride**2 * self.large[3], self.small[3]
        size = self._block_size()
        self.block = 0, size  # the first image of the present block, and the number of images
        self.rows = size * math.prod(self.counts)  # of U and M

    # Each pass needs some of these arrays; each is allocated when it is first used.

    @cached_property
    def u(self):
        return self._matrix(self.u_columns)

    @cached_property
    def du(self):
        return self._matrix(self.u_columns)

    @cached_property
    def m(self):
        return self._matrix(self.m_columns)

    @cached_property
    def dm(self):
        return self._matrix(self.m_columns)

    @cached_property
    def v(self):
        return self.allocate(math.prod(self.kinds) * self.u_columns * self.m_columns)

    @cached_property
    def dv(self):
        return self.allocate(math.prod(self.kinds) * self.u_columns * self.m_columns)

    def _matrix(self, columns):
        step = self._step(columns)
        return Matrix(self.allocate(self.rows * step), columns, step)

    def _step(self, columns):
        """The step between rows: one vector more than the columns, so that it is not a power of
        two. Otherwise a column would be in a single set of the first-level cache."""
        return columns + VECTOR_BYTES // self.dtype.itemsize

    def _block_size(self):
        """The number of images in a block.

        It is a multiple of TILE_ROWS, so that the products of each kind are complete strips; or, if
        a single image has many strips, any number. It does not depend on the number of threads, so
        neither does the order in which the blocks are added to dV.
        """
        of_image = math.prod(self.counts) * self._step(self.u_columns) * self.dtype.itemsize
        fewest_rows = math.prod(min(axis.counts) for axis in self.axes)
        unit = 1 if fewest_rows >= MANY_STRIPS * TILE_ROWS else TILE_ROWS
        units = max(1, BLOCK_BYTES // (unit * of_image), -(-self.small[0] // (unit * MAX_BLOCKS)))
        return min(self.small[0], unit * units)

    def blocks(self):
        """Sets `block` to each block of images in turn, and yields."""
        _, size = self.block
        for first in range(0, self.small[0], max(size, 1)):
            self.block = first, min(size, self.small[0] - first)
            yield

    def each_kind(self):
        """Yields (kind, rows) for each kind of product: its number, and a function that gives the
        offsets of its rows in U or M from the step between rows."""
        down, across = self.counts
        steps = down * across, across, 1
        first_rows, first_columns = (list(accumulate(axis.counts, initial=0)) for axis in self.axes)
        for kind, (i, j) in enumerate(product(*map(range, self.kinds))):
            counts = self.block[1], self.axes[0].counts[i], self.axes[1].counts[j]
            first = first_rows[i] * across + first_columns[j]
            yield kind, partial(offsets, counts, steps, first=first)

    def kernel(self, v, kind):
        """The place of V_k or dV_k, k a kind of product, from the place `v` of V or dV."""
        base, start = v
        return base, start + kind * self.u_columns * self.m_columns * self.dtype.itemsize

    def pixels(self, place, shape):
        """The pixels of the images of this block, from the place and shape of all images."""
        _, height, width, channels = shape
        first, images = self.block
        step = height * width * channels
        place = place[0], place[1] + first * step * self.dtype.itemsize
        return Lines(place, _grid(height, width) * channels, images, step)

    def lines_of_m(self, m):
        """A line of M for each product (i, j)."""
        at = _grid(*self.counts) * m.step
        return Lines(m.place, at, self.block[1], at.size * m.step)

    def lines_of_u(self, u):
        """A line of U for each product and pixel of its block: (products down x stride, ...)."""
        rows, pixels = np.divmod(self._in_blocks(*self.counts), self.stride**2)
        at = rows * u.step + pixels * self.large[3]
        return Lines(u.place, at, self.block[1], math.prod(self.counts) * u.step)

    def taps(self, place):
        """The lines W[u, v, c, :]; each input channel c is one image of `combinations`."""
        kh, kw, channels, out = self.weight
        return Lines(place, _grid(kh, kw) * channels * out, channels, out)

    def lines_of_v(self, place):
        """The lines of V in the same order."""
        channels, out = self.weight[2:]
        lines = self._in_blocks(*self.kinds)
        if not self.transposed:
            return Lines(place, lines * channels * out, channels, out)
        kinds, pixels = np.divmod(lines, self.stride**2)
        at = kinds * channels * self.u_columns + pixels * out
        return Lines(place, at, channels, self.u_columns)

    def _in_blocks(self, down, across):
        """The index in C order of (i, j, a, b), with a and b below the stride, at the position
        (i stride + a, j stride + b) of the result."""
        stride = self.stride
        at = np.arange(down * across * stride**2).reshape(down, across, stride, stride)
        return at.swapaxes(1, 2).reshape(down * stride, across * stride)


def _grid(down, across):
    """The index in C order of each (i, j)."""
    return np.arange(down * across).reshape(down, across)
