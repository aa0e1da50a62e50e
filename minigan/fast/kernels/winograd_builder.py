"""The tasks of a convolution by `winograd`: its linear maps and its products.

The forward pass of a transposed convolution is the dx of a convolution: dM is computed from its x,
and y from dU. The layout of the matrices in memory is in `winograd_layout`.
"""

import math
from functools import lru_cache

import numpy as np

from . import combinations, gemm
from .plan_builder import DWEIGHT, NO_PHI, RESULT, WEIGHT
from .programs import OWNER
from .tables import row_offsets
from .winograd_layout import WinogradLayout


class WinogradBuilder(WinogradLayout):
    """Builds the plan of a pass by the maps B, G, A and the products of `winograd`."""

    def __init__(self, geometry, dtype, threads):
        super().__init__(geometry, dtype, threads)
        self.maps = _maps_of(geometry._replace(x=geometry.x[1:]), dtype)

    # The linear maps of the images of a block and of the kernel. In two dimensions a coefficient is
    # a product of two coefficients of `winograd`: 1 or -1 in B and A, 1/4 or more in G. All are
    # powers of two, so multiplying by them is exact, and only the sums are rounded.

    def to_u(self, source):
        """U = B x, x the images at the place `source`: sums of at most 2 x 2 blocks."""
        self.combine("image", self.pixels(source, self.large), self.lines_of_u(self.u))

    def from_du(self, phi):
        """RESULT = phi(B' dU + b)."""
        target = self.pixels((RESULT, 0), self.large)
        self.combine("image", self.lines_of_u(self.du), target, phi, adjoint=True)

    def to_dm(self, source):
        """dM = A' dz, dz the images at the place `source`: sums of at most 3 x 3 pixels."""
        source = self.pixels(source, self.small)
        self.combine("results", source, self.lines_of_m(self.dm), adjoint=True)

    def from_m(self, phi):
        """RESULT = phi(A M + b): sums of at most 3 x 3 products."""
        target = self.pixels((RESULT, 0), self.small)
        self.combine("results", self.lines_of_m(self.m), target, phi)

    def to_v(self):
        """V = G W: g0, g1, and their sum and difference (halved in TRIPLES), along both axes."""
        self.combine("kernel", self.taps((WEIGHT, 0)), self.lines_of_v(self.v))

    def from_dv(self):
        """dW += G' dV."""
        target = self.taps((DWEIGHT, 0))
        self.combine("kernel", self.lines_of_v(self.dv), target, adjoint=True, adds=1)

    def combine(self, name, source, target, phi=NO_PHI, adjoint=False, adds=0):
        """target = phi(map source + b), or += if `adds`; the map: field `name` of both axes."""
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

    # The products, one task for each kind (see `winograd.Axis`).

    def multiply_u_v(self):
        """M = U V."""
        self._times_kernels(self.u, self.m, as_stored=not self.transposed)

    def multiply_dm_v(self):
        """dU = dM V'."""
        self._times_kernels(self.dm, self.du, as_stored=self.transposed)

    def _times_kernels(self, source, target, as_stored):
        """target = source V_k for each kind k, or source V_k' if not `as_stored`."""
        depth, columns = source.columns, target.columns
        kernel_rows, kernel_step = (
            (row_offsets(columns, depth), 1) if as_stored else (row_offsets(1, depth), depth)
        )
        for kind, rows in self.each_kind():
            self.product(
                source.place, rows(source.step), row_offsets(1, depth), depth,
                self.kernel(self.v, kind), kernel_rows, kernel_step,
                target.place, rows(target.step), columns, self.epilogue(NO_PHI),
            )  # fmt: skip

    def multiply_u_dm(self):
        """dV += U' dM, or dM' U in a transposed convolution; the first block sets dV."""
        a, b = (self.dm, self.u) if self.transposed else (self.u, self.dm)
        words = self.epilogue(NO_PHI) | {gemm.ACCUMULATE: int(self.block[0] > 0)}
        for kind, rows in self.each_kind():
            self.product(
                a.place, row_offsets(1, a.columns), rows(a.step), 1, b.place, rows(b.step), 1,
                self.kernel(self.dv, kind), row_offsets(b.columns, a.columns), b.columns, words,
            )  # fmt: skip

    def barrier(self):
        """Begins a new region, after assigning the products of the last one to threads."""
        self._give_products_to_threads()
        super().barrier()

    def _give_products_to_threads(self):
        """Assigns each product of the region to one thread, the longest first. If a product were
        divided among the threads, each thread would have to pack its kernel."""
        worker, loads = gemm.multiplier(self.dtype), [0] * self.parts
        tasks = [words for words, _ in self.regions[-1] if words[gemm.WORKER] == worker]
        if len(tasks) < self.parts:
            return
        sizes = [math.prod(words[[gemm.ROWS, gemm.DEPTH_OF_SUM, gemm.COLUMNS]]) for words in tasks]
        for at in sorted(range(len(tasks)), key=lambda at: -sizes[at]):
            thread = loads.index(min(loads))
            loads[thread] += sizes[at]
            tasks[at][[gemm.DOWN, gemm.ACROSS, OWNER]] = 1, 1, 1 + thread


@lru_cache(maxsize=256)
def _maps_of(geometry, dtype):
    """The tables of the linear maps, by name: a dict that the builders of all plans with this
    geometry share and fill. The geometry is without the number of images."""
    return {}


def _terms(vertical, horizontal, at, dtype):
    """(starts, places, factors) for `combinations`: the map `vertical` of rows combined with the
    map `horizontal` of columns; `at` has the offset of each source line."""
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
