"""The compiled losses give what the losses' NumPy gives."""

import numpy as np
import pytest

import minigan as mg
from minigan import losses

pytest.importorskip("numba")

from minigan.fast import losses as compiled  # noqa: E402

EXTREME = [0.0, -0.0, 1e-4, -17.0, 40.0, -88.0, 104.0, 1000.0, -1000.0, np.inf, -np.inf]


def both(loss, method, real, fake):
    """The results of both backends."""
    found = getattr(loss, method)(real, fake)
    with mg.kernels.use_backend("numpy"):
        return found, getattr(loss, method)(real, fake)


@pytest.mark.parametrize("method", ["discriminator", "generator"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (1, 1), (37,), (37, 1)])
def test_values_and_gradients(method, dtype, shape):
    rng = np.random.default_rng(0)
    real, fake = (4 * rng.standard_normal(shape).astype(dtype) for _ in range(2))
    tolerance = 2e-6 if dtype == "float32" else 1e-14
    for loss in (losses.NonSaturating(), losses.Minimax()):
        found, expected = both(loss, method, real, fake)
        assert found[0] == pytest.approx(expected[0], rel=tolerance)
        for one, other in zip(found[1:], expected[1:]):
            assert one.dtype == other.dtype and one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("logit", EXTREME)
def test_extreme_logits(logit, dtype):
    logits = np.full(3, logit, dtype)
    smallest = float(np.finfo(dtype).tiny)
    for method in ("discriminator", "generator"):
        found, expected = both(losses.NonSaturating(), method, logits, logits)
        assert found[0] == pytest.approx(expected[0], rel=1e-6)
        for one, other in zip(found[1:], expected[1:]):
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=smallest)


def test_what_is_no_number_stays_visible():
    logits = np.array([1, np.nan], np.float32)
    value, d_real, d_fake = losses.NonSaturating().discriminator(logits, logits)
    assert np.isnan(value) and np.isnan(d_real[1]) and np.isnan(d_fake[1])
    assert np.isfinite([d_real[0], d_fake[0]]).all()


@pytest.mark.parametrize("dtype", ["float16", "longdouble"])
def test_logits_of_other_types_are_played_as_it_is_written(dtype):
    logits = np.array([1, -2], dtype)
    found, expected = both(losses.NonSaturating(), "discriminator", logits, logits)
    assert all(np.array_equal(one, other) for one, other in zip(found, expected))


def test_only_for_the_methods_that_it_was_written_for():
    class Doubled(losses.NonSaturating):
        def generator(self, real, fake):
            value, d_real, d_fake = super().generator(real, fake)
            return 2 * value, d_real, 2 * d_fake

    logits = np.linspace(-2, 2, 5).reshape(-1, 1)
    once, twice = (
        losses.NonSaturating().generator(logits, logits),
        Doubled().generator(logits, logits),
    )
    assert twice[0] == 2 * once[0] and (twice[2] == 2 * once[2]).all()
    assert compiled.loss(lambda loss, real, fake: None) is None


def test_a_replaced_method_counts(monkeypatch):
    monkeypatch.setattr(losses.Minimax, "discriminator", lambda self, real, fake: "mine")
    assert losses.NonSaturating().discriminator(None, None) == "mine"
