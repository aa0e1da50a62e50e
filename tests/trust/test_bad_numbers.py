"""Numbers that go bad: the step, the first bad tensor by name, a cause, and what is left."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.observe.not_finite import first_not_finite

REAL = np.random.default_rng(0).standard_normal((8, 2))


def small(**options):
    return mg.GAN(
        mg.Sequential([L.Linear(2, 8), L.BatchNorm(8), L.ReLU(), L.Linear(8, 2)], rng=1),
        mg.Sequential([L.Linear(2, 8), L.LeakyReLU(), L.Linear(8, 1)], rng=2),
        latent_dim=2,
        **options,
    )


def spoil(network, name, value):
    found = {n: v for n, v, _ in network.named_parameters()} | dict(network.named_buffers())
    found[name][...] = value


@pytest.mark.parametrize(
    "player, name, value, named",
    [
        ("generator", "0.weight", np.nan, "the generator's parameter 0.weight"),
        ("generator", "3.bias", np.inf, "the generator's parameter 3.bias"),
        ("generator", "1.running_mean", np.nan, "the generator's buffer 1.running_mean"),
        ("discriminator", "2.bias", -np.inf, "the discriminator's parameter 2.bias"),
        ("generator", "1.gamma", 3e38, "the output of the generator's layer 1, BatchNorm(8)"),
        ("generator", "3.weight", 3e38, "the output of the generator's layer 3, Linear(8, 2)"),
        ("discriminator", "0.weight", 3e38, "the output of the discriminator's layer 0, Linear"),
        ("discriminator", "2.weight", 3e38, "the output of the discriminator's layer 2, Linear"),
    ],
)
def test_the_first_tensor_is_named(player, name, value, named):
    gan = small()
    spoil(getattr(gan, player), name, value)
    what, cause = first_not_finite(gan, REAL)
    assert what.startswith(named) and "learning rate" in cause


def test_gradients_are_named_too():
    gan = small(penalties=[mg.penalties.R1(1e38)])
    spoil(gan.discriminator, "0.weight", 1e5)
    what, _ = first_not_finite(gan, REAL)
    assert what.startswith("R1(1e+38)'s gradient of ")


def test_gradients_inside_of_layers_are_named_too():
    """1e30 passes forward; on its way back it meets an input of 1e30, and overflows."""
    gan = small()
    critic = [L.Residual(mg.Sequential([L.Linear(2, 4), L.LeakyReLU(), L.Linear(4, 2)]))]
    gan = mg.GAN(gan.generator, mg.Sequential([*critic, L.Linear(2, 1)]), latent_dim=2)
    for name, value, _ in gan.discriminator.named_parameters():
        value[...] = {"0.branch.0.weight": 1e-30, "0.branch.2.weight": 1e30}.get(name, 0)
        if name == "1.weight":
            value[...] = [[1e30], [1e30]]
    what, _ = first_not_finite(gan, REAL)
    assert what.startswith("the discriminator's gradient of 0.branch.")


def test_nothing_to_find():
    gan = small()
    theta = gan.generator.theta.copy()
    buffers = [value.copy() for _, value in gan.generator.named_buffers()]
    what, _ = first_not_finite(gan, REAL)
    assert what == "" and np.array_equal(theta, gan.generator.theta)
    for before, (_, after) in zip(buffers, gan.generator.named_buffers()):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_training_stops_at_its_step_and_keeps_the_checkpoint(value, tmp_path, backend):
    gan, file = small(), tmp_path / "run.npz"

    def callback(step, gan, figures):
        if step == 7:
            spoil(gan.discriminator, "0.bias", value)

    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as raised:
        mg.train(
            gan, REAL, steps=20, batch_size=8, callback=callback, progress=False,
            checkpoint=file, checkpoint_every=3,
        )  # fmt: skip
    message = str(raised.value)
    for part in ("step 8: discriminator loss is ", "first not finite: the ", str(file)):
        assert part in message
    assert "learning rate" in message and "\n" not in message
    fresh = small()
    history = mg.train(
        fresh, REAL, steps=6, batch_size=8, progress=False, checkpoint=file, resume=True
    )
    assert len(history) == 6 and np.isfinite(fresh.discriminator.theta).all()


def test_a_critic_s_extra_steps_are_looked_at(backend):
    gan = small()
    gan.discriminator.theta[0] = np.nan
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="step 1: disc"):
        mg.train(gan, REAL, steps=3, batch_size=8, critic_steps=4, progress=False)
    assert gan.generator_optimizer.steps == 0


def test_a_history_holds_no_nan():
    history = mg.History()
    history.append(1, {"loss": 0.5})
    for value in (float("nan"), float("inf")):
        with pytest.raises(FloatingPointError, match="step 2: loss is"):
            history.append(2, {"loss": value})
    assert history["loss"] == [0.5] and len(history) == 1


def test_a_bad_step_moves_nothing_and_is_traced_to_its_tensor(backend):
    gan = small()

    def callback(step, gan, figures):
        if step == 3:
            spoil(gan.discriminator, "2.bias", np.nan)

    with (
        np.errstate(all="ignore"),
        pytest.raises(
            FloatingPointError,
            match="step 4: .* first not finite: the discriminator's parameter 2.bias",
        ),
    ):
        mg.train(gan, REAL, steps=9, batch_size=8, callback=callback, progress=False)
    assert np.isfinite(gan.generator.theta).all()
    assert gan.discriminator_optimizer.steps == 3
