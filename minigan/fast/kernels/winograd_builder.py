"""The tasks that plans of `winograd` are made of: its linear maps and its products.

The forward pass of a transposed convolution is the backward pass of a convolution: its x becomes
dM, and y comes from dU. `winograd_layout` says where the matrices are.
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
    """A plan in the making."""

    def __init__(self, geometry, dtype, threads):
        super().__init__(geometry, dtype, threads)
        self.maps = _maps_of(geometry._replace(x=geometry.x[1:]), dtype)

    # The linear maps, of the images of a block and of the kernel. In two dimensions a factor is the
    # product of two from the tables of `winograd`: 1 or -1 in B and A, down to 1/4 in G. All are
    # powers of two, so multiplying by them is exact: only the sums are rounded.

    def to_u(self, source):
        """U = B x, from the images at a place: at most 2 x 2 blocks are added or subtracted."""
        self.combine("image", self.pixels(source, self.large), self.lines_of_u(self.u))

    def from_du(self, phi):
        """RESULT = phi(B' dU + b)."""
        target = self.pixels((RESULT, 0), self.large)
        self.combine("image", self.lines_of_u(self.du), target, phi, adjoint=True)

    def to_dm(self, source):
        """dM = A' dz, from the images at a place: at most 3 x 3 pixels."""
        source = self.pixels(source, self.small)
        self.combine("results", source, self.lines_of_m(self.dm), adjoint=True)

    def from_m(self, phi):
        """RESULT = phi(A M + b): at most 3 x 3 products."""
        target = self.pixels((RESULT, 0), self.small)
        self.combine("results", self.lines_of_m(self.m), target, phi)

    def to_v(self):
        """V = G W: g0, g1, and their sums and differences (halved in TRIPLES), along both axes."""
        self.combine("kernel", self.taps((WEIGHT, 0)), self.lines_of_v(self.v))

    def from_dv(self):
        """dW += G' dV."""
        target = self.taps((DWEIGHT, 0))
        self.combine("kernel", self.lines_of_v(self.dv), target, adjoint=True, adds=1)

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
        for kind, rows in self.each_kind():
            self.product(
                source.place, rows(source.step), row_offsets(1, depth), depth,
                self.kernel(self.v, kind), kernel_rows, kernel_step,
                target.place, rows(target.step), columns, self.epilogue(NO_PHI),
            )  # fmt: skip

    def multiply_u_dm(self):
        """dV += U' dM, or dM' U in a transposed convolution; the first block sets it."""
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
        """Gives each of the phase's products to one thread, the longest first. If each were divided
        among the threads, each thread would have to pack all kernels."""
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
    """The tables of the linear maps that have been needed so far, by name, for plans that differ in
    nothing but the number of images or threads: the geometry has none."""
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
