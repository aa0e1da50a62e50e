"""MINIGAN_DEBUG=1 prints each compiled call, and a summary of each step."""

import os
import re
import subprocess
import sys

import pytest

pytest.importorskip("numba")

from minigan.fast.kernels import products  # noqa: E402

PROGRAM = """
import numpy as np, minigan as mg
L = mg.layers
G = mg.Sequential([L.Linear(3, 8), L.Tanh(), L.Linear(8, 5)])
D = mg.Sequential([L.Linear(5, 16), L.LeakyReLU(), L.Linear(16, 1)])
gan = mg.GAN(G, D, latent_dim=3)
for _ in range(3):
    gan.train_step(np.zeros((10, 5)))
"""
G = 3 * 8 + 8 * 5  # weights
D = 5 * 16 + 16
FIRST = 5 * 16, 3 * 8  # those of the first layers, whose input needs no gradient
# forward and backward: G, D on both minibatches, D on the fakes again with the gradient through it
PRODUCTS = 10 * (2 * G + 2 * 2 * D + 2 * D + (G - FIRST[1]) + 2 * (D - FIRST[0]))


def printed(debug):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "MINIGAN_BACKEND": "numba", "MINIGAN_DEBUG": debug},
    ).stderr  # fmt: skip


@pytest.fixture(scope="module")
def lines():
    return printed("1").splitlines()


def test_calls_and_summaries(lines):
    call = re.compile(r"\w+ +[\d.]+ ms +[\d.]+ G(B|FLOP)/s +[\dx]+( [\dx]+)*( ->( [\dx]+)+)?$")
    starts = [i for i, line in enumerate(lines) if line.startswith("step:")]
    assert len(starts) >= 2
    for i, line in enumerate(lines):
        assert line.startswith(("step:", "  ")) or call.match(line), (i, line)
    assert any(re.match("chain_forward .* 10x3 -> 10x8 10x5$", line) for line in lines)
    assert any(re.match("chain_forward .* 20x5 -> 20x16 20x1$", line) for line in lines)

    rows = lines[starts[-1] + 1 : starts[-1] + 20]
    rows = [row for row in rows if row.startswith("  ")]
    total = float(lines[starts[-1]].split()[1])
    parts = [float(re.search(r"([\d.]+) ms", row)[1]) for row in rows]
    assert sum(parts) == pytest.approx(total, rel=0.02)
    assert rows[-1].split()[:3] == ["between", "the", "calls"]


def test_products_are_counted(lines):
    last = [line for line in lines if line.startswith("step:")][-1]
    assert float(re.search(r"([\d.e-]+) GFLOP,", last)[1]) == pytest.approx(2 * PRODUCTS / 1e9)


def test_without_the_variable_nothing_is_wrapped():
    assert not printed("0")
    assert not hasattr(products.linear_forward, "__wrapped__")
