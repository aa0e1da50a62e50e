"""check_function: the gradient of one plain function of an array."""

import numpy as np
import pytest

from minigan.verify.gradcheck import check_function

from .checked_parts import W, X, reasons


def test_check_function():
    x = np.array([[1.0, 2.0], [3.0, -4.0]])
    before = x.copy()
    assert check_function(lambda x: np.sum(x**3), lambda x: 3 * x**2, x).ok
    assert check_function(lambda x: np.sum(x**3), 3 * x**2, x).ok
    assert check_function(lambda x: x**2, 6.0, 3).ok
    assert check_function(lambda x: float(x @ x), [2, 4], [1, 2]).ok
    report = check_function(lambda x: np.sum(x**3), lambda x: 3 * x**2 + (x == 3), x)
    assert not report.ok and report.rows[0].worst.index == (1, 0)
    assert report.rows[0].worst.found == 28 and abs(report.rows[0].worst.expected - 27) < 1e-6
    assert np.array_equal(x, before)


@pytest.mark.parametrize("small", [1e-4, 1e-12, 1e-100])
def test_check_function_of_small_numbers(small):
    """Beside a bar for numbers near 1, any gradient would pass."""
    report = check_function(lambda x: small * float(x @ x), lambda x: 2 * small * x, X)
    assert report.ok and "times as large" in str(report)
    assert not check_function(lambda x: small * float(x @ x), lambda x: 2.001 * small * x, X).ok
    assert not check_function(lambda x: small * float(x @ x), lambda x: 0 * x, X).ok
    assert check_function(lambda x: 0.0, lambda x: 0 * x, X).ok


def test_check_function_gives_each_call_its_own_x():
    def spoils(x):
        x *= 2
        return float(np.sum(x))

    assert check_function(spoils, lambda x: np.full_like(x, 2), [1.0, 2.0]).ok


@pytest.mark.parametrize(
    "f, words",
    [
        (lambda x: float(np.sum(x)) + np.random.random(), "not deterministic"),
        (lambda x: np.nan, "not finite"),
        (lambda x: np.float32(np.sum(np.tanh(x))), "coarser than float64"),
        (lambda x: np.sum(np.abs(x - X)), "kink"),
    ],
)
def test_check_function_that_cannot_be_measured(f, words):
    report = check_function(f, np.ones(6), X)
    assert not report.ok and words in reasons(report)


@pytest.mark.parametrize(
    "f, gradient, x, error, words",
    [
        (3, W, X, TypeError, "f must be a function"),
        (lambda x: x, W, X, TypeError, "f must return a number"),
        (lambda x: None, W, X, TypeError, "f must return a number"),
        (lambda x: 1j, W, X, TypeError, "f must return a number"),
        (lambda x: 1.0, None, X, TypeError, "gradient must be real numbers"),
        (lambda x: 1.0, lambda x: None, X, TypeError, "gradient must be real numbers"),
        (lambda x: 1.0, W[:, None], X, ValueError, "gradient must have the shape of x"),
        (lambda x: 1.0, 1.0, X, ValueError, "gradient must have the shape of x"),
        (lambda x: 1.0, W, "six", TypeError, "x must be real numbers"),
        (lambda x: 1.0, [], [], ValueError, "x must not be empty"),
        (lambda x: 1.0, W, W * np.nan, ValueError, "x must be finite"),
    ],
)
def test_check_function_bad_input(f, gradient, x, error, words):
    with pytest.raises(error, match=f"^check_function: {words}"):
        check_function(f, gradient, x)
