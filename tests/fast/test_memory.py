"""Batches of many sizes take little more memory than the largest of them alone."""

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("numba")

from minigan.fast.kernels import images  # noqa: E402

PROGRAM = """
import sys
import numpy as np, minigan as mg
L = mg.layers
G = mg.Sequential([
    L.Linear(8, 196), L.Reshape((7, 7, 4)), L.ConvTranspose2d(4, 4, 4, stride=2, padding=1),
    L.LeakyReLU(), L.ConvTranspose2d(4, 1, 4, stride=2, padding=1), L.Tanh(),
], rng=0)
z = np.zeros((400, 8), "f4")

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

G.forward(z[:2], training=False)  # compiled
before = resident()
for n in eval(sys.argv[1]):
    y, cache = G.forward(z[:n])
    G.backward(np.ones_like(y), cache)
from minigan.fast.kernels import buffers, tables
print(buffers.kept_bytes() + tables.kept_bytes(), resident() - before)
"""


def memory(sizes):
    out = subprocess.check_output(
        [sys.executable, "-c", PROGRAM, sizes], text=True, timeout=120,
        env={**os.environ, "MINIGAN_BACKEND": "numba"},
    )  # fmt: skip
    return [int(word) for word in out.split()]


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory as Linux tells it")
def test_two_hundred_batch_sizes():
    kept, resident = memory("[400] * 3")
    kept_of_many, resident_of_many = memory("range(201, 401)")
    assert kept_of_many <= 1.5 * kept
    assert resident_of_many <= 1.5 * resident


@pytest.fixture
def tables(monkeypatch):
    from minigan.fast.kernels import tables

    for cache in tables._caches:
        cache.cache_clear()
    monkeypatch.setattr(tables, "_longest", {})
    yield tables
    for cache in tables._caches:
        cache.cache_clear()


def test_a_short_table_is_the_beginning_of_a_long_one(tables):
    for counts in ((5, 3, 2), (9, 3, 2), (4, 3, 2), (9, 2, 2), (0, 3, 2)):
        expected = [
            7 * (1 + 100 * i + 10 * j + k)
            for i in range(counts[0])
            for j in range(counts[1])
            for k in range(counts[2])
        ]
        assert tables.offsets(counts, (100, 10, 1), 7, 1).tolist() == expected
    for count in (5, 9, 4, 0):
        assert tables.row_offsets(3, count).tolist() == list(range(0, 3 * count, 3))
    assert tables.kept_bytes() == 8 * (9 * 6 + 9 * 4 + 9)


def test_a_longer_batch_makes_no_table_of_a_weight_again(tables, monkeypatch):
    made, keep = [], tables._keep
    monkeypatch.setattr(tables, "_keep", lambda table, kind: made.append(kind) or keep(table, kind))
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((40, 8, 8, 6)), rng.standard_normal((4, 4, 6, 5))
    y = images.conv2d_forward(x, w, None, 2, 1)
    images.conv2d_backward_input(y, None, w, x.shape, 2, 1)
    for n in (20, 40, 41, 42):
        images.conv2d_forward(np.resize(x, (n, *x.shape[1:])), w, None, 2, 1)
        images.conv2d_backward_input(y, None, w, x.shape, 2, 1)
    weights = [kind for kind in made if kind[0] == w.shape]
    assert len(weights) == len(set(weights)) == 5  # all taps, and those of four phases


def test_tables_are_bounded_in_bytes(tables, monkeypatch):
    monkeypatch.setattr(tables, "MAX_BYTES", 10_000)
    for step in range(1, 200):
        assert tables.row_offsets(step, 100)[-1] == 99 * step
        assert tables.kept_bytes() <= 10_000
    assert len(tables.row_offsets(1, 5_000)) == 5_000  # too long to be kept
    assert tables.kept_bytes() <= 10_000


def test_results_do_not_depend_on_the_sizes_before():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((40, 8, 8, 3)), rng.standard_normal((3, 3, 3, 5))
    whole = images.conv2d_forward(x, w, None, 1, 1)
    for n in (3, 17, 40, 1):
        assert np.array_equal(images.conv2d_forward(x[:n], w, None, 1, 1), whole[:n])
