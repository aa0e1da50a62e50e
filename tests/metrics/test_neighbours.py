"""Precision, recall, density, coverage against loops over pairs, and against their expectations."""

import numpy as np
import pytest

from minigan.metrics import _distances, precision_recall_density_coverage


def by_loops(real, fake, k):
    """The definitions, as loops over pairs."""

    def distance(a, b):
        return np.sqrt(np.sum((a - b) ** 2))

    def radius(points, i):
        return sorted(distance(points[i], q) for j, q in enumerate(points) if j != i)[k - 1]

    real_radius = [radius(real, i) for i in range(len(real))]
    fake_radius = [radius(fake, j) for j in range(len(fake))]
    gaps = np.array([[distance(x, y) for y in fake] for x in real])
    hit, back = gaps <= np.array(real_radius)[:, None], gaps <= np.array(fake_radius)
    return (
        hit.any(axis=0).mean(),
        back.any(axis=1).mean(),
        hit.sum() / (k * len(fake)),
        hit.any(axis=1).mean(),
    )


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("d", [1, 2, 20])
def test_equals_the_definitions_on_small_sets(k, d):
    rng = np.random.default_rng(10 * d + k)
    real, fake = rng.standard_normal((40, d)), 0.6 * rng.standard_normal((31, d)) + 0.5
    assert precision_recall_density_coverage(real, fake, k) == pytest.approx(
        by_loops(real, fake, k)
    )


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((150, 4)), rng.standard_normal((90, 4)) * 0.8
    whole = precision_recall_density_coverage(real, fake)
    monkeypatch.setattr(_distances, "BLOCK", 1000)
    assert precision_recall_density_coverage(real, fake) == whole


def test_two_draws_of_one_distribution_score_their_expectation():
    n, m, k, repeats = 120, 200, 4, 60
    rng = np.random.default_rng(0)
    scores = [
        precision_recall_density_coverage(
            rng.standard_normal((n, 3)), rng.standard_normal((m, 3)), k
        )
        for _ in range(repeats)
    ]
    mean, error = np.mean(scores, axis=0), np.std(scores, axis=0) / np.sqrt(repeats)
    i = np.arange(1, k + 1)
    assert mean[2] == pytest.approx(1, abs=4 * error[2])
    assert mean[3] == pytest.approx(1 - np.prod((n - i) / (n + m - i)), abs=4 * error[3])


def test_a_set_against_itself_scores_one_throughout():
    points = np.random.default_rng(0).standard_normal((300, 50)) + 100.0
    shuffled = np.random.default_rng(1).permutation(points)
    assert precision_recall_density_coverage(points, shuffled) == (1, 1, 1, 1)


def test_repeated_points_lie_in_balls_of_no_radius():
    points = np.repeat(np.random.default_rng(0).standard_normal((5, 30)), 8, axis=0)
    result = precision_recall_density_coverage(points, points, 5)
    assert (result.precision, result.recall, result.coverage) == (1, 1, 1)


def test_far_apart_scores_zero_throughout():
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((50, 2)), rng.standard_normal((50, 2)) + 1e4
    assert precision_recall_density_coverage(real, fake) == (0, 0, 0, 0)


def test_collapse_keeps_precision_and_loses_recall_and_coverage():
    rng = np.random.default_rng(0)
    real = rng.standard_normal((1000, 2))
    result = precision_recall_density_coverage(real, 0.05 * rng.standard_normal((1000, 2)))
    assert result.precision > 0.99
    assert result.recall < 0.05 and result.coverage < 0.1


def test_blur_keeps_recall_and_loses_precision_and_density():
    rng = np.random.default_rng(0)
    real = rng.standard_normal((1000, 2))
    result = precision_recall_density_coverage(real, 5 * rng.standard_normal((1000, 2)))
    assert result.recall > 0.9
    assert result.precision < 0.4 and result.density < 0.2


def test_order_rotation_place_and_scale_do_not_matter():
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((200, 6)), rng.standard_normal((220, 6)) + 0.5
    q, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    expected = precision_recall_density_coverage(real, fake)
    permuted = precision_recall_density_coverage(rng.permutation(real), rng.permutation(fake))
    moved = precision_recall_density_coverage(3 * real @ q + 500, 3 * fake @ q + 500)
    assert permuted == expected and moved == expected


def test_prints_in_one_line():
    points = np.random.default_rng(0).standard_normal((6, 2))
    text = str(precision_recall_density_coverage(points, points, 2))
    assert text == "precision 1.000, recall 1.000, density 1.000, coverage 1.000"
