"""check_step: a step that cannot be measured fails; one of another form is refused by name."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.gradcheck import check_step

from .checked_parts import REAL, game, noisy, reasons


@pytest.mark.parametrize("layer", [noisy(1e-6), noisy(1e-12)])
def test_a_step_that_is_not_deterministic(layer):
    discriminator = mg.Sequential([L.Linear(2, 3), layer, L.Linear(2, 1)], rng=1)
    report = check_step(game(discriminator), REAL)
    assert not report.ok and "not deterministic" in reasons(report)


def test_a_step_in_float32():
    class Single(L.Tanh):
        def forward(self, x, training=True):
            y, _ = super().forward(np.float32(self.as_input(x)))
            return y.astype(np.float64), y

    discriminator = mg.Sequential([L.Linear(2, 3), Single(), L.Linear(3, 1)], rng=1)
    report = check_step(game(discriminator), REAL)
    assert not report.ok and "coarser than float64" in reasons(report)


class Clipping(mg.optim.SGD):
    """Shortens its gradient in place, to a thousandth."""

    def step(self, theta, grad):
        grad *= 1e-3 / np.linalg.norm(grad)
        super().step(theta, grad)


def test_an_optimizer_that_clips_in_place_is_right():
    gan = game()
    gan.discriminator_optimizer, gan.generator_optimizer = Clipping(), Clipping()
    assert check_step(gan, REAL).ok


def test_a_step_may_set_the_learning_rates():
    class Warming(mg.GAN):
        def train_step(self, real):
            self.generator_optimizer.lr *= 2
            return super().train_step(real)

    gan = game()
    gan.__class__ = Warming
    assert check_step(gan, REAL).ok


def test_what_moves_after_the_last_update():
    class Shrinks(mg.GAN):
        def train_step(self, real):
            figures = super().train_step(real)
            self.generator.theta *= 0.99
            return figures

    gan = game()
    gan.__class__ = Shrinks
    assert [row.tensor for row in check_step(gan, REAL).failures] == [
        "theta_G as its optimizer left it"
    ]


def steps(*players):
    class Mine(mg.GAN):
        def train_step(self, real):
            return {k: v for p in players for k, v in getattr(self, f"{p}_step")(real).items()}

    return Mine


@pytest.mark.parametrize(
    "kind, message",
    [
        (steps("discriminator"), "Mine.train_step must move .* got discriminator$"),
        (steps("generator", "discriminator"), "got generator, discriminator$"),
        (steps("discriminator", "discriminator", "generator"), "got discriminator, discriminator"),
        (mg.game_steps.SimultaneousGAN, "gan must move its discriminator before its generator"),
        (mg.game_steps.ExtragradientGAN, "as GAN does, got ExtragradientGAN; check a GAN of"),
    ],
)
def test_a_step_that_is_no_step_of_both_in_turn(kind, message):
    gan = game()
    gan.__class__ = kind
    with pytest.raises(TypeError, match=f"^check_step: .*{message}"):
        check_step(gan, REAL)


@pytest.mark.parametrize(
    "dx, message",
    [
        (lambda dy: None, "got None"),
        (lambda dy: dy.tolist(), "got \\[\\["),
        (lambda dy: dy[:, :2], r"of the shape of x, \(5, 3\), got \(5, 2\)"),
        (lambda dy: dy.sum(axis=0), r"of the shape of x, \(5, 3\), got \(3,\)"),
    ],
    ids=["nothing", "a list", "columns left out", "a sum"],
)
def test_a_layer_of_ones_own_that_returns_something_else_is_named(dx, message):
    class Own(L.Layer):
        def forward(self, x, training=True):
            return self.as_input(x), None

        def backward_input(self, dy, cache):
            return dx(dy)

    critic = mg.Sequential([L.Linear(2, 3), Own(), L.Linear(3, 1)])
    gan = mg.GAN(mg.models.mlp_generator(2, (2,), hidden=(4,)), critic, latent_dim=2)
    words = f"^check_step: Own.backward_input must return dx, an array of real numbers.*{message}"
    with pytest.raises((TypeError, ValueError), match=words):
        check_step(gan, REAL)


def test_a_penalty_of_ones_own_without_a_value_is_named():
    class Decay(mg.penalties.WeightClipping):
        def accumulate(self, discriminator, real, fake, rng):
            discriminator.grad += 0.1 * discriminator.theta

    gan = game(penalties=[Decay(1.0)])
    with pytest.raises(TypeError, match="check_step: Decay.accumulate must return a number, got N"):
        check_step(gan, REAL)
