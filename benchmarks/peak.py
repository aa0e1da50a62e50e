"""The peak rates of the machine: of fused multiply-adds on registers, and of its memory."""

import time

import numpy as np
from llvmlite import ir
from numba import get_num_threads, njit, prange
from numba.core import cgutils, types
from numba.extending import intrinsic

from minigan.fast.kernels.lanes import Lanes
from minigan.fast.kernels.machine import TILE_ROWS, TILE_VECTORS, VECTOR_BYTES

ACCUMULATORS = TILE_ROWS * TILE_VECTORS  # independent sums, enough to hide each other's latency


@intrinsic
def _multiply_adds(typing, x, rounds):
    """x + x + ..., through `rounds` multiply-adds on each of the accumulators."""

    def emit(context, builder, signature, arguments):
        lanes = Lanes(builder, signature.args[0])
        factor = lanes.broadcast(arguments[0])
        sums = [cgutils.alloca_once_value(builder, factor) for _ in range(ACCUMULATORS)]
        with cgutils.for_range(builder, arguments[1]):
            for total in sums:
                builder.store(lanes.multiply_add(builder.load(total), factor, factor), total)
        vector = builder.load(sums[0])
        for total in sums[1:]:
            vector = builder.fadd(vector, builder.load(total))
        return builder.extract_element(vector, ir.IntType(32)(0))

    return x(x, types.intp), emit


@njit(parallel=True)
def _on_every_core(x, rounds, out):
    for thread in prange(out.size):
        out[thread] = _multiply_adds(x, rounds)


def multiply_add_peak(dtype=np.float32, threads=None, repeats=20):
    """GFLOP/s of `threads` cores (all that Numba uses by default), the best of `repeats`."""
    threads = threads or get_num_threads()
    number, out = np.dtype(dtype).type(1e-3), np.zeros(threads, dtype)
    rounds = 200_000
    _on_every_core(number, rounds, out)
    best = np.inf
    for _ in range(repeats):
        begin = time.perf_counter()
        _on_every_core(number, rounds, out)
        best = min(best, time.perf_counter() - begin)
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    return 2 * ACCUMULATORS * lanes * rounds * threads / best / 1e9


@njit(parallel=True)
def _add(a, b, c):
    for i in prange(a.size):
        c[i] = a[i] + b[i]


def memory_bandwidth(megabytes=128, repeats=5):
    """Bytes per second of c = a + b, on all cores, for arrays too large for any cache."""
    a, b, c = (np.ones(megabytes << 18, np.float32) for _ in range(3))
    _add(a, b, c)
    best = np.inf
    for _ in range(repeats):
        begin = time.perf_counter()
        _add(a, b, c)
        best = min(best, time.perf_counter() - begin)
    return 3 * a.nbytes / best


if __name__ == "__main__":
    for kind in (np.float32, np.float64):
        one, all_of_them = multiply_add_peak(kind, 1), multiply_add_peak(kind)
        print(f"{np.dtype(kind).name}: {one:.0f} GFLOP/s on one core, {all_of_them:.0f} on all")
    print(f"memory: {memory_bandwidth() / 1e9:.1f} GB/s")
