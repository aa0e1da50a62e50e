"""Input that cannot work: one error naming the argument, what was expected and what came."""

import numpy as np
import pytest

from minigan import metrics

X = np.random.default_rng(0).standard_normal((20, 2))
TWO_SETS = {
    metrics.precision_recall_density_coverage: ("real", "fake"),
    metrics.sliced_wasserstein: ("x", "y"),
    metrics.mmd: ("x", "y"),
    metrics.kernel_distance: ("x", "y"),
    metrics.frechet_distance: ("features_a", "features_b"),
}
WITH_NAN, WITH_INF = X.copy(), X.copy()
WITH_NAN[3, 1], WITH_INF[3] = np.nan, np.inf
BAD_SETS = [
    (X[:, 0], ValueError, r"shape \(n, d\), got .* shape \(20,\); flatten images"),
    (X.reshape(5, 2, 2, 2), ValueError, r"got .* shape \(5, 2, 2, 2\); flatten"),
    (np.empty((4, 0)), ValueError, r"d >= 1, got .* shape \(4, 0\)"),
    (np.empty((0, 2)), ValueError, r"n >= \d, d >= 1, got .* shape \(0, 2\)"),
    (WITH_NAN, ValueError, r"got NaN or infinity in 1 of 40"),
    (WITH_INF, ValueError, r"got NaN or infinity in 2 of 40"),
    (X > 0, TypeError, r"real numbers .*, got an array of bool"),
    (X + 1j, TypeError, r"real numbers .*, got an array of complex128"),
    ([["a", "b"]], TypeError, r"real numbers .*, got \[\['a', 'b'\]\]"),
    (None, TypeError, r"real numbers .*, got None"),
    ([[1.0, 2.0], [3.0]], ValueError, r"rows of equal length"),
]


@pytest.mark.parametrize("metric", TWO_SETS, ids=lambda metric: metric.__name__)
@pytest.mark.parametrize(("bad", "error", "message"), BAD_SETS)
def test_two_sets(metric, bad, error, message):
    first, second = TWO_SETS[metric]
    with pytest.raises(error, match=f"^{metric.__name__}: {first} must be .*{message}"):
        metric(bad, X)
    with pytest.raises(error, match=f"^{metric.__name__}: {second} must be .*{message}"):
        metric(X, bad)


@pytest.mark.parametrize("metric", TWO_SETS, ids=lambda metric: metric.__name__)
def test_dimensions_must_agree(metric):
    first, second = TWO_SETS[metric]
    with pytest.raises(ValueError, match=f": {second} must be of 2 columns, as in {first}, got 3"):
        metric(X, np.ones((20, 3)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.precision_recall_density_coverage(X, X[:5]), ValueError,
         "fake must be more than k = 5 samples, got 5"),
        (lambda: metrics.precision_recall_density_coverage(X, X, 0), ValueError,
         "k must be an integer >= 1, got 0"),
        (lambda: metrics.precision_recall_density_coverage(X, X, 2.5), TypeError,
         "k must be an integer >= 1, got 2.5"),
        (lambda: metrics.frechet_distance(X[:1], X), ValueError,
         "features_a must be samples .* n >= 2, .*, got an array"),
        (lambda: metrics.mmd(X, X[:1]), ValueError, "y must be samples .* n >= 2"),
        (lambda: metrics.mmd(X, X, bandwidths=[]), ValueError, "bandwidths must be one or more"),
        (lambda: metrics.mmd(X, X, bandwidths=[1, -2]), ValueError,
         "bandwidths must be one or more numbers > 0, got .1, -2."),
        (lambda: metrics.mmd(X, X, bandwidths="wide"), TypeError,
         "bandwidths must be finite real numbers .*, got 'wide'"),
        (lambda: metrics.sliced_wasserstein(X, X, directions=0), ValueError,
         "directions must be an integer >= 1, got 0"),
        (lambda: metrics.sliced_wasserstein(X, X, p=0.5), ValueError,
         "p must be a finite number >= 1, got 0.5"),
        (lambda: metrics.sliced_wasserstein(X, X, p=np.inf), ValueError, "p must be a finite"),
        (lambda: metrics.sliced_wasserstein(X, X, rng="seed"), TypeError,
         "rng must be a seed >= 0, .*, got 'seed'"),
        (lambda: metrics.sliced_wasserstein(X, X, rng=-1), ValueError, "rng must be a seed >= 0"),
        (lambda: metrics.mode_coverage(X, X[:3], 0.0), ValueError,
         "std must be a finite number > 0, got 0.0"),
        (lambda: metrics.mode_coverage(X, X[:3], [0.1] * 3), TypeError,
         "std must be a finite number > 0, got .0.1"),
        (lambda: metrics.mode_coverage(X * np.nan, X[:3], 1.0), ValueError, "samples must .*NaN"),
        (lambda: metrics.mode_coverage(X, X[:3, :1], 1.0), ValueError,
         "modes must be of 2 columns, as in samples, got 1"),
        (lambda: metrics.mode_coverage(X, X[:0], 1.0), ValueError,
         "modes must be samples .* n >= 1, .*, got an array"),
        (lambda: metrics.mode_coverage(X, X[:3], 1.0, min_share=1.5), ValueError,
         r"min_share must be a number in \(0, 1\], got 1.5"),
        (lambda: metrics.mode_coverage(X, X[:3], 1.0, weights=[0.5, 0.5]), ValueError,
         r"weights must be 3 shares > 0, got \[0.5 0.5\]"),
        (lambda: metrics.mode_coverage(X, X[:2], 1.0, weights=[1.0, 0.0]), ValueError,
         "weights must be 2 shares > 0"),
        (lambda: metrics.total_variation([0.5, 0.6], [0.5, 0.5]), ValueError,
         "p must be shares >= 0 with a sum of 1, .*a sum of 1.1"),
        (lambda: metrics.total_variation([0.5, 0.5], [np.nan, 1]), ValueError, "q must be shares"),
        (lambda: metrics.total_variation([], []), ValueError, "p must be shares of one bin"),
        (lambda: metrics.reverse_kl([1.5, -0.5], [0.5, 0.5]), ValueError, "generated must .*-0.5"),
        (lambda: metrics.reverse_kl([0.5, 0.5], [1.0]), ValueError,
         r"generated and reference must have one shape, got \(2,\) and \(1,\)"),
        (lambda: metrics.class_coverage([0.5, 0.5]), ValueError, "probabilities must be"),
        (lambda: metrics.class_coverage([[0.5, 0.5]], reference=[1.0]), ValueError,
         "reference must be shares of 2 classes, got 1"),
        (lambda: metrics.class_coverage([[0.5, 0.5]], confidence=2), ValueError,
         r"confidence must be a number in \[0, 1\], got 2"),
    ],
)  # fmt: skip
def test_options(call, error, message):
    with pytest.raises(error, match=rf"^\w+: {message}"):
        call()


def test_the_input_is_left_as_it_was_and_lists_and_integers_are_welcome():
    before = X.copy()
    for metric in TWO_SETS:
        metric(X, X[::-1] + 1)
    metrics.mode_coverage(X, X[:3], 1.0)
    assert np.array_equal(X, before)
    whole = [[0, 0], [1, 0], [0, 2]]
    assert metrics.frechet_distance(whole, whole) < 1e-30


def test_float32_scores_as_its_float64_copy():
    x, y = X.astype(np.float32), (X[::-1] * 2).astype(np.float32)
    for metric in TWO_SETS:
        assert metric(x, y) == metric(x.astype(np.float64), y.astype(np.float64))
