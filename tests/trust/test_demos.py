"""Ctrl-C and --resume, in the demos whose main work is one training.

A demo runs up to the end of its training; its pictures are made of what then lies in --out.
"""

import runpy
import signal
import sys
from pathlib import Path

import pytest

import minigan as mg
from minigan import recipes, training

DEMOS = Path(__file__).parents[2] / "demos"
STEPS = 9


class Ended(Exception):
    """A demo's training is over."""


@pytest.fixture
def run(monkeypatch):
    """run(demo, folder, *options, cut_at=step): the files in the folder at the end of training."""
    train, append = training.train, training.History.append
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def and_no_further(*args, **options):
        train(*args, **(options | {"progress": False}))
        raise Ended

    def start(demo, folder, *options, cut_at=None):
        def noted(history, step, figures):
            append(history, step, figures)
            if step == cut_at:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(training.History, "append", noted)
        line = [demo, "--steps", STEPS, "--backend", "numpy", "--out", folder, *options]
        monkeypatch.setattr(sys, "argv", [str(word) for word in line])
        with mg.kernels.use_backend("numpy"), pytest.raises(Ended):
            runpy.run_path(str(DEMOS / f"{demo}.py"))
        files = [folder / "checkpoint.npz", *sorted(folder.glob("snapshots/*.npy"))]
        return {file.relative_to(folder): file.read_bytes() for file in files}

    for module in (mg, training, recipes):
        monkeypatch.setattr(module, "train", and_no_further)
    monkeypatch.syspath_prepend(str(DEMOS))
    yield start
    signal.signal(signal.SIGINT, before)
    sys.modules.pop("common", None)


@pytest.mark.parametrize(
    "demo, options",
    [
        ("quickstart", []),
        ("gaussian_grid", ["--data", "ring"]),
        ("watch_it_learn", []),
        ("draw_your_own", []),
    ],
)
def test_a_demo_goes_on_as_if_nothing_had_been(run, demo, options, tmp_path, capsys):
    whole = run(demo, tmp_path / "whole", *options)
    cut = run(demo, tmp_path / "cut", *options, cut_at=4)
    assert "Stopped at step 4" in capsys.readouterr().out and cut != whole
    assert run(demo, tmp_path / "cut", *options, "--resume") == whole


def test_nothing_to_go_on_from(run, tmp_path):
    with pytest.raises(SystemExit, match="--resume: there is no checkpoint in"):
        run("quickstart", tmp_path, "--resume")


def test_a_run_on_other_data_is_refused(run, tmp_path):
    """Both are mixtures of Gaussians, of one class."""
    run("gaussian_grid", tmp_path, "--data", "ring")
    with pytest.raises(ValueError, match="another run: expected data"):
        run("gaussian_grid", tmp_path, "--data", "grid", "--resume")
