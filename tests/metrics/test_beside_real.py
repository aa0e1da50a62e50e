"""Scores beside what held-out real data score."""

import numpy as np
import pytest

from minigan.metrics import (
    beside_real,
    frechet_distance,
    precision_recall_density_coverage,
    sliced_wasserstein,
)


def three_sets():
    real, held_out, fake = np.random.default_rng(0).standard_normal((3, 200, 2))
    return real, 2 * fake, held_out


def test_both_calls_are_the_metric_s_own():
    real, fake, held_out = three_sets()
    scores = beside_real(sliced_wasserstein, real, fake, held_out, directions=8, rng=3)
    assert scores.fake == sliced_wasserstein(real, fake, directions=8, rng=3)
    assert scores.held_out == sliced_wasserstein(real, held_out, directions=8, rng=3)
    assert scores.fake > 3 * scores.held_out


def test_prints_both():
    real, fake, held_out = three_sets()
    assert "(held-out real data: 0.0" in str(beside_real(frechet_distance, real, fake, held_out))
    text = str(beside_real(precision_recall_density_coverage, real, fake, held_out, k=3))
    assert text.count("precision") == 2


def test_counts_must_agree():
    real, fake, held_out = three_sets()
    with pytest.raises(
        ValueError,
        match=r"each draw of held_out must have the shape of fake, got \(200, 2\) and \(.*9, 2\)",
    ):
        beside_real(frechet_distance, real, fake, held_out[:9])


def test_several_draws_give_their_mean_and_spread():
    real, fake, _ = three_sets()
    draws = np.random.default_rng(1).standard_normal((5, 200, 2))
    found = beside_real(sliced_wasserstein, real, fake, draws, directions=8)
    each = [sliced_wasserstein(real, draw, directions=8) for draw in draws]
    assert found.held_out.draws == 5
    assert found.held_out.mean == pytest.approx(np.mean(each), rel=1e-12)
    assert found.held_out.deviation == pytest.approx(np.std(each, ddof=1), rel=1e-12)
    assert found.held_out[3:] == (min(each), max(each))
    mean, deviation = (f"{value:.4g}" for value in found.held_out[1:3])
    assert (
        f"(5 draws of held-out real data: mean {mean}, standard deviation {deviation}, from "
        in str(found)
    )


def test_several_draws_of_a_metric_with_several_numbers():
    real, fake, _ = three_sets()
    draws = np.random.default_rng(1).standard_normal((3, 200, 2))
    found = beside_real(precision_recall_density_coverage, real, fake, draws, k=3).held_out
    each = [precision_recall_density_coverage(real, draw, k=3) for draw in draws]
    assert found.mean.recall == pytest.approx(np.mean([score.recall for score in each]))
    assert type(found.greatest) is type(each[0])


def test_wrong_draws():
    real, fake, held_out = three_sets()
    with pytest.raises(ValueError, match="held_out must be a batch of one sample or more"):
        beside_real(frechet_distance, real, fake, np.empty((0, 200, 2)))
    with pytest.raises(
        ValueError,
        match=r"each draw of held_out must have the shape of fake, got \(200, 2\) and \(.*9, 2\)",
    ):
        beside_real(frechet_distance, real, fake, held_out[None, :9])


@pytest.mark.parametrize("draws", [1, 2])
@pytest.mark.parametrize("score", [None, {"a": 1.0}, ("high",), np.ones(2)], ids=str)
def test_what_is_no_score_is_refused(score, draws):
    real, fake, held_out = three_sets()
    with pytest.raises(TypeError, match="beside_real: metric must return a float or a named tuple"):
        beside_real(lambda a, b: score, real, fake, np.stack([held_out] * draws))
