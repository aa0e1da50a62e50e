"""Nearest training images, copying, the birthday estimate, the classifier two-sample test."""

import numpy as np
import pytest

from minigan.metrics import birthday_support, classifier_two_sample_test, copying, nearest
from minigan.metrics.memorisation import alike_within

RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((1500, 5))
TRAINING, HELD_OUT, HONEST = DATA[:500], DATA[500:1000], DATA[1000:]


def test_nearest_against_all_distances():
    distances, indices = nearest(HONEST[:20], TRAINING, k=3)
    every = np.linalg.norm(HONEST[:20, None] - TRAINING, axis=2)
    assert np.array_equal(indices, np.argsort(every, axis=1)[:, :3])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :3], rtol=1e-9)


def test_copies_are_found():
    assert abs(copying(HONEST, TRAINING, HELD_OUT).share - 0.5) < 0.06
    copies = TRAINING + 0.01 * RNG.standard_normal(TRAINING.shape)
    assert copying(copies, TRAINING, HELD_OUT).share > 0.99
    assert copying(HONEST + 5, TRAINING, HELD_OUT).share < 0.01
    assert copying(HELD_OUT, TRAINING, HELD_OUT).share == 0.5  # ties count half


@pytest.mark.parametrize("things", [20, 300])
def test_the_birthday_estimate(things):
    """Draws from so many points, each slightly moved: the estimate finds their number."""
    centres = 10 * RNG.standard_normal((things, 4))
    draws = centres[RNG.integers(things, size=1500)] + 1e-3 * RNG.standard_normal((1500, 4))
    found = birthday_support(draws, within=0.1)
    assert found.support == pytest.approx(things, rel=0.1) and found.lower < things
    assert f"about {found.support:,.0f}" in str(found)


def test_no_collisions():
    found = birthday_support(RNG.standard_normal((100, 30)), within=1e-3)
    assert found.collisions == 0 and found.support == np.inf and found.lower == 4950 / 3
    assert "at least 1,650" in str(found)


def test_alike_within():
    line = np.cumsum(np.arange(1.0, 101))[:, None]  # gaps of 2, 3, 4, ... to the neighbour before
    assert alike_within(line, 0.01) == pytest.approx(2, abs=0.1)


def test_the_two_sample_test():
    same = classifier_two_sample_test(HELD_OUT, HONEST, steps=200)
    assert abs(same.accuracy - 0.5) < 0.08 and same.p_value > 0.005 and same.tested == 500
    other = classifier_two_sample_test(HELD_OUT, HONEST * 1.8, steps=200)
    assert other.accuracy > 0.6 and other.p_value < 1e-4
    assert classifier_two_sample_test(HELD_OUT, HONEST, steps=200) == same


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: nearest(TRAINING, HELD_OUT[:, :3]),
            "training must be of 5 columns, as in samples, got 3",
        ),
        (
            lambda: nearest(TRAINING, TRAINING[:2], k=3),
            "training must be at least k = 3 samples, got 2",
        ),
        (lambda: birthday_support(TRAINING, 0), "birthday_support: within"),
        (lambda: birthday_support(TRAINING[:1], 1.0), "n >= 2, d >= 1, got"),
        (
            lambda: classifier_two_sample_test(TRAINING[:5], TRAINING),
            "real must be samples (n, d), n >= 8",
        ),
        (lambda: copying(np.zeros((3, 28, 28)), TRAINING, HELD_OUT), "flatten images"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError) as raised:
        call()
    assert message in str(raised.value)


def test_the_unit_of_the_points_does_not_matter():
    far = HONEST + 3 * HONEST.std()
    found = [classifier_two_sample_test(unit * HELD_OUT, unit * far) for unit in (1.0, 2.0**-80)]
    assert found[0] == found[1] and found[0].accuracy > 0.9
    assert birthday_support(TRAINING, 1e200).collisions == len(TRAINING) * (len(TRAINING) - 1) // 2
