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
    with pytest.raises(ValueError, match="held_out: expected 200 samples, as many as fake, got 9"):
        beside_real(frechet_distance, real, fake, held_out[:9])
