"""The run that the tests of this folder cut, kill, spoil and resume; digits for whole demos."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan.metrics import judge

SCRIPT = Path(__file__).with_name("run.py")
SPEC = importlib.util.spec_from_file_location("trust_run", SCRIPT)
RUN = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(RUN)


@pytest.fixture
def parts():
    """Makes the parts of that run, as a new program does."""
    return RUN.Parts


@pytest.fixture
def script():
    """The same run as a program of its own: its path."""
    return SCRIPT


class Cut(Exception):
    """Stands for whatever ends a program in the middle of a run."""


@pytest.fixture
def cut_after():
    """cut_after(step) is a callback that ends the run in the step after that one."""

    def make(last):
        def callback(step, gan, figures):
            if step > last:
                raise Cut

        return callback

    return make


@pytest.fixture
def cut():
    return Cut


@pytest.fixture
def few_digits(monkeypatch, tmp_path):
    """Puts a few images of noise in the place of MNIST, for the demos too; returns their loader."""

    def loader(split="train", folder=None):
        """Images, labelled 0 to 9 in turn."""
        n = {"train": 640, "test": 200}[split]
        images = np.random.default_rng(n).uniform(-1, 1, (n, 28, 28, 1)).astype(np.float32)
        return images, np.arange(n) % 10

    monkeypatch.setattr(mg.data, "mnist", loader)
    monkeypatch.setattr(judge, "cache_folder", lambda: tmp_path / "cache")
    return loader
