"""Stabilisers: their gradients, whole steps with them, and what each is there to do."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan import stabilisers as S
from minigan.verify.gradcheck import check_layer, check_loss, check_step

LAYERS = [S.InstanceNoise(0.3), S.InstanceNoise(0.0), S.Pack(1), S.Pack(3), S.DiscreteNoise(2)]
LAYERS += [S.WithInput(L.FourierFeatures(4, 3)), S.WithInput(L.Linear(4, 3))]


def game(first, *, penalties=(), loss=None):
    """A small game whose D starts with the layer `first`, and whose noise has two coins."""
    width = 2 * first.samples if isinstance(first, S.Pack) else 2
    generator = mg.Sequential(
        [S.DiscreteNoise(2), L.Linear(3, 6), L.LeakyReLU(), L.Linear(6, 2)], rng=1
    )
    critic = mg.Sequential([first, L.Linear(width, 7), L.SiLU(), L.Linear(7, 1)], rng=2)
    return mg.GAN(generator, critic, latent_dim=3, loss=loss, penalties=penalties, rng=3)


def minibatch(n=6):
    return np.random.default_rng(0).standard_normal((n, 2))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layers(layer, backend):
    report = check_layer(layer, (5, 4))
    assert report.ok and report.max_relative_error <= 1e-7, str(report)


@pytest.mark.parametrize("loss", ["NonSaturating", "Relativistic"])
@pytest.mark.parametrize("first", [S.InstanceNoise(0.3), S.Pack(2)], ids=str)
def test_whole_steps(first, loss, backend):
    report = check_step(game(first, loss=getattr(mg.losses, loss)()), minibatch())
    assert report.ok and report.max_relative_error <= 1e-5, str(report)


def test_whole_step_of_the_smoothed_loss(backend):
    gan = game(S.InstanceNoise(0.1), loss=S.OneSidedSmoothing(0.9))
    report = check_step(gan, minibatch())
    assert report.ok and report.max_relative_error <= 1e-5, str(report)


def test_whole_steps_with_penalties_at_the_blurred_samples(backend):
    penalties = [mg.penalties.R1(0.4), mg.penalties.R2(0.6), mg.penalties.GradientPenalty(0.3)]
    report = check_step(game(S.InstanceNoise(0.3), penalties=penalties), minibatch())
    assert report.ok and report.max_relative_error <= 1e-5, str(report)


def test_instance_noise_blurs_in_training_only():
    layer, x = S.InstanceNoise(0.5), np.zeros((20_000, 2), np.float32)
    y, _ = layer.forward(x)
    assert y.dtype == np.float32 and abs(y.std() - 0.5) < 0.01 and abs(y.mean()) < 0.01
    assert layer.forward(x, training=False)[0] is x
    assert not np.array_equal(layer.forward(x)[0], y)


def test_pack_by_hand():
    x = np.arange(6.0).reshape(3, 2)
    y, _ = S.Pack(2).forward(x)
    assert y.tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 0, 1]]


def test_pack_refuses_penalties():
    with pytest.raises(ValueError, match=r"R1: Pack\(2\) mixes the samples"):
        game(S.Pack(2), penalties=[mg.penalties.R1(1.0)])


def test_a_packed_critic_sees_a_collapse_that_a_single_one_cannot():
    """q repeats one point of two: each sample is as likely real as fake, pairs are not."""
    rng = np.random.default_rng(0)
    real = rng.choice([-1.0, 1.0], (4000, 1))
    fake = np.repeat(rng.choice([-1.0, 1.0], (400, 1)), 10, axis=0)
    real_packs, fake_packs = (S.Pack(2).forward(x)[0] for x in (real, fake))
    assert abs(np.mean(real) - np.mean(fake)) < 0.2
    agree = [np.mean(packs[:, 0] == packs[:, 1]) for packs in (real_packs, fake_packs)]
    assert agree[0] < 0.55 and agree[1] > 0.9


def test_discrete_noise_reaches_every_corner_and_leaves_the_rest():
    x = np.random.default_rng(0).standard_normal((500, 4)).astype(np.float32)
    y, _ = S.DiscreteNoise(3).forward(x)
    assert len(np.unique(y[:, :3], axis=0)) == 8
    np.testing.assert_array_equal(y[:, :3], np.sign(x[:, :3]))
    np.testing.assert_array_equal(y[:, 3], x[:, 3])


def test_smoothing():
    report = check_loss(S.OneSidedSmoothing(0.9))
    assert report.ok, str(report)
    logits = np.linspace(-3, 3, 5)
    plain, smoothed = mg.losses.NonSaturating(), S.OneSidedSmoothing(1.0)
    for mine, theirs in zip(
        smoothed.discriminator(logits, -logits), plain.discriminator(logits, -logits)
    ):
        np.testing.assert_allclose(mine, theirs)
    # equal densities: at the optimum sigmoid(D) = a / 2, where D's gradients cancel
    best = np.full(4, np.log(0.45 / 0.55))
    _, d_real, d_fake = S.OneSidedSmoothing(0.9).discriminator(best, best)
    np.testing.assert_allclose(d_real + d_fake, 0, atol=1e-15)


def test_annealing_sets_noise_and_penalties():
    noise, penalty = S.InstanceNoise(0.0), mg.penalties.R1(9.0)
    for power, quarter in ((1.0, 0.2), (2.0, 0.4 * 0.25**0.25)):
        annealing = S.Annealing(
            noise, [penalty], coarse=0.4, fine=0.1, steps=100, until=0.5, power=power
        )
        seen = {}
        for step in range(101):
            annealing(step, None, {})
            seen[step] = noise.std
            assert penalty.gamma == noise.std
        found = [seen[step] for step in (0, 25, 50, 100)]
        assert found == pytest.approx([0.4, quarter, 0.1, 0.1])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: S.InstanceNoise(-1), ValueError, "InstanceNoise: std"),
        (lambda: S.Pack(0), ValueError, "Pack: samples"),
        (lambda: S.DiscreteNoise(1.5), TypeError, "DiscreteNoise: signs"),
        (lambda: S.DiscreteNoise(3).forward(np.zeros((4, 2))), ValueError, r"\(N, >=3\)"),
        (lambda: S.OneSidedSmoothing(0), ValueError, "OneSidedSmoothing: label"),
        (lambda: S.Annealing(S.InstanceNoise(1.0), coarse=1, fine=0, steps=9), ValueError, "fine"),
        (
            lambda: S.Annealing(None, coarse=1, fine=0.1, steps=9, power=0),
            ValueError,
            "Annealing: power",
        ),
    ],
)
def test_bad_arguments(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_penalties_are_zero_where_d_is_constant():
    """What `Annealing` says of the equilibrium: a D with gradient 0 has no penalty, at any p, q."""
    discriminator = mg.Sequential([mg.layers.Linear(2, 1)])
    discriminator.theta[...] = 0, 0, 3
    real, fake = np.ones((4, 2), np.float32), np.zeros((4, 2), np.float32)
    for penalty in (mg.penalties.R1(5.0), mg.penalties.R2(5.0)):
        assert penalty.accumulate(discriminator, real, fake, 0) == 0
    discriminator.theta[0] = 1  # the same p = q, another D: no longer
    assert mg.penalties.R1(5.0).accumulate(discriminator, real, real, 0) > 0
