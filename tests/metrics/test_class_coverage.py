"""Class coverage, total variation and reverse KL, worked by hand."""

import json
import math

import numpy as np
import pytest

from minigan.metrics import class_coverage, reverse_kl, total_variation


def sure_of(classes, count, confidence=1.0):
    """Rows that give `confidence` to their class and share the rest."""
    rest = (1 - confidence) / (count - 1)
    return np.full((len(classes), count), rest) + np.eye(count)[classes] * (confidence - rest)


def test_worked_by_hand():
    probabilities = sure_of([0] * 10 + [1] * 9 + [2], 4, 0.95)
    probabilities[:5] = [0.7, 0.1, 0.1, 0.1]
    result = class_coverage(probabilities)
    assert result.shares == pytest.approx([0.5, 0.45, 0.05, 0])
    assert (result.covered, result.classes, result.samples) == (3, 4, 20)
    assert result.total_variation == pytest.approx(0.45)
    assert result.mean_confidence == pytest.approx((5 * 0.7 + 15 * 0.95) / 20)
    assert result.confident == 0.75
    expected = 0.5 * math.log(2) + 0.45 * math.log(1.8) + 0.05 * math.log(0.2)
    assert result.reverse_kl == pytest.approx(expected)


def test_against_the_shares_of_the_data():
    probabilities = sure_of([0, 0, 0, 1], 2, 0.8)
    assert class_coverage(probabilities).total_variation == 0.25
    same = class_coverage(probabilities, reference=[0.75, 0.25], confidence=0.7, min_share=0.3)
    assert (same.total_variation, same.reverse_kl) == (0, 0)
    assert (same.confident, same.covered) == (1, 1)


def test_collapse_to_one_class():
    result = class_coverage(sure_of([3] * 50, 10))
    assert (result.covered, result.confident) == (1, 1)
    assert result.total_variation == pytest.approx(0.9)
    assert result.reverse_kl == pytest.approx(math.log(10))


def test_order_does_not_matter_and_float32_is_accepted():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), 300)
    result = class_coverage(probabilities)
    other = class_coverage(probabilities[::-1].astype(np.float32))
    assert other.shares.tolist() == result.shares.tolist()
    assert other.mean_confidence == pytest.approx(result.mean_confidence, rel=1e-6)


def test_logits_are_refused():
    with pytest.raises(ValueError, match="probabilities must be .*softmax, not logits"):
        class_coverage(np.random.default_rng(0).standard_normal((5, 3)))


def test_report_prints_and_goes_to_json():
    result = class_coverage(sure_of([0, 1, 2, 2], 3))
    assert str(result).startswith("3 of 3 classes at 5% of the samples or more; total variation")
    assert json.loads(json.dumps(result.scalars()))["covered"] == 3


def test_total_variation():
    assert total_variation([0.2, 0.3, 0.5], [0.2, 0.3, 0.5]) == 0
    assert total_variation([1, 0], [0, 1]) == 1
    assert total_variation([0.5, 0.5, 0], [0.25, 0.5, 0.25]) == 0.25


def test_reverse_kl():
    assert reverse_kl([0.5, 0.5], [0.25, 0.75]) == pytest.approx(
        0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    )
    assert reverse_kl([1, 0], [0.5, 0.5]) == pytest.approx(math.log(2))  # 0 log 0 = 0
    assert reverse_kl([0.5, 0.5], [1, 0]) == math.inf
    assert reverse_kl([0.1] * 10, [0.1] * 10) == 0


def test_reverse_kl_of_fair_draws():
    n, k = 1000, 10
    rng = np.random.default_rng(0)
    fair = np.full(k, 1 / k)
    scores = [reverse_kl(rng.multinomial(n, fair) / n, fair) for _ in range(400)]
    error = np.std(scores) / 20
    assert np.mean(scores) == pytest.approx((k - 1) / (2 * n), abs=4 * error)
