"""Compiled kernels are kept between processes, and never across a change of any source."""

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import minigan

pytest.importorskip("numba")

from numba.core.compiler_lock import global_compiler_lock  # noqa: E402

from minigan.fast.kernels import cache  # noqa: E402

PROGRAM = """
import numpy as np, minigan
x = np.ones((2, 5), np.float32)
w = np.ones((5, 40), np.float32)
from minigan.fast.kernels import codes, products
print(products.linear_forward(x, w, None, codes.LEAKY_RELU, 0.5)[0, 0])
from minigan.fast.kernels.gemm import _multiply
print(sum(_multiply.stats.cache_hits.values()), sum(_multiply.stats.cache_misses.values()))
"""


def in_process(folder, program):
    """What a program prints in a process of its own, with the minigan and the cache of a folder."""
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    environment |= {"PYTHONPATH": str(folder), "MINIGAN_BACKEND": "numba"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True,
        text=True, check=True, timeout=240,
    )  # fmt: skip
    return done.stdout


def run(folder):
    """(result, cache hits, cache misses) of a small product."""
    return tuple(float(word) for word in in_process(folder, PROGRAM).split())


CHAIN = """
import sys, numpy as np, minigan as mg
L = mg.layers
network = mg.Sequential([L.Linear(3, 8), L.LeakyReLU(), L.Linear(8, 5)])
print(network.forward(np.ones((4, 3), np.float32))[0].shape)
print("numba.np.arraymath" in sys.modules)
"""


def test_kernels_are_loaded_beside_others_and_compiled_anew_when_any_source_changes(tmp_path):
    """The parallel loop is compiled into each kernel that uses it: a chain stored after a product
    once crashed the process that loaded both. And `gemm` compiles in what `microkernel` emits;
    Numba alone would not notice it change."""
    source = Path(minigan.__file__).parent
    shutil.copytree(source, tmp_path / "minigan", ignore=shutil.ignore_patterns("__pycache__"))
    assert run(tmp_path) == (5, 0, 1)
    for compiling in (True, False):  # Numba's list of functions is not loaded for a stored kernel
        assert in_process(tmp_path, CHAIN) == f"(4, 5)\n{compiling}\n"
    assert run(tmp_path) == (5, 1, 0)
    microkernel = tmp_path / "minigan" / "fast" / "kernels" / "microkernel.py"
    text = microkernel.read_text()
    doubled = "z = builder.fadd(builder.load(total[i, v]), builder.load(total[i, v]))"
    changed = text.replace("z = builder.fadd(builder.load(total[i, v]), biases[v])", doubled)
    assert changed != text
    microkernel.write_text(changed)
    assert run(tmp_path) == (10, 0, 1)


def test_garbage_is_collected_again_after_compiling():
    """Whatever happens, unless it was not before; and no process forks meanwhile."""
    found = []

    def compiling(error=None):
        found.append((gc.isenabled(), global_compiler_lock.is_locked()))
        if error:
            raise error

    run = cache._without_collections(compiling)
    run()
    with pytest.raises(KeyboardInterrupt):
        run(KeyboardInterrupt())
    assert gc.isenabled() and found == [(False, True)] * 2
    gc.disable()
    try:
        run()
        assert not gc.isenabled()
    finally:
        gc.enable()
