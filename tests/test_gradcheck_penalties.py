"""Every penalty's gradient beside differences of the penalty; a checker that catches mistakes."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan import penalties as P
from minigan.verify.gradcheck import check_penalty, check_step

PENALTIES = [
    P.R1(0.7), P.R2(1.3), P.GradientPenalty(2.0), P.GradientPenalty(2.0, 0.0), P.Dragan(3.0),
]  # fmt: skip
ACTIVATIONS = [L.LeakyReLU, L.ReLU, L.Tanh, L.Softplus, L.SiLU, L.Sigmoid]
SMOOTH = 1e-8  # what the gradients reach where nothing kinks; the bar is 1e-5


def mlp(phi):
    return [L.Linear(2, 4), phi(), L.Linear(4, 3), phi(), L.Linear(3, 1)], (5, 2)


def convolutional(phi):
    return [L.Conv2d(1, 2, 3, stride=2, padding=1), phi(), L.Conv2d(2, 2, 2), phi(), L.Flatten(),
            L.Linear(2, 1)], (4, 4, 3, 1)  # fmt: skip


def spectral(phi):
    return [L.SpectralNorm(L.Linear(2, 4)), phi(), L.SpectralNorm(L.Linear(4, 1))], (5, 2)


def spectral_images(phi):
    return [L.SpectralNorm(L.Conv2d(1, 2, 2)), phi(), L.SpectralNorm(L.ConvTranspose2d(2, 1, 2)),
            phi(), L.Flatten(), L.Linear(9, 1)], (4, 3, 3, 1)  # fmt: skip


def layer_norm(phi):
    return [L.Linear(2, 4), L.LayerNorm(4), phi(), L.Linear(4, 3), L.LayerNorm(3), phi(),
            L.Linear(3, 1)], (5, 2)  # fmt: skip


def layer_norm_images(phi):
    return [L.Conv2d(1, 2, 2), L.LayerNorm(2), phi(), L.Flatten(), L.Linear(8, 1)], (4, 3, 3, 1)


def fourier(phi):
    return [L.FourierFeatures(2, 2, scale=0.4), L.Linear(4, 2), phi(), L.Linear(2, 1)], (5, 2)


def fourier_inside(phi):
    return [L.Linear(2, 2), L.FourierFeatures(2, 3, scale=0.4), phi(), L.Linear(6, 1)], (5, 2)


def dropout(phi):
    return [L.Dropout(0.2), L.Linear(2, 5), phi(), L.Dropout(0.3), L.Linear(5, 1)], (5, 2)


def pooling(phi):
    return [L.AvgPool2d(2), L.Conv2d(1, 2, 2), phi(), L.Upsample2d(2), L.Conv2d(2, 2, 2), phi(),
            L.Reshape((-1,)), L.Linear(2, 1)], (4, 4, 4, 1)  # fmt: skip


def nested(phi):
    return [mg.Sequential([L.Linear(2, 3), phi()]), mg.Sequential([L.Linear(3, 2), phi()]),
            L.Linear(2, 1)], (5, 2)  # fmt: skip


def residual(phi):
    return [L.Linear(2, 2), L.Residual(mg.Sequential([phi(), L.Linear(2, 3), phi(),
            L.Linear(3, 2)])), phi(), L.Linear(2, 1)], (5, 2)  # fmt: skip


def residual_images(phi):
    branch = [phi(), L.Conv2d(2, 1, 3, padding=1), phi(),
              L.SpectralNorm(L.Conv2d(1, 2, 2, stride=2))]  # fmt: skip
    skip = [L.AvgPool2d(2), L.Conv2d(2, 2, 1)]
    return [L.Conv2d(1, 2, 1), L.Residual(mg.Sequential(branch), mg.Sequential(skip)),
            phi(), L.Flatten(), L.Linear(4, 1)], (4, 4, 2, 1)  # fmt: skip


def residual_first(phi):
    return [L.Residual(L.Residual(mg.Sequential([L.Linear(2, 3), phi(), L.Linear(3, 2)]))),
            phi(), L.Linear(2, 1)], (5, 2)  # fmt: skip


EXTRAS = [spectral, spectral_images, layer_norm, layer_norm_images, fourier, fourier_inside,
          dropout, pooling, nested, residual_first]  # fmt: skip


def critic(make, phi, seed=2):
    """The critic, every parameter (biases too) moved off its first value, and two minibatches."""
    layers, shape = make(phi)
    network = mg.Sequential(layers, dtype="float64", rng=seed)
    rng = np.random.default_rng(seed)
    network.theta += 0.3 * rng.standard_normal(network.theta.size)
    return network, rng.standard_normal(shape), 0.5 + rng.standard_normal(shape)


def gradient_rows(report):
    return [row for row in report.rows if row.check == "gradient"]


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize("phi", ACTIVATIONS)
@pytest.mark.parametrize("make", [mlp, convolutional, residual])
def test_every_penalty_and_activation(make, phi, penalty):
    report = check_penalty(penalty, *critic(make, phi))
    assert report.ok, f"\n{report}"
    assert any(row.norm > 1e-3 for row in gradient_rows(report))
    assert max(row.error for row in gradient_rows(report) if not row.kinks) < SMOOTH


@pytest.mark.parametrize("penalty", [P.R1(0.7), P.GradientPenalty(2.0)], ids=str)
@pytest.mark.parametrize("phi", [L.LeakyReLU, L.Tanh])
@pytest.mark.parametrize("make", [*EXTRAS, residual_images])
def test_every_other_layer(make, phi, penalty):
    report = check_penalty(penalty, *critic(make, phi))
    assert report.ok, f"\n{report}"
    assert any(row.norm > 1e-3 for row in gradient_rows(report))


@pytest.mark.parametrize(
    "make", [mlp, convolutional, spectral_images, layer_norm, nested, residual, residual_images]
)
def test_on_both_backends(make, backend):
    for phi in (L.LeakyReLU, L.Tanh):
        report = check_penalty(P.R1(0.7), *critic(make, phi))
        assert report.ok, f"\n{report}"


@pytest.mark.parametrize("make", [mlp, convolutional, spectral, dropout, residual, residual_images])
def test_biases_of_a_straight_critic_are_held_to_zero(make):
    network, real, fake = critic(make, L.LeakyReLU)
    biases = [name for name, _, _ in network.named_parameters() if name.endswith("bias")]
    report = check_penalty(P.R1(0.7), network, real, fake)
    rows = [row for row in report.rows if row.check == "straight pieces"]
    assert [row.tensor for row in rows] == [f"{name}: zero" for name in biases]
    assert all(row.tolerance == 0 and row.ok for row in rows)


def test_the_critic_itself_is_left_alone():
    network, real, fake = critic(spectral, L.Tanh)
    network.grad[...] = 7.0
    before = [network.theta.copy(), real.copy(), fake.copy()]
    check_penalty(P.GradientPenalty(1.0), network, real, fake)
    assert all(np.array_equal(a, b) for a, b in zip(before, (network.theta, real, fake)))
    assert np.array_equal(network.grad, np.full_like(network.grad, 7.0))


# -- the checker against mistakes ------------------------------------------------------------------


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_a_sweep_without_second_derivative_is_caught(penalty, monkeypatch):
    """The museum's number 20: phi'' left out. Every bias of the hidden layers then gets zero."""
    monkeypatch.setattr(L.Tanh, "curvature", lambda layer, dy, cache, x_dot: None)
    report = check_penalty(penalty, *critic(mlp, L.Tanh))
    assert not report.ok
    assert {"0.weight", "0.bias", "2.bias"} <= {row.tensor for row in report.failures}


def test_a_mean_taken_twice_is_caught(monkeypatch):
    measure = P.R1.measure

    def divides_again(penalty, g):
        value, v = measure(penalty, g)
        return value, v / len(g)

    monkeypatch.setattr(P.R1, "measure", divides_again)
    assert not check_penalty(P.R1(1.0), *critic(mlp, L.Tanh)).ok


def test_sigma_left_out_of_the_chain_is_caught(monkeypatch):
    without = lambda gradient, normalised, sigma, u, v: gradient / sigma  # noqa: E731
    monkeypatch.setattr("minigan.layers.spectral.chain_spectral", without)
    report = check_penalty(P.R1(1.0), *critic(spectral, L.Tanh))
    assert {"0.layer.weight", "2.layer.weight"} <= {row.tensor for row in report.failures}


def test_an_overwritten_gradient_is_caught(monkeypatch):
    accumulate = P.R1.accumulate

    def overwrites(penalty, discriminator, *arguments):
        discriminator.zero_grad()
        return accumulate(penalty, discriminator, *arguments)

    monkeypatch.setattr(P.R1, "accumulate", overwrites)
    report = check_penalty(P.R1(1.0), *critic(mlp, L.Tanh))
    assert [row.check for row in report.failures] == ["adds into grad"]


def test_another_draw_is_caught(monkeypatch):
    monkeypatch.setattr(
        P.Dragan, "value", lambda penalty, d, real, fake, rng: rng.random() and P.R1(1.0).value(
            d, real, fake, rng)
    )  # fmt: skip
    assert not check_penalty(P.Dragan(1.0), *critic(mlp, L.Tanh)).ok


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_a_slope_that_is_wrong_in_float32_alone_is_caught(penalty, monkeypatch, backend):
    measure = type(penalty).measure

    def rounds(penalty, g):
        value, v = measure(penalty, g)
        return value, v * np.float32(1.001) if g.dtype == np.float32 else v

    monkeypatch.setattr(type(penalty), "measure", rounds)
    report = check_penalty(penalty, *critic(mlp, L.Tanh))
    assert [row.check for row in report.failures] == ["accumulate, float32"]
    assert report.failures[0].tensor.startswith("gradient, ")


def test_a_penalty_at_its_minimum_is_lost_in_rounding_and_not_wrong():
    network = mg.Sequential([L.Linear(2, 3), L.Linear(3, 1)], rng=0)
    network.theta[-4:-1] /= np.linalg.norm(
        network.layers[0].params["weight"] @ network.theta[-4:-1]
    )
    report = check_penalty(P.GradientPenalty(1.0), network, *critic(mlp, L.Tanh)[1:])
    assert report.ok, f"\n{report}"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_square_root_at_zero_is_caught(monkeypatch):
    """The museum's number 21: g / |g| at a critic of zeros."""

    def divides(penalty, g):
        lengths = np.linalg.norm(g, axis=1, keepdims=True)
        v = 2 * penalty.weight / len(g) * (lengths - penalty.target) * (g / lengths)
        return penalty.weight * float(np.mean((lengths - penalty.target) ** 2)), v

    monkeypatch.setattr(P.GradientPenalty, "measure", divides)
    report = check_penalty(P.GradientPenalty(1.0), *critic(mlp, L.Tanh))
    assert [row.check for row in report.failures] == ["zeros"]


def test_bad_arguments():
    network, real, fake = critic(mlp, L.Tanh)
    with pytest.raises(TypeError, match="check_penalty: discriminator must be a Sequential"):
        check_penalty(P.R1(1.0), network.layers[0], real, fake)
    with pytest.raises(ValueError, match="BatchNorm"):
        mixing = mg.Sequential([L.Linear(2, 4), L.BatchNorm(4), L.Linear(4, 1)])
        check_penalty(P.R1(1.0), mixing, real, fake)


# -- whole steps -----------------------------------------------------------------------------------

LOSSES = ["Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"]


def game(loss, phi, penalties):
    generator = mg.Sequential([L.Linear(2, 3), L.Tanh(), L.Linear(3, 2)], rng=1)
    discriminator = mg.Sequential(mlp(phi)[0], rng=2)
    discriminator.theta += 0.2 * np.random.default_rng(3).standard_normal(discriminator.theta.size)
    return mg.GAN(
        generator, discriminator, latent_dim=2, loss=getattr(mg.losses, loss)(),
        penalties=penalties, rng=4,
    )  # fmt: skip


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize("loss", LOSSES)
def test_whole_step(loss, penalty):
    phi = L.LeakyReLU if loss in LOSSES[::2] else L.SiLU
    real = np.random.default_rng(5).standard_normal((6, 2))
    report = check_step(game(loss, phi, [penalty]), real)
    assert report.ok, f"\n{report}"


@pytest.mark.parametrize("phi", [L.LeakyReLU, L.Tanh])
def test_whole_step_with_all_of_them(phi, backend):
    real = np.random.default_rng(5).standard_normal((6, 2))
    report = check_step(game("Relativistic", phi, [*PENALTIES, P.WeightClipping(0.5)]), real)
    assert report.ok, f"\n{report}"


@pytest.mark.parametrize("phi", [L.LeakyReLU, L.SiLU])
def test_whole_step_of_a_residual_pair(phi, backend):
    """The recipe of R3GAN: a relativistic loss, R1 and R2, residual networks, beta1 = 0."""
    branch = mg.Sequential([phi(), L.Linear(3, 3), phi(), L.Linear(3, 3)])
    generator = mg.Sequential([L.Linear(2, 3), L.Residual(branch), L.Linear(3, 2)], rng=1)
    gan = mg.GAN(
        generator, mg.Sequential(residual(phi)[0], rng=2), latent_dim=2,
        loss=mg.losses.Relativistic(), penalties=[P.R1(0.7), P.R2(1.3)],
        generator_optimizer=mg.optim.Adam(2e-4, beta1=0.0, beta2=0.99),
        discriminator_optimizer=mg.optim.Adam(2e-4, beta1=0.0, beta2=0.99), rng=4,
    )  # fmt: skip
    report = check_step(gan, np.random.default_rng(5).standard_normal((6, 2)))
    assert report.ok, f"\n{report}"
