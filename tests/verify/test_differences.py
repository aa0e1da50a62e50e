"""Finite differences: a function that they cannot measure is refused, with the reason."""

import numpy as np
import pytest

from minigan.verify.gradcheck import relative_error
from minigan.verify.gradcheck.differences import measure

from .checked_parts import W, X


def differences(function, x=X):
    x = np.array(x, np.float64)
    return measure(lambda: function(x), x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: float(np.sum(np.float32(x) ** 2)),
        lambda x: float(np.sum((np.float32(x) * np.float32(W)) ** 3)),
        lambda x: np.float32(np.tanh(x) @ W),
        lambda x: float(W @ np.float16(x).astype(float)),
        lambda x: float(W @ np.round(x, 3)),
        lambda x: float(W @ np.round(x, 4)),
        lambda x: float(W @ np.round(x, 6)),
    ],
    ids=["float32 x", "float32 products", "float32 result", "float16", "3", "4", "6 digits"],
)
def test_coarser_than_float64(function):
    found = differences(function)
    assert "coarser than float64" in found.reason and "do not settle" in found.reason
    assert 1e-10 < found.resolution.max() < 1e-2


@pytest.mark.parametrize(
    "function",
    [
        lambda x: float(np.sum(np.sqrt(x - 100))),
        lambda x: np.nan,
        lambda x: np.inf,
        lambda x: float(np.sum(np.where(x > X, np.nan, x))),
        lambda x: float(np.sum(np.where(x < X, -np.inf, x))),
    ],
)
def test_not_finite(function):
    with np.errstate(invalid="ignore"):
        found = differences(function)
    assert found.compared == 0 and "not finite: 6 of 6" in found.reason


def test_one_entry_that_is_not_finite_is_one_too_many():
    found = differences(lambda x: float(np.sum(x)) + (np.nan if x[2] != X[2] else 0.0))
    assert found.compared == 5 and "not finite: 1 of 6" in found.reason


def test_not_deterministic():
    noise = np.random.default_rng(1)
    found = differences(lambda x: float(x @ W) + 1e-9 * noise.standard_normal())
    assert found.compared == 0 and found.reason.startswith("not deterministic: two evaluations")
    counter = iter(range(10**6))
    drifts = differences(lambda x: float(x @ W) + 1e-3 * (next(counter) > 20))
    assert drifts.reason.startswith("not deterministic")


@pytest.mark.parametrize("on, measured", [(1, True), (3, True), (4, False), (6, False)])
def test_at_least_half_of_the_entries_must_be_compared(on, measured):
    """Entries exactly on a kink may be left out, up to half of all of them."""
    weights = np.where(np.arange(6) < on, 1.0, 0.0)
    found = differences(lambda x: float(weights @ np.abs(x - X) + x @ W))
    assert found.compared == 6 - on
    assert (found.reason is None) == measured
    if not measured:
        assert f"only {6 - on} of 6 entries compared" in found.reason


@pytest.mark.parametrize(
    "function, expected",
    [
        (lambda x: float(np.sum(np.abs(x - X - 3e-5))), -np.ones(6)),
        (lambda x: float(np.sum(np.abs(x - X - 2e-5) + np.abs(x - X + 1e-5))), np.zeros(6)),
        (lambda x: float(np.sum(np.maximum(x - 9, 0))), np.zeros(6)),
        (lambda x: 1 + float(np.sum((x - X) ** 5)), np.zeros(6)),
        (lambda x: 1e6 * float(np.sum(np.tanh(x))), 1e6 / np.cosh(X) ** 2),
        (lambda x: float(np.sum(np.exp(5 * x))), 5 * np.exp(5 * X)),
        (lambda x: float(np.sum(x * x) + 1e-13 * np.sin(1e9 * x[0])), 2 * X),
    ],
    ids=["kink nearby", "kinks on both sides", "off", "flat", "large", "curved", "rounding"],
)
def test_what_can_be_measured_is(function, expected):
    found = differences(function)
    assert found.reason is None and found.compared == 6
    assert relative_error(found.gradient, expected) < 1e-7
