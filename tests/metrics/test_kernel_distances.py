"""MMD and KID against loops over pairs, closed forms, and unbiasedness."""

import numpy as np
import pytest

from minigan.metrics import _distances, kernel_distance, mmd


def by_loops(x, y, kernel):
    """Gretton et al. 2012, equation 3, as loops over pairs."""
    n, m = len(x), len(y)
    xx = np.mean([kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j])
    yy = np.mean([kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j])
    return xx + yy - 2 * np.mean([kernel(a, b) for a in x for b in y])


def gaussian(*bandwidths):
    return lambda a, b: np.mean([np.exp(-np.sum((a - b) ** 2) / (2 * s * s)) for s in bandwidths])


def cubic(a, b):
    return (a @ b / len(a) + 1) ** 3


def two_small_sets(d=3):
    rng = np.random.default_rng(d)
    return rng.standard_normal((12, d)), rng.standard_normal((9, d)) + 0.7


def test_mmd_equals_the_loops():
    x, y = two_small_sets()
    assert mmd(x, y, bandwidths=0.8) == pytest.approx(by_loops(x, y, gaussian(0.8)), rel=1e-10)
    mixture = by_loops(x, y, gaussian(0.3, 1.0, 4.0))
    assert mmd(x, y, bandwidths=[0.3, 1, 4]) == pytest.approx(mixture, rel=1e-10)


def test_mmd_default_is_five_octaves_about_the_pooled_median():
    x, y = two_small_sets()
    pooled = np.concatenate([x, y])
    gaps = [np.linalg.norm(a - b) for i, a in enumerate(pooled) for b in pooled[:i]]
    kernel = gaussian(*(np.median(gaps) * 2.0 ** np.arange(-2, 3)))
    assert mmd(x, y) == pytest.approx(by_loops(x, y, kernel), rel=1e-10)


def test_kernel_distance_equals_the_loops():
    x, y = two_small_sets(5)
    assert kernel_distance(x, y) == pytest.approx(by_loops(x, y, cubic), rel=1e-10)


@pytest.mark.parametrize("metric", [mmd, kernel_distance])
def test_blocks_change_nothing(metric, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((70, 4)), rng.standard_normal((50, 4)) + 0.2
    whole = metric(x, y)
    monkeypatch.setattr(_distances, "BLOCK", 300)
    assert metric(x, y) == pytest.approx(whole, rel=1e-10)


def test_mmd_of_two_gaussians():
    # E k(a, b) for a - b ~ N(t, v I): (s^2 / (s^2 + v))^(d/2) exp(-|t|^2 / (2 (s^2 + v))).
    d, s, scale, t = 2, 1.5, 2.0, np.array([0.5, -1.0])

    def mean_kernel(v, shift):
        total = s**2 + v
        return (s**2 / total) ** (d / 2) * np.exp(-shift @ shift / (2 * total))

    expected = (
        mean_kernel(2.0, 0 * t) + mean_kernel(2 * scale**2, 0 * t)
        - 2 * mean_kernel(1 + scale**2, t)
    )  # fmt: skip
    rng = np.random.default_rng(0)
    scores = [
        mmd(rng.standard_normal((200, d)), scale * rng.standard_normal((150, d)) + t, bandwidths=s)
        for _ in range(40)
    ]
    assert np.mean(scores) == pytest.approx(expected, abs=4 * np.std(scores) / np.sqrt(40))
    assert np.std(scores) / np.sqrt(40) < 0.05 * expected  # or the line above says nothing


def test_kernel_distance_of_two_gaussians_in_one_dimension():
    # (ab + 1)^3 = sum_r C(3, r) a^r b^r, so MMD^2 = 3 (m1)^2 + 3 (m2)^2 + (m3)^2 in differences
    # of raw moments. N(0, 1): 0, 1, 0. N(t, 1): t, 1 + t^2, 3 t + t^3.
    t = 0.5
    expected = 3 * t**2 + 3 * t**4 + (3 * t + t**3) ** 2
    rng = np.random.default_rng(0)
    scores = [
        kernel_distance(rng.standard_normal((200, 1)), rng.standard_normal((200, 1)) + t)
        for _ in range(60)
    ]
    error = np.std(scores) / np.sqrt(60)
    assert np.mean(scores) == pytest.approx(expected, abs=4 * error)
    assert error < 0.15 * expected


@pytest.mark.parametrize("metric", [lambda x, y: mmd(x, y, bandwidths=1.0), kernel_distance])
def test_unbiased_on_equal_distributions(metric):
    rng = np.random.default_rng(0)
    scores = [
        metric(rng.standard_normal((20, 3)), rng.standard_normal((30, 3))) for _ in range(400)
    ]
    assert np.mean(scores) == pytest.approx(0, abs=4 * np.std(scores) / 20)
    assert np.min(scores) < 0 < np.max(scores)


@pytest.mark.parametrize("metric", [mmd, kernel_distance])
def test_symmetric_and_indifferent_to_order(metric):
    x, y = two_small_sets()
    rng = np.random.default_rng(0)
    assert metric(y, x) == pytest.approx(metric(x, y), rel=1e-10)
    assert metric(rng.permutation(x), rng.permutation(y)) == pytest.approx(metric(x, y), rel=1e-10)


def test_mmd_indifferent_to_place_and_scale():
    x, y = two_small_sets()
    assert mmd(x + 1e4, y + 1e4) == pytest.approx(mmd(x, y), rel=1e-7)
    assert mmd(6 * x, 6 * y) == pytest.approx(mmd(x, y), rel=1e-10)


def test_a_collapsed_sampler_scores_worse_than_a_fresh_draw():
    rng = np.random.default_rng(0)
    real, fresh = rng.standard_normal((2, 400, 5))
    collapsed = np.zeros((400, 5))
    for metric in (mmd, kernel_distance):
        assert metric(real, collapsed) > 20 * abs(metric(real, fresh))


def test_a_bandwidth_sees_the_scale_it_is_given():
    rng = np.random.default_rng(0)
    modes = 4.0 * rng.integers(2, size=(2, 800, 2))
    noise = rng.standard_normal((2, 800, 2))
    real, narrow = modes[0] + 0.05 * noise[0], modes[1] + 0.02 * noise[1]
    assert mmd(real, narrow, bandwidths=0.05) > 0.01
    assert abs(mmd(real, narrow, bandwidths=4.0)) < 0.002


def test_the_median_of_many_points_is_of_rows_evenly_spaced():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((1500, 2)), rng.standard_normal((1200, 2))
    score = mmd(x, y)
    assert abs(score) < 0.01 and score == mmd(x, y)


def test_points_that_coincide_need_bandwidths():
    ones = np.ones((5, 2))
    with pytest.raises(ValueError, match="bandwidths must be given, .*coincide"):
        mmd(ones, ones)
    assert mmd(ones, ones, bandwidths=1.0) == 0
