"""The Frechet distance against closed forms and matrix roots, deficient covariances included."""

import numpy as np
import pytest

from minigan.metrics import frechet_distance


def with_moments(mean, covariance, n, seed):
    """A sample of n points whose own mean and covariance are exactly those given."""
    z = np.random.default_rng(seed).standard_normal((n, len(mean)))
    z -= z.mean(axis=0)
    whitened = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T)).T)
    return np.asarray(mean) + whitened @ root(covariance)


def root(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T


def by_roots(a, b):
    """|mu - mu'|^2 + Tr(S + S' - 2 (S^(1/2) S' S^(1/2))^(1/2)), by eigendecompositions."""
    shift, s, t = a.mean(0) - b.mean(0), np.cov(a.T), np.cov(b.T)
    return shift @ shift + np.trace(s + t - 2 * root(root(s) @ t @ root(s)))


def test_isotropic_gaussians():
    a = with_moments([0, 0, 0], 4 * np.eye(3), 30, 0)
    b = with_moments([1, 2, 2], 25 * np.eye(3), 50, 1)
    assert frechet_distance(a, b) == pytest.approx(9 + 3 * (5 - 2) ** 2)


def test_covariances_that_commute():
    q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))
    s, t = np.array([1.0, 4, 9, 16]), np.array([25.0, 4, 1, 0.25])
    a = with_moments(np.zeros(4), q * s @ q.T, 40, 0)
    b = with_moments(np.ones(4), q * t @ q.T, 60, 1)
    assert frechet_distance(a, b) == pytest.approx(4 + np.sum((np.sqrt(s) - np.sqrt(t)) ** 2))


def test_any_covariances_equal_the_matrix_roots():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((80, 6)) @ rng.standard_normal((6, 6))
    b = rng.standard_normal((50, 6)) @ rng.standard_normal((6, 6)) + 1
    assert frechet_distance(a, b) == pytest.approx(by_roots(a, b), rel=1e-9)


def test_one_dimension():
    a, b = np.array([[1.0], [3.0]]), np.array([[0.0], [4.0], [8.0]])
    assert frechet_distance(a, b) == pytest.approx((2 - 4) ** 2 + (np.sqrt(2) - 4) ** 2)


def test_fewer_samples_than_dimensions():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 40)), rng.standard_normal((9, 40)) + 0.1
    assert frechet_distance(a, b) == pytest.approx(by_roots(a, b), rel=1e-6)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-12)


def test_gaussians_on_two_lines():
    # Rank one each, at right angles: S S' = 0, so the distance is Tr S + Tr S'.
    t = np.linspace(-1, 1, 11)
    a, b = np.stack([t, 0 * t], axis=1), np.stack([0 * t, 2 * t], axis=1)
    assert frechet_distance(a, b) == pytest.approx(5 * np.var(t, ddof=1), rel=1e-12)
    # At an angle: 1 + 1 - 2 |cos|, times the variance.
    c = np.stack([t * np.cos(1.0), t * np.sin(1.0)], axis=1)
    expected = (2 - 2 * np.cos(1.0)) * np.var(t, ddof=1)
    assert frechet_distance(a, c) == pytest.approx(expected, rel=1e-12)


def test_dead_features_and_constants():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((100, 8)) * [1, 1, 1, 1, 0, 0, 1e-9, 1e4]
    assert 0 <= frechet_distance(a, rng.permutation(a)) < 1e-12
    assert frechet_distance(np.ones((3, 4)), np.zeros((5, 4))) == 4


def test_never_negative_and_zero_on_equal_sets():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        a = rng.standard_normal((20, 3)) @ rng.standard_normal((3, 12)) + 5
        near = a + 1e-9 * rng.standard_normal(a.shape)
        assert 0 <= frechet_distance(a, a) < 1e-25
        assert 0 <= frechet_distance(a, near) < 1e-15


def test_symmetric_and_order_rotation_and_place_do_not_matter():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((40, 5)), 2 * rng.standard_normal((30, 5)) + 1
    q, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    score = frechet_distance(a, b)
    assert frechet_distance(b, a) == pytest.approx(score)
    assert frechet_distance(rng.permutation(a), b) == pytest.approx(score)
    assert frechet_distance(a @ q + 7, b @ q + 7) == pytest.approx(score)


def test_a_collapsed_sampler_scores_worse_than_a_fresh_draw():
    rng = np.random.default_rng(0)
    real, fresh = rng.standard_normal((2, 500, 10))
    assert frechet_distance(real, 0.5 * fresh) > 5 * frechet_distance(real, fresh)
    assert frechet_distance(real, fresh + 1) > 5 * frechet_distance(real, fresh)
