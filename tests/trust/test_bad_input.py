"""Bad input, everywhere: each public name either works or says, in one line, what was expected.

The table is in bad_input.txt, a call a line. What is tested beside a piece of work (layers, data,
metrics, penalties: their own test files) is not repeated here.
"""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest

import minigan as mg
from minigan import (  # noqa: F401
    bugs,
    data,
    dirac,
    gradcheck,
    kernels,
    layers,
    ledger,
    losses,
    metrics,
    models,
    optim,
    penalties,
    plots,
    schedules,
    watch,
)
from minigan import layers as L
from minigan.layers import cross_entropy  # noqa: F401
from minigan.observe import latent  # noqa: F401
from minigan.theory.spectrum import Game
from minigan.verify.gradcheck.differences import central_differences  # noqa: F401

REAL = np.random.default_rng(0).standard_normal((4, 2))
ROWS = np.zeros((3, 1))
SQUARE = np.eye(3)
CRITIC = mg.Sequential([layers.Linear(2, 4), layers.LeakyReLU(), layers.Linear(4, 1)])
MEASURE = float
RING = data.gaussian_ring()
NOISE = mg.stabilisers.InstanceNoise(0.1)
IMAGES = np.zeros((2, 28, 28, 1), np.float32)
NETWORK = mg.Sequential([L.Flatten(), L.Linear(784, 2)])
AXES = matplotlib.figure.Figure().subplots()


def gan(**options):
    generator = mg.Sequential([layers.Linear(2, 2)])
    parts = {"generator": generator, "discriminator": CRITIC.copy(), "latent_dim": 2}
    return mg.GAN(**(parts | options))


def train(**options):
    usual = {"gan": gan(), "data": REAL, "steps": 2, "batch_size": 2, "progress": False}
    return mg.train(**(usual | options))


FILM = watch.Film(gan(), RING, moments=[1], samples=8, resolution=2)  # with nothing on it yet


def game(**options):
    usual = {"generator": gan().generator, "discriminator": CRITIC, "loss": losses.Minimax()}
    return Game(**(usual | {"real": REAL, "noise": REAL} | options))


class Stepping:
    """An optimizer of one's own."""

    def __init__(self, lr):
        self.lr = lr

    def step(self, theta, grad):
        theta -= self.lr * grad


def twice(optimizer, *vectors):
    for vector in vectors:
        optimizer.step(vector, vector.copy())


TABLE = [
    line.split(" | ")
    for line in Path(__file__).with_name("bad_input.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


ERRORS = ValueError, TypeError, KeyError, FileNotFoundError, FloatingPointError


@pytest.mark.parametrize("call, expected", TABLE, ids=[call for call, _ in TABLE])
def test_call(call, expected):
    theta = CRITIC.theta.copy()
    with pytest.raises(ERRORS) as raised:
        eval(call)
    message = str(raised.value)
    assert f"{type(raised.value).__name__}: {message}".startswith(expected)
    assert "\n" not in message
    assert np.array_equal(CRITIC.theta, theta)


def test_there_are_enough_of_them():
    assert len(TABLE) >= 150


@pytest.mark.parametrize("name", ["cuda", "NumPy", " "])
def test_a_backend_in_the_environment_that_does_not_exist(name):
    ended = subprocess.run(
        [sys.executable, "-c", "import minigan"],
        env={**os.environ, "MINIGAN_BACKEND": name},
        capture_output=True,
        text=True,
    )
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert last == f'ValueError: backend: expected "numba" or "numpy", got {name!r}'


@pytest.mark.parametrize(
    "line, message",
    [
        ("--steps 0", "argument --steps: expected a whole number >= 1, got '0'"),
        ("--steps many", "argument --steps: expected a whole number >= 1, got 'many'"),
        ("--seed -1", "argument --seed: expected a whole number >= 0, got '-1'"),
        ("--seed 0.5", "argument --seed: expected a whole number >= 0, got '0.5'"),
        ("--backend cuda", "argument --backend: invalid choice: 'cuda'"),
        ("--speed 3", "unrecognized arguments: --speed 3"),
        ("--out /dev/null/folder", "--out: cannot write to /dev/null/folder"),
    ],
)
def test_command_lines(line, message, monkeypatch, capsys, backend):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which the helpers replace
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "demos"))
    common = importlib.import_module("helpers.common")
    monkeypatch.setattr(sys, "argv", ["demo.py", *line.split()])
    with pytest.raises(SystemExit):
        common.parse(common.parser("A demo.", steps=10, resumes=True))
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in said
