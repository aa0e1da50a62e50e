"""Where U, M, V and their gradients are, block by block of images (see `winograd`).

`large` images are those that the kernel is laid on: x of a convolution, y of a transposed one.
`small` ones are the others, whose pixels are places of the kernel. In memory are

    U, dU   (images, products down, products across, stride, stride, channels of large)
    M, dM   (images, products down, products across, channels of small)
    V, dV   (kinds down, kinds across) times (stride, stride, channels of large, those of small);
            (channels of small, stride, stride, those of large) in a transposed convolution

so the products of one kind, of all images of a block, are one product of matrices.
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
    """Lines of numbers in each of many images: where the first image is, where in an image the line
    (i, j) is, how many images there are and how far apart."""

    place: tuple[int, int]
    at: np.ndarray
    images: int
    step: int


class Matrix(NamedTuple):
    """U, M or a gradient of one: where it is, its columns, and how far its rows are apart."""

    place: tuple[int, int]
    columns: int
    step: int


class WinogradLayout(PlanBuilder):
    """A plan in the making, and what is where."""

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
        self.block = 0, size  # its first image, and how many
        self.rows = size * math.prod(self.counts)  # of U and M in a block

    # Each pass needs some of these; a place is reserved when it is first asked for.

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
        """Rows are one vector longer than what is in them: a column of a matrix whose rows are a
        power of two apart does not stay in the first-level cache."""
        return columns + VECTOR_BYTES // self.dtype.itemsize

    def _block_size(self):
        """The images of a block: whole strips of products of each kind, unless a single image has
        so many that the last one does not matter. It does not depend on the number of threads, so
        neither does the order in which blocks are added to dV."""
        of_image = math.prod(self.counts) * self._step(self.u_columns) * self.dtype.itemsize
        fewest_rows = math.prod(min(axis.counts) for axis in self.axes)
        unit = 1 if fewest_rows >= MANY_STRIPS * TILE_ROWS else TILE_ROWS
        units = max(1, BLOCK_BYTES // (unit * of_image), -(-self.small[0] // (unit * MAX_BLOCKS)))
        return min(self.small[0], unit * units)

    def blocks(self):
        """Yields for each block of images, which `block` then is."""
        _, size = self.block
        for first in range(0, self.small[0], max(size, 1)):
            self.block = first, min(size, self.small[0] - first)
            yield

    def each_kind(self):
        """Yields for each kind of product its number, and the offsets of its rows as a function of
        the step between rows of U or M."""
        down, across = self.counts
        steps = down * across, across, 1
        first_rows, first_columns = (list(accumulate(axis.counts, initial=0)) for axis in self.axes)
        for kind, (i, j) in enumerate(product(*map(range, self.kinds))):
            counts = self.block[1], self.axes[0].counts[i], self.axes[1].counts[j]
            first = first_rows[i] * across + first_columns[j]
            yield kind, partial(offsets, counts, steps, first=first)

    def kernel(self, v, kind):
        """Where the kernel of a kind of product is in V or dV."""
        base, start = v
        return base, start + kind * self.u_columns * self.m_columns * self.dtype.itemsize

    def pixels(self, place, shape):
        """The pixels of this block's images."""
        _, height, width, channels = shape
        first, images = self.block
        step = height * width * channels
        place = place[0], place[1] + first * step * self.dtype.itemsize
        return Lines(place, _grid(height, width) * channels, images, step)

    def lines_of_m(self, m):
        at = _grid(*self.counts) * m.step
        return Lines(m.place, at, self.block[1], at.size * m.step)

    def lines_of_u(self, u):
        rows, pixels = np.divmod(self._in_blocks(*self.counts), self.stride**2)
        at = rows * u.step + pixels * self.large[3]
        return Lines(u.place, at, self.block[1], math.prod(self.counts) * u.step)

    def taps(self, place):
        """The lines W[u, v, c]; each channel c is an image."""
        kh, kw, channels, out = self.weight
        return Lines(place, _grid(kh, kw) * channels * out, channels, out)

    def lines_of_v(self, place):
        """The same lines of V."""
        channels, out = self.weight[2:]
        lines = self._in_blocks(*self.kinds)
        if not self.transposed:
            return Lines(place, lines * channels * out, channels, out)
        kinds, pixels = np.divmod(lines, self.stride**2)
        at = kinds * channels * self.u_columns + pixels * out
        return Lines(place, at, channels, self.u_columns)

    def _in_blocks(self, down, across):
        """The number in C order of (i, j, a, b), a and b below the stride, at (i a, j b)."""
        stride = self.stride
        at = np.arange(down * across * stride**2).reshape(down, across, stride, stride)
        return at.swapaxes(1, 2).reshape(down * stride, across * stride)


def _grid(down, across):
    return np.arange(down * across).reshape(down, across)
