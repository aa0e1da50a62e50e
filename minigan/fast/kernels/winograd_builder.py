"""The tasks that plans of `winograd` are made of: its linear maps and its products.

`large` images are those that the kernel is laid on: x of a convolution, y of a transposed one.
`small` ones are the others, whose pixels are places of the kernel. In memory are

    U, dU   (images, products down, products across, stride, stride, channels of large)
    M, dM   (images, products down, products across, channels of small)
    V, dV   (kinds down, kinds across) times (stride, stride, channels of large, those of small);
            (channels of small, stride, stride, those of large) in a transposed convolution

so the products of one kind, of all images of a block, are one product of matrices. The forward pass
of a transposed convolution is the adjoint of another's: its x becomes dM, and y comes from dU.
"""

import math
from functools import lru_cache
from itertools import accumulate, product
from typing import NamedTuple

import numpy as np

from . import combinations, gemm
from .codes import IDENTITY
from .machine import TILE_ROWS, VECTOR_BYTES
from .plan_builder import DWEIGHT, RESULT, WEIGHT, PlanBuilder
from .programs import OWNER
from .tables import offsets, row_offsets
from .winograd import axis

BLOCK_BYTES = 1 << 21  # of U in a block of images, at most, unless that makes too many blocks
MOST_BLOCKS = 16  # so that a plan stays short
MANY_STRIPS = 8  # among so many, one that is not full costs little
NO_PHI = False, IDENTITY, 0.0  # no bias, no activation


class Lines(NamedTuple):
    """Lines of numbers in each of many images: where the first image is, where in an image the line
    (i, j) is, how many images there are and how far apart."""

    place: tuple[int, int]
    at: np.ndarray
    images: int
    step: int


class WinogradBuilder(PlanBuilder):
    """A plan in the making. `shapes` are those of x, y and W."""

    def __init__(self, shapes, stride, padding, dtype, threads, transposed):
        x_shape, y_shape, self.weight_shape = shapes
        self.small, self.large = (x_shape, y_shape) if transposed else (y_shape, x_shape)
        multiply_adds = math.prod(self.small[:3]) * math.prod(self.weight_shape)
        super().__init__(threads if multiply_adds >= gemm.SERIAL_BELOW else 1, dtype)
        self.stride, self.transposed = stride, transposed
        self.axes = tuple(
            axis(outputs, pixels, stride, padding)
            for outputs, pixels in zip(self.small[1:3], self.large[1:3])
        )
        self.counts = tuple(sum(axis.counts) for axis in self.axes)  # products down and across
        self.kinds = tuple(len(axis.counts) for axis in self.axes)
        # Rows of U and M are one vector longer than what is in them: a column of a matrix whose
        # rows are a power of two apart does not stay in the first-level cache.
        lanes = VECTOR_BYTES // dtype.itemsize
        self.u_columns, self.m_columns = stride**2 * self.large[3], self.small[3]
        self.u_step, self.m_step = self.u_columns + lanes, self.m_columns + lanes
        self.block = 0, self._block_size()  # its first image, and how many
        rows = self.block[1] * math.prod(self.counts)
        kernels = math.prod(self.kinds) * self.u_columns * self.m_columns
        self.u, self.du = self.place(rows * self.u_step), self.place(rows * self.u_step)
        self.m, self.dm = self.place(rows * self.m_step), self.place(rows * self.m_step)
        self.v, self.dv = self.place(kernels), self.place(kernels)
        self.maps = _maps_of(
            self.small[1:], self.large[1:], self.weight_shape, stride, padding, dtype, transposed
        )

    def _block_size(self):
        """The images of a block: whole strips of products of each kind, unless a single image has
        so many that the last one does not matter. It does not depend on the number of threads, so
        neither does the order in which blocks are added to dV."""
        of_image = math.prod(self.counts) * self.u_step * self.dtype.itemsize
        fewest_rows = math.prod(min(axis.counts) for axis in self.axes)
        unit = 1 if fewest_rows >= MANY_STRIPS * TILE_ROWS else TILE_ROWS
        units = max(1, BLOCK_BYTES // (unit * of_image), -(-self.small[0] // (unit * MOST_BLOCKS)))
        return min(self.small[0], unit * units)

    def blocks(self):
        """Yields for each block of images, which `block` then is."""
        _, size = self.block
        for first in range(0, self.small[0], max(size, 1)):
            self.block = first, min(size, self.small[0] - first)
            yield

    # The linear maps, of the images of a block and of the kernel.

    def to_u(self, source):
        """U = B x, from the images at a place."""
        self.combine("image", self._pixels(source, self.large), self._lines_of_u(self.u))

    def from_du(self, phi=NO_PHI):
        """RESULT = phi(B' dU + b)."""
        target = self._pixels((RESULT, 0), self.large)
        self.combine("image", self._lines_of_u(self.du), target, phi, adjoint=True)

    def to_dm(self, source):
        """dM = A' dz, from the images at a place."""
        source = self._pixels(source, self.small)
        self.combine("results", source, self._lines_of_m(self.dm), adjoint=True)

    def from_m(self, phi=NO_PHI):
        """RESULT = phi(A M + b)."""
        target = self._pixels((RESULT, 0), self.small)
        self.combine("results", self._lines_of_m(self.m), target, phi)

    def to_v(self):
        """V = G W."""
        self.combine("kernel", self._taps((WEIGHT, 0)), self._lines_of_v(self.v))

    def from_dv(self):
        """dW += G' dV."""
        target = self._taps((DWEIGHT, 0))
        self.combine("kernel", self._lines_of_v(self.dv), target, adjoint=True, adds=1)

    def combine(self, name, source, target, phi=NO_PHI, adjoint=False, adds=0):
        """target = phi(map source + b), or +=, for a map that each axis has."""
        length = {"image": self.large[3], "results": self.small[3], "kernel": self.weight_shape[3]}
        if (name, adjoint) not in self.maps:
            maps = (getattr(axis, name) for axis in self.axes)
            maps = (matrix.T if adjoint else matrix for matrix in maps)
            terms = _terms(*maps, source.at, self.dtype)
            self.maps[name, adjoint] = target.at.reshape(-1), *terms
        targets, starts, places, factors = self.maps[name, adjoint]
        words = self.epilogue(*phi)
        words = {
            combinations.BIAS: words[gemm.BIAS], combinations.HAS_BIAS: words[gemm.HAS_BIAS],
            combinations.SLOPE: words[gemm.SLOPE], combinations.ADDS: adds,
            combinations.SOURCE: source.place, combinations.TARGET: target.place,
            combinations.TARGETS: self.table(targets),
            combinations.STARTS: self.table(starts), combinations.PLACES: self.table(places),
            combinations.FACTORS: self.table(factors), combinations.IMAGES: source.images,
            combinations.ROWS: target.at.size, combinations.LENGTH: length[name],
            combinations.SOURCE_STEP: source.step, combinations.TARGET_STEP: target.step,
            combinations.PARTS: self.parts,
        }  # fmt: skip
        self.task(combinations.combine, words)

    # The products, a task for each kind.

    def multiply_u_v(self):
        """M = U V."""
        for kernel, rows in self._each_kind():
            self.product(
                self.u, rows(self.u_step), *self._row(self.u_columns),
                kernel(self.v), *self._kernel_tables(self.m_columns, not self.transposed),
                self.m, rows(self.m_step), self.m_columns, self.epilogue(*NO_PHI),
            )  # fmt: skip

    def multiply_dm_v(self):
        """dU = dM V'."""
        for kernel, rows in self._each_kind():
            self.product(
                self.dm, rows(self.m_step), *self._row(self.m_columns),
                kernel(self.v), *self._kernel_tables(self.u_columns, self.transposed),
                self.du, rows(self.u_step), self.u_columns, self.epilogue(*NO_PHI),
            )  # fmt: skip

    def multiply_u_dm(self):
        """dV += U' dM, or dM' U in a transposed convolution; the first block sets it."""
        sides = (self.u, self.u_columns, self.u_step), (self.dm, self.m_columns, self.m_step)
        (a, depth, a_step), (b, columns, b_step) = sides[::-1] if self.transposed else sides
        words = self.epilogue(*NO_PHI) | {gemm.ACCUMULATE: int(self.block[0] > 0)}
        for kernel, rows in self._each_kind():
            self.product(
                a, row_offsets(1, depth), rows(a_step), 1, b, rows(b_step), 1,
                kernel(self.dv), row_offsets(columns, depth), columns, words,
            )  # fmt: skip

    def wait(self):
        self._give_products_to_threads()
        super().wait()

    def _give_products_to_threads(self):
        """Gives each of the phase's products to one thread, the longest first. If each were divided
        among the threads, each thread would have to pack all kernels."""
        worker, loads = gemm.multiplier(self.dtype), [0] * self.parts
        tasks = [words for words, _ in self.phases[-1] if words[gemm.WORKER] == worker]
        if len(tasks) < self.parts:
            return
        sizes = [math.prod(words[[gemm.ROWS, gemm.DEPTH_OF_SUM, gemm.COLUMNS]]) for words in tasks]
        for at in sorted(range(len(tasks)), key=lambda at: -sizes[at]):
            thread = loads.index(min(loads))
            loads[thread] += sizes[at]
            tasks[at][[gemm.DOWN, gemm.ACROSS, OWNER]] = 1, 1, 1 + thread

    # What is where.

    def _each_kind(self):
        """Yields for each kind of product its kernel's place as a function of that of V or dV, and
        the table of its rows as a function of the step between rows of U or M."""
        size = self.u_columns * self.m_columns * self.dtype.itemsize
        down, across = self.counts
        first_rows, first_columns = (list(accumulate(axis.counts, initial=0)) for axis in self.axes)
        for at, (i, j) in enumerate(product(*map(range, self.kinds))):
            counts = self.block[1], self.axes[0].counts[i], self.axes[1].counts[j]
            first = first_rows[i] * across + first_columns[j]

            def kernel(v, at=at):
                return v[0], v[1] + at * size

            def rows(step, counts=counts, first=first):
                return offsets(counts, (down * across, across, 1), step, first)

            yield kernel, rows

    @staticmethod
    def _row(columns):
        """The inner index of a left operand whose rows are contiguous, and their length."""
        return row_offsets(1, columns), columns

    def _kernel_tables(self, columns, as_stored):
        """The table of rows and the step between columns of a kernel of V, or of its transpose."""
        depth = self.u_columns * self.m_columns // columns
        return (row_offsets(columns, depth), 1) if as_stored else (row_offsets(1, depth), depth)

    def _pixels(self, place, shape):
        """The pixels of this block's images."""
        _, height, width, channels = shape
        first, images = self.block
        step = height * width * channels
        place = place[0], place[1] + first * step * self.dtype.itemsize
        return Lines(place, _grid(height, width) * channels, images, step)

    def _lines_of_m(self, place):
        at = _grid(*self.counts) * self.m_step
        return Lines(place, at, self.block[1], at.size * self.m_step)

    def _lines_of_u(self, place):
        rows, phases = np.divmod(self._phases(*self.counts), self.stride**2)
        at = rows * self.u_step + phases * self.large[3]
        return Lines(place, at, self.block[1], math.prod(self.counts) * self.u_step)

    def _taps(self, place):
        """The lines W[u, v, c]; each channel c is an image."""
        kh, kw, channels, out = self.weight_shape
        return Lines(place, _grid(kh, kw) * channels * out, channels, out)

    def _lines_of_v(self, place):
        """The same lines of V."""
        _, _, channels, out = self.weight_shape
        phases = self._phases(*self.kinds)
        if not self.transposed:
            return Lines(place, phases * channels * out, channels, out)
        kinds, phases = np.divmod(phases, self.stride**2)
        at = kinds * channels * self.u_columns + phases * out
        return Lines(place, at, channels, self.u_columns)

    def _phases(self, down, across):
        """The number in C order of (i, j, a, b), a and b below the stride, at (i a, j b)."""
        stride = self.stride
        at = np.arange(down * across * stride**2).reshape(down, across, stride, stride)
        return at.swapaxes(1, 2).reshape(down * stride, across * stride)


def _grid(down, across):
    return np.arange(down * across).reshape(down, across)


@lru_cache(maxsize=256)
def _maps_of(*geometry):
    """The tables of the linear maps that have been needed so far, by name, for plans that differ in
    nothing but the number of images or threads."""
    return {}


def _terms(vertical, horizontal, at, dtype):
    """(starts, places, factors): the terms of `combinations` for a map down and one across."""
    counts, places, factors = [[0]], [], []
    target, j = np.nonzero(horizontal)
    for row in vertical:
        down = np.flatnonzero(row)
        by_target = np.argsort(np.tile(target, len(down)), kind="stable")
        counts.append(len(down) * np.bincount(target, minlength=len(horizontal)))
        places.append(at[down[:, None], j].reshape(-1)[by_target])
        factors.append((row[down, None] * horizontal[target, j]).reshape(-1)[by_target])
    return (
        np.cumsum(np.concatenate(counts)),
        np.concatenate(places),
        np.concatenate(factors).astype(dtype),
    )
