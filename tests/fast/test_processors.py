"""The kernels for other processors than this one: other tiles, and a packed A."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba")

PROGRAM = """
import numpy as np
from minigan.fast.kernels import machine, packing, products
rng = np.random.default_rng(0)
for m, k, n, transpose_a, transpose_b in (
    (23, 530, 1050, False, True), (23, 530, 1050, True, False), (70, 1024, 210, False, False),
    (9, 2, 70, False, False), (70, 40, 2, False, False),
    (13, 4200, 40, True, False),
):
    a = rng.standard_normal((k, m) if transpose_a else (m, k)).astype("f4")
    b = rng.standard_normal((n, k) if transpose_b else (k, n)).astype("f4")
    out = products.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    exact = np.float64(a.T if transpose_a else a) @ (b.T if transpose_b else b)
    assert np.abs(out - exact).max() < 1e-5 * np.abs(exact).max(), (m, k, n)
print(machine.VECTOR_BYTES, machine.TILE_ROWS, machine.TILE_VECTORS, machine.PACKS_A)
"""
# name -> (instruction sets, what machine.py chooses)
PROCESSORS = {
    "generic": ("", "16 6 2 True"),
    "skylake-avx512": ("avx avx2 fma avx512f avx512bw avx512dq avx512vl", "64 8 3 True"),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_products_as_compiled_for(name):
    from llvmlite.binding import get_host_cpu_features

    sets, tile = PROCESSORS[name]
    here = get_host_cpu_features()
    if not all(here.get(each) for each in sets.split()):
        pytest.skip("this processor does not know these instructions")
    features = ",".join(f"+{each}" for each in sets.split())
    environment = {**os.environ, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == tile
