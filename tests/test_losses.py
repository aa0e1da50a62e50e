"""Losses: gradients, closed forms, and extreme logits."""

import numpy as np
import pytest

import minigan as mg
from minigan.layers.cross_entropy import softmax_cross_entropy
from minigan.verify.gradcheck import check_loss
from minigan.verify.gradcheck.differences import central_differences
from minigan.verify.gradcheck.report import relative_error

NAMES = ["Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"]


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name):
    report = check_loss(getattr(mg.losses, name)())
    assert report.ok, f"\n{report}"


def test_values_by_the_textbook():
    real, fake = np.array([[0.3], [-1.2]]), np.array([[-0.4], [2.0]])
    p_real, p_fake = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    expected_d = -np.mean(np.log(p_real)) - np.mean(np.log(1 - p_fake))
    cases = {
        "Minimax": (expected_d, np.mean(np.log(1 - p_fake))),
        "NonSaturating": (expected_d, -np.mean(np.log(p_fake))),
        "LeastSquares": (
            np.mean((real - 1) ** 2) / 2 + np.mean(fake**2) / 2, np.mean((fake - 1) ** 2) / 2,
        ),
        "Wasserstein": (fake.mean() - real.mean(), -fake.mean()),
        "Hinge": ((0.7 + 2.2) / 2 + (0.6 + 3.0) / 2, -fake.mean()),
        "Relativistic": (
            np.mean(np.log(1 + np.exp(fake - real))), np.mean(np.log(1 + np.exp(real - fake))),
        ),
    }  # fmt: skip
    for name, (d_value, g_value) in cases.items():
        loss = getattr(mg.losses, name)()
        assert loss.discriminator(real, fake)[0] == pytest.approx(d_value, rel=1e-12), name
        assert loss.generator(real, fake)[0] == pytest.approx(g_value, rel=1e-12), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_at_plus_and_minus_1000(dtype):
    high, low = np.full((1, 1), 1000, dtype), np.full((1, 1), -1000, dtype)
    with np.errstate(all="raise"):
        ns = mg.losses.NonSaturating()
        # D is sure the fake is a fake: the generator's signal is at its strongest, not at zero
        value, _, d_fake = ns.generator(high, low)
        assert value == 1000 and d_fake == -1 and d_fake.dtype == dtype
        value, d_real, d_fake = ns.discriminator(low, high)
        assert value == 2000 and d_real == -1 and d_fake == 1
        value, d_real, d_fake = ns.discriminator(high, low)
        assert value == 0 and d_real == 0 and d_fake == 0
        value, _, d_fake = mg.losses.Minimax().generator(high, low)
        assert value == 0 and d_fake == 0  # saturated: G learns nothing
        value, d_real, d_fake = mg.losses.Relativistic().discriminator(low, high)
        assert value == 2000 and d_real == -1 and d_fake == 1


def test_duplicating_the_batch_changes_no_parameter_gradient():
    """The 1/N is there once: in the loss."""
    network = mg.models.mlp_discriminator((2,), hidden=(5,), dtype="float64")
    x = np.random.default_rng(0).standard_normal((6, 2))
    gradients = []
    for batch in (x, np.concatenate([x, x])):
        network.zero_grad()
        logits, cache = network.forward(batch)
        _, d_real, _ = mg.losses.NonSaturating().discriminator(logits, logits)
        network.backward_params(d_real, cache)
        gradients.append(network.grad.copy())
    np.testing.assert_allclose(*gradients, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_bad_logits(name):
    loss, good = getattr(mg.losses, name)(), np.zeros((4, 1))
    for bad, error in [
        (np.zeros((4, 2)), ValueError), (np.zeros((0, 1)), ValueError), (np.zeros(()), ValueError),
        (np.zeros((4, 1), complex), TypeError), (np.array(["a"]), TypeError),
    ]:  # fmt: skip
        with pytest.raises(error, match="real_logits must be"):
            loss.discriminator(bad, good)
        with pytest.raises(error, match="fake_logits must be"):
            loss.generator(good, bad)


@pytest.mark.parametrize("name", NAMES)
def test_logits_in_a_row_are_logits_in_a_column(name):
    loss = getattr(mg.losses, name)()
    real, fake = np.random.default_rng(0).standard_normal((2, 5))
    for player in (loss.discriminator, loss.generator):
        row, column = player(real, fake), player(real[:, None], fake[:, None])
        assert row[0] == column[0]
        for flat, gradient in zip(row[1:], column[1:]):
            assert flat.shape == (5,) and np.array_equal(flat, gradient[:, 0])


@pytest.mark.parametrize("name", NAMES)
def test_what_a_loss_says_about_itself(name):
    loss = getattr(mg.losses, name)()
    real, fake = np.random.default_rng(0).standard_normal((2, 5, loss.width))
    moved = loss.generator(real + 1, fake)[0] != loss.generator(real, fake)[0]
    assert loss.generator_sees_real == moved and loss.width == 1


def test_fewer_real_than_fake_samples():
    """Each mean has its own N; only the relativistic loss needs pairs."""
    real, fake = np.array([0.5, 1.0]), np.array([1.0, 2, 3])
    for name in NAMES[:-1]:
        loss = getattr(mg.losses, name)()
        value, d_real, d_fake = loss.discriminator(real, fake)
        again = loss.discriminator(np.tile(real, 3), np.tile(fake, 2))
        assert value == pytest.approx(again[0], rel=1e-12)
        np.testing.assert_allclose(d_real, 3 * again[1][:2], rtol=1e-12)
        np.testing.assert_allclose(d_fake, 2 * again[2][:3], rtol=1e-12)


def test_hinge_is_flat_at_its_margins():
    _, d_real, d_fake = mg.losses.Hinge().discriminator(np.ones(2), -np.ones(2))
    assert not d_real.any() and not d_fake.any()


def test_relativistic_pairs_rows():
    with pytest.raises(ValueError, match="must have one shape"):
        mg.losses.Relativistic().discriminator(np.zeros((4, 1)), np.zeros((3, 1)))


def test_softmax_cross_entropy():
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((5, 4)), np.array([0, 3, 1, 1, 2])
    value, dlogits = softmax_cross_entropy(logits, labels)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert value == pytest.approx(-np.mean(np.log(probabilities[np.arange(5), labels])))
    difference, _ = central_differences(lambda: softmax_cross_entropy(logits, labels)[0], logits)
    assert relative_error(dlogits, difference) < 1e-7
    with np.errstate(all="raise"):
        value, dlogits = softmax_cross_entropy(np.array([[-1000.0, 1000.0]]), np.array([0]))
    assert value == 2000 and np.array_equal(dlogits, [[-1, 1]])
    for bad, error in [
        (([[0.0]], [1]), ValueError), (([[0.0]], [0.5]), TypeError), (([0.0], [0]), ValueError),
        (([[0.0]], [-1]), ValueError), ((np.zeros((0, 1)), np.zeros(0, int)), ValueError),
    ]:  # fmt: skip
        with pytest.raises(error, match="softmax_cross_entropy"):
            softmax_cross_entropy(*bad)
