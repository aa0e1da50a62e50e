"""The game's own steps and optimizers: by hand, beside differences of the losses, and in theory."""

import copy

import numpy as np
import pytest

import minigan as mg
from minigan import dirac
from minigan.layers import BatchNorm, Linear, Tanh
from minigan.optim import SGD, Adam
from minigan.theory.forecast import forecast, measured_multiplier
from minigan.training.game_steps import (
    ConsensusGAN,
    ExtragradientGAN,
    Lookahead,
    OptimisticAdam,
    OptimisticSGD,
    SimultaneousGAN,
    two_time_scales,
)
from minigan.verify.gradcheck.differences import central_differences
from minigan.verify.gradcheck.report import relative_error

H = 0.2
RULES = [
    dirac.Extragradient(H),
    dirac.Optimistic(H),
    dirac.LookaheadRounds(dirac.Simultaneous(H), every=5, fraction=0.5),
    dirac.LookaheadRounds(dirac.Alternating(H), every=4, fraction=0.3),
    dirac.LookaheadRounds(dirac.Optimistic(H), every=2, fraction=0.5),
]
METHODS = [
    dirac.Bilinear(), dirac.Minimax(), dirac.NonSaturating(), dirac.R1(0.3), dirac.R1(2.0),
    dirac.InstanceNoise(1.0), dirac.Consensus(1.0),
]  # fmt: skip


# -- in the Dirac laboratory -----------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_measured_contraction(method, rule):
    predicted = dirac.predicted_contraction(method, rule)
    assert dirac.measured_contraction(method, rule, steps=1500) == pytest.approx(
        predicted, abs=1e-3
    )


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_matrix_is_the_step(rule):
    state = rule.begin(np.zeros(2))
    for method in METHODS:
        rows = [
            central_differences(lambda n=n, m=method: float(rule(m, state)[n]), state)[0]
            for n in range(len(state))
        ]
        found = rule.matrix(method.jacobian(0.0, 0.0))
        assert relative_error(found, np.array(rows)) < 1e-7


@pytest.mark.parametrize("w", [0.1, 0.4, 0.5])
def test_contraction_by_the_docstring(w):
    """On the bilinear game, where h = w: the squares."""
    k, a = 5, 0.5
    r, phi = np.sqrt(1 + w**2), np.arctan(w)
    table = {
        dirac.Simultaneous(w): 1 + w**2,
        dirac.Extragradient(w): 1 - w**2 + w**4,
        dirac.Optimistic(w): (1 + np.sqrt(1 - 4 * w**2)) / 2,
        dirac.LookaheadRounds(dirac.Simultaneous(w), every=k, fraction=a): (
            (1 - a) ** 2 + 2 * a * (1 - a) * r**k * np.cos(k * phi) + (a * r**k) ** 2
        ),
    }
    for rule, square in table.items():
        found = dirac.predicted_contraction(dirac.Bilinear(), rule)
        assert found**2 == pytest.approx(square, abs=1e-7)  # w = 1/2: a double root


def test_where_extragradient_and_optimistic_stop_converging():
    for make, edge in ((dirac.Extragradient, 1.0), (dirac.Optimistic, 1 / np.sqrt(3))):
        below, above = (
            dirac.predicted_contraction(dirac.Bilinear(), make(h))
            for h in (edge - 0.01, edge + 0.01)
        )
        assert below < 1 < above


def test_the_bilinear_game():
    """Simultaneous steps diverge; extragradient and optimistic ones converge as predicted."""
    paths = {
        rule.name: np.hypot(*dirac.trajectory(dirac.Bilinear(), rule, (1.0, 1.0), 400).T)
        for rule in (dirac.Simultaneous(H), dirac.Extragradient(H), dirac.Optimistic(H))
    }
    assert paths["simultaneous"][-1] > 1000
    for name, square in (
        ("extragradient", 1 - H**2 + H**4),
        ("optimistic", (1 + np.sqrt(1 - 4 * H**2)) / 2),
    ):
        rate = (paths[name][-1] / paths[name][200]) ** (1 / 200)
        assert paths[name][-1] < 1e-3 and rate == pytest.approx(np.sqrt(square), abs=1e-4)


# -- the optimizers, by hand -----------------------------------------------------------------------


def test_optimistic_sgd_by_hand():
    """lr 0.5, gradients 1, 3, -2: moves by -.5 (1), -.5 (6 - 1), -.5 (-4 - 3)."""
    theta, optimizer = np.zeros(1), OptimisticSGD(0.5)
    for grad, expected in [(1.0, -0.5), (3.0, -3.0), (-2.0, 0.5)]:
        optimizer.step(theta, np.array([grad]))
        assert theta[0] == pytest.approx(expected, rel=1e-14)


def test_optimistic_adam_is_adam_with_the_step_before_taken_back():
    rng = np.random.default_rng(0)
    plain, optimistic = np.zeros(3), np.zeros(3)
    adam, ours = Adam(0.1, beta1=0.5, beta2=0.75), OptimisticAdam(0.1, beta1=0.5, beta2=0.75)
    before = np.zeros(3)
    expected = np.zeros(3)
    for _ in range(4):
        grad, start = rng.standard_normal(3), plain.copy()
        adam.step(plain, grad)
        ours.step(optimistic, grad)
        move = plain - start
        expected += 2 * move - before
        before = move
        np.testing.assert_allclose(optimistic, expected, rtol=1e-12)


def test_two_time_scales():
    options = two_time_scales(generator_lr=0.1, discriminator_lr=0.4, beta1=0.0)
    assert [(o.lr, o.beta1) for o in options.values()] == [(0.1, 0.0), (0.4, 0.0)]
    assert list(options) == ["generator_optimizer", "discriminator_optimizer"]


# -- whole steps -----------------------------------------------------------------------------------


class Recorder:
    """An optimizer that notes where it was called, and with which gradient."""

    def __init__(self, gan, optimizer, calls, player):
        self.gan, self.optimizer, self.calls, self.player = gan, optimizer, calls, player

    def step(self, theta, grad):
        z = self.gan.generator.theta.copy(), self.gan.discriminator.theta.copy()
        self.calls.append((self.player, *z, grad.copy()))
        self.optimizer.step(theta, grad)


PENALTIES = (mg.penalties.R1(0.7),)


def small(kind, optimizer=SGD, lr=0.3, penalties=PENALTIES, **options):
    G = mg.Sequential([Linear(2, 3), Tanh(), Linear(3, 2)], dtype="float64", rng=0)
    D = mg.Sequential([Linear(2, 4), Tanh(), Linear(4, 1)], dtype="float64", rng=1)
    return kind(
        G, D, latent_dim=2, penalties=penalties, generator_optimizer=optimizer(lr),
        discriminator_optimizer=optimizer(lr), rng=2, **options,
    )  # fmt: skip


def losses(gan, noise, real):
    """(L_G, L_D), penalties included, from forward passes."""
    fake, _ = gan.generator.forward(noise)
    logits = [gan.discriminator.forward(x)[0] for x in (real, fake)]
    penalties = sum(p.value(gan.discriminator, real, fake, 0) for p in gan.penalties)
    return gan.loss.generator(*logits)[0], gan.loss.discriminator(*logits)[0] + penalties


REAL = np.random.default_rng(5).standard_normal((6, 2))


@pytest.mark.parametrize("kind, calls_expected", [(SimultaneousGAN, 2), (ExtragradientGAN, 4)])
@pytest.mark.parametrize("loss", ["NonSaturating", "Relativistic", "Wasserstein"])
def test_whole_step(kind, calls_expected, loss, backend):
    """Every gradient that an optimizer is given is that of its player's loss, at one and the same
    point for both, every parameter compared with differences."""
    gan, calls = small(kind, loss=getattr(mg.losses, loss)()), []
    noise = copy.deepcopy(gan).draw_noise(len(REAL))
    start = gan.generator.theta.copy(), gan.discriminator.theta.copy()
    for player in ("generator", "discriminator"):
        name = f"{player}_optimizer"
        setattr(gan, name, Recorder(gan, getattr(gan, name), calls, player))
    gan.train_step(REAL)
    end = gan.generator.theta.copy(), gan.discriminator.theta.copy()
    assert len(calls) == calls_expected
    moved = start
    for first, second in zip(calls[::2], calls[1::2]):
        gradients = {first[0]: first[3], second[0]: second[3]}
        gan.generator.theta, gan.discriminator.theta = moved
        for i, player in enumerate(("generator", "discriminator")):
            theta = getattr(gan, player).theta
            found, _ = central_differences(lambda i=i: losses(gan, noise, REAL)[i], theta)
            assert relative_error(gradients[player], found) < 1e-5
        moved = [s - 0.3 * gradients[p] for s, p in zip(start, ("generator", "discriminator"))]
    for found, expected in zip(end, moved):
        np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("loss", ["Minimax", "NonSaturating", "LeastSquares", "Wasserstein"])
def test_consensus(loss):
    """The step's gradient is that of L + gamma R, R = half the squared length of both gradients."""
    gan = small(ConsensusGAN, penalties=(), gamma=0.4, loss=getattr(mg.losses, loss)())
    noise = copy.deepcopy(gan).draw_noise(len(REAL))
    game = gan._game(REAL, noise)
    z, half = game.start.copy(), game.split
    regulariser, kinks = central_differences(lambda: float(np.sum(game.field(z) ** 2)) / 2, z)
    assert not kinks.any()
    assert relative_error(game.consensus_gradient(z), regulariser) < 1e-7
    expected = game.start + 0.3 * (game.field(game.start) - 0.4 * regulariser)
    gan.train_step(REAL)
    np.testing.assert_allclose(gan.generator.theta, expected[:half], rtol=1e-6)
    np.testing.assert_allclose(gan.discriminator.theta, expected[half:], rtol=1e-6)


def test_extragradient_moves_running_statistics_once():
    G = mg.Sequential([Linear(2, 3), BatchNorm(3), Linear(3, 2)], rng=0)
    D = mg.Sequential([Linear(2, 1)], rng=1)
    plain = SimultaneousGAN(G.copy(), D.copy(), latent_dim=2, rng=2)
    extra = ExtragradientGAN(G.copy(), D.copy(), latent_dim=2, rng=2)
    for gan in (plain, extra):
        gan.train_step(REAL)
    for (_, a), (_, b) in zip(plain.generator.named_buffers(), extra.generator.named_buffers()):
        assert np.array_equal(a, b)


def test_lookahead_by_hand():
    gan = small(mg.GAN)
    start = gan.generator.theta.copy()
    lookahead = Lookahead(gan, every=2, fraction=0.25)
    for step in (1, 2):
        gan.generator.theta += 4.0
        lookahead(step, gan, {})
        assert np.allclose(gan.generator.theta, start + (4 if step == 1 else 2))


def test_lookahead_begins_where_the_training_begins():
    """Not at the parameters of when it was made, to which it would lead back."""
    thetas = []
    for early in (True, False):
        gan = small(mg.GAN)
        lookahead = Lookahead(gan) if early else None
        mg.train(gan, REAL, steps=20, batch_size=4, progress=False)
        lookahead = lookahead or Lookahead(gan)
        mg.train(gan, REAL, steps=5, batch_size=4, progress=False, callback=lookahead)
        thetas.append(gan.generator.theta.copy())
    assert np.array_equal(*thetas)


@pytest.mark.parametrize(
    "kind, optimizer", [(ExtragradientGAN, Adam), (SimultaneousGAN, OptimisticAdam)]
)
def test_training_resumes_with_the_same_bits(kind, optimizer, tmp_path):
    def train(steps, path, **options):
        gan = small(kind, optimizer, lr=0.01)
        mg.train(
            gan, REAL, steps=steps, batch_size=4, progress=False, checkpoint=path,
            callback=Lookahead(gan, every=3), **options,
        )  # fmt: skip
        return np.concatenate([gan.generator.theta, gan.discriminator.theta])

    whole = train(7, tmp_path / "whole.npz")
    train(4, tmp_path / "cut.npz")
    assert np.array_equal(train(7, tmp_path / "cut.npz", resume=True), whole)
    other = small(mg.GAN, optimizer, lr=0.01)
    with pytest.raises(ValueError, match=f"expected step GAN, got {kind.__name__}"):
        mg.train(
            other, REAL, steps=9, batch_size=4, progress=False, resume=True,
            checkpoint=tmp_path / "cut.npz", callback=Lookahead(other, every=3),
        )  # fmt: skip


# -- a real GAN, near its equilibrium --------------------------------------------------------------


@pytest.fixture(scope="module")
def equilibrium():
    """(G, D, real, noise): the data are what G makes of the noise, and D is 0."""
    rng = np.random.default_rng(0)
    G = mg.Sequential([Linear(2, 6), Tanh(), Linear(6, 2)], dtype="float64", rng=0)
    D = mg.Sequential([Linear(2, 6), Tanh(), Linear(6, 1)], dtype="float64", rng=1)
    D.layers[0].params["bias"] = rng.normal(0, 0.5, 6)
    D.layers[2].params["weight"][...] = 0
    noise = rng.standard_normal((32, 2))
    return G, D, G.forward(noise)[0].copy(), noise


STEPS = {
    "simultaneous": (SimultaneousGAN, SGD, {}),
    "alternating": (mg.GAN, SGD, {}),
    "extragradient": (ExtragradientGAN, SGD, {}),
    "optimistic": (SimultaneousGAN, OptimisticSGD, {}),
    "consensus": (ConsensusGAN, SGD, {"gamma": 0.5, "penalties": ()}),
    "lookahead": (SimultaneousGAN, SGD, {}),
    "two time scales": (mg.GAN, SGD, {}),
}


@pytest.mark.parametrize("name", STEPS)
def test_rotation_and_decay_are_as_predicted(name, equilibrium):
    G, D, real, noise = equilibrium
    kind, optimizer, options = STEPS[name]
    gan = kind(
        G.copy(), D.copy(), latent_dim=2, generator_optimizer=optimizer(H),
        discriminator_optimizer=optimizer(2 * H if name == "two time scales" else H),
        **({"penalties": [mg.penalties.R1(0.1)]} | options),
    )  # fmt: skip
    gan.draw_noise = lambda n: noise
    every = 5 if name == "lookahead" else 1
    lookahead = Lookahead(gan, every=every) if name == "lookahead" else None
    found = forecast(gan, real, noise, lookahead=lookahead)
    z, split = found.game.start, found.game.split
    assert np.abs(found.game.field(z)).max() < 1e-12
    mu, mode = found.fastest()
    along = mode[: len(z)].real / np.linalg.norm(mode[: len(z)].real)
    gan.generator.theta, gan.discriminator.theta = np.split(z + 1e-6 * along, [split])
    series = []
    for step in range(1, 60 * every + 1):
        if (step - 1) % every == 0:
            now = np.concatenate([gan.generator.theta, gan.discriminator.theta])
            series.append(along @ (now - z) / 1e-6)
        figures = gan.train_step(real)
        if lookahead:
            lookahead(step, gan, figures)
    measured = measured_multiplier(series[6:])
    assert np.angle(mu) > 0.01 and abs(np.log(abs(mu))) > 1e-3
    assert np.angle(measured) == pytest.approx(np.angle(mu), rel=0.1)
    assert np.log(abs(measured)) == pytest.approx(np.log(abs(mu)), rel=0.1)
    assert "phase factor" in str(found) and found.conditioning > 1 and found.phase_factor > 0


def test_measured_multiplier_of_a_known_series():
    mu = 0.97 * np.exp(0.2j)
    series = np.real((1 - 2j) * mu ** np.arange(30))
    assert measured_multiplier(series) == pytest.approx(mu, abs=1e-12)


# -- bad input -------------------------------------------------------------------------------------


def test_what_has_no_known_step_is_refused():
    noise = np.ones((4, 2))
    for lr, penalties, words in (
        (0.0, (), "a learning rate of gan must be > 0, got 0 for both players"),
        (0.1, [mg.penalties.WeightClipping(0.1)], "M is not known with .WeightClipping"),
    ):
        gan = small(mg.GAN, SGD, lr=lr)
        gan.penalties = penalties
        with pytest.raises(ValueError, match=f"forecast: .*{words}"):
            forecast(gan, REAL, noise)


def test_bad_input():
    gan = small(mg.GAN)
    with pytest.raises(ValueError, match="OptimisticAdam: beta1"):
        OptimisticAdam(beta1=1.0)
    with pytest.raises(ValueError, match="Lookahead: fraction"):
        Lookahead(gan, fraction=0)
    with pytest.raises(TypeError, match="Lookahead: gan must be a GAN"):
        Lookahead(None)
    with pytest.raises(ValueError, match="gan must be the one it was made for"):
        Lookahead(gan)(1, small(mg.GAN), {})
    with pytest.raises(ValueError, match="penalties must be empty"):
        small(ConsensusGAN, gamma=1.0)
    with pytest.raises(TypeError, match="second derivatives are written, got Hinge"):
        small(ConsensusGAN, penalties=(), gamma=1.0, loss=mg.losses.Hinge())
    with pytest.raises(TypeError, match="LookaheadRounds: inner must be a Step"):
        dirac.LookaheadRounds(None)
    with pytest.raises(ValueError, match="at least 4 finite numbers"):
        measured_multiplier([1.0, 2.0])
    for kind, optimizer in ((mg.GAN, Adam), (mg.GAN, OptimisticSGD)):
        with pytest.raises(TypeError, match="the step of GAN is not known with the optimizers"):
            forecast(small(kind, optimizer), REAL, REAL)
