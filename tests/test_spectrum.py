"""The game's field and its Jacobian: beside finite differences, the Dirac-GAN, and real steps."""

import numpy as np
import pytest

import minigan as mg
from minigan import dirac
from minigan.layers import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    LayerNorm,
    Linear,
    Reshape,
    Residual,
    SiLU,
    Softplus,
    SpectralNorm,
    Tanh,
)
from minigan.theory.spectrum import Game
from minigan.verify.gradcheck.differences import central_differences
from minigan.verify.gradcheck.report import relative_error

LOSSES = ["Minimax", "NonSaturating", "LeastSquares", "Wasserstein"]


def tanh_game(loss="NonSaturating", penalties=(), fakes=5):
    rng = np.random.default_rng(0)
    return Game(
        mg.Sequential([Linear(1, 4), Tanh(), Linear(4, 1)], rng=rng),
        mg.Sequential([Linear(1, 4), Tanh(), Linear(4, 1)], rng=rng),
        loss=getattr(mg.losses, loss)(),
        real=0.5 + rng.standard_normal((7, 1)),
        noise=rng.standard_normal((fakes, 1)),  # 5, not 7: the two means are not to be confused
        penalties=penalties,
    )


def image_game():
    rng = np.random.default_rng(0)
    generator = [Linear(2, 8), SiLU(), Reshape((2, 2, 2)), ConvTranspose2d(2, 1, 2, stride=2)]
    discriminator = [Conv2d(1, 2, 3, padding=1), Softplus(), Flatten(), Linear(32, 1)]
    return Game(
        mg.Sequential(generator, rng=rng),
        mg.Sequential(discriminator, rng=rng),
        loss=mg.losses.NonSaturating(),
        real=rng.standard_normal((3, 4, 4, 1)),
        noise=rng.standard_normal((4, 2)),
    )


def check_jacobian(game):
    """c' J, for a random c, beside central differences of <c, v>: every column of J."""
    rng = np.random.default_rng(1)
    z = game.start + 0.3 * rng.standard_normal(len(game.start))
    jacobian = game.jacobian(z)
    for c in rng.standard_normal((2, len(z))):
        difference, kinks = central_differences(lambda c=c: float(c @ game.field(z)), z)
        assert not kinks.any()
        assert relative_error(c @ jacobian, difference) < 1e-7


@pytest.mark.parametrize("loss", LOSSES)
def test_jacobian(loss):
    check_jacobian(tanh_game(loss))


def test_jacobian_of_convolutions(backend):
    check_jacobian(image_game())


@pytest.mark.parametrize(
    "penalty",
    [mg.penalties.R1(0.7), mg.penalties.R2(0.7), mg.penalties.GradientPenalty(0.5)],
    ids=repr,
)
def test_jacobian_with_penalties(penalty):
    check_jacobian(tanh_game(penalties=[penalty], fakes=7))


def test_the_product_is_linear_with_penalties():
    game = tanh_game(penalties=[mg.penalties.R1(0.7)])
    u = np.random.default_rng(1).standard_normal(len(game.start))
    expected = game.product(game.start, u)
    for length in (1e-9, 1e6):
        found = game.product(game.start, length * u) / length
        assert relative_error(found, expected) < 1e-9
    assert not game.product(game.start, 0 * u).any()


@pytest.mark.parametrize("loss", LOSSES)
def test_field_is_minus_each_players_own_gradient(loss):
    penalty = mg.penalties.R1(0.7)
    game = tanh_game(loss, [penalty])
    z = game.start.copy()

    def losses():
        fake = game.samples(z)
        real_logits, fake_logits = (
            game.discriminator.forward(x, training=False)[0] for x in (game.real, fake)
        )
        d_value, *_ = game.loss.discriminator(real_logits, fake_logits)
        g_value, *_ = game.loss.generator(real_logits, fake_logits)
        return g_value, d_value + penalty.value(game.discriminator, game.real, fake, 0)

    g_slope, _ = central_differences(lambda: losses()[0], z)
    d_slope, _ = central_differences(lambda: losses()[1], z)
    expected = -np.concatenate([g_slope[: game.split], d_slope[game.split :]])
    assert relative_error(game.field(z), expected) < 1e-7


# -- the smallest game -----------------------------------------------------------------------------


def dirac_game(loss, penalties=()):
    """G(1) = theta, D(x) = w x, one real sample at 0. minigan's w is the paper's -psi."""
    line = [mg.Sequential([Linear(1, 1, bias=False)]) for _ in range(2)]
    return Game(*line, loss=loss, real=[[0.0]], noise=[[1.0]], penalties=penalties)


@pytest.mark.parametrize(
    "method, loss, penalties",
    [
        (dirac.Minimax(), mg.losses.Minimax(), []),
        (dirac.NonSaturating(), mg.losses.NonSaturating(), []),
        (dirac.ClippedWasserstein(), mg.losses.Wasserstein(), []),
        (dirac.R1(0.3), mg.losses.NonSaturating(), [mg.penalties.R1(0.3)]),
        (dirac.R1(0.3), mg.losses.NonSaturating(), [mg.penalties.R2(0.3)]),
        (
            dirac.GradientPenalty(0.5, 1.0),
            mg.losses.Wasserstein(),
            [mg.penalties.GradientPenalty(0.5, 1.0)],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_dirac_gan_is_what_the_library_trains(method, loss, penalties):
    game, flip = dirac_game(loss, penalties), np.array([1.0, -1.0])
    for z in np.random.default_rng(0).uniform(-1.5, 1.5, (5, 2)):
        np.testing.assert_allclose(game.field(flip * z), flip * method.field(*z), rtol=1e-12)
        expected = flip[:, None] * method.jacobian(*z) * flip
        np.testing.assert_allclose(game.jacobian(flip * z), expected, atol=1e-9)


def test_the_relativistic_loss_is_non_saturating_there():
    """Its D is Minimax's; its G climbs f(D(real) - D(fake))."""
    theta, psi = 0.8, -1.2
    real, fake = np.zeros((1, 1)), np.array([[-psi * theta]])
    loss = mg.losses.Relativistic()
    v1, v2 = dirac.NonSaturating().field(theta, psi)
    assert loss.generator(real, fake)[2].item() * psi == pytest.approx(v1)  # dfake/dtheta = -psi
    assert loss.discriminator(real, fake)[2].item() * theta == pytest.approx(v2)


# -- at an equilibrium -----------------------------------------------------------------------------


def at_equilibrium(penalties=()):
    """The data are what G makes, and narrow; D is zero, its hidden layer random."""
    game = tanh_game(penalties=penalties)
    game.start[8:12] *= 0.3
    game.start[-5:] = 0
    game.noise = game.real
    game.real = game.samples(game.start)
    return game


def test_r1_at_an_equilibrium_is_known():
    """There grad_x D = 0, so R1's Hessian in D's output weights is gamma E[grad phi grad phi']."""
    gamma = 0.7
    game, plain = at_equilibrium([mg.penalties.R1(gamma)]), at_equilibrium()
    z = game.start
    weight, bias = z[game.split :][:4], z[game.split :][4:8]
    gradients = (1 - np.tanh(game.real * weight + bias) ** 2) * weight  # (N, 4)
    found = game.jacobian(z) - plain.jacobian(z)
    expected = np.zeros_like(found)
    expected[-5:-1, -5:-1] = -gamma * gradients.T @ gradients / len(game.real)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_a_step_multiplies_each_mode_by_one_plus_h_lambda(gamma):
    """Measured on the left eigenvector of the mode that turns fastest."""
    h, game = 0.2, at_equilibrium([mg.penalties.R1(gamma)])
    equilibrium = game.start
    assert np.abs(game.field(equilibrium)).max() < 1e-15
    eigenvalues, left = np.linalg.eig(game.jacobian(equilibrium).T)
    fastest = np.argmax(eigenvalues.imag)
    assert eigenvalues[fastest].imag > 0.1
    z = equilibrium + 1e-6 * np.random.default_rng(2).standard_normal(len(equilibrium))
    along = []
    for _ in range(30):
        along.append(left[:, fastest] @ (z - equilibrium))
        z = z + h * game.field(z)
    np.testing.assert_allclose(
        np.divide(along[1:], along[:-1]), 1 + h * eigenvalues[fastest], atol=1e-4
    )


def test_r1_pulls_the_spectrum_in():
    plain, penalised = (
        np.linalg.eigvals(game.jacobian(game.start))
        for game in (at_equilibrium(), at_equilibrium([mg.penalties.R1(0.3)]))
    )
    assert np.abs(1 + 0.2 * plain).max() > 1.001
    assert np.abs(1 + 0.2 * penalised).max() < 1 + 1e-4


# -- bad input and side effects --------------------------------------------------------------------


def test_the_networks_are_left_alone():
    generator, discriminator = (mg.Sequential([Linear(1, 1), Tanh(), Linear(1, 1)]) for _ in "GD")
    before = [n.theta.copy() for n in (generator, discriminator)]
    batch = np.ones((2, 1))
    game = Game(generator, discriminator, loss=mg.losses.Minimax(), real=batch, noise=batch)
    game.jacobian(game.start + 1)
    for network, theta in zip((generator, discriminator), before):
        assert np.array_equal(network.theta, theta) and not network.grad.any()


UNWRITTEN = [
    BatchNorm(3), LayerNorm(3), Dropout(0.1), SpectralNorm(Linear(3, 3)), Residual(Linear(3, 3)),
    mg.Sequential([Linear(3, 3)]),
]  # fmt: skip


@pytest.mark.parametrize("layer", UNWRITTEN, ids=repr)
def test_layers_without_written_second_derivatives_are_refused(layer):
    line = mg.Sequential([Linear(1, 1)])
    odd = mg.Sequential([Linear(1, 3), layer, Linear(3, 1)])
    with pytest.raises(TypeError, match=type(layer).__name__):
        Game(line, odd, loss=mg.losses.Minimax(), real=np.ones((2, 1)), noise=np.ones((2, 1)))


def test_losses_without_written_second_derivatives_are_refused():
    line = mg.Sequential([Linear(1, 1)])
    with pytest.raises(TypeError, match="Hinge"):
        Game(line, line, loss=mg.losses.Hinge(), real=np.ones((2, 1)), noise=np.ones((2, 1)))


def test_real_samples_of_another_shape_are_refused():
    game = tanh_game()
    for real in (np.ones((5, 3)), np.ones((5, 1, 1))):
        with pytest.raises(ValueError, match="Game: real must be samples of shape .1,., as gener"):
            Game(game.generator, game.discriminator, loss=game.loss, real=real, noise=game.noise)


def test_points_may_be_lists():
    line = mg.Sequential([Linear(1, 1)])
    batch, penalties = np.ones((2, 1)), [mg.penalties.R1(1.0)]
    loss = mg.losses.Minimax()
    game = Game(line, line.copy(), loss=loss, real=batch, noise=batch, penalties=penalties)
    z, u = game.start, np.arange(4.0)
    assert np.array_equal(game.product(list(z), list(u)), game.product(z, u))
