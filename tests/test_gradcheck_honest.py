"""What a check could not measure must not pass, and the report must say why."""

import sys

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.gradcheck import (
    Report,
    check_function,
    check_layer,
    check_loss,
    check_penalty,
    check_step,
    input_gradient,
    relative_error,
)
from minigan.verify.gradcheck import check_progress as progress
from minigan.verify.gradcheck.differences import measure

rng = np.random.default_rng(0)
X = rng.standard_normal(6)
W = rng.standard_normal(6)
REAL, FAKE = rng.standard_normal((2, 5, 2))


class Square(L.Layer):
    """y = x^2, the smallest of layers: no tangent, no curvature."""

    def forward(self, x, training=True):
        x = self.as_input(x)
        return x**2, x

    def backward_input(self, dy, x):
        return 2 * x * dy


def differences(function, x=X):
    x = np.array(x, np.float64)
    return measure(lambda: function(x), x)


def reasons(report):
    return " ".join(row.reason for row in report.rows if row.reason)


# -- functions that cannot be measured -------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: float(np.sum(np.float32(x) ** 2)),
        lambda x: float(np.sum((np.float32(x) * np.float32(W)) ** 3)),
        lambda x: np.float32(np.tanh(x) @ W),
        lambda x: float(W @ np.float16(x).astype(float)),
        lambda x: float(W @ np.round(x, 3)),
        lambda x: float(W @ np.round(x, 4)),
        lambda x: float(W @ np.round(x, 6)),
    ],
    ids=["float32 x", "float32 products", "float32 result", "float16", "3", "4", "6 digits"],
)
def test_coarser_than_float64(function):
    found = differences(function)
    assert "coarser than float64" in found.reason and "do not settle" in found.reason
    assert 1e-10 < found.resolution.max() < 1e-2


@pytest.mark.parametrize(
    "function",
    [
        lambda x: float(np.sum(np.sqrt(x - 100))),
        lambda x: np.nan,
        lambda x: np.inf,
        lambda x: float(np.sum(np.where(x > X, np.nan, x))),
        lambda x: float(np.sum(np.where(x < X, -np.inf, x))),
    ],
)
def test_not_finite(function):
    with np.errstate(invalid="ignore"):
        found = differences(function)
    assert found.compared == 0 and "not finite: 6 of 6" in found.reason


def test_one_entry_that_is_not_finite_is_one_too_many():
    found = differences(lambda x: float(np.sum(x)) + (np.nan if x[2] != X[2] else 0.0))
    assert found.compared == 5 and "not finite: 1 of 6" in found.reason


def test_not_deterministic():
    noise = np.random.default_rng(1)
    found = differences(lambda x: float(x @ W) + 1e-9 * noise.standard_normal())
    assert found.compared == 0 and found.reason.startswith("not deterministic: two evaluations")
    counter = iter(range(10**6))
    drifts = differences(lambda x: float(x @ W) + 1e-3 * (next(counter) > 20))
    assert drifts.reason.startswith("not deterministic")


@pytest.mark.parametrize("on, measured", [(1, True), (3, True), (4, False), (6, False)])
def test_at_least_half_of_the_entries_must_be_compared(on, measured):
    """Entries exactly on a kink may be left out, up to half of all of them."""
    weights = np.where(np.arange(6) < on, 1.0, 0.0)
    found = differences(lambda x: float(weights @ np.abs(x - X) + x @ W))
    assert found.compared == 6 - on
    assert (found.reason is None) == measured
    if not measured:
        assert f"only {6 - on} of 6 entries compared" in found.reason


@pytest.mark.parametrize(
    "function, expected",
    [
        (lambda x: float(np.sum(np.abs(x - X - 3e-5))), -np.ones(6)),
        (lambda x: float(np.sum(np.abs(x - X - 2e-5) + np.abs(x - X + 1e-5))), np.zeros(6)),
        (lambda x: float(np.sum(np.maximum(x - 9, 0))), np.zeros(6)),
        (lambda x: 1 + float(np.sum((x - X) ** 5)), np.zeros(6)),
        (lambda x: 1e6 * float(np.sum(np.tanh(x))), 1e6 / np.cosh(X) ** 2),
        (lambda x: float(np.sum(np.exp(5 * x))), 5 * np.exp(5 * X)),
        (lambda x: float(np.sum(x * x) + 1e-13 * np.sin(1e9 * x[0])), 2 * X),
    ],
    ids=["kink nearby", "kinks on both sides", "off", "flat", "large", "curved", "rounding"],
)
def test_what_can_be_measured_is(function, expected):
    found = differences(function)
    assert found.reason is None and found.compared == 6
    assert relative_error(found.gradient, expected) < 1e-7


# -- comparisons -----------------------------------------------------------------------------------


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
    known = differences(lambda x: float(x @ W))
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


# -- layers ----------------------------------------------------------------------------------------


def noisy(size):
    class Noisy(L.Linear):
        def forward(self, x, training=True):
            y, cache = super().forward(x, training)
            return y + size * np.random.standard_normal(y.shape), cache

    return Noisy(3, 2)


@pytest.mark.parametrize("size", [1e-1, 1e-6, 1e-15])
def test_a_layer_that_is_not_deterministic(size):
    report = check_layer(noisy(size), (5, 3))
    failed = {row.tensor for row in report.failures if row.reason}
    assert {"dx", "0.weight", "0.bias"} <= failed
    assert "not deterministic: two forward passes" in reasons(report)


def test_a_layer_that_is_not_finite():
    class NotANumber(Square):
        def forward(self, x, training=True):
            with np.errstate(invalid="ignore"):
                return np.sqrt(self.as_input(x) - 100), x

    report = check_layer(NotANumber(), (5, 3))
    assert not report.ok and "not finite" in reasons(report)


@pytest.mark.parametrize("where", ["forward", "backward", "both", "result"])
def test_a_right_layer_in_float32_fails_with_the_reason(where):
    class Single(L.Linear):
        def forward(self, x, training=True):
            x = self.as_input(x)
            inner = x.astype(np.float32) if where in ("forward", "both") else x
            y, _ = super().forward(np.tanh(inner), training)
            return (y.astype(np.float32) if where == "result" else y), x

        def backward_input(self, dy, x):
            dtype = np.float32 if where in ("backward", "both") else np.float64
            t = np.tanh(x.astype(dtype))
            return (dy.astype(dtype) @ self.params["weight"].T.astype(dtype)) * (1 - t**2)

        def backward_params(self, dy, x):
            super().backward_params(dy, np.tanh(x))

        tangent, curvature = L.Layer.tangent, L.Layer.curvature

    report = check_layer(Single(3, 2), (5, 3))
    assert not report.ok and "coarser than float64" in reasons(report)
    assert all(row.verdict == "FAILED" for row in report.failures), report


def test_what_a_layer_need_not_have_is_noted():
    report = check_layer(Square(), (5, 3))
    assert report.ok and len(report.notes) == 1
    assert "Square has no tangent and curvature" in str(report)
    inside = check_layer(mg.Sequential([L.Linear(3, 3), Square()]), (5, 3))
    assert inside.ok and inside.notes == report.notes
    assert not check_layer(L.Tanh(), (5, 3)).notes


@pytest.mark.parametrize("layer", [L.LayerNorm(3), L.Tanh(), L.Linear(3, 2), L.LeakyReLU()])
def test_the_curvature_is_checked(layer, monkeypatch):
    assert check_layer(layer, (5, 3)).ok
    right = type(layer).curvature

    def wrong(layer, dy, cache, x_dot):
        dx_dot = right(layer, dy, cache, 1.5 * x_dot)
        return x_dot if isinstance(layer, L.LeakyReLU) else dx_dot

    monkeypatch.setattr(type(layer), "curvature", wrong)
    failures = check_layer(layer, (5, 3)).failures
    assert failures and all(row.tensor.startswith("curvature") for row in failures)


def method(name, function):
    return type("Mine", (Square,), {name: function})()


def forward(function):
    return method("forward", lambda self, x, training=True: function(x))


@pytest.mark.parametrize(
    "layer, words",
    [
        (forward(lambda x: x), "Mine.forward must return two values"),
        (forward(lambda x: None), "Mine.forward must return two values"),
        (forward(lambda x: (x, 1, 2)), "Mine.forward must return two values"),
        (forward(lambda x: (2.0, x)), "Mine.forward must return y"),
        (forward(lambda x: (None, x)), "Mine.forward must return y"),
        (method("forward", L.Layer.forward), "Mine has no method forward"),
        (method("backward_input", L.Layer.backward_input), "Mine has no method backward_input"),
        (method("backward_input", lambda self, dy, x: None), "Mine.backward_input must return dx"),
        (method("backward_input", lambda self, dy, x: dy[0]), r"shape of x, \(5, 3\), got \(3,\)"),
        (method("backward", lambda self, dy, x: None), "Mine.backward must return dx"),
        (method("tangent", lambda self, dx, x: None), "Mine.tangent must return the derivative"),
        (method("tangent", lambda self, dx, x: dx.T), r"the shape of y, \(5, 3\), got \(3, 5\)"),
        (method("curvature", lambda self, dy, x, x_dot: x_dot[0]), "Mine.curvature must return"),
        (method("__init__", lambda self: None), r"Mine.__init__ must begin with super"),
    ],
)
def test_a_method_that_returns_the_wrong_thing_is_named(layer, words):
    with pytest.raises((TypeError, ValueError), match=f"^check_layer: .*{words}"):
        check_layer(layer, (5, 3))


def test_a_gradient_that_is_replaced_is_named():
    class Replaces(L.Linear):
        def backward_params(self, dy, x):
            self.grads["weight"] = x.T @ dy

    wrong = [row.tensor for row in check_layer(Replaces(3, 2), (5, 3)).rows if not row.ok]
    assert "backward adds into grads" in wrong


@pytest.mark.parametrize("x", [np.zeros((4, 0)), np.full((4, 2), np.nan), np.full((4, 2), np.inf)])
def test_an_input_that_cannot_be_checked(x):
    with pytest.raises(ValueError, match="^check_layer: x must"):
        check_layer(L.Tanh(), x)


# -- losses, penalties, steps ----------------------------------------------------------------------


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
        ("one", lambda real, fake: len(fake) == 1),
        ("float32", lambda real, fake: fake.dtype == np.float32),
    ],
)
def test_a_loss_that_errs_for_some_batches(row, wrong):
    class Sometimes(mg.losses.NonSaturating):
        def generator(self, real, fake):
            value, d_real, d_fake = super().generator(real, fake)
            return value, d_real, d_fake * (1 + wrong(real, fake))

    report = check_loss(Sometimes())
    assert [failure.tensor for failure in report.failures] == [f"{row}: d_fake"]


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

    assert [row.tensor for row in check_loss(Twice()).failures] == ["float32: value"]


def critic():
    return mg.Sequential([L.Linear(2, 3), L.Tanh(), L.Linear(3, 1)], rng=1)


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


def game(discriminator=None, penalties=(), loss=None):
    generator = mg.Sequential([L.Linear(2, 3), L.Tanh(), L.Linear(3, 2)], rng=2)
    return mg.GAN(
        generator, discriminator or critic(), latent_dim=2, penalties=penalties, loss=loss, rng=3
    )


@pytest.mark.parametrize("layer", [noisy(1e-6), noisy(1e-12)])
def test_a_step_that_is_not_deterministic(layer):
    discriminator = mg.Sequential([L.Linear(2, 3), layer, L.Linear(2, 1)], rng=1)
    report = check_step(game(discriminator), REAL)
    assert not report.ok and "not deterministic" in reasons(report)


def test_a_step_in_float32():
    class Single(L.Tanh):
        def forward(self, x, training=True):
            y, _ = super().forward(np.float32(self.as_input(x)))
            return y.astype(np.float64), y

    discriminator = mg.Sequential([L.Linear(2, 3), Single(), L.Linear(3, 1)], rng=1)
    report = check_step(game(discriminator), REAL)
    assert not report.ok and "coarser than float64" in reasons(report)


class Clipping(mg.optim.SGD):
    """Shortens its gradient in place, to a thousandth."""

    def step(self, theta, grad):
        grad *= 1e-3 / np.linalg.norm(grad)
        super().step(theta, grad)


def test_an_optimizer_that_clips_in_place_is_right():
    gan = game()
    gan.discriminator_optimizer, gan.generator_optimizer = Clipping(), Clipping()
    assert check_step(gan, REAL).ok


def test_a_step_may_set_the_learning_rates():
    class Warming(mg.GAN):
        def train_step(self, real):
            self.generator_optimizer.lr *= 2
            return super().train_step(real)

    gan = game()
    gan.__class__ = Warming
    assert check_step(gan, REAL).ok


def test_what_moves_after_the_last_update():
    class Shrinks(mg.GAN):
        def train_step(self, real):
            figures = super().train_step(real)
            self.generator.theta *= 0.99
            return figures

    gan = game()
    gan.__class__ = Shrinks
    assert [row.tensor for row in check_step(gan, REAL).failures] == [
        "theta_G as its optimizer left it"
    ]


def steps(*players):
    class Mine(mg.GAN):
        def train_step(self, real):
            return {k: v for p in players for k, v in getattr(self, f"{p}_step")(real).items()}

    return Mine


@pytest.mark.parametrize(
    "kind, message",
    [
        (steps("discriminator"), "Mine.train_step must move .* got discriminator$"),
        (steps("generator", "discriminator"), "got generator, discriminator$"),
        (steps("discriminator", "discriminator", "generator"), "got discriminator, discriminator"),
        (mg.game_steps.SimultaneousGAN, "gan must move its discriminator before its generator"),
        (mg.game_steps.ExtragradientGAN, "as GAN does, got a ExtragradientGAN; check a GAN of"),
    ],
)
def test_a_step_that_is_no_step_of_both_in_turn(kind, message):
    gan = game()
    gan.__class__ = kind
    with pytest.raises(TypeError, match=f"^check_step: .*{message}"):
        check_step(gan, REAL)


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


# -- one plain function ----------------------------------------------------------------------------


def test_check_function():
    x = np.array([[1.0, 2.0], [3.0, -4.0]])
    before = x.copy()
    assert check_function(lambda x: np.sum(x**3), lambda x: 3 * x**2, x).ok
    assert check_function(lambda x: np.sum(x**3), 3 * x**2, x).ok
    assert check_function(lambda x: x**2, 6.0, 3).ok
    assert check_function(lambda x: float(x @ x), [2, 4], [1, 2]).ok
    report = check_function(lambda x: np.sum(x**3), lambda x: 3 * x**2 + (x == 3), x)
    assert not report.ok and report.rows[0].worst.index == (1, 0)
    assert report.rows[0].worst.found == 28 and abs(report.rows[0].worst.expected - 27) < 1e-6
    assert np.array_equal(x, before)


@pytest.mark.parametrize("small", [1e-4, 1e-12, 1e-100])
def test_check_function_of_small_numbers(small):
    """Beside a bar for numbers near 1, any gradient would pass."""
    report = check_function(lambda x: small * float(x @ x), lambda x: 2 * small * x, X)
    assert report.ok and "times as large" in str(report)
    assert not check_function(lambda x: small * float(x @ x), lambda x: 2.001 * small * x, X).ok
    assert not check_function(lambda x: small * float(x @ x), lambda x: 0 * x, X).ok
    assert check_function(lambda x: 0.0, lambda x: 0 * x, X).ok


def test_check_function_gives_each_call_its_own_x():
    def spoils(x):
        x *= 2
        return float(np.sum(x))

    assert check_function(spoils, lambda x: np.full_like(x, 2), [1.0, 2.0]).ok


@pytest.mark.parametrize(
    "f, words",
    [
        (lambda x: float(np.sum(x)) + np.random.random(), "not deterministic"),
        (lambda x: np.nan, "not finite"),
        (lambda x: np.float32(np.sum(np.tanh(x))), "coarser than float64"),
        (lambda x: np.sum(np.abs(x - X)), "kink"),
    ],
)
def test_check_function_that_cannot_be_measured(f, words):
    report = check_function(f, np.ones(6), X)
    assert not report.ok and words in reasons(report)


@pytest.mark.parametrize(
    "f, gradient, x, error, words",
    [
        (3, W, X, TypeError, "f must be a function"),
        (lambda x: x, W, X, TypeError, "f must return a number"),
        (lambda x: None, W, X, TypeError, "f must return a number"),
        (lambda x: 1j, W, X, TypeError, "f must return a number"),
        (lambda x: 1.0, None, X, TypeError, "gradient must be real numbers"),
        (lambda x: 1.0, lambda x: None, X, TypeError, "gradient must be real numbers"),
        (lambda x: 1.0, W[:, None], X, ValueError, "gradient must have the shape of x"),
        (lambda x: 1.0, 1.0, X, ValueError, "gradient must have the shape of x"),
        (lambda x: 1.0, W, "six", TypeError, "x must be real numbers"),
        (lambda x: 1.0, [], [], ValueError, "x must not be empty"),
        (lambda x: 1.0, W, W * np.nan, ValueError, "x must be finite"),
    ],
)
def test_check_function_bad_input(f, gradient, x, error, words):
    with pytest.raises(error, match=f"^check_function: {words}"):
        check_function(f, gradient, x)


# -- progress --------------------------------------------------------------------------------------


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
