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
from functools import cached_property, lru_cache, partial
from itertools import accumulate, product
from typing import NamedTuple

import numpy as np

from . import combinations, gemm
from .machine import TILE_ROWS, VECTOR_BYTES
from .plan_builder import DWEIGHT, NO_PHI, RESULT, WEIGHT, PlanBuilder
from .programs import OWNER
from .tables import offsets, row_offsets
from .winograd import axis

BLOCK_BYTES = 1 << 21  # of U in a block of images, at most, unless that makes too many blocks
MOST_BLOCKS = 16  # so that a plan stays short
MANY_STRIPS = 8  # among so many, one that is not full costs little


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


class WinogradBuilder(PlanBuilder):
    """A plan in the making."""

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
        self.maps = _maps_of(
            self.small[1:], self.large[1:], self.weight, self.stride, geometry.padding, dtype,
            self.transposed,
        )  # fmt: skip

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
        return self.place(math.prod(self.kinds) * self.u_columns * self.m_columns)

    @cached_property
    def dv(self):
        return self.place(math.prod(self.kinds) * self.u_columns * self.m_columns)

    def _matrix(self, columns):
        step = self._step(columns)
        return Matrix(self.place(self.rows * step), columns, step)

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
        units = max(1, BLOCK_BYTES // (unit * of_image), -(-self.small[0] // (unit * MOST_BLOCKS)))
        return min(self.small[0], unit * units)

    def blocks(self):
        """Yields for each block of images, which `block` then is."""
        _, size = self.block
        for first in range(0, self.small[0], max(size, 1)):
            self.block = first, min(size, self.small[0] - first)
            yield

    # The linear maps, of the images of a block and of the kernel. In two dimensions a factor is the
    # product of two from the tables of `winograd`: 1 or -1 in B and A, down to 1/4 in G. All are
    # powers of two, so multiplying by them is exact: only the sums are rounded.

    def to_u(self, source):
        """U = B x, from the images at a place: at most 2 x 2 blocks are added or subtracted."""
        self.combine("image", self._pixels(source, self.large), self._lines_of_u(self.u))

    def from_du(self, phi):
        """RESULT = phi(B' dU + b)."""
        target = self._pixels((RESULT, 0), self.large)
        self.combine("image", self._lines_of_u(self.du), target, phi, adjoint=True)

    def to_dm(self, source):
        """dM = A' dz, from the images at a place: at most 3 x 3 pixels."""
        source = self._pixels(source, self.small)
        self.combine("results", source, self._lines_of_m(self.dm), adjoint=True)

    def from_m(self, phi):
        """RESULT = phi(A M + b): at most 3 x 3 products."""
        target = self._pixels((RESULT, 0), self.small)
        self.combine("results", self._lines_of_m(self.m), target, phi)

    def to_v(self):
        """V = G W: g0, g1, and their sums and differences (halved in TRIPLES), along both axes."""
        self.combine("kernel", self._taps((WEIGHT, 0)), self._lines_of_v(self.v))

    def from_dv(self):
        """dW += G' dV."""
        target = self._taps((DWEIGHT, 0))
        self.combine("kernel", self._lines_of_v(self.dv), target, adjoint=True, adds=1)

    def combine(self, name, source, target, phi=NO_PHI, adjoint=False, adds=0):
        """target = phi(map source + b), or +=, for a map that each axis has."""
        length = {"image": self.large[3], "results": self.small[3], "kernel": self.weight[3]}
        if (name, adjoint) not in self.maps:
            maps = (getattr(axis, name) for axis in self.axes)
            maps = (matrix.T if adjoint else matrix for matrix in maps)
            terms = _terms(*maps, source.at, self.dtype)
            self.maps[name, adjoint] = target.at.reshape(-1), *terms
        targets, starts, places, factors = self.maps[name, adjoint]
        words = self.epilogue(phi, combinations) | {
            combinations.SOURCE: source.place, combinations.TARGET: target.place,
            combinations.TARGETS: self.table(targets),
            combinations.STARTS: self.table(starts), combinations.PLACES: self.table(places),
            combinations.FACTORS: self.table(factors), combinations.IMAGES: source.images,
            combinations.ROWS: target.at.size, combinations.LENGTH: length[name],
            combinations.SOURCE_STEP: source.step, combinations.TARGET_STEP: target.step,
            combinations.ADDS: adds, combinations.PARTS: self.parts,
        }  # fmt: skip
        self.task(combinations.combine, words)

    # The products, a task for each kind.

    def multiply_u_v(self):
        """M = U V."""
        self._times_kernels(self.u, self.m, as_stored=not self.transposed)

    def multiply_dm_v(self):
        """dU = dM V'."""
        self._times_kernels(self.dm, self.du, as_stored=self.transposed)

    def _times_kernels(self, source, target, as_stored):
        """target = source V_k for each kind k, or the transpose of V_k if it is not `as_stored`."""
        depth, columns = source.columns, target.columns
        kernel_rows, kernel_step = (
            (row_offsets(columns, depth), 1) if as_stored else (row_offsets(1, depth), depth)
        )
        for kind, rows in self._each_kind():
            self.product(
                source.place, rows(source.step), row_offsets(1, depth), depth,
                self._kernel(self.v, kind), kernel_rows, kernel_step,
                target.place, rows(target.step), columns, self.epilogue(NO_PHI),
            )  # fmt: skip

    def multiply_u_dm(self):
        """dV += U' dM, or dM' U in a transposed convolution; the first block sets it."""
        a, b = (self.dm, self.u) if self.transposed else (self.u, self.dm)
        words = self.epilogue(NO_PHI) | {gemm.ACCUMULATE: int(self.block[0] > 0)}
        for kind, rows in self._each_kind():
            self.product(
                a.place, row_offsets(1, a.columns), rows(a.step), 1, b.place, rows(b.step), 1,
                self._kernel(self.dv, kind), row_offsets(b.columns, a.columns), b.columns, words,
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
        """Yields for each kind of product its number, and the offsets of its rows as a function of
        the step between rows of U or M."""
        down, across = self.counts
        steps = down * across, across, 1
        first_rows, first_columns = (list(accumulate(axis.counts, initial=0)) for axis in self.axes)
        for kind, (i, j) in enumerate(product(*map(range, self.kinds))):
            counts = self.block[1], self.axes[0].counts[i], self.axes[1].counts[j]
            first = first_rows[i] * across + first_columns[j]
            yield kind, partial(offsets, counts, steps, first=first)

    def _kernel(self, v, kind):
        """Where the kernel of a kind of product is in V or dV."""
        base, start = v
        return base, start + kind * self.u_columns * self.m_columns * self.dtype.itemsize

    def _pixels(self, place, shape):
        """The pixels of this block's images."""
        _, height, width, channels = shape
        first, images = self.block
        step = height * width * channels
        place = place[0], place[1] + first * step * self.dtype.itemsize
        return Lines(place, _grid(height, width) * channels, images, step)

    def _lines_of_m(self, m):
        at = _grid(*self.counts) * m.step
        return Lines(m.place, at, self.block[1], at.size * m.step)

    def _lines_of_u(self, u):
        rows, pixels = np.divmod(self._in_blocks(*self.counts), self.stride**2)
        at = rows * u.step + pixels * self.large[3]
        return Lines(u.place, at, self.block[1], math.prod(self.counts) * u.step)

    def _taps(self, place):
        """The lines W[u, v, c]; each channel c is an image."""
        kh, kw, channels, out = self.weight
        return Lines(place, _grid(kh, kw) * channels * out, channels, out)

    def _lines_of_v(self, place):
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
