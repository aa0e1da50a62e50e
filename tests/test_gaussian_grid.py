"""The recipe for the plane, its demo, and its benchmark's bookkeeping, all at a few steps."""

import importlib
import json
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan.models.recipes import PLAIN, RECIPE, train
from minigan.verify.gradcheck import check_step

ROOT = Path(__file__).parents[1]
SMALL = replace(RECIPE, steps=4, batch_size=8, hidden=(6, 5), frequencies=3)


def small(recipe=SMALL, rng=0, **options):
    return train(mg.data.gaussian_ring(), recipe=recipe, rng=rng, progress=False, **options)


def test_a_whole_step_of_the_recipe(backend):
    """Coins, blur, Fourier features, pairs, R1 and R2 at once, beside finite differences."""
    learned = small()
    real = np.random.default_rng(0).standard_normal((6, 2))
    report = check_step(learned.gan, real)
    assert report.ok and report.max_relative_error <= 1e-5, str(report)


@pytest.mark.parametrize(
    "change",
    [{}, {"signs": 0}, {"frequencies": 0}, {"blurred": False}, {"penalised": False}],
    ids=str,
)
def test_levers_can_be_taken_away(change):
    learned = small(replace(SMALL, **change))
    assert learned.sample(7).shape == (7, 2) and np.isfinite(learned.sample(7)).all()
    assert len(learned.history) == SMALL.steps


def test_the_plain_gan_has_none_of_them():
    gan = small(replace(PLAIN, steps=1, batch_size=8, hidden=(6,))).gan
    kinds = {
        type(layer).__name__ for net in (gan.generator, gan.discriminator) for layer in net.layers
    }
    assert kinds == {"Linear", "LeakyReLU"} and not gan.penalties
    assert type(gan.loss) is mg.losses.NonSaturating


def test_a_seed_gives_the_same_bits():
    once, again, other = small(rng=5), small(rng=5), small(rng=6)
    np.testing.assert_array_equal(once.sample(9), again.sample(9))
    assert not np.array_equal(once.sample(9), other.sample(9))


def test_a_generator_is_as_good_as_a_seed():
    once, again = (small(rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(once.sample(9), again.sample(9))


def test_one_seed_gives_independent_streams():
    gan = small().gan
    states = [rng.bit_generator.state["state"]["state"] for rng in gan.rngs]
    assert len(set(states)) == 3


def test_blur_and_penalties_fade_during_training():
    seen = []
    small(callback=lambda step, gan, figures: seen.append(gan.penalties[0].gamma))
    assert seen == sorted(seen, reverse=True) and seen[-1] == pytest.approx(RECIPE.fine)


def test_d_has_its_own_learning_rate():
    gan = small(replace(SMALL, d_rate=3.0)).gan
    assert gan.discriminator_optimizer.lr == pytest.approx(3 * gan.generator_optimizer.lr)
    assert gan.discriminator_optimizer.eps == gan.generator_optimizer.eps == RECIPE.adam[3]


def test_samples_and_logits_are_in_the_units_of_the_data():
    data = mg.data.gaussian_grid(spacing=20.0, std=0.5)
    learned = train(data, recipe=SMALL, progress=False)
    assert learned.unit == pytest.approx(20 * np.sqrt(2), rel=0.05)
    points = data.sample(5, 0)
    expected, _ = learned.gan.discriminator.forward(points / learned.unit, training=False)
    np.testing.assert_allclose(learned.logits(points), expected[:, 0], rtol=1e-5, atol=1e-5)


@pytest.mark.slow  # D learns alone for thousands of steps; the notebooks run the demo too
def test_demo(tmp_path):
    command = [sys.executable, "demos/gaussian_grid.py", "--steps", "3", "--data", "ring"]
    done = subprocess.run(
        [*command, "--backend", "numpy", "--out", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["mode_coverage"]["modes"] == 8
    assert metrics["sliced_wasserstein"] > metrics["sliced_wasserstein_of_real"] > 0
    for moment in metrics["discriminator"]:
        assert 0 <= moment["in_the_game"] <= 1 and 0 <= moment["of_one_half"] <= 0.5
    for name in ("discriminator.png", "samples.png", "training.png"):
        assert (tmp_path / name).stat().st_size > 10_000


def test_the_demo_teaches_d_alone_with_the_blur_of_that_moment(tmp_path, monkeypatch):
    """Of the first moment, after 1 step of 3: by the end the blur has faded to a fivehundredth."""

    class Seen(Exception):
        pass

    def seen(generator, discriminator, **options):
        raise Seen(discriminator.layers[0].inner.std)

    monkeypatch.setattr(mg, "GAN", seen)
    monkeypatch.syspath_prepend(str(ROOT / "demos"))
    line = ["gaussian_grid", "--steps", "3", "--backend", "numpy", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", line)
    with mg.kernels.use_backend("numpy"), pytest.raises(Seen) as raised:
        runpy.run_path(str(ROOT / "demos/gaussian_grid.py"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpers"]:
        del sys.modules[name]
    (std,) = raised.value.args
    assert std == pytest.approx(
        RECIPE.coarse * (RECIPE.fine / RECIPE.coarse) ** ((1 / 3 / RECIPE.until) ** RECIPE.power)
    )


def test_the_benchmark_knows_the_right_shape(monkeypatch):
    """Of real samples; and of modes squeezed along one axis, of unequal ones, of strays between."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    benchmark = importlib.import_module("mode_coverage")
    rng, data = np.random.default_rng(100), mg.data.gaussian_grid()
    mode = rng.integers(25, size=benchmark.SAMPLES)
    offset = data.std * rng.standard_normal((benchmark.SAMPLES, 2))
    real = benchmark.scored(data.modes[mode] + offset, data)
    assert real["right_shape"] and real["success"] and 0.5 < real["wasserstein"] < 1.5
    squeezed = np.where((mode == 7)[:, None], 0.7 * offset * [1, 0] + offset * [0, 1], offset)
    strays = np.where(rng.random((len(mode), 1)) < 0.02, 6, 1)
    fewer = np.where((mode == 3) & (rng.random(len(mode)) < 0.3), 4, mode)
    for wrong in (
        data.modes[mode] + squeezed,
        data.modes[mode] + strays * offset,
        data.modes[fewer] + offset,
    ):
        row = benchmark.scored(wrong, data)
        assert row["success"] and not row["right_shape"]
    table = benchmark.summary([{"seed": 0, "seconds": 1.0, **real}])
    assert table["right_shapes"] == 1 and table["worst_wasserstein"] == real["wasserstein"]
    for name in ("mode_coverage", "common"):
        del sys.modules[name]


def test_demo_refuses_unknown_data(tmp_path):
    command = [
        sys.executable,
        "demos/gaussian_grid.py",
        "--data",
        "nothing",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "--data" in done.stderr
