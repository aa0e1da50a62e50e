"""Mode coverage against a perfect sampler, hand counts, and samplers that fail in known ways."""

import json
import math

import numpy as np
import pytest

from minigan.metrics import mode_coverage
from minigan.metrics.modes import gaussian_ball

ANGLES = 2 * np.pi * np.arange(8) / 8
RING, RING_STD = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1), 0.01
AXIS = np.arange(-4.0, 5.0, 2.0)
GRID, GRID_STD = np.stack(np.meshgrid(AXIS, AXIS), axis=-1).reshape(-1, 2), 0.05


def draw(modes, std, n, seed=0, weights=None):
    rng = np.random.default_rng(seed)
    which = rng.choice(len(modes), size=n, p=weights)
    return modes[which] + std * rng.standard_normal((n, modes.shape[1]))


@pytest.mark.parametrize(("modes", "std"), [(RING, RING_STD), (GRID, GRID_STD)])
def test_a_perfect_sampler_scores_what_theory_says(modes, std):
    n, k = 40_000, len(modes)
    result = mode_coverage(draw(modes, std, n), modes, std)
    hq = 1 - math.exp(-4.5)
    assert result.hq_perfect == pytest.approx(hq, abs=1e-14)
    assert result.hq == pytest.approx(hq, abs=4 * math.sqrt(hq * (1 - hq) / n))
    assert result.captured == result.covered == result.modes == k
    assert result.worst_share > 0.85
    # 2 n KL is chi-squared with k degrees of freedom: mean k, variance 2 k.
    assert 2 * n * result.reverse_kl == pytest.approx(k, abs=5 * math.sqrt(2 * k))
    assert result.covariances.mean(axis=0) == pytest.approx(np.eye(2), abs=0.02)
    assert 0.9 < result.narrowest < 1 < result.widest < 1.1


def test_counts_worked_by_hand():
    modes = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = [[0, 0], [2.9, 0], [0, -3.0], [3.1, 0], [10, 1], [5, 5], [0, 0.1], [0.2, 0]]
    result = mode_coverage(samples, modes, 1.0, min_share=0.5)
    assert result.counts.tolist() == [5, 1, 0]  # 3.0 is within; 3.1 and the centre are not
    assert result.shares.tolist() == [5 / 8, 1 / 8, 0]
    assert (result.captured, result.covered, result.hq) == (2, 1, 6 / 8)
    assert (result.worst_mode, result.worst_share) == (2, 0.0)
    p = 1 - math.exp(-4.5)
    expected = (
        5 / 8 * math.log(5 / 8 / (p / 3))
        + 1 / 8 * math.log(1 / 8 / (p / 3))
        + 2 / 8 * math.log(2 / 8 / (1 - p))
    )
    assert result.reverse_kl == pytest.approx(expected, rel=1e-12)
    own = np.array([[0, 0], [2.9, 0], [0, -3.0], [0, 0.1], [0.2, 0]])
    variance = 1 - 4.5 / (math.exp(4.5) - 1)
    assert result.covariances[0] == pytest.approx(np.cov(own.T) / variance)
    assert np.isnan(result.covariances[1:]).all()


def test_a_share_exactly_at_the_threshold_counts():
    samples = np.repeat([[0.0], [10.0]], [9, 1], axis=0)
    assert mode_coverage(samples, [[0.0], [10.0]], 1.0, min_share=0.2).covered == 2
    assert mode_coverage(samples, [[0.0], [10.0]], 1.0, min_share=0.21).covered == 1


def test_collapse_to_one_mode_is_sharp_and_scores_log_k():
    samples = draw(RING[2:3], RING_STD, 4000)
    result = mode_coverage(samples, RING, RING_STD)
    assert (result.captured, result.covered) == (1, 1)
    assert result.hq == pytest.approx(0.989, abs=0.006)
    assert result.reverse_kl == pytest.approx(result.hq * math.log(8), abs=1e-3)


def test_widths_tell_narrow_modes_wide_modes_and_lines():
    narrow = mode_coverage(draw(GRID, 0.4 * GRID_STD, 20_000), GRID, GRID_STD)
    wide = mode_coverage(draw(GRID, 2 * GRID_STD, 20_000), GRID, GRID_STD)
    flat = draw(np.zeros_like(GRID), GRID_STD, 20_000) * [1, 0.01]
    line = mode_coverage(GRID[np.arange(20_000) % 25] + flat, GRID, GRID_STD)
    assert narrow.hq == 1 > narrow.hq_perfect  # too good to be true
    assert narrow.widest < 0.5
    assert wide.hq < 0.7 and wide.narrowest > 1.2
    assert line.narrowest < 0.02 and line.widest > 0.9


def test_a_uniform_blur_captures_all_modes_and_is_exposed_by_its_quality():
    samples = np.random.default_rng(0).uniform(-5, 5, (20_000, 2))
    result = mode_coverage(samples, GRID, GRID_STD)
    assert result.captured == 25 and result.covered == 0
    assert result.hq < 0.03 and result.reverse_kl > 3


def test_unequal_weights_are_each_mode_s_due():
    weights = np.array([0.9, 0.1])
    modes = np.array([[0.0, 0.0], [1.0, 0.0]])
    samples = draw(modes, 0.02, 20_000, weights=weights)
    right = mode_coverage(samples, modes, 0.02, weights=weights)
    wrong = mode_coverage(samples, modes, 0.02, weights=weights[::-1])
    assert right.worst_share > 0.9 and right.reverse_kl < 1e-3
    assert (wrong.covered, wrong.worst_mode) == (1, 0 if wrong.shares[0] < wrong.shares[1] else 1)
    assert wrong.reverse_kl > 1


def test_order_and_place_and_scale_do_not_matter():
    samples = draw(GRID, GRID_STD, 3000)
    result = mode_coverage(samples, GRID, GRID_STD)
    shuffled = np.random.default_rng(1).permutation(samples)
    for other in (
        mode_coverage(shuffled, GRID, GRID_STD),
        mode_coverage(samples + 1e3, GRID + 1e3, GRID_STD),
        mode_coverage(samples * 7.0, GRID * 7.0, GRID_STD * 7.0),
    ):
        assert other.counts.tolist() == result.counts.tolist()
        assert other.covariances == pytest.approx(result.covariances, rel=1e-6, abs=1e-6)


def test_no_high_quality_sample_at_all():
    result = mode_coverage(np.full((10, 2), 50.0), RING, RING_STD)
    assert (result.captured, result.hq) == (0, 0.0)
    assert result.reverse_kl == pytest.approx(4.5)  # log 1 / exp(-4.5)
    assert math.isnan(result.narrowest)
    assert "0 of 8 modes captured" in str(result)


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_gaussian_ball(d):
    z = np.random.default_rng(d).standard_normal((200_000, d))
    inside = z[np.sum(z**2, axis=1) <= 9]
    mass, variance = gaussian_ball(3.0, d)
    assert mass == pytest.approx(len(inside) / len(z), abs=0.003)
    assert variance == pytest.approx(np.mean(inside**2), abs=0.01)
    closed_form = {1: math.erf(3 / math.sqrt(2)), 2: 1 - math.exp(-4.5)}
    assert mass == pytest.approx(closed_form.get(d, mass), rel=1e-14)


def test_report_prints_and_goes_to_json():
    result = mode_coverage(draw(RING, RING_STD, 2500), RING, RING_STD)
    lines = str(result).splitlines()
    assert lines[0].startswith("8 of 8 modes captured, 8 at 20% of their share or more; HQ 9")
    assert "a perfect sampler: 98.9%" in lines[0] and len(lines) == 2
    scalars = json.loads(json.dumps(result.scalars()))
    assert scalars["captured"] == 8 and "counts" not in scalars
    with pytest.raises(AttributeError):
        result.captured = 3
