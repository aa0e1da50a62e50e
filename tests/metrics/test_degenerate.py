"""Metrics on degenerate sets: constants, duplicates, huge offsets, tiny and huge scales."""

import numpy as np
import pytest

from minigan import metrics
from minigan.metrics._distances import squared_distances

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((2, 200, 3))
MODES = np.array([[0.0, 0, 0], [4, 0, 0]])
OF_TWO_SETS = {
    "sliced_wasserstein": lambda x, y: metrics.sliced_wasserstein(x, y, directions=16),
    "mmd": lambda x, y: metrics.mmd(x, y, bandwidths=[0.5, 2.0]),
    "frechet_distance": metrics.frechet_distance,
    "precision_recall_density_coverage": metrics.precision_recall_density_coverage,
}


@pytest.mark.parametrize("name", OF_TWO_SETS)
@pytest.mark.parametrize("offset", [1e3, 1e6, 1e8])
def test_a_joint_shift_changes_nothing_but_the_inputs_rounding(name, offset):
    metric = OF_TWO_SETS[name]
    x, y = (
        X + offset,
        Y + offset,
    )  # rounded to 1e-16 of the offset: the same rounding moves `expected`
    np.testing.assert_allclose(metric(x, y), metric(x - offset, y - offset), rtol=1e-9, atol=1e-12)


def test_narrow_clusters_far_from_each_other_keep_their_widths():
    """Around one mean |a|^2 + |b|^2 - 2 a.b would round distances of 1e-3 to 0 here."""
    far = np.where(np.arange(200) % 2, 1e8, -1e8)[:, None]
    x, y = far + 1e-3 * X, far + 1e-3 * Y
    expected = ((x[:, None] - y) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(x, y), expected, rtol=1e-5)
    scores = metrics.precision_recall_density_coverage(x, y)
    each = [metrics.precision_recall_density_coverage(x[i::2], y[i::2]) for i in (0, 1)]
    np.testing.assert_allclose(scores, np.mean(each, axis=0), atol=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*OF_TWO_SETS, "kernel_distance"])
def test_constant_sets_and_duplicates(name, dtype):
    metric = OF_TWO_SETS.get(name) or getattr(metrics, name)
    constant = np.full((20, 3), 0.1, dtype)
    equal, apart = metric(constant, constant), metric(constant, constant + dtype(1))
    if name == "precision_recall_density_coverage":
        assert equal == (1, 1, 0, 1) and apart == (0, 0, 0, 0)
    else:
        assert abs(equal) <= 1e-12 < apart
    twice = np.repeat(X[:50], 2, axis=0).astype(dtype)
    assert np.isfinite(metric(twice, twice)).all()


def test_float32_sets_are_scored_in_float64():
    x, y = (np.float32(4096 + 0.25 * np.rint(4 * z)) for z in (X, Y))
    for metric in OF_TWO_SETS.values():
        assert metric(x, y) == metric(x.astype(np.float64), y.astype(np.float64))


@pytest.mark.parametrize("scale", [1e-150, 1e-30, 1e30, 1e130])
def test_the_distances_follow_the_scale(scale):
    wasserstein = OF_TWO_SETS["sliced_wasserstein"]
    assert wasserstein(scale * X, scale * Y) == pytest.approx(scale * wasserstein(X, Y), rel=1e-12)
    for p in (1, 7, 60):
        at_one = metrics.sliced_wasserstein(X, Y, p=p, directions=8)
        found = metrics.sliced_wasserstein(scale * X, scale * Y, p=p, directions=8)
        assert found == pytest.approx(scale * at_one, rel=1e-12)
    neighbours = metrics.precision_recall_density_coverage
    assert neighbours(scale * X, scale * Y) == neighbours(X, Y)


@pytest.mark.parametrize("name", [*OF_TWO_SETS, "kernel_distance"])
def test_numbers_whose_squares_are_no_floats_are_refused(name):
    metric = OF_TWO_SETS.get(name) or getattr(metrics, name)
    with pytest.raises(ValueError, match=r"must be at most 1e\+140 in size, got 1e\+150"):
        metric(np.full((20, 3), 1e150), np.zeros((20, 3)))


@pytest.mark.parametrize("name", OF_TWO_SETS)
def test_one_sample_and_none(name):
    for few in (X[:0], X[:1]):
        if name == "sliced_wasserstein" and len(few):
            assert metrics.sliced_wasserstein(few, few) == 0
            continue
        with pytest.raises(ValueError, match=rf"must be (samples|more than).*{len(few)}"):
            OF_TWO_SETS[name](few, few)


def test_mode_coverage_of_what_is_far_or_all_the_same():
    for samples in (np.full((50, 3), 1e130), np.zeros((50, 3)), np.zeros((1, 3), np.float32)):
        found = metrics.mode_coverage(samples, MODES, 1e-3)
        on_mode = samples[0, 0] == 0
        assert found.captured == on_mode and found.hq == on_mode
        assert np.isnan(found.narrowest) or found.narrowest == 0
    offset = metrics.mode_coverage(X[:, :] + 1e8, MODES + 1e8, 1.0)
    assert offset.counts.sum() == metrics.mode_coverage(X, MODES, 1.0).counts.sum()


def test_shares_far_apart():
    assert metrics.reverse_kl([1.0, 0.0], [1e-310, 1.0]) == pytest.approx(310 * np.log(10))


@pytest.mark.parametrize("name", OF_TWO_SETS)
def test_underflow_is_no_error(name):
    spread = np.concatenate([X, 1e-170 * Y, 300 + X])
    with np.errstate(all="raise"):
        OF_TWO_SETS[name](spread, 0.5 * spread)
        metrics.mode_coverage(spread, MODES, 1.0)
        metrics.class_coverage([[1 - 1e-200, 1e-200], [1e-320, 1.0]])
        metrics.kernel_distance(spread, 0.5 * spread)


def test_reports_show_themselves_in_one_line_and_explain_their_words():
    found = metrics.mode_coverage(X, MODES, 1.0)
    assert repr(found).startswith("ModeCoverage(samples=200, modes=2, captured=")
    assert "\n" not in repr(found) and len(found.legend().splitlines()) == 6
    classes = metrics.class_coverage([[0.5, 0.5]])
    assert repr(classes).startswith("ClassCoverage(samples=1, classes=2,")
    for report in (found, classes):
        for word in report.LEGEND:
            assert word.casefold() in str(report).casefold() or hasattr(report, word)
