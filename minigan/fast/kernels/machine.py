"""What the kernels need to know of the machine: how wide a vector is, and how many registers hold.

Numba compiles for the processor it runs on, so these are decided once, at import. Where
NUMBA_CPU_NAME or NUMBA_CPU_FEATURES ask for another processor, they are believed.
"""

import llvmlite.binding as llvm
import numpy as np
from numba import config

# An array index that Numba need not check for being negative (a[-1] means the last one), so that
# LLVM sees a[index(start + i)] for what it is: contiguous.
index = np.uintp


def _features():
    """The names of the instruction sets that Numba will compile for."""
    if config.CPU_FEATURES is not None:
        flags = config.CPU_FEATURES
    elif config.CPU_NAME == "generic":
        flags = ""
    else:
        flags = llvm.get_host_cpu_features().flatten()
    return {flag[1:] for flag in flags.split(",") if flag.startswith("+")}


def _register_tile(features):
    """(bytes in a vector, rows of a register tile, vectors in a row of it).

    A tile of r rows by v vectors keeps r v accumulators in registers, and needs room beside them
    for v vectors of B and one broadcast element of A. It must have enough accumulators to cover the
    latency of a fused multiply-add (4 cycles x 2 a cycle = 8 at least).
    """
    if "avx512f" in features:
        return 64, 8, 2  # 32 registers: 16 accumulators already run at the peak, and 8 divides 64
    if "avx" in features:
        return 32, 6, 2  # 16 registers: 12 accumulators, 2 of B, 1 of A
    if "neon" in features:
        return 16, 6, 4  # 32 registers: 24 accumulators, 4 of B, 1 of A
    return 16, 6, 2  # 16-byte vectors: LLVM rewrites them for machines that have none


VECTOR_BYTES, TILE_ROWS, TILE_VECTORS = _register_tile(_features())
