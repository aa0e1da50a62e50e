"""Plans of convolutions that are computed as `winograd` says.

`large` images are those that the kernel is laid on: x of a convolution, y of a transposed one.
`small` ones are the others, whose pixels are places of the kernel. In memory are

    U, dU   (images, products down, products across, stride, stride, channels of large)
    M, dM   (images, products down, products across, channels of small)
    V, dV   (kinds down, kinds across) times (stride, stride, channels of large, those of small);
            (channels of small, stride, stride, those of large) in a transposed convolution

so the products of one kind, of all images, are one product of matrices.
"""

import math
from itertools import accumulate, product
from typing import NamedTuple

import numpy as np

from . import combinations, gemm
from .codes import IDENTITY
from .machine import VECTOR_BYTES
from .plan_builder import DWEIGHT, DY, NO_SIDES, RESULT, WEIGHT, PlanBuilder, X
from .programs import OWNER
from .tables import offsets, row_offsets
from .winograd import axis

FEWEST_CHANNELS = 32


def pays(small, weight_shape, stride, dtype):
    """Whether this way is faster than the direct one. It does not depend on the batch, so neither
    does what becomes of an image."""
    vector, (kh, kw, *channels) = VECTOR_BYTES // dtype.itemsize, weight_shape
    return (
        kh == kw == 2 * stride
        and min(small[1:3]) > 1
        and min(channels) >= FEWEST_CHANNELS
        and not any(c % vector for c in channels)
    )


def forward(shapes, stride, padding, phi, dtype, threads, transposed):
    """y = phi(conv(x, W) + b), or the transposed convolution.

    Parameters
    ----------
    shapes : of x, y and W
    phi : whether there is a bias, activation, slope
    """
    plan, x_shape, y_shape = _pass(shapes, stride, padding, dtype, threads, transposed)
    x = plan.to_m((X, 0)) if transposed else plan.to_u((X, 0))
    v = plan.to_v()
    plan.wait()
    y = plan.scatter(x, v) if transposed else plan.gather(x, v)
    plan.share()
    plan.wait()
    (plan.from_u if transposed else plan.from_m)(y, *phi)
    return plan.finished(y_shape)


def backward(shapes, stride, padding, phi, dtype, threads, transposed, dx, dw):
    """dx and dW, or one of them."""
    plan, x_shape, y_shape = _pass(shapes, stride, padding, dtype, threads, transposed)
    bias, activation, slope = phi
    place = plan.cotangent(y_shape, NO_SIDES, activation, slope, bias).place
    v = plan.to_v() if dx else None
    if dw:
        x = plan.to_m((X, 0)) if transposed else plan.to_u((X, 0))
    if place != (DY, 0):
        plan.wait()
    dz = plan.to_u(place) if transposed else plan.to_m(place)
    plan.wait()
    if dw:
        dv = plan.weight_gradient(*((dz, x) if transposed else (x, dz)))
    if dx:
        found = plan.gather(dz, v) if transposed else plan.scatter(dz, v)
    plan.share()
    plan.bias_gradient()
    plan.wait()
    if dw:
        plan.from_v(dv)
    if dx:
        (plan.from_m if transposed else plan.from_u)(found)
    return plan.finished(x_shape if dx else ())


def _pass(shapes, stride, padding, dtype, threads, transposed):
    x_shape, y_shape, weight_shape = shapes
    images = (x_shape, y_shape) if transposed else (y_shape, x_shape)
    plan = WinogradPass(*images, weight_shape, stride, padding, dtype, threads, transposed)
    return plan, x_shape, y_shape


class Lines(NamedTuple):
    """Lines of numbers in each of many images: where the first image is, where in an image the line
    (i, j) is, how many images there are and how far apart."""

    place: tuple[int, int]
    at: np.ndarray
    images: int
    step: int


class WinogradPass(PlanBuilder):
    """A plan in the making: the linear maps and the products of `winograd`, each a task or several.

    `small` and `large` are the images' shapes.
    """

    def __init__(self, small, large, weight_shape, stride, padding, dtype, threads, transposed):
        multiply_adds = math.prod(small[:3]) * math.prod(weight_shape)
        super().__init__(threads if multiply_adds >= gemm.SERIAL_BELOW else 1, dtype)
        self.small, self.large, self.weight_shape = small, large, weight_shape
        self.stride, self.transposed = stride, transposed
        self.axes = tuple(
            axis(outputs, pixels, stride, padding)
            for outputs, pixels in zip(small[1:3], large[1:3])
        )
        self.counts = tuple(sum(axis.counts) for axis in self.axes)  # products down and across
        self.kinds = tuple(len(axis.counts) for axis in self.axes)
        self.u_columns, self.m_columns = stride**2 * large[3], small[3]

    # The linear maps.

    def to_u(self, source):
        """U = B x, or dU = B dz."""
        u = self._images_of_products(self.u_columns)
        image = [axis.image for axis in self.axes]
        self.combine(image, self._pixels(source, self.large), self._lines_of_u(u), self.large[3])
        return u

    def from_u(self, u, *phi):
        """RESULT = phi(B' dU + b)."""
        image = [axis.image.T for axis in self.axes]
        target = self._pixels((RESULT, 0), self.large)
        self.combine(image, self._lines_of_u(u), target, self.large[3], *phi)

    def to_m(self, source):
        """dM = A' dz, or M = A' x."""
        m = self._images_of_products(self.m_columns)
        results = [axis.results.T for axis in self.axes]
        self.combine(results, self._pixels(source, self.small), self._lines_of_m(m), self.small[3])
        return m

    def from_m(self, m, *phi):
        """RESULT = phi(A M + b)."""
        results = [axis.results for axis in self.axes]
        target = self._pixels((RESULT, 0), self.small)
        self.combine(results, self._lines_of_m(m), target, self.small[3], *phi)

    def to_v(self):
        """V = G W."""
        v = self._kernels()
        kernel = [axis.kernel for axis in self.axes]
        self.combine(kernel, self._taps((WEIGHT, 0)), self._lines_of_v(v), self.weight_shape[3])
        return v

    def from_v(self, dv):
        """dW += G' dV."""
        kernel = [axis.kernel.T for axis in self.axes]
        target = self._taps((DWEIGHT, 0))
        self.combine(kernel, self._lines_of_v(dv), target, self.weight_shape[3], adds=1)

    def combine(
        self, maps, source, target, length, bias=False, activation=IDENTITY, slope=0.0, adds=0
    ):
        """target = phi(map source + b): the map of two dimensions is one of each axis, in turn."""
        starts, places, factors = _terms(*maps, source.at, self.dtype)
        words = self.epilogue(bias, activation, slope)
        words = {
            combinations.BIAS: words[gemm.BIAS], combinations.HAS_BIAS: words[gemm.HAS_BIAS],
            combinations.SLOPE: words[gemm.SLOPE], combinations.ADDS: adds,
            combinations.SOURCE: source.place, combinations.TARGET: target.place,
            combinations.TARGETS: self.table(target.at.reshape(-1)),
            combinations.STARTS: self.table(starts), combinations.PLACES: self.table(places),
            combinations.FACTORS: self.table(factors), combinations.IMAGES: source.images,
            combinations.ROWS: target.at.size, combinations.LENGTH: length,
            combinations.SOURCE_STEP: source.step, combinations.TARGET_STEP: target.step,
            combinations.PARTS: self.parts,
        }  # fmt: skip
        self.task(combinations.combine, words)
        self.activate(activation, source.images * target.at.size, length)

    # The products.

    def gather(self, u, v):
        """M = U V."""
        return self._times_kernel(u, self.u_columns, v, self.m_columns, not self.transposed)

    def scatter(self, m, v):
        """dU = dM V'."""
        return self._times_kernel(m, self.m_columns, v, self.u_columns, self.transposed)

    def _times_kernel(self, left, depth, v, columns, as_stored):
        """left V of each kind, or left V'."""
        result = self._images_of_products(columns)
        b_rows, b_step = row_offsets(columns, depth), 1
        if not as_stored:
            b_rows, b_step = row_offsets(1, depth), depth
        for kernel, rows in self._each_kind():
            self.product(
                left, rows(depth), row_offsets(1, depth), depth, kernel(v), b_rows, b_step,
                result, rows(columns), columns, self.epilogue(False, IDENTITY, 0.0),
            )  # fmt: skip
        return result

    def weight_gradient(self, u, m):
        """dV = U' dM, or dM' U."""
        dv = self._kernels()
        (a, depth), (b, columns) = (u, self.u_columns), (m, self.m_columns)
        if self.transposed:
            (a, depth), (b, columns) = (b, columns), (a, depth)
        for kernel, rows in self._each_kind():
            self.product(
                a, row_offsets(1, depth), rows(depth), 1, b, rows(columns), 1,
                kernel(dv), row_offsets(columns, depth), columns,
                self.epilogue(False, IDENTITY, 0.0),
            )  # fmt: skip
        return dv

    def share(self):
        """Gives each of the products to one thread, the longest first: cut, each thread would have
        to pack all kernels."""
        tasks, load = self.phases[-1], [0] * self.parts
        if len(tasks) < self.parts:
            return
        sizes = [math.prod(sizes) for sizes in self.products[-len(tasks) :]]
        for at in sorted(range(len(tasks)), key=lambda at: -sizes[at]):
            thread = load.index(min(load))
            load[thread] += sizes[at]
            words = tasks[at][0]
            words[[gemm.DOWN, gemm.ACROSS, OWNER]] = 1, 1, 1 + thread

    # What is where.

    def _images_of_products(self, columns):
        return self.place(self.small[0] * math.prod(self.counts) * columns)

    def _kernels(self):
        return self.place(math.prod(self.kinds) * self.u_columns * self.m_columns)

    def _each_kind(self):
        """Yields for each kind of product a function for its kernel of V, and one for the table of
        its rows of U or M."""
        size = self.u_columns * self.m_columns * self.dtype.itemsize
        down, across = self.counts
        first_rows, first_columns = (list(accumulate(axis.counts, initial=0)) for axis in self.axes)
        for at, (i, j) in enumerate(product(*map(range, self.kinds))):
            counts = self.small[0], self.axes[0].counts[i], self.axes[1].counts[j]
            first = first_rows[i] * across + first_columns[j]

            def kernel(v, at=at):
                return v[0], v[1] + at * size

            def rows(columns, counts=counts, first=first):
                return offsets(counts, (down * across, across, 1), columns, first)

            yield kernel, rows

    def _pixels(self, place, shape):
        images, height, width, channels = shape
        return Lines(place, _grid(height, width) * channels, images, height * width * channels)

    def _lines_of_m(self, m):
        return self._pixels(m, (self.small[0], *self.counts, self.m_columns))

    def _lines_of_u(self, u):
        down, across = self.counts
        channels, at = self.large[3], self._phases(down, across) * self.large[3]
        return Lines(u, at, self.large[0], down * across * self.stride**2 * channels)

    def _taps(self, place):
        """The lines W[u, v, c], for each c as an image."""
        kh, kw, channels, out = self.weight_shape
        return Lines(place, _grid(kh, kw) * channels * out, channels, out)

    def _lines_of_v(self, v):
        """The same lines of V."""
        _, _, channels, out = self.weight_shape
        phases = self._phases(*self.kinds)
        if not self.transposed:
            return Lines(v, phases * channels * out, channels, out)
        kinds, phases = phases // self.stride**2, phases % self.stride**2
        return Lines(
            v, (kinds * channels * self.stride**2 + phases) * out, channels, self.u_columns
        )

    def _phases(self, down, across):
        """The numbers of (i, j, a, b) in C order, a and b below the stride, at (i a, j b)."""
        stride = self.stride
        at = np.arange(down * across * stride**2).reshape(down, across, stride, stride)
        return at.swapaxes(1, 2).reshape(down * stride, across * stride)


def _grid(down, across):
    return np.arange(down * across).reshape(down, across)


def _terms(vertical, horizontal, at, dtype):
    """(starts, places, factors): the terms of `combinations` for a map of each axis."""
    counts, places, factors = [[0]], [], []
    for row in vertical:
        down = np.flatnonzero(row)
        block = row[down, None] * horizontal[:, None]  # (rows of horizontal, down, across)
        target, i, j = np.nonzero(block)
        counts.append(np.bincount(target, minlength=len(horizontal)))
        places.append(at[down[i], j])
        factors.append(block[target, i, j])
    return (
        np.cumsum(np.concatenate(counts)),
        np.concatenate(places),
        np.concatenate(factors).astype(dtype),
    )
