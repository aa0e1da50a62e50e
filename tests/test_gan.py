"""The game: whole updates against differences, the seven steps, and who is left untouched."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.gradcheck import check_step

LOSSES = ["Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"]


def mlp(loss="NonSaturating", **options):
    generator = mg.models.mlp_generator(3, (2,), hidden=(6, 5), rng=1)
    discriminator = mg.models.mlp_discriminator((2,), hidden=(6, 5), rng=2)
    return mg.GAN(
        generator, discriminator, latent_dim=3, loss=getattr(mg.losses, loss)(), rng=3, **options
    )


def everything(loss="NonSaturating"):
    """Every kind of layer that complicates a step: mixing, random, stateful, convolutional."""
    generator = mg.Sequential(
        [
            L.Linear(3, 3 * 3 * 2), L.Reshape((3, 3, 2)), L.BatchNorm(2), L.ReLU(),
            L.ConvTranspose2d(2, 1, 4, stride=2, padding=1), L.Tanh(),
        ],
        rng=1,
    )  # fmt: skip
    discriminator = mg.Sequential(
        [
            L.Conv2d(1, 2, 4, stride=2, padding=1), L.LeakyReLU(), L.Dropout(0.3),
            L.SpectralNorm(L.Conv2d(2, 3, 3, bias=False)), L.BatchNorm(3), L.LeakyReLU(),
            L.MinibatchStdDev(), L.Flatten(), L.Linear(4, 1),
        ],
        rng=2,
    )  # fmt: skip
    return mg.GAN(generator, discriminator, latent_dim=3, loss=getattr(mg.losses, loss)(), rng=3)


def convolutional(loss="NonSaturating"):
    generator = mg.Sequential(
        [L.Linear(2, 18), L.LeakyReLU(), L.Reshape((3, 3, 2)), L.Upsample2d(2), L.Conv2d(2, 1, 3)],
        rng=1,
    )
    discriminator = mg.Sequential(
        [L.Conv2d(1, 3, 2, stride=2), L.LeakyReLU(), L.Flatten(), L.Linear(12, 1)], rng=2
    )
    return mg.GAN(generator, discriminator, latent_dim=2, loss=getattr(mg.losses, loss)(), rng=3)


def minibatch(gan, n=6, seed=0):
    return np.tanh(np.random.default_rng(seed).standard_normal((n, *gan.sample_shape)))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("make", [mlp, convolutional, everything])
def test_whole_step_against_differences(make, loss):
    gan = make(loss)
    report = check_step(gan, minibatch(gan))
    assert report.ok, f"\n{report}"


@pytest.mark.parametrize("make", [mlp, convolutional])
def test_whole_step_on_both_backends(make, backend):
    gan = make("Relativistic")
    report = check_step(gan, minibatch(gan))
    assert report.ok, f"\n{report}"


def test_whole_step_in_the_middle_of_training(backend):
    gan = everything()
    for seed in range(5):
        gan.train_step(minibatch(gan, seed=seed))
    before = gan.generator.theta.copy(), gan.discriminator.theta.copy(), gan.rng.bit_generator.state
    report = check_step(gan, minibatch(gan))
    assert report.ok, f"\n{report}"
    assert np.array_equal(before[0], gan.generator.theta)
    assert np.array_equal(before[1], gan.discriminator.theta)
    assert before[2] == gan.rng.bit_generator.state


def state(network):
    return [
        network.theta.copy(),
        network.grad.copy(),
        *(b.copy() for _, b in network.named_buffers()),
    ]


def same(before, after):
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("make", [mlp, everything])
def test_each_step_leaves_the_other_player_alone(make):
    gan = make()
    gan.train_step(minibatch(gan))
    g, d = state(gan.generator), state(gan.discriminator)
    gan.generator_step(minibatch(gan))
    assert same(d, state(gan.discriminator)) and not same(g, state(gan.generator))
    g = state(gan.generator)
    gan.discriminator_step(minibatch(gan))
    assert same(g[:2], state(gan.generator)[:2]) and not same(d, state(gan.discriminator))


def test_the_seven_steps_in_their_order():
    """train_step generates once, judges real and fake, moves D, judges the fakes anew with the
    moved D, and moves G. (The compiled step judges both in one batch.)"""
    gan, order = mlp(), []

    def noted(owner, name, label):
        method = getattr(owner, name)

        def wrapper(*args, **kwargs):
            order.append(label)
            return method(*args, **kwargs)

        setattr(owner, name, wrapper)

    noted(gan, "draw_noise", "noise")
    noted(gan.generator, "forward", "generate")
    noted(gan.discriminator, "forward", "judge")
    noted(gan.discriminator_optimizer, "step", "update D")
    noted(gan.generator_optimizer, "step", "update G")
    with mg.kernels.use_backend("numpy"):
        gan.train_step(minibatch(gan))
    assert order == ["noise", "generate", "judge", "judge", "update D", "judge", "update G"]


def test_the_generator_learns_through_the_discriminator():
    """With D's weights zero there is nothing to learn from; with any others there is."""
    gan = mlp()
    gan.discriminator.theta[...] = 0
    gan.generator_step(minibatch(gan))
    assert not gan.generator.grad.any()
    gan = mlp()
    assert gan.generator_step(minibatch(gan))["generator_gradient_norm"] > 0


def test_figures():
    gan = mlp()
    figures = gan.train_step(minibatch(gan))
    assert set(figures) == {
        "discriminator_loss", "generator_loss", "penalty", "real_logit", "fake_logit",
        "discriminator_gradient_norm", "generator_gradient_norm",
    }  # fmt: skip
    assert all(type(value) is float for value in figures.values())
    norm = np.linalg.norm(gan.generator.grad)
    assert figures["generator_gradient_norm"] == pytest.approx(norm, rel=1e-6)


def test_same_seed_same_bits_after_200_steps(backend):
    ends = []
    for _ in range(2):
        gan = mlp()
        mg.train(gan, mg.data.gaussian_ring(), steps=200, batch_size=16, progress=False, rng=4)
        ends.append((gan.generator.theta, gan.discriminator.theta, gan.sample(5)))
    for one, other in zip(*ends):
        assert np.array_equal(one, other)
    assert not np.array_equal(ends[0][0], mlp().generator.theta)


def test_sample_is_in_evaluation_mode():
    gan = everything()
    gan.train_step(minibatch(gan))
    buffers = state(gan.generator)
    samples = gan.sample(7)
    assert samples.shape == (7, 6, 6, 1) and same(buffers, state(gan.generator))


@pytest.mark.parametrize(
    "real, error, message",
    [
        (np.zeros((4, 3)), ValueError, "real must be real numbers of shape (N, 2)"),
        (np.zeros(2), ValueError, "real numbers of shape (N, 2)"),
        (np.zeros((0, 2)), ValueError, "real must be a minibatch of 1 or more"),
        (np.full((4, 2), np.nan), ValueError, "must be finite"),
        (np.full((4, 2), np.inf), ValueError, "must be finite"),
        (np.array([["a", "b"]]), TypeError, "must be real numbers"),
        (np.zeros((4, 2), complex), TypeError, "must be real numbers"),
    ],
)
def test_a_bad_minibatch_changes_nothing(real, error, message):
    gan = mlp()
    gan.train_step(minibatch(gan))
    before = state(gan.generator) + state(gan.discriminator), gan.rng.bit_generator.state
    for step in (gan.train_step, gan.discriminator_step, gan.generator_step):
        with pytest.raises(error) as raised:
            step(real)
        assert message in str(raised.value)
    assert same(before[0], state(gan.generator) + state(gan.discriminator))
    assert before[1] == gan.rng.bit_generator.state


def test_batch_norm_needs_two_samples():
    gan = everything()
    with pytest.raises(ValueError, match="real must be a minibatch of 2 or more"):
        gan.train_step(minibatch(gan, 1))


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"generator": None}, TypeError, "generator must be a Sequential"),
        ({"discriminator": L.Linear(2, 1)}, TypeError, "discriminator must be a Sequential"),
        ({"latent_dim": 0}, ValueError, "latent_dim must be an integer >= 1"),
        ({"latent_dim": 5}, ValueError, "Linear(3, 6): x must be real numbers of shape (N, 3)"),
        ({"discriminator": mg.Sequential([L.Linear(2, 2)])}, ValueError, "one logit per sample"),
        ({"discriminator": mg.Sequential([L.Linear(5, 1)])}, ValueError, "Linear(5, 1): x must be"),
        (
            {"discriminator": mg.Sequential([L.Linear(2, 1)], dtype="float64")},
            ValueError, "two networks of one dtype",
        ),
    ],
)  # fmt: skip
def test_players_that_do_not_fit(change, error, message):
    parts = {
        "generator": mg.models.mlp_generator(3, (2,), hidden=(6,)),
        "discriminator": mg.models.mlp_discriminator((2,), hidden=(6,)),
        "latent_dim": 3,
    }
    with pytest.raises(error) as raised:
        mg.GAN(**(parts | change))
    assert message in str(raised.value)


def test_two_players_two_optimizers():
    adam = mg.optim.Adam()
    with pytest.raises(ValueError, match="an optimizer of its own"):
        mlp(generator_optimizer=adam, discriminator_optimizer=adam)


PENALTIES = {
    "R1 + R2": (mg.penalties.R1(0.7), mg.penalties.R2(0.4)),
    "WGAN-GP": (mg.penalties.GradientPenalty(10.0),),
    "zero-centred GP": (mg.penalties.GradientPenalty(1.0, target=0.0),),
    "DRAGAN": (mg.penalties.Dragan(2.0),),
    "all of them": (
        mg.penalties.R1(1.0), mg.penalties.R2(1.0), mg.penalties.GradientPenalty(1.0),
        mg.penalties.Dragan(1.0), mg.penalties.WeightClipping(5.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("penalties", PENALTIES.values(), ids=PENALTIES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", [L.LeakyReLU, L.Tanh])
def test_whole_step_with_penalties(penalties, loss, activation, backend):
    """Every loss x penalty, straight and curved: the complete update with second derivatives."""
    discriminator = mg.Sequential(
        [L.Linear(2, 3), activation(), L.Linear(3, 2), activation(), L.Linear(2, 1)], rng=2
    )
    gan = mg.GAN(
        mg.models.mlp_generator(1, (2,), hidden=(3,), rng=1), discriminator, latent_dim=1,
        loss=getattr(mg.losses, loss)(), penalties=penalties, rng=3,
    )  # fmt: skip
    report = check_step(gan, minibatch(gan))
    assert report.ok, f"\n{report}"


def test_convolutional_step_with_penalties(backend):
    plain = convolutional("Relativistic")
    gan = mg.GAN(
        plain.generator, plain.discriminator, latent_dim=2, loss=plain.loss,
        penalties=(mg.penalties.R1(1.0), mg.penalties.R2(1.0)), rng=3,
    )  # fmt: skip
    report = check_step(gan, minibatch(gan))
    assert report.ok, f"\n{report}"


def test_weight_clipping_acts_after_the_step():
    gan = mlp("Wasserstein", penalties=(mg.penalties.WeightClipping(0.01),))
    gan.train_step(minibatch(gan))
    assert np.abs(gan.discriminator.theta).max() == np.float32(0.01)


def test_batch_norm_in_a_penalised_discriminator_is_refused_at_once():
    with pytest.raises(ValueError, match=r"R1: BatchNorm\(3\) mixes the samples"):
        mg.GAN(
            everything().generator, everything().discriminator, latent_dim=3,
            penalties=(mg.penalties.R1(1.0),),
        )  # fmt: skip


@pytest.mark.parametrize(
    "part, message",
    [
        ({"loss": "hinge"}, "GAN: loss must be one of minigan.losses, such as Hinge(), or"),
        ({"loss": mg.losses.Hinge}, "GAN: loss must be one of minigan.losses"),
        ({"generator_optimizer": "adam"}, "GAN: generator_optimizer must be one of minigan.optim"),
        ({"discriminator_optimizer": mg.optim.Adam}, "GAN: discriminator_optimizer must be one"),
        ({"penalties": mg.penalties.R1(1.0)}, "GAN: penalties must be a list, each one of"),
        ({"penalties": [1.0]}, "GAN: penalties must be a list, each one of minigan.penalties"),
    ],
)
def test_parts_of_the_wrong_kind(part, message):
    options = {"loss": mg.losses.Hinge()} | part
    generator = mg.models.mlp_generator(3, (2,), hidden=(6,))
    with pytest.raises(TypeError) as raised:
        mg.GAN(generator, mg.models.mlp_discriminator((2,), hidden=(6,)), latent_dim=3, **options)
    assert message in str(raised.value)


class Down:
    """The least that an optimizer of one's own has: a rate and a step."""

    lr = 0.1

    def step(self, theta, grad):
        theta -= self.lr * grad


def test_optimizers_of_ones_own():
    gan = mlp(generator_optimizer=Down(), discriminator_optimizer=Down())
    twin = gan.copy("float64")
    real = minibatch(gan)
    assert twin.train_step(real)["generator_loss"] == pytest.approx(
        gan.train_step(real)["generator_loss"], rel=1e-5
    )
    assert check_step(gan, real).ok


class Returning(Down):
    """As in a functional library: the new parameters are returned, theta stays."""

    def step(self, theta, grad):
        return theta - self.lr * grad


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_an_optimizer_that_returns_new_parameters(player):
    gan = mlp(**{f"{player}_optimizer": Returning()})
    before = gan.copy()
    with pytest.raises(TypeError, match=f"{player}_optimizer.step.* must change theta in place"):
        gan.train_step(minibatch(gan))
    theta = getattr(gan, player).theta
    assert np.array_equal(theta, getattr(before, player).theta)


@pytest.mark.parametrize("method", ["accumulate", "value", "check", "after_step"])
def test_a_penalty_without_one_of_its_methods_is_refused_at_once(method):
    penalty = type(
        "Mine", (), {m: None for m in dir(mg.penalties.R1) if m != method and m[0] != "_"}
    )
    with pytest.raises(TypeError, match="accumulate, value, check and after_step, got <"):
        mlp(penalties=[penalty()])


def test_an_optimizer_without_a_rate_steps_but_does_not_train():
    """`train` needs a rate that a schedule can multiply; a single step does not."""
    mine = type("Mine", (), {"step": lambda self, theta, grad: None})
    gan = mlp(generator_optimizer=mine())
    real = minibatch(gan)
    gan.train_step(real)
    with pytest.raises(TypeError, match="train: generator_optimizer must have .* rate, lr, got <"):
        mg.train(gan, real, steps=1, batch_size=len(real), progress=False)
