"""The tasks that all plans of convolutions share: padding, dz, the bias, activations.

A `PlanBuilder` collects the tasks of a pass, one parallel region after the other (see `programs`),
and allocates the temporary arrays of the pass in one workspace. A *place* is a pair (array, bytes
from its start). `direct_builder` and `winograd_builder` add the products; the sequence of tasks of
each pass is in `image_plans` and `winograd_plans`.
"""

import math
from typing import NamedTuple

import numpy as np

from . import chain_workers as chain
from . import cotangents, gemm, image_workers
from .codes import IDENTITY, LEAKY_RELU, SIGMOID, TANH
from .machine import VECTOR_BYTES
from .programs import FIXED, OWNER, Program, address, bits, program_of, task_of
from .tables import offsets, row_offsets
from .workers import run_tasks, worker_address

NO_PADDING = ((0, 0), (0, 0))  # lines of zeros: ((above, below), (left, right))

# The arrays of a pass: the layer's input and output, dy, the result, the parameters and their
# gradients, and the workspace for temporary arrays.
X, Y, DY, RESULT, WEIGHT, DWEIGHT, BIAS, DBIAS, SPACE = range(FIXED + 1, FIXED + 10)


class Phi(NamedTuple):
    """The epilogue phi(z + b) of a product z: whether there is a bias b, and the activation phi."""

    bias: bool = False
    activation: int = IDENTITY
    slope: float = 0.0


NO_PHI = Phi()


class ImagePlan(NamedTuple):
    """A pass, ready to run on arrays of fixed shapes: see `images._run`."""

    worker: int
    parts: int
    program: Program
    shape: tuple[int, ...]  # of the result; () for none
    space: int  # numbers in the workspace
    products: list[tuple[int, int, int]]  # (rows, inner, columns) of each, for `calls`
    tables: list[np.ndarray]  # kept alive, because tasks contain their addresses


class Images(NamedTuple):
    """Images in memory, perhaps padded with zeros."""

    place: tuple[int, int]
    shape: tuple[int, ...]  # (N, H, W, C), with the padding
    above: int = 0  # lines of padding
    left: int = 0

    def pixels(self, size):
        """The offsets of the pixels inside the padding; size = (height, width) without it."""
        batch, height, width, channels = self.shape
        if (height, width) == tuple(size):  # no padding
            return row_offsets(channels, batch * height * width)
        corner = self.above * width + self.left
        return offsets((batch, *size), (height * width, width, 1), channels, corner)


class PlanBuilder:
    """Builds the plan of one pass, which `parts` threads run."""

    def __init__(self, geometry, dtype, threads):
        self.parts = threads if geometry.multiply_adds >= gemm.SERIAL_BELOW else 1
        self.geometry, self.dtype = geometry, dtype
        self.weight, self.small, self.large = geometry.weight, geometry.small, geometry.large
        self.regions, self.products, self.tables = [[]], [], []
        self.used = 0  # bytes of the workspace
        self.has_bias = False  # whether db is needed
        self.sums = None  # (place, chunks) of the sums of dz over chunks of images

    def finished(self, result):
        """The plan; `result` is the shape of the array that the pass returns, () for none."""
        numbers = (self.used + VECTOR_BYTES) // self.dtype.itemsize  # `images` aligns it
        return ImagePlan(
            worker_address(run_tasks, self.dtype),
            self.parts,
            program_of([region for region in self.regions if region]),
            result,
            1 << max(numbers - 1, 0).bit_length(),  # a power of two, so that plans share workspaces
            self.products,
            self.tables,
        )

    def barrier(self):
        """Begins a new region: its tasks may read what all threads have written before."""
        self.regions.append([])

    def task(self, worker, words):
        """Adds a task to the current region."""
        self.regions[-1].append(task_of(worker_address(worker, self.dtype), words))

    def allocate(self, size, itemsize=None):
        """Reserves `size` numbers of the workspace; returns their place."""
        start = self.used
        self.used += -(-size * (itemsize or self.dtype.itemsize) // VECTOR_BYTES) * VECTOR_BYTES
        return SPACE, start

    def table(self, table):
        """The address of a table, which the plan keeps alive."""
        self.tables.append(table)
        return address(table)

    def padded(self, source, shape, padding):
        """The images with `padding` lines of zeros; without a copy if there is no padding."""
        return Images(source, shape) if padding == NO_PADDING else self._pad(source, shape, padding)

    def cotangent(self, phi, padding):
        """dz = dy phi'(y) with `padding` lines of zeros; with a bias also sums of dz for db."""
        self.has_bias, shape = phi.bias, self.geometry.y
        if phi.activation == IDENTITY and padding == NO_PADDING:
            return Images((DY, 0), shape)
        y = None if phi.activation == IDENTITY else (Y, 0)  # phi' = 1 then, and there may be no y
        return self._pad((DY, 0), shape, padding, y, phi)

    def _pad(self, source, shape, padding, y=None, phi=NO_PHI):
        """The images times phi'(y), with `padding` lines of zeros; see `cotangents.pad_chunks`."""
        vertical, horizontal = padding
        batch, height, width, channels = shape
        target = (batch, height + sum(vertical), width + sum(horizontal), channels)
        place = self.allocate(math.prod(target))
        per_chunk = max(1, cotangents.CHUNK * batch // max(math.prod(shape), 1))
        words = {
            cotangents.DY: source, cotangents.Y: y or source, cotangents.DZ: place,
            cotangents.ACTIVATION: phi.activation, cotangents.SLOPE: bits(phi.slope),
            cotangents.IMAGES: batch, cotangents.HEIGHT: height, cotangents.WIDTH: width,
            cotangents.CHANNELS: channels, cotangents.PER_CHUNK: per_chunk,
            cotangents.PARTS: self.parts,
        }  # fmt: skip
        words |= {cotangents.TOP + i: side for i, side in enumerate((*vertical, *horizontal))}
        if phi.bias:
            chunks = -(-batch // per_chunk)
            self.sums = self.allocate(chunks * channels, 8), chunks
            words |= {cotangents.SUMS: self.sums[0], cotangents.SUMMED: 1}
        self.task(cotangents.pad_chunks, words)
        return Images(place, target, vertical[0], horizontal[0])

    def bias_gradient(self):
        """db += sum of dz, from the sums that `cotangent` made; if it made none, dz = dy."""
        *pixels, channels = self.geometry.y
        if self.sums:
            place, chunks = self.sums
            self.matrices(image_workers.add_chunks, place, (DBIAS, 0), (chunks, 1, channels))
        elif self.has_bias:
            words = {chain.FIRST: (DY, 0), chain.THIRD: (DBIAS, 0), chain.ADDS: 1, OWNER: 1}
            words |= {chain.ROWS: math.prod(pixels), chain.OUTPUTS: channels}
            self.task(chain.bias_gradient, words)

    def matrices(self, worker, source, target, shape, adds=0):
        """A task of `image_workers`."""
        words = {
            image_workers.SOURCE: source,
            image_workers.TARGET: target,
            image_workers.ADDS: adds,
            image_workers.PARTS: self.parts,
        }
        sizes = image_workers.MATRICES, image_workers.ROWS, image_workers.COLUMNS
        self.task(worker, words | dict(zip(sizes, shape)))

    @staticmethod
    def epilogue(phi, worker=gemm):
        """The words of bias and leaky ReLU for a worker of the module `worker`; `activate` applies
        the other activations afterwards."""
        slope = phi.slope if phi.activation == LEAKY_RELU else 1.0
        return {worker.BIAS: (BIAS, 0), worker.HAS_BIAS: int(phi.bias), worker.SLOPE: bits(slope)}

    def activate(self, phi):
        """y = phi(y) for tanh and the sigmoid, which `epilogue` does not apply."""
        if phi.activation == TANH or phi.activation == SIGMOID:
            self.barrier()
            *pixels, channels = self.geometry.y
            words = {chain.FIRST: (RESULT, 0), chain.ACTIVATION: phi.activation}
            words |= {chain.ROWS: math.prod(pixels), chain.OUTPUTS: channels}
            self.task(chain.activate, words | {chain.DOWN: self.parts, chain.ACROSS: 1})

    def product(self, a, a_rows, inner, run, b, b_rows, b_step, c, c_rows, columns, words):
        """C = phi(A B + bias); the arguments are those of `gemm.multiply`."""
        rows, depth = len(a_rows), len(inner)
        splits = words.get(gemm.SPLITS, 1)
        down, across = self.parts, 1
        if splits == 1:
            down, across = gemm.cut(rows, depth, columns, self.dtype.itemsize, self.parts)
        self.products.append((rows, depth, columns))
        tables = gemm.A_ROWS, gemm.INNER, gemm.B_ROWS, gemm.C_ROWS
        words = words | {
            word: self.table(table) for word, table in zip(tables, (a_rows, inner, b_rows, c_rows))
        }
        words |= {gemm.A: a, gemm.RUN: run, gemm.B: b, gemm.B_STEP: b_step, gemm.C: c}
        words |= {gemm.ROWS: rows, gemm.DEPTH_OF_SUM: depth, gemm.COLUMNS: columns}
        words |= {gemm.DOWN: down, gemm.ACROSS: across, gemm.SPLITS: splits}
        self.regions[-1].append(task_of(gemm.multiplier(self.dtype), words))
