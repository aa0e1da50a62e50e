"""The end of the ladder: the learner's own GAN is trained, judged on the ring, and drawn."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ... import data, metrics
from .mishaps import Finding, reported

PICTURE = "your_own_gan.png"
SAMPLES = 2500


def judged(page: ModuleType, folder: Path) -> Iterator[Finding]:
    """Whether G makes every mode of the ring: at least 20% of a mode's share of 2,500 samples.

    page   : has `train`, `sample`, `network_forward`, and the ring's MODES, RADIUS and STD
    folder : where the picture is put
    """
    begun = time.monotonic()
    with reported(folder):
        G, D = page.train()
        fakes = np.asarray(page.sample(G, SAMPLES), float)
    seconds = time.monotonic() - begun
    ring = data.gaussian_ring(page.MODES, radius=page.RADIUS, std=page.STD)
    coverage = metrics.mode_coverage(fakes, ring.modes, ring.std)
    made = f"{coverage.covered} of {coverage.modes} modes"
    near = f"{coverage.hq:.0%} of the samples within 3 std of one"
    if coverage.covered < coverage.modes:
        yield "wrong", f"train: G makes {made} only ({near}); all of them are wanted"
    else:
        yield "right", f"your own GAN makes {made} after {seconds:.0f} s of training; {near}"
    draw(ring, fakes, lambda points: page.network_forward(points, D)[0], folder / PICTURE)
    yield "note", f"its picture is {PICTURE}, in this folder"


def draw(ring: Any, fakes: np.ndarray, critic: Any, path: Any) -> None:
    """The fakes on the ring's density, and D's logits with both kinds of sample."""
    from ...observe import plots

    left, right, bottom, top = extent = (-1.6, 1.6, -1.6, 1.6)
    figure, (made, judged_by_d) = plots.figure(1, 2, size=(4.4, 4.4))
    plots.points(made, ring.sample(SAMPLES, 0), colour=plots.REAL, label="real")
    plots.points(made, fakes, colour=plots.FAKE, label="fake")
    made.set_title("samples of your G, and real ones")
    made.legend(loc="center", markerscale=4)
    x, y = np.linspace(left, right, 200), np.linspace(bottom, top, 200)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    logits = critic(grid).reshape(200, 200)
    shade = judged_by_d.imshow(
        logits, extent=extent, origin="lower", cmap="PuOr", norm=None,
        vmin=-np.abs(logits).max(), vmax=np.abs(logits).max(),
    )  # fmt: skip
    plots.points(judged_by_d, fakes[:500], colour="black", alpha=0.3)
    judged_by_d.set_title("the logits of your D, and the fakes")
    figure.colorbar(shade, ax=judged_by_d, shrink=0.7)
    for axes in (made, judged_by_d):
        plots.frame(axes, extent, margin=0)
    figure.savefig(path)
