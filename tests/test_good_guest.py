"""Plots, metrics, data, dirac and the ledger leave the process as they found it."""

import inspect
import os
import signal
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest

import minigan as mg
from minigan import dirac, plots

RING = mg.data.gaussian_ring()


def state():
    """What belongs to the whole process, and not to a library."""
    return {
        "rcParams": {name: matplotlib.rcParams._get(name) for name in matplotlib.rcParams},
        "errors": np.geterr(),
        "random": str(np.random.get_state()),
        "warnings": list(warnings.filters),
        "environment": dict(os.environ),
        "signals": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)],
        "folder": os.getcwd(),
    }


def draw_everything(folder):
    figure, panels = plots.figure(1, 2, sharex=True)
    plots.density(panels[0], RING, resolution=20)
    plots.points(panels[0], RING.sample(20, 0))
    plots.frame(panels[0], RING.extent)
    panels[1].set_title("title")
    panels[1].plot([1, 2], label="line")
    panels[1].legend()
    figure.suptitle("title")
    figure.savefig(folder / "figure.png")
    figure._repr_png_()
    _, panel = plots.figure()
    plots.image_grid(panel, np.zeros((10, 4, 4)))
    history = mg.History()
    names = "discriminator_loss generator_loss discriminator_gradient_norm generator_gradient_norm"
    for step in range(1, 301):
        history.append(step, dict.fromkeys(names.split(), 1.0 / step))
    plots.training_curves(history, loss=mg.losses.Hinge()).savefig(folder / "curves.png")
    with pytest.raises(TypeError):
        plots.figure(size="wide")
    with pytest.raises(TypeError):
        plots.figure(nonsense=1)


def measure_everything(folder):
    x, y = RING.sample(50, 0), RING.sample(50, 1)
    mg.metrics.mmd(x, y), mg.metrics.frechet_distance(x, y)
    mg.metrics.sliced_wasserstein(x, y), mg.metrics.precision_recall_density_coverage(x, y)
    str(mg.metrics.mode_coverage(x, RING.modes, RING.std))
    mg.data.glyphs(3), mg.data.pinwheel().density(x), mg.data.swiss_roll().sample(3, 0)
    for method in (dirac.NonSaturating(), dirac.InstanceNoise(), dirac.Consensus()):
        dirac.trajectory(method, dirac.Alternating(0.2), (1e-170, 1e-160), steps=5)
        dirac.measured_contraction(method, dirac.Simultaneous(0.2), steps=10)


@pytest.mark.parametrize("work", [draw_everything, measure_everything])
def test_the_process_is_left_as_it_was(work, tmp_path):
    before = state()
    work(tmp_path)
    after = state()
    assert {name for name in before if before[name] != after[name]} == set()


@pytest.mark.parametrize("work", [draw_everything, measure_everything])
def test_underflow_is_no_error(work, tmp_path):
    with np.errstate(all="raise"):
        work(tmp_path)


def test_a_backend_that_is_not_installed_does_not_matter(tmp_path):
    """As in a fresh environment under a notebook; and pyplot is not loaded behind one's back."""
    program = (
        "import sys; from minigan import plots\n"
        "figure, panel = plots.figure(); panel.plot([1, 2]); figure.savefig(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "figure, panel = plots.window(); assert not plots.has_screen(figure)\n"
    )
    environment = {**os.environ, "MPLBACKEND": "module://not_installed.backend_inline"}
    path = tmp_path / "figure.png"
    subprocess.run([sys.executable, "-c", program, path], env=environment, check=True, timeout=120)
    assert path.stat().st_size > 1000


def test_help_shows_types_and_no_rules():
    for called in (mg.GAN, mg.train, mg.metrics.mode_coverage, mg.gradcheck.check_layer):
        shown = str(inspect.signature(called))
        assert "Annotated" not in shown and "<function" not in shown, shown
    assert "latent_dim: int," in str(inspect.signature(mg.GAN))
