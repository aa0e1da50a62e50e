"""The doctor: each provoked illness by its name, no symptom where there is none."""

import contextlib

import numpy as np
import pytest

import minigan as mg
from minigan.observe.diagnosis import SIGNS

RING, MOONS = mg.data.gaussian_ring(std=0.05), mg.data.two_moons(std=0.08)
FADING = mg.schedules.linear(start=0.3, final=0.01)
FARAWAY = RING.sample(5000, 0) + np.array([8, 0], np.float32)


def mlp(seed):
    return mg.models.mlp_generator(2, (2,), hidden=(32, 32), rng=seed)


def sigmoids(seed):
    sizes = [2] + [16] * 7
    inside = [
        layer
        for a, b in zip(sizes, sizes[1:])
        for layer in (mg.layers.Linear(a, b), mg.layers.Sigmoid())
    ]
    return mg.Sequential([*inside, mg.layers.Linear(16, 2)], rng=seed)


def visit(
    data, loss, seed, *, steps=400, lr_d=2e-3, lr_g=2e-3, optimizer=mg.optim.Adam, make=mlp,
    penalties=(), schedule=FADING,
):  # fmt: skip
    discriminator = mg.models.mlp_discriminator((2,), hidden=(32, 32), rng=seed + 1)
    gan = mg.GAN(
        make(seed),
        discriminator,
        latent_dim=2,
        loss=loss,
        penalties=penalties,
        generator_optimizer=optimizer(lr=lr_g),
        discriminator_optimizer=optimizer(lr=lr_d),
        rng=seed,
    )
    vitals = mg.watch.Vitals(gan, data, rng=seed)
    try:
        with np.errstate(all="ignore"):
            mg.train(
                gan, data, steps=steps, schedule=schedule,
                callback=vitals, progress=False, rng=seed,
            )  # fmt: skip
    except FloatingPointError:
        pass
    return mg.diagnose(vitals)


ILL = {
    "learning rate too high": (
        RING,
        mg.losses.NonSaturating(),
        {"lr_d": 0.5, "lr_g": 0.5, "schedule": None},
    ),
    "divergence": (
        RING,
        mg.losses.LeastSquares(),
        {"optimizer": mg.optim.SGD, "lr_d": 5.0, "schedule": None},
    ),
    "generator starved": (FARAWAY, mg.losses.Minimax(), {"lr_g": 1e-5}),
    "discriminator saturated": (FARAWAY, mg.losses.NonSaturating(), {"lr_g": 1e-6}),
    "gradients out of balance": (RING, mg.losses.NonSaturating(), {"make": sigmoids}),
    "mode collapse": (RING, mg.losses.NonSaturating(), {"lr_d": 1e-4, "lr_g": 1e-2}),
}


@pytest.mark.parametrize("illness", ILL)
def test_an_illness_is_named(illness):
    data, loss, choices = ILL[illness]
    diagnosis = visit(data, loss, 0, **choices)
    assert illness in diagnosis.names and not diagnosis.healthy
    words = str(diagnosis)
    assert illness.upper() in words and "Try: " in words and "ILL" in words


@pytest.mark.parametrize(
    "loss, penalties",
    [
        (mg.losses.NonSaturating(), []),
        (mg.losses.Relativistic(), [mg.penalties.R1(0.05), mg.penalties.R2(0.05)]),
        (mg.losses.Hinge(), []),
        (mg.losses.LeastSquares(), []),
    ],
)
def test_a_healthy_training_has_no_symptom(loss, penalties):
    diagnosis = visit(MOONS, loss, 1, steps=2400, penalties=penalties)  # until it has settled
    assert diagnosis.healthy, str(diagnosis)
    words = str(diagnosis)
    assert "No symptom found" in words and "cannot tell whether G has learned" in words
    assert "health." not in words and repr(diagnosis) == "<Diagnosis: no symptom>"


@pytest.mark.parametrize("seed", [0, 9])
def test_a_rate_that_is_too_high_is_seen_through_a_discriminator_that_is_sure(seed):
    """The logits of the samples it is sure of lie far apart, and hide how the others jump."""
    choices = {"lr_d": 0.1, "lr_g": 1e-3, "schedule": None}
    diagnosis = visit(RING, mg.losses.NonSaturating(), seed, **choices)
    assert diagnosis.names[:1] == ["learning rate too high"], str(diagnosis)


def test_every_reading_is_printed_beside_its_threshold():
    diagnosis = visit(MOONS, mg.losses.NonSaturating(), 0, steps=20)
    lines = str(diagnosis).splitlines()[1:]
    for sign, reading, line in zip(SIGNS, diagnosis.readings, lines):
        assert reading.sign is sign and sign.words in line
        assert f"{reading.value:10.3g}" in line and f"= {sign.threshold:g}" in line
        assert diagnosis.scalars()[sign.column] == reading.value


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.column)
def test_a_sign_is_ill_on_one_side_of_its_threshold_and_where_it_is_no_number(sign):
    worse = 0.9 if sign.low else 1.1
    assert sign.is_symptom(worse * sign.threshold) and not sign.is_symptom(sign.threshold)
    assert sign.is_symptom(float("nan"))


def test_what_was_not_watched_cannot_be_diagnosed():
    gan = mg.GAN(mlp(0), mg.models.mlp_discriminator((2,)), latent_dim=2)
    with pytest.raises(TypeError, match="vitals must be a Vitals"):
        mg.diagnose(gan)
    with pytest.raises(ValueError, match="nothing was measured"):
        mg.diagnose(mg.watch.Vitals(gan, MOONS))


def test_training_prints_the_diagnosis(capsys):
    gan = mg.GAN(mlp(0), mg.models.mlp_discriminator((2,)), latent_dim=2)
    vitals = mg.watch.Vitals(gan, MOONS)
    mg.train(gan, MOONS, steps=3, callback=[print, vitals])
    assert str(mg.diagnose(vitals)) in capsys.readouterr().out
    mg.train(gan, MOONS, steps=3, callback=vitals, progress=False)
    assert capsys.readouterr().out == ""


class HalfSine(mg.layers.Layer):
    """(1 + sin x) / 2: bounded by (0, 1) under a name that says nothing of it."""

    piecewise_linear = False

    def forward(self, x, training=True):
        return (1 + np.sin(x)) / 2, x

    def backward_input(self, dy, cache):
        return dy * np.cos(cache) / 2


def ended_by(*last):
    return mg.Sequential([mg.layers.Linear(2, 16), mg.layers.LeakyReLU(), *last])


BOUNDED = {
    "Sigmoid": lambda: ended_by(mg.layers.Linear(16, 1), mg.layers.Sigmoid()),
    "Tanh": lambda: ended_by(mg.layers.Linear(16, 1), mg.layers.Tanh()),
    "inside": lambda: ended_by(mg.Sequential([mg.layers.Linear(16, 1), mg.layers.Sigmoid()])),
    "unnamed": lambda: ended_by(mg.layers.Linear(16, 1), HalfSine()),
}


@pytest.mark.parametrize("kind", BOUNDED)
@pytest.mark.parametrize("loss", [mg.losses.NonSaturating(), mg.losses.Hinge()])
def test_a_discriminator_that_gives_no_logits_is_seen(kind, loss):
    named = kind != "unnamed"  # then GAN itself warns
    with pytest.warns(UserWarning, match="expects logits") if named else contextlib.nullcontext():
        gan = mg.GAN(mlp(0), BOUNDED[kind](), latent_dim=2, loss=loss)
    vitals = mg.watch.Vitals(gan, RING)
    mg.train(gan, RING, steps=240, batch_size=32, progress=False, callback=vitals)
    diagnosis = mg.diagnose(vitals)
    assert diagnosis.names[0] == "bounded discriminator", str(diagnosis)
    assert "Remove the Sigmoid or Tanh" in str(diagnosis)


def test_logits_that_happen_to_lie_between_0_and_1_are_no_symptom():
    """The relativistic loss leaves the mean of the logits free."""
    discriminator = mg.Sequential([mg.layers.Linear(2, 1)])
    discriminator.theta[...] = 1e-3, 1e-3, 0.5
    gan = mg.GAN(mlp(0), discriminator, latent_dim=2, loss=mg.losses.Relativistic())
    vitals = mg.watch.Vitals(gan, RING)
    mg.train(gan, RING, steps=20, batch_size=32, progress=False, callback=vitals)
    assert 0 < min(vitals.columns["logit_low"]) and max(vitals.columns["logit_high"]) < 1
    assert mg.diagnose(vitals).scalars()["logits_bounded"] == 0


def test_too_little_training_is_seen_by_its_steps():
    diagnosis = visit(MOONS, mg.losses.NonSaturating(), 0, steps=60, schedule=None)
    assert "too little training" in diagnosis.names and diagnosis.scalars()["steps"] == 60


def test_the_steps_are_those_of_training_not_of_the_last_measurement():
    gan = mg.GAN(mlp(0), mg.models.mlp_discriminator((2,), hidden=(4,)), latent_dim=2)
    vitals = mg.watch.Vitals(gan, RING, every=500)
    mg.train(gan, RING, steps=250, batch_size=8, progress=False, callback=vitals)
    assert vitals.steps == [1] and mg.diagnose(vitals).scalars()["steps"] == 250


def test_too_little_training_is_seen_by_a_distance_that_falls():
    data = MOONS.sample(4000, 0) + np.array([4, 0], np.float32)
    choices = {"steps": 300, "schedule": None, "lr_d": 3e-4, "lr_g": 3e-4}
    choices["penalties"] = [mg.penalties.R1(0.1), mg.penalties.R2(0.1)]
    short = visit(data, mg.losses.Relativistic(), 2, **choices)
    assert short.scalars()["falling"] > 1.5 and "too little training" in short.names
