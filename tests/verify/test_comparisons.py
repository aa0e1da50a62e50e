"""The rows of a report: what cannot be compared does not agree, and the worst entry is shown."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.gradcheck import Report, check_layer, relative_error
from minigan.verify.gradcheck.differences import measure

from .checked_parts import W, X


@pytest.mark.parametrize(
    "found, expected, words",
    [
        ([np.nan], [np.nan], "not finite"),
        ([1.0, np.inf], [1.0, np.inf], "not finite"),
        ([1.0], [np.inf], "not finite"),
        ([], [], "empty"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "empty"),
        (np.zeros((2, 3)), np.zeros((3, 2)), r"shape (2, 3), expected (3, 2)"),
        (np.zeros(1), 0.0, r"shape (1,), expected ()"),
    ],
)
@pytest.mark.parametrize("tolerance", [0, 1e-12, np.inf])
def test_what_cannot_be_compared_does_not_agree(found, expected, words, tolerance):
    report = Report("")
    report.compare("check", "tensor", found, expected, tolerance)
    assert not report.ok and words in report.rows[0].reason and words in str(report)
    assert not relative_error(found, expected) <= 1e300


def test_a_gradient_of_another_shape_or_not_finite_is_not_right():
    x = X.copy()
    known = measure(lambda: float(x @ W), x)
    for found, words in ((W[:, None], "shape (6, 1)"), (W * np.nan, "not finite: 6 of 6 entries")):
        report = Report("")
        report.compare_difference("check", "tensor", found, known)
        assert not report.ok and words in report.rows[0].reason


def test_a_report_of_nothing_is_not_ok():
    report = Report("empty")
    assert not report.ok and "nothing was checked" in str(report)


def test_the_worst_entry():
    class Threefold(L.Linear):
        def backward_params(self, dy, x):
            before = self.grads["weight"].copy()
            super().backward_params(dy, x)
            added = self.grads["weight"] - before
            added[2, 1] *= 3
            self.grads["weight"][...] = before + added

    report = check_layer(Threefold(3, 2), (5, 3))
    row = next(row for row in report.failures if row.tensor == "0.weight")
    assert row.reason is None and row.verdict == "WRONG"
    assert row.worst.index == (2, 1)
    assert row.worst.ratio == pytest.approx(3) == row.worst.found / row.worst.expected
    assert "worst entry (2, 1): found" in str(report) and "ratio 3" in str(report)
    assert max(map(len, str(report).splitlines())) <= 100


def test_long_names_leave_the_table_narrow():
    layer = L.Linear(3, 3)
    for _ in range(6):
        layer = L.Residual(mg.Sequential([layer]))
    report = check_layer(mg.Sequential([layer]), (5, 3))
    assert report.ok and max(len(row.tensor) for row in report.rows) > 47
    assert max(map(len, str(report).splitlines())) <= 100
