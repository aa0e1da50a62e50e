"""Vector width and register-tile size of the processor.

Numba compiles for the processor it runs on, so they are fixed at import. If NUMBA_CPU_NAME or
NUMBA_CPU_FEATURES names another target, that target is used.
"""

import llvmlite.binding as llvm
import numpy as np
from numba import config

# An unsigned array index. Numba does not wrap it as it would a[-1], so LLVM sees that
# a[index(start + i)] is contiguous.
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
    """(bytes per vector, rows of a register tile, vectors per row of the tile).

    A tile of r rows by v vectors needs r v registers for the sums, v for a row of B and one for the
    broadcast number of A. At least 8 sums hide the latency of a fused multiply-add (4 cycles, two
    started per cycle). A step takes r v multiply-adds and r + v loads (more where numbers of A are
    broadcast by the multiply-adds themselves: see `microkernel`). A processor that starts four
    instructions per cycle can start one other instruction with each multiply-add, so r v must be
    well above r + v: 8 x 2 has 16 and 10, and the loop's own instructions; 8 x 3 has 24 and 11.
    `benchmarks/tile.py` predicts the cycles of a step on each processor, and measures them here.
    """
    if "avx512f" in features:
        return 64, 8, 3  # 32 registers: 24 sums, 3 of B, 1 of A
    if "avx" in features:
        return 32, 6, 2  # 16 registers: 12 sums, 2 of B, 1 of A
    if "neon" in features:
        return 16, 6, 4  # 32 registers: 24 sums, 4 of B, 1 of A
    return 16, 6, 2  # 16-byte vectors: LLVM rewrites them for machines that have none


VECTOR_BYTES, TILE_ROWS, TILE_VECTORS = _register_tile(_features())
# Whether to pack A where its numbers are far apart. On Intel's processors such an A slows a product
# down: on a Cascade Lake, packing A nearly doubled the speed of a transposed product of size 1,000.
# On AMD's (which have sse4a) it does not.
PACKS_A = "sse4a" not in _features()
