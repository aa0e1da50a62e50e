"""check_loss: a loss that cannot be measured, or errs for some logits, fails with the reason."""

import numpy as np
import pytest

import minigan as mg
from minigan.verify.gradcheck import check_loss

from .checked_parts import reasons


def loss_with(value):
    class Changed(mg.losses.LeastSquares):
        def generator(self, real, fake):
            right, d_real, d_fake = super().generator(real, fake)
            return value(right), d_real, d_fake

    return Changed()


@pytest.mark.parametrize(
    "value, words",
    [
        (lambda right: right + 1e-9 * np.random.standard_normal(), "not deterministic"),
        (lambda right: float("nan"), "not finite"),
        (lambda right: float("inf"), "not finite"),
        (lambda right: float(np.float32(right)), "coarser than float64"),
    ],
)
def test_losses(value, words):
    report = check_loss(loss_with(value))
    assert not report.ok and words in reasons(report)
    failed = [row for row in report.failures if row.tensor == "d_fake"]
    assert len(failed) == 1 and words in failed[0].reason


@pytest.mark.parametrize(
    "generator, words",
    [
        (lambda self, real, fake: None, r"Mine.generator must return \(value, d_real, d_fake\)"),
        (lambda self, real, fake: (fake, fake, fake), "Mine.generator must return a number"),
        (lambda self, real, fake: (1.0, None, fake), "Mine.generator must return d_real"),
        (lambda self, real, fake: (1.0, real, 2.0), "Mine.generator must return d_fake"),
    ],
)
def test_a_loss_that_returns_the_wrong_thing_is_named(generator, words):
    mine = type("Mine", (mg.losses.Hinge,), {"generator": generator})
    with pytest.raises(TypeError, match=f"^check_loss: {words}"):
        check_loss(mine())


def test_a_loss_gradient_of_another_shape():
    class Flat(mg.losses.Hinge):
        def generator(self, real, fake):
            value, d_real, d_fake = super().generator(real, fake)
            return value, d_real, d_fake[:, 0]

    report = check_loss(Flat())
    assert not report.ok and "shape (6,), expected (6, 1)" in reasons(report)


@pytest.mark.parametrize(
    "row, wrong",
    [
        (("generator", "one: d_fake"), lambda real, fake: len(fake) == 1),
        (("generator, float32", "d_fake"), lambda real, fake: fake.dtype == np.float32),
    ],
)
def test_a_loss_that_errs_for_some_batches(row, wrong):
    class Sometimes(mg.losses.NonSaturating):
        def generator(self, real, fake):
            value, d_real, d_fake = super().generator(real, fake)
            return value, d_real, d_fake * (1 + wrong(real, fake))

    report = check_loss(Sometimes())
    assert [(failure.check, failure.tensor) for failure in report.failures] == [row]


class Forgetful(mg.losses.Relativistic):
    """Its L_G depends on the real logits, which it does not say."""

    generator_sees_real = False


def test_a_loss_that_does_not_say_what_it_sees():
    failed = [row.tensor for row in check_loss(Forgetful()).failures]
    assert failed == [f"declared generator_sees_real: {what}" for what in ("L_G", "d_fake")]


class Plain:
    """Least squares, made without `Loss`."""

    def discriminator(self, real, fake):
        return mg.losses.LeastSquares().discriminator(real, fake)

    def generator(self, real, fake):
        return mg.losses.LeastSquares().generator(real, fake)


def test_a_loss_that_writes_to_its_logits():
    class Sorts(Plain):
        def generator(self, real, fake):
            fake.sort(axis=0)
            return super().generator(real, fake)

    assert check_loss(Plain()).ok
    failed = [row.tensor for row in check_loss(Sorts()).failures]
    assert "logits unchanged" in failed


def test_a_value_that_is_wrong_in_float32():
    class Twice(Plain):
        def generator(self, real, fake):
            value, d_real, d_fake = super().generator(real, fake)
            return value * (1 + (fake.dtype == np.float32)), d_real, d_fake

    report = check_loss(Twice())
    assert [(row.check, row.tensor) for row in report.failures] == [("generator, float32", "value")]
    assert report.max_relative_error < 1e-9  # that of the rows in float64
