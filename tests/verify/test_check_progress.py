"""A slow check shows its progress on stderr; a quick one is silent."""

import sys

import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.gradcheck import (
    check_function,
    check_layer,
    check_loss,
    check_penalty,
    check_step,
)
from minigan.verify.gradcheck import check_progress as progress

from .checked_parts import FAKE, REAL, W, X, critic, game


def all_checks(**options):
    check_layer(L.Linear(3, 2), (5, 3), **options)
    check_loss(mg.losses.Hinge(), **options)
    check_penalty(mg.penalties.R1(1.0), critic(), REAL, FAKE, **options)
    check_step(game(), REAL, **options)
    check_function(lambda x: float(x @ x), lambda x: 2 * x, X, **options)


def test_a_quick_check_is_silent(capsys):
    all_checks()
    assert capsys.readouterr() == ("", "")


def test_a_slow_check_shows_its_progress(capsys, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0)
    all_checks()
    out, err = capsys.readouterr()
    assert out == "" and err.count("checking:   0%") == 5
    all_checks(progress=False)
    assert capsys.readouterr() == ("", "")


def test_without_a_stderr(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0)
    monkeypatch.setattr(sys, "stderr", None)
    all_checks()


@pytest.mark.parametrize("value", [1, None, "no"])
def test_progress_must_be_a_flag(value):
    with pytest.raises(TypeError, match="check_function: progress must be True or False"):
        check_function(lambda x: 1.0, W, X, progress=value)
