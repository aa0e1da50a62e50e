"""Sliced Wasserstein against closed forms and against all assignments."""

import itertools

import numpy as np
import pytest

from minigan.metrics import sliced_wasserstein


@pytest.mark.parametrize("p", [1, 2, 3.5])
def test_one_dimension_is_the_best_assignment(p):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 1)), rng.standard_normal((6, 1))
    best = min(
        np.mean(np.abs(x[list(order), 0] - y[:, 0]) ** p)
        for order in itertools.permutations(range(6))
    )
    assert sliced_wasserstein(x, y, p=p) == pytest.approx(best ** (1 / p))


@pytest.mark.parametrize(("n", "m"), [(4, 6), (1, 5), (7, 3), (10, 1)])
def test_unequal_counts_equal_their_common_multiple(n, m):
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((n, 3)), rng.standard_normal((m, 3))
    repeated = sliced_wasserstein(np.repeat(x, m, axis=0), np.repeat(y, n, axis=0))
    assert sliced_wasserstein(x, y) == pytest.approx(repeated, rel=1e-12)


def test_unequal_counts_by_hand():
    # On (0, 1/3): |0 - 0|; on (1/3, 1/2): |0 - 3|; on (1/2, 2/3): |6 - 3|; on (2/3, 1): |6 - 6|.
    x, y = [[0.0], [6.0]], [[0.0], [3.0], [6.0]]
    assert sliced_wasserstein(x, y, p=1) == pytest.approx(1.0)
    assert sliced_wasserstein(x, y, p=2) == pytest.approx(np.sqrt(3.0))


@pytest.mark.parametrize("d", [1, 2, 5])
def test_a_translation_by_t_costs_its_length_over_root_d(d):
    rng = np.random.default_rng(d)
    x, t = rng.standard_normal((50, d)), rng.standard_normal(d)
    moved = rng.permutation(x + t)
    expected = np.linalg.norm(t) / np.sqrt(d)  # exact: the directions come in orthonormal groups
    assert sliced_wasserstein(x, moved, directions=10 * d) == pytest.approx(expected, rel=1e-12)


def test_two_gaussians():
    # Along every line N(0, s^2) against N(0, t^2): W_2 = |s - t|, W_1 = |s - t| sqrt(2 / pi).
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20_000, 2)), 3 * rng.standard_normal((10_000, 2))
    assert sliced_wasserstein(x, y, directions=16) == pytest.approx(2, abs=0.05)
    expected = 2 * np.sqrt(2 / np.pi)
    assert sliced_wasserstein(x, y, directions=16, p=1) == pytest.approx(expected, abs=0.04)


def test_more_dimensions_than_directions():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 50))
    assert sliced_wasserstein(x, x, directions=3) == 0
    scores = [sliced_wasserstein(x, x + 1, directions=3, rng=s) for s in range(300)]
    assert np.mean(np.square(scores)) == pytest.approx(1, abs=0.2)  # |t|^2 / d = 1


def test_symmetric_and_order_place_and_scale():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 3)), rng.standard_normal((45, 3)) + 0.3
    score = sliced_wasserstein(x, y)
    assert sliced_wasserstein(y, x) == pytest.approx(score, rel=1e-12)
    assert sliced_wasserstein(rng.permutation(x), y) == pytest.approx(score, rel=1e-12)
    assert sliced_wasserstein(x + 9, y + 9) == pytest.approx(score, rel=1e-9)
    assert sliced_wasserstein(2 * x, 2 * y) == pytest.approx(2 * score, rel=1e-12)
    assert sliced_wasserstein(rng.permutation(x), x) == pytest.approx(0, abs=1e-12)


def test_the_seed_fixes_the_directions():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)), rng.standard_normal((30, 3))
    assert sliced_wasserstein(x, y, rng=5) == sliced_wasserstein(x, y, rng=5)
    assert sliced_wasserstein(x, y, rng=5) != sliced_wasserstein(x, y, rng=6)


def test_a_seed_gives_other_numbers_to_the_directions_than_to_the_data():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)), rng.standard_normal((30, 3))
    as_for_data = np.random.default_rng(5)
    assert sliced_wasserstein(x, y, rng=5) != sliced_wasserstein(x, y, rng=as_for_data)


def test_a_missing_mode_scores_worse_than_a_fresh_draw():
    rng = np.random.default_rng(0)
    modes = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])

    def draw(k):
        return modes[np.arange(900) % k] + 0.1 * rng.standard_normal((900, 2))

    real = draw(3)
    assert sliced_wasserstein(real, draw(2)) > 5 * sliced_wasserstein(real, draw(3))
