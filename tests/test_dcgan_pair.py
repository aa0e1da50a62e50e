"""The DCGAN pair: pictures of the right sizes on the way down and up, and right gradients."""

from functools import partial

import numpy as np
import pytest

import minigan as mg
from minigan.models import dcgan_discriminator, dcgan_generator

SIDES = {1: [28, 14], 2: [28, 14, 7], 3: [28, 14, 7, 4]}


def sides(network, x):
    """The sides of all pictures that pass through a network, one after the other."""
    seen = [x.shape[1]] if x.ndim == 4 else []
    for layer in network.layers:
        x, _ = layer.forward(x, training=False)
        if x.ndim == 4 and x.shape[1] not in seen:
            seen.append(x.shape[1])
    return seen


@pytest.mark.parametrize("convolutions", SIDES)
def test_each_convolution_halves_the_picture_and_each_transposed_one_doubles_it(convolutions):
    generator = dcgan_generator(3, channels=2, convolutions=convolutions)
    discriminator = dcgan_discriminator(channels=2, convolutions=convolutions)
    assert sides(generator, np.ones((1, 3), np.float32)) == SIDES[convolutions][::-1]
    assert sides(discriminator, np.ones((1, 28, 28, 1), np.float32)) == SIDES[convolutions]


@pytest.mark.parametrize("convolutions", SIDES)
def test_both_updates_have_the_right_gradients(convolutions):
    shape = {1: (8, 8, 1), 2: (10, 12, 1), 3: (18, 18, 1)}[convolutions]
    sizes = {"shape": shape, "channels": 1, "convolutions": convolutions, "hidden": (2,)}
    sizes["dtype"] = "float64"
    gan = mg.GAN(
        dcgan_generator(2, categories=2, **sizes),
        dcgan_discriminator(batch_norm=False, **sizes),
        latent_dim=4,
        loss=mg.losses.Relativistic(),
        penalties=[mg.penalties.R1(1.0), mg.penalties.R2(1.0)],
    )
    rng = np.random.default_rng(3)
    real = rng.uniform(-1, 1, (4, *shape))
    for player in (gan.generator, gan.discriminator):  # biases of zero put empty corners on a kink
        player.theta += 0.1 * rng.standard_normal(player.theta.size)
    report = mg.gradcheck.check_step(gan, real)
    assert report.ok, report


def test_categories_are_a_choice_of_the_same_variance_as_the_noise_they_are_made_of():
    generator = dcgan_generator(3, categories=5, channels=2, hidden=(4,), dtype="float64")
    noise = np.random.default_rng(0).standard_normal((20_000, 8))
    y, _ = generator.layers[0].forward(noise)
    assert np.array_equal(y[:, :3], noise[:, :3])
    chosen = y[:, 3:]
    assert np.array_equal(chosen.argmax(axis=1), noise[:, 3:].argmax(axis=1))
    assert np.allclose((chosen**2).sum(axis=1), 5) and ((chosen > 0).sum(axis=1) == 1).all()
    assert np.allclose(chosen.mean(axis=0), 5**0.5 / 5, atol=0.03)  # each as often as the others
    plain = dcgan_generator(8, channels=2, hidden=(4,), dtype="float64")
    assert np.array_equal(generator.theta, plain.theta)


@pytest.mark.parametrize("player", [partial(dcgan_generator, 3), dcgan_discriminator])
def test_a_picture_of_28_pixels_can_be_halved_three_times(player):
    with pytest.raises(ValueError, match="convolutions must be an integer from 1 to 3, got 4"):
        player(convolutions=4)
    with pytest.raises(ValueError, match="convolutions must be an integer >= 1, got 0"):
        player(convolutions=0)
