"""The residual pair of `models`: its shapes, its first weights, and that all of it learns."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.models import residual_pair as residual


def pair(dtype="float64"):
    sizes = {"channels": 2, "hidden": 4, "dtype": dtype}
    return residual.residual_generator(3, **sizes), residual.residual_discriminator(**sizes)


def game(generator, discriminator):
    """The recipe of R3GAN."""
    return mg.GAN(
        generator, discriminator, latent_dim=3, loss=mg.losses.Relativistic(), rng=4,
        penalties=[mg.penalties.R1(0.7), mg.penalties.R2(0.7)],
        generator_optimizer=mg.optim.Adam(2e-4, beta1=0.0, beta2=0.99),
        discriminator_optimizer=mg.optim.Adam(2e-4, beta1=0.0, beta2=0.99),
    )  # fmt: skip


def images(n=4):
    return np.tanh(np.random.default_rng(0).standard_normal((n, 28, 28, 1)))


def test_shapes(backend):
    generator, discriminator = pair("float32")
    samples, _ = generator.forward(np.zeros((5, 3)))
    assert samples.shape == (5, 28, 28, 1) and samples.dtype == np.float32
    assert np.abs(samples).max() <= 1
    assert discriminator.forward(samples)[0].shape == (5, 1)
    for network in (generator, discriminator):
        assert not network.mixes_samples and not network.named_buffers()  # no normalisation
    assert discriminator.piecewise_linear


def test_every_block_begins_as_the_identity():
    for network in pair():
        blocks = [layer for layer in network.layers if isinstance(layer, L.Residual)]
        assert len(blocks) == 2
        for block in blocks:
            x = np.random.default_rng(1).standard_normal(
                (2, 7, 7, block.branch.layers[0].in_channels)
            )
            assert np.array_equal(block.forward(x)[0], x)


@pytest.mark.parametrize("blocks, inside", [(1, 2), (4, 3), (3, 2)])
def test_fix_up_is_its_formula(blocks, inside):
    """L^(-1 / (2 m - 2)) for all weights of a branch but its last; the rest is left alone."""
    row = [[L.Linear(3, 3) for _ in range(inside)] for _ in range(blocks)]
    branches = [L.Residual(mg.Sequential([*layers, L.Tanh()])) for layers in row]
    network = mg.Sequential([L.Linear(2, 3), *branches, L.Linear(3, 1)], dtype="float64")
    network.theta += 1
    before = network.copy()
    assert residual.fix_up(network) is network
    factor = blocks ** (-1 / (2 * inside - 2))
    for (name, value, _), (_, old, _) in zip(network.named_parameters(), before.named_parameters()):
        scale = 1.0
        if "branch" in name and name.endswith("weight"):
            scale = 0.0 if f"branch.{inside - 1}." in name else factor
        np.testing.assert_allclose(value, scale * old, rtol=1e-14, err_msg=name)


def test_every_weight_learns(backend):
    """The zeros at the ends of the branches hold the rest of the branch back for one step only."""
    gan = game(*pair())
    before = [network.theta.copy() for network in (gan.generator, gan.discriminator)]
    for _ in range(2):
        gan.train_step(images())
    for network, old in zip((gan.generator, gan.discriminator), before):
        start = 0
        for name, value, _ in network.named_parameters():
            stop = start + value.size
            if name.endswith("weight"):
                assert (value.ravel() != old[start:stop]).any(), name
            start = stop


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="channels must be an integer >= 1, got 0"):
        residual.residual_discriminator(channels=0)
    with pytest.raises(TypeError, match="hidden must be an integer"):
        residual.residual_generator(3, hidden=2.5)
