"""Learned probabilities of categories: the gradient's direction, the shares of a real game."""

import numpy as np
import pytest
from minigan.conditional import OneHot
from minigan.stabilisers import LearnedPrior

import minigan as mg
from minigan import layers as L
from minigan.optim import Adam

K = 4


def game(points, critic, rng=0, **options):
    """G puts category k at points[k]."""
    generator = mg.Sequential([OneHot(K, learned=True), L.Linear(K, points.shape[1])], rng=1)
    generator.layers[1].params["weight"][...] = points
    generator.layers[1].params["bias"][...] = 0
    return mg.GAN(generator, critic, latent_dim=K, rng=rng, **options)


def shares(gan, n=40_000):
    chosen = gan.generator.layers[0].chosen(gan.draw_noise(n))
    return np.bincount(chosen, minlength=K) / n


def test_it_follows_the_gradient_of_the_mean_logit():
    """By finite differences with the same noise on both sides."""
    critic = mg.Sequential([L.Linear(1, 1)], rng=2)
    critic.layers[0].params["weight"][...], critic.layers[0].params["bias"][...] = 1, 0
    logits = np.array([0.5, -1.0, 0.2, 1.5])
    gan = game(logits[:, None], critic)
    n, h = 400_000, 0.2
    noise = np.random.default_rng(3).standard_normal((n, K))
    moved = [noise + s * h * np.eye(K)[j] for j in range(K) for s in (1, -1)]
    means = np.array([logits[v.argmax(1)].mean() for v in moved]).reshape(K, 2)
    gradient = (means[:, 0] - means[:, 1]) / (2 * h)

    gan.generator_optimizer.lr = 1e-3
    LearnedPrior(speed=100, every=1, samples=n)(1, gan, {})
    offset = gan.generator.layers[0].buffers["offset"]
    m = noise.max(1).mean()
    np.testing.assert_allclose(offset, 0.1 * (K - 1) / m * gradient, atol=0.002)
    np.testing.assert_allclose(offset, 0.1 * (logits - logits.mean()), atol=0.002)


def test_the_categories_get_the_shares_of_the_data():
    """Four points, with shares of .1, .2, .3 and .4; G's own weights cannot change a share."""
    points = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]], np.float32)
    wanted = np.array([0.1, 0.2, 0.3, 0.4])
    rng = np.random.default_rng(4)
    data = points[rng.choice(K, 20_000, p=wanted)]
    found = {}
    for learned in (False, True):
        critic = [L.Linear(2, 32), L.LeakyReLU(), L.Linear(32, 32), L.LeakyReLU(), L.Linear(32, 1)]
        gan = game(
            points, mg.Sequential(critic, rng=5), penalties=(mg.penalties.R1(0.01),),
            generator_optimizer=Adam(1e-6), discriminator_optimizer=Adam(3e-3, beta1=0.0),
        )  # fmt: skip
        callback = [LearnedPrior(speed=20_000, every=1)] if learned else []
        mg.train(gan, data, steps=1500, callback=callback, progress=False)
        found[learned] = shares(gan)
    np.testing.assert_allclose(found[False], 0.25, atol=0.01)
    np.testing.assert_allclose(found[True], wanted, atol=0.05)


def test_it_moves_at_every_second_step_alone():
    gan = game(np.eye(K), mg.Sequential([L.Linear(K, 1)], rng=6))
    offset, prior = gan.generator.layers[0].buffers["offset"], LearnedPrior()
    prior(1, gan, {})
    assert not offset.any()
    prior(2, gan, {})
    assert offset.any()
    assert repr(prior) == "LearnedPrior(speed=8, every=2, samples=64)"


def test_a_resumed_run_has_the_same_probabilities(tmp_path):
    data = np.eye(K, dtype=np.float32)

    def run(steps, resume, **options):
        gan = game(np.eye(K), mg.Sequential([L.Linear(K, 1)], rng=6))
        average = mg.Average(gan.generator, 0.9)
        mg.train(
            gan, data, steps=steps, callback=LearnedPrior(every=3), average=average,
            progress=False, resume=resume, **options,
        )  # fmt: skip
        return [n.layers[0].buffers["offset"] for n in (gan.generator, average.network)]

    whole = run(20, False)
    run(8, False, checkpoint=tmp_path / "run.npz")
    resumed = run(20, True, checkpoint=tmp_path / "run.npz")
    assert whole[0].any() and whole[1].any()
    for a, b in zip(whole, resumed):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_and_copied(tmp_path, dtype):
    gan = game(np.eye(K), mg.Sequential([L.Linear(K, 1)], rng=6)).copy(dtype)
    LearnedPrior(speed=1e4, every=1)(1, gan, {})
    offset = gan.generator.layers[0].buffers["offset"]
    assert offset.any() and offset.dtype == dtype
    gan.save(tmp_path / "gan.npz")
    twin, loaded = gan.copy(), mg.load(tmp_path / "gan.npz")
    samples = gan.sample(20)
    np.testing.assert_array_equal(samples, twin.sample(20))
    np.testing.assert_array_equal(samples, loaded.sample(20))


def test_logits_that_are_not_finite_change_nothing():
    gan = game(np.eye(K), mg.Sequential([L.Linear(K, 1)], rng=6))
    gan.discriminator.theta[...] = np.inf
    with pytest.raises(FloatingPointError, match="LearnedPrior: D's logits .* at step 2"):
        LearnedPrior()(2, gan, {})
    assert not gan.generator.layers[0].buffers["offset"].any()


@pytest.mark.parametrize("first", [OneHot(2), L.Linear(4, 4)], ids=repr)
def test_a_generator_without_learned_categories(first):
    generator = mg.Sequential([first, L.Linear(4, 1)])
    gan = mg.GAN(generator, mg.Sequential([L.Linear(1, 1)]), latent_dim=4)
    with pytest.raises(ValueError) as error:
        mg.train(gan, np.zeros((8, 1)), steps=1, callback=LearnedPrior(), progress=False)
    assert str(error.value).startswith(
        "LearnedPrior: G's first layer must be OneHot(..., learned=True), got "
    )
