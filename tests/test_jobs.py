"""Many runs at a time: the same numbers, one bar, and none lost to another that died."""

import os
import subprocess
import sys

import pytest

import minigan as mg
from minigan._jobs import Failed, outcomes

RUNS = """
import os, signal
import numpy as np
import minigan as mg

def train(seed, mishap=""):
    if mishap == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if mishap == "raise":
        raise ValueError("a bad seed\\nand more")
    players = mg.models.mlp_generator(2, (2,), rng=seed), mg.models.mlp_discriminator((2,))
    gan = mg.GAN(*players, latent_dim=2, rng=seed)
    mg.train(gan, mg.data.gaussian_ring(), steps=2, progress=False, rng=seed)
    return gan.generator.theta
"""
SCRIPT = """
print("the script runs")
from minigan._jobs import outcomes
from runs_to_repeat import train
print(len(list(outcomes(train, [(0,), (1,)], jobs=2, label="runs"))))
"""


@pytest.fixture
def train(tmp_path, monkeypatch):
    (tmp_path / "runs_to_repeat.py").write_text(RUNS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MINIGAN_BACKEND", "numpy")
    import runs_to_repeat

    with mg.kernels.use_backend("numpy"):
        yield runs_to_repeat.train
    del sys.modules["runs_to_repeat"]


def test_the_same_numbers_and_none_lost(train, capsys):
    tasks = [(0,), (1,), (1, "raise"), (2,)]
    alone = dict(outcomes(train, tasks, jobs=1, label="runs"))
    before = dict(os.environ), sys.modules["__main__"].__dict__.get("__file__")
    together = dict(outcomes(train, [*tasks, (3, "kill")], jobs=2, label="runs"))
    assert (dict(os.environ), sys.modules["__main__"].__dict__.get("__file__")) == before
    assert together.pop((3, "kill")) == Failed("its process died: it was killed, or memory ran out")
    assert together.keys() == alone.keys()
    assert together[1, "raise"] == alone[1, "raise"] == Failed("ValueError: a bad seed and more")
    for seed in range(3):
        assert together[(seed,)].tobytes() == alone[(seed,)].tobytes()
    assert "runs: 5/5" in capsys.readouterr().err


def test_the_script_is_not_run_again(train, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    ended = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=200
    )
    assert ended.stdout == "the script runs\n2\n", ended.stderr


def test_a_caller_that_stops_early(train):
    """What has begun is waited for; what has not is never started."""
    before = vars(sys.modules["__main__"]).get("__file__")
    every = outcomes(train, [(seed,) for seed in range(50)], jobs=2, label="runs")
    next(every)
    every.close()
    assert vars(sys.modules["__main__"]).get("__file__") == before
