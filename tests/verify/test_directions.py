"""Checks along random directions: as strict as those of every entry, and a few passes a tensor."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.bugs import checks as bug_checks
from minigan.verify.bugs.checks import normalised_gan, plain_gan
from minigan.verify.gradcheck import Report, check_step
from minigan.verify.gradcheck.directions import ENTRIES, AlongDirections

OF_STEPS = [name for name, bug in mg.bugs.REGISTRY.items() if bug.caught_by == "check_step"]


def images():
    """A fresh convolutional GAN, and images with blank borders."""
    generator = mg.Sequential(
        [L.Linear(2, 8), L.Reshape((2, 2, 2)), L.BatchNorm(2), L.ReLU(),
         L.ConvTranspose2d(2, 1, 4, stride=2, padding=1), L.Tanh()], rng=0,
    )  # fmt: skip
    discriminator = mg.Sequential(
        [L.Conv2d(1, 1, 3, padding=1), L.LeakyReLU(), L.Flatten(), L.Linear(16, 1)], rng=1
    )
    real = np.zeros((4, 4, 4, 1))
    real[:, 3, 3] = np.random.default_rng(0).standard_normal((4, 1))
    penalties = [mg.penalties.R1(0.1), mg.penalties.R2(0.1)]
    gan = mg.GAN(generator, discriminator, latent_dim=2, penalties=penalties, rng=2)
    return gan, real


def on_zeros():
    """A fresh GAN of linear layers whose real samples are zeros: so is each hidden value."""
    gan = mg.GAN(
        mg.models.mlp_generator(1, (1,), hidden=(2,), rng=0),
        mg.models.mlp_discriminator((1,), hidden=(2,), rng=1), latent_dim=1, rng=2,
    )  # fmt: skip
    return gan, np.zeros((4, 1))


@pytest.mark.parametrize("make, directions", [(on_zeros, None), (images, 1), (images, 3)])
def test_a_fresh_network_on_a_kink_is_moved_off_it(make, directions):
    gan, real = make()
    before = gan.discriminator.theta.copy()
    report = check_step(gan, real, directions=directions, progress=False)
    assert report.ok, report
    assert any("exactly on a kink" in note for note in report.notes)
    assert np.array_equal(gan.discriminator.theta, before)


def test_right_steps_pass_and_directions_are_drawn_anew():
    notes = set()
    for seed in range(8):
        real = np.random.default_rng(seed).standard_normal((4, 2))
        for make in (plain_gan, normalised_gan):
            report = check_step(make(seed), real, directions=2, progress=False)
            assert report.ok, report
            notes |= {note for note in report.notes if "rng=" in note}
    assert len(notes) == 16
    again = [
        str(check_step(plain_gan(0), real, directions=1, rng=3, progress=False)) for _ in range(2)
    ]
    assert again[0] == again[1] and "rng=" not in again[0]


@pytest.mark.parametrize("name", OF_STEPS)
def test_exhibits_are_caught_along_directions(name):
    real = np.random.default_rng(0).standard_normal((4, 2))
    with mg.bugs.REGISTRY[name]():
        report = check_step(plain_gan(0), real, directions=1, progress=False)
    assert not report.ok
    assert any(row.diagnosis and name in row.diagnosis.exhibits for row in report.failures)


OF_OTHERS = [
    name for name, bug in mg.bugs.REGISTRY.items()
    if bug.caught_by in ("check_layer", "check_penalty")
]  # fmt: skip


@pytest.mark.parametrize("name", OF_OTHERS[::5])
def test_layers_and_penalties_along_directions(name, monkeypatch):
    """What the museum's checks find at every entry, they find along directions."""
    for check in ("check_one_layer", "check_penalty"):
        every = getattr(bug_checks, check)
        monkeypatch.setattr(
            bug_checks, check, lambda *a, every=every, **k: every(*a, directions=2, **k)
        )
    with mg.bugs.REGISTRY[name](), np.errstate(all="ignore"):
        report = mg.bugs.CHECKS[mg.bugs.REGISTRY[name].caught_by](0)
    assert not report.ok
    assert any(row.diagnosis and name in row.diagnosis.exhibits for row in report.failures)


def test_a_large_layer_along_directions():
    layer = L.Conv2d(16, 32, 4, stride=2, padding=1)
    report = mg.gradcheck.check_layer(layer, (4, 8, 8, 16), directions=2, progress=False)
    assert report.ok, report
    assert "random directions" in str(report)
    critic = mg.models.mlp_discriminator((64,), hidden=(64,), rng=0)
    real, fake = np.random.default_rng(0).standard_normal((2, 4, 64))
    report = mg.gradcheck.check_penalty(
        mg.penalties.R1(1.0), critic, real, fake, directions=2, progress=False
    )
    assert report.ok, report
    for check in (
        lambda: mg.gradcheck.check_layer(layer, (4, 8, 8, 16), directions=0),
        lambda: mg.gradcheck.check_penalty(mg.penalties.R1(1.0), critic, real, fake, directions=0),
    ):
        with pytest.raises(ValueError, match="directions"):
            check()


def test_one_wrong_entry_of_a_large_tensor_is_found():
    x = np.random.default_rng(0).standard_normal((50, 40))
    gradient = np.cos(x)
    gradient[31, 7] += 0.5
    report = Report("")
    along = AlongDirections(lambda: float(np.sum(np.sin(x))), 1, np.random.default_rng(1))
    along.compare(report, "function", "gradient", x, gradient)
    (row,) = report.rows
    assert row.verdict == "WRONG" and row.worst.index == (31, 7)
    assert row.compared in (ENTRIES - 1, ENTRIES)


def test_bad_arguments():
    gan, real = images()
    with pytest.raises(ValueError, match="directions"):
        check_step(gan, real, directions=0)
    with pytest.raises(TypeError, match="directions"):
        check_step(gan, real, directions="two")
