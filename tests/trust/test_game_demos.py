"""Demos and a benchmark that nothing else runs: a few steps each, on a few images."""

import functools
import importlib
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot

import minigan as mg
from minigan.metrics import judge

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch, tmp_path, few_digits):
    """run(demo, *options): runs a whole demo; returns its metrics."""
    for folder in ("demos", "benchmarks"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    before, hook = set(sys.modules), sys.excepthook

    def start(demo, *options):
        line = [demo, "--backend", "numpy", "--out", tmp_path / "out", *options]
        monkeypatch.setattr(sys, "argv", [str(word) for word in line])
        with mg.kernels.use_backend("numpy"):
            runpy.run_path(str(ROOT / "demos" / f"{demo}.py"))
        return json.loads((tmp_path / "out" / "metrics.json").read_text())

    yield start
    pyplot.close("all")
    sys.excepthook = hook
    for name in set(sys.modules) - before:  # the demos' own modules
        if name.partition(".")[0] in ("helpers", "common", "stacked_mnist"):
            del sys.modules[name]


def test_the_latent_laboratory(run, tmp_path):
    found = run("latent", "--steps", 2)
    assert len(found["strengths"]) == 16 and found["inversion_errors"]["of_g"] < 0.05
    page = (tmp_path / "out" / "latent.html").read_text()
    assert "http" not in page.replace("http-equiv", "") and "const MODEL = {" in page


def test_attention_maps(run):
    found = run("attention", "--steps", 2)
    assert found["gamma"]["G"] != 0 and 0 < found["mean_distance"] < found["even_distance"] + 2


def test_until_convergence(run):
    found = run("until_convergence", "--steps", 500)
    assert list(found["distances"]) == ["250", "500"] and found["floor"] > 0


def test_the_memorisation_panel(run, few_digits):
    """Samples that are copies of the training images, and such that are not."""
    memorisation = importlib.import_module("helpers.memorisation")
    images, other = few_digits()[0], few_digits("test")[0]

    class Judged:
        """Its features are some of the pixels."""

        def classify(self, pixels):
            return judge.Predictions(pixels.reshape(len(pixels), -1)[:, ::100], None)

    training, honest = images[:300], images[300:500]
    for samples, low, high in ((training[:100], 0.99, 1.0), (honest, 0.3, 0.7)):
        panel = memorisation.Panel(samples, training, other, Judged())
        assert low <= panel.copying.share <= high
        assert panel.picture().axes and len(panel.lines) == len(panel.scalars()) - 1 == 3
    copies = memorisation.Panel(training[:100], training, other, Judged())
    assert copies.nearest["pixels"][:, 0].tolist() == list(range(memorisation.SHOWN))


def test_stacked_mnist(run, few_digits):
    stacked = importlib.import_module("stacked_mnist")
    images = few_digits()[0]
    drawn = stacked.Stacked(images).sample(5, np.random.default_rng(0))
    assert drawn.shape == (5, 28, 28, 3)
    flat = images[..., 0]
    for channel in range(3):  # each channel is one of the images
        assert (np.abs(flat - drawn[0, ..., channel]).max(axis=(1, 2)) == 0).any()

    class Judged:
        """Reads a constant image as a digit."""

        def classify(self, pixels):
            digits = pixels[:, 0, 0, 0].astype(int)
            return judge.Predictions(None, np.eye(10)[digits])

    channels = np.array([[1, 2, 3], [0, 0, 7], [9, 9, 9]])
    images = np.broadcast_to(channels[:, None, None], (3, 28, 28, 3))
    assert stacked.modes_of(Judged(), images).tolist() == [123, 7, 999]
    near = functools.partial(pytest.approx, abs=1e-12)
    assert stacked.score(np.arange(1000)) == {"modes": 1000, "kl": near(0), "single": near(0)}
    one = stacked.score(np.zeros(50, int))
    assert one == {"modes": 1, "kl": near(np.log(1000)), "single": near(np.log(1000))}
    alike = stacked.score(111 * np.arange(10))  # three equal digits: even shares, yet dependent
    assert alike == {"modes": 10, "kl": near(np.log(100)), "single": near(0)}
    for name, kinds in (("relativistic+r1", ["R1"]), ("non-saturating+none", [])):
        gan = stacked.game(name, 0).gan
        assert [type(p).__name__ for p in gan.penalties] == kinds
        assert gan.sample_shape == (28, 28, 3)
    runs = {
        "relativistic+r1-r2": {0: [{"modes": 1000, "kl": 0.1}]},
        "non-saturating+r1-r2": {0: [{"modes": 600, "kl": 3.0}]},
    }
    assert stacked.ranking(runs)[-1].endswith("agrees")
