"""Models that the demos write, and the demo that samples from them."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot

import minigan as mg
from minigan import layers as L

DEMOS = Path(__file__).parents[2] / "demos"
WITHOUT = {  # demos with trainings of another kind than one GAN that somebody may want
    "bug_museum": "GANs with bugs in them",
    "doctor": "GANs that are ill",
    "in_sixty_lines": "has no --out",
}


def test_every_demo_that_trains_writes_a_model():
    for file in DEMOS.glob("*.py"):
        text = file.read_text()
        trains = any(call in text for call in ("mg.train(", "recipes.train(", "digits.learn("))
        if trains and file.stem not in WITHOUT:
            assert "common.save_model(" in text or "digits.learn(" in text, file.stem
    assert "common.save_model(" in (DEMOS / "helpers" / "digits.py").read_text()


@pytest.fixture
def sample(monkeypatch, tmp_path):
    """sample(file): runs the demo on a file; returns the folder it wrote."""
    monkeypatch.syspath_prepend(str(DEMOS))
    hook = sys.excepthook

    def run(file):
        line = ["sample", str(file), "--backend", "numpy", "--out", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", line)
        with mg.kernels.use_backend("numpy"):
            runpy.run_path(str(DEMOS / "sample.py"))
        return tmp_path / "out"

    yield run
    pyplot.close("all")
    sys.excepthook = hook
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpers"]:
        del sys.modules[name]


def points():
    return mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), latent_dim=2)


def images():
    shape = (6, 6, 1)
    players = mg.models.mlp_generator(2, shape), mg.models.mlp_discriminator(shape)
    return mg.GAN(*players, latent_dim=2)


def labelled():
    generator = mg.models.conditional_generator(2, 3, channels=2)
    critic = mg.models.projection_discriminator(3, channels=2)
    return mg.GAN(generator, critic, latent_dim=5)


@pytest.mark.parametrize("make", [points, images, labelled])
def test_samples_of_every_kind(make, sample, tmp_path, capsys):
    make().save(tmp_path / "model.npz")
    folder = sample(tmp_path / "model.npz")
    assert pyplot.imread(folder / "samples.png").std() > 0.01
    assert json.loads((folder / "metrics.json").read_text())["seconds"] < 60
    assert "From the file to 100 samples" in capsys.readouterr().out


def test_files_that_are_none(sample, tmp_path, capsys):
    mg.Sequential([L.Tanh()]).save(tmp_path / "network.npz")
    (tmp_path / "text").write_text("hello")
    for name, message in (
        ("nowhere", "nowhere: there is no model file"),
        ("text", "expected a whole .npz file"),
        ("network.npz", "network.npz holds a network, not a GAN"),
    ):
        with pytest.raises(SystemExit) as ended:
            sample(tmp_path / name)
        said = capsys.readouterr().err
        assert ended.value.code == 2 and message in said and said.count("\n") == 1


def test_the_samples_are_the_same_again(tmp_path):
    points().save(tmp_path / "model.npz")
    first, second = (mg.load(tmp_path / "model.npz").sample(5) for _ in range(2))
    assert np.array_equal(first, second)
