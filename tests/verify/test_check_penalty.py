"""check_penalty: what cannot be measured fails; no penalty hides a wrong backward_input."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.gradcheck import check_penalty, check_step, input_gradient

from .checked_parts import FAKE, REAL, critic, game


@pytest.mark.parametrize(
    "value, words",
    [
        (lambda right: right + 1e-9 * np.random.standard_normal(), "not deterministic"),
        (lambda right: float("nan"), "not finite"),
        (lambda right: float(np.float32(right)), "coarser than float64"),
    ],
)
def test_penalties(value, words):
    class Changed(mg.penalties.R1):
        def value(self, *arguments):
            return value(super().value(*arguments))

    with np.errstate(invalid="ignore"):
        report = check_penalty(Changed(1.0), critic(), REAL, FAKE)
    failed = {row.tensor: row.reason for row in report.failures if row.check == "gradient"}
    assert words in failed["0.weight"] and words in failed["2.weight"]


def test_a_penalty_that_returns_no_number_is_named():
    class Mine(mg.penalties.R1):
        def accumulate(self, *arguments):
            super().accumulate(*arguments)

    with pytest.raises(TypeError, match="^check_penalty: Mine.accumulate must return a number"):
        check_penalty(Mine(1.0), critic(), REAL, FAKE)


@pytest.mark.parametrize("penalty", [mg.penalties.R1(1.0), mg.penalties.GradientPenalty(1.0)])
def test_a_wrong_backward_input_cannot_hide_behind_a_penalty(penalty):
    """Value and gradient of the penalty use the same backward_input: wrong, they still agree."""

    class Doubled(L.Linear):
        """The first layer, so nothing else in a step uses its backward_input."""

        def backward_input(self, dy, x):
            return 2 * super().backward_input(dy, x)

        def tangent(self, dx, x):
            return 2 * super().tangent(dx, x)

        def curvature(self, dy, x, x_dot):
            return super().curvature(dy, x, 2 * x_dot)

    gan = game(mg.Sequential([Doubled(2, 3), L.LeakyReLU(), L.Linear(3, 1)], rng=1), [penalty])
    alone = check_penalty(penalty, gan.discriminator, REAL, FAKE)
    assert {row.check for row in alone.failures} == {"grad_x D", "value"}
    for report in (alone, check_step(gan, REAL)):
        names = [f"{penalty}", f"{penalty}, parameters moved"]
        assert [row.tensor for row in report.failures if row.check == "grad_x D"] == names


def test_a_mistake_that_the_initial_parameters_hide(monkeypatch):
    """gamma is 1 at first: a backward_input without it is right there, and wrong nearby."""
    monkeypatch.setattr(
        L.LayerNorm, "backward_input", lambda layer, dy, cache: layer._through(dy, cache)
    )
    network = mg.Sequential([L.LayerNorm(2), L.Linear(2, 3), L.Tanh(), L.Linear(3, 1)], rng=1)
    with mg.kernels.use_backend("numpy"):  # on which the layer's own method is what runs
        report = check_penalty(mg.penalties.R1(1.0), network, 10 * REAL, FAKE)
    wrong = {row.tensor for row in report.failures if row.check == "grad_x D"}
    assert wrong == {"R1(1), parameters moved"}


@pytest.mark.parametrize("largest, samples", [(10, 5), (9, 4), (2, 1), (1, 0)])
def test_large_samples_are_noted(largest, samples, monkeypatch):
    monkeypatch.setattr(input_gradient, "LARGEST", largest)
    report = check_penalty(mg.penalties.R1(1.0), critic(), REAL, FAKE)
    measured = [row.entries for row in report.rows if row.check == "grad_x D"]
    assert report.ok and measured == [2 * samples] * (2 if samples else 0)
    assert (f"at {samples} of 5 samples" in str(report)) == (samples < 5)
