"""The innermost loop of every product: its cycles on many processors, and its speed on this one.

    python benchmarks/tile.py

First it compiles the register tile (`minigan/fast/kernels/microkernel.py`) for each processor and
asks llvm-mca, a simulator of their pipelines, for the cycles of a step of the loop, beside those of
the multiply-adds alone, which no loop can beat. A model may be wrong: LLVM's of Zen 4, also used
for Zen 5, counts a load of a number into all lanes of a register as arithmetic, and that of Ice
Lake has one 512-bit multiplier where servers have two. So it then measures, on this machine: the
tile with its panel of B in the L1 cache and with panels from the L2 cache, as a share of the peak
of `peak.py`.
"""

import os
import re
import shutil
import subprocess
import sys
import time

import common
import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import types
from peak import multiply_add_peak

from minigan.fast.kernels.lanes import Lanes
from minigan.fast.kernels.machine import TILE_ROWS, TILE_VECTORS, VECTOR_BYTES
from minigan.fast.kernels.microkernel import emit_tile, multiply_tile

AVX2 = "+avx,+avx2,+fma"
AVX512 = f"{AVX2},+avx512f,+avx512bw,+avx512dq,+avx512vl"
# name -> the features that Numba is told, which decide the tile
PROCESSORS = {
    "skylake-avx512": AVX512,
    "icelake-server": AVX512,
    "sapphirerapids": AVX512,
    "haswell": AVX2,
    "alderlake": AVX2,
    "znver2": f"{AVX2},+sse4a",
    "znver3": f"{AVX2},+sse4a",
    "znver4": f"{AVX512},+sse4a",
    "znver5": f"{AVX512},+sse4a",
    "cortex-a72": "+neon",
    "neoverse-n1": "+neon",
    "neoverse-v2": "+neon",
    "apple-m1": "+neon",
}
ARM = "aarch64-unknown-linux-gnu"
TILE_CODE = "tile-code"  # the argument of a process that is told of another processor
MULTIPLY_ADD = re.compile(r"\b(vfmadd|fmla)")
ITERATIONS = 200


# %% Predicted
def tile_code():
    """In a process of its own, where Numba is told of another processor: the tile's LLVM code."""
    number, word, truth = ir.FloatType(), ir.IntType(64), ir.IntType(1)
    table, numbers = word.as_pointer(), number.as_pointer()
    kinds = table, truth, table, table, word, numbers, numbers, number, word
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), "tile")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    c_rows, adds, a_rows, inner, depth, panel, bias, slope, step = function.args
    emit_tile(
        Lanes(builder, types.float32), TILE_VECTORS, c_rows, word(0), adds, a_rows, inner, word(0),
        depth, panel, (panel, step, step), truth(1), bias, slope,
    )  # fmt: skip
    builder.ret_void()
    print(TILE_ROWS, TILE_VECTORS, VECTOR_BYTES)
    print(module)


def assembly(processor):
    """((rows, vectors, bytes per vector), the tile's machine code in words)."""
    features = PROCESSORS[processor]
    environment = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features}
    done = subprocess.run(
        [sys.executable, __file__, TILE_CODE], env=os.environ | environment, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    size, code = done.stdout.split("\n", 1)
    module = llvm.parse_assembly(code)
    module.triple = ARM if "neon" in features else llvm.get_process_triple()
    target = llvm.Target.from_triple(module.triple)
    machine = target.create_target_machine(cpu=processor, opt=3)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(module, passes)
    return tuple(map(int, size.split())), machine.emit_assembly(module)


def loop_of(text):
    """The innermost loop with most multiply-adds: from a label to the jump back to it."""
    best, label, body = [], None, []
    for line in text.splitlines():
        line = re.sub(r"(\s#\s|//).*", "", line).strip()
        if re.fullmatch(r"\.?L\w+:", line):
            label, body = line[:-1], []
        elif line and not line.startswith("."):
            body.append(line)
            jumps = re.search(rf"\s{re.escape(label)}$", line) if label else None
            if jumps and _multiply_adds(body) > _multiply_adds(best):
                best = list(body)
    return best


def _multiply_adds(lines):
    return sum(bool(MULTIPLY_ADD.match(line)) for line in lines)


def cycles(lines, processor, simulator):
    """Cycles of one pass through the loop, and of its multiply-adds alone."""
    return _simulate(lines, processor, simulator), _simulate(
        _independent(lines), processor, simulator
    )


def _independent(lines):
    """As many multiply-adds, each on a sum of its own and with operands that are in registers."""
    one = next(line for line in lines if MULTIPLY_ADD.match(line))
    count = _multiply_adds(lines)
    if "fmla" in one:
        return [f"fmla v{n % 24}.4s, v30.4s, v31.s[0]" for n in range(count)]
    register = re.search(r"%([xyz]mm)", one)[1]
    last, sums = (31, 24) if register == "zmm" else (15, 12)
    return [
        f"vfmadd231ps %{register}{last}, %{register}{last}, %{register}{n % sums}"
        for n in range(count)
    ]


def _simulate(lines, processor, simulator):
    triple = "aarch64" if "neon" in PROCESSORS[processor] else "x86_64"
    done = subprocess.run(
        [simulator, f"-mtriple={triple}", f"-mcpu={processor}", f"-iterations={ITERATIONS}"],
        input="\n".join(lines), capture_output=True, text=True,
    )  # fmt: skip
    found = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    return int(found[1]) / ITERATIONS if found else None


def simulators():
    """The llvm-mca programs that are installed, the newest first."""
    names = [f"llvm-mca-{version}" for version in range(30, 13, -1)] + ["llvm-mca"]
    return [name for name in names if shutil.which(name)]


def predict():
    """Prints a row for each processor, and returns them."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    installed = simulators()
    if not installed:
        print("llvm-mca is not installed (on Debian: the package llvm): no prediction\n")
        return []
    print(f"predicted by {installed[0]}; a step multiplies one row of B by one column of A")
    print(f"{'processor':16} {'tile':>10} {'cycles/step':>12} {'at the peak':>12} {'share':>7}")
    rows = []
    for processor in PROCESSORS:
        (height, vectors, size), text = assembly(processor)
        lines = loop_of(text)
        taken, bound = cycles(lines, processor, installed[0])
        if taken is None or bound is None:
            print(f"{processor:16} unknown to {installed[0]}")
            continue
        steps = _multiply_adds(lines) / (height * vectors)
        row = {
            "processor": processor, "rows": height, "vectors": vectors, "bytes": size,
            "cycles": taken / steps, "bound": bound / steps, "share": bound / taken,
        }  # fmt: skip
        rows.append(row)
        print(
            f"{processor:16} {height:>4} x {vectors} x {size // 4:<2}"
            f"{row['cycles']:10.2f} {row['bound']:12.2f} {row['share']:8.0%}"
        )
    print()
    return rows


# %% Measured
@njit
def _many_tiles(c_rows, a_rows, inner, depth, panels, panel_size, count, bias, repeats):
    """Multiplies the strip by `count` panels in turn, `repeats` times over."""
    for _ in range(repeats):
        for n in range(count):
            multiply_tile(
                c_rows, 0, False, a_rows, inner, 0, depth, panels, n * panel_size, TILE_VECTORS,
                panels, 0, 0, 0, False, bias, 0, np.float32(1),
            )  # fmt: skip


def measure(depth, count, seconds):
    """GFLOP/s of the tile on one core, the median over `seconds`: a strip times `count` panels."""
    width = TILE_VECTORS * VECTOR_BYTES // 4
    a, c = np.full((TILE_ROWS, depth + 16), 1e-3, np.float32), np.zeros((TILE_ROWS, width), "f4")
    panels = np.full(count * depth * width + 16, 1e-3, np.float32)
    panels = panels[-panels.ctypes.data % VECTOR_BYTES // 4 :][: count * depth * width]
    rows = [x.ctypes.data + np.arange(TILE_ROWS) * x.strides[0] for x in (c, a)]
    inner, bias = np.arange(depth), np.zeros(width, np.float32)
    work = 2 * TILE_ROWS * width * depth * count
    repeats = max(1, int(1e8 / work))
    arguments = (*rows, inner, depth, panels, depth * width, count, bias, repeats)
    _many_tiles(*arguments)
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        _many_tiles(*arguments)
        times.append(time.perf_counter() - begin)
    return work * repeats / float(np.median(times)) / 1e9


def main():
    args = common.arguments(__doc__, "tile", seconds=(1.0, "time for each measurement"))
    facts = common.machine()
    print(common.in_words(facts), "\n")
    predicted = predict()
    peak = multiply_add_peak(threads=1)
    row = TILE_VECTORS * VECTOR_BYTES
    # 20 KB of B beside the strip of A, in any L1 cache; panels of 512 steps, 400 KB together
    places = {"L1": (20 * 1024 // row, 1), "L2": (512, max(1, 400 * 1024 // (512 * row)))}
    print(f"measured, one core; the peak is {peak:.0f} GFLOP/s")
    measured = {}
    for place, (depth, count) in places.items():
        rate = measure(depth, count, args.seconds)
        measured[place] = {"gflops": rate, "share": rate / peak}
        print(f"B in {place}: {rate:6.1f} GFLOP/s, {rate / peak:.0%} of the peak")
    common.write_json(
        args.out / "tile.json",
        {"machine": facts, "predicted": predicted, "measured": measured, "peak_gflops": peak},
    )


if __name__ == "__main__":
    tile_code() if sys.argv[1:] == [TILE_CODE] else main()
