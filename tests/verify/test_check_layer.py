"""check_layer: a layer that cannot be measured fails, and a wrong method is named."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.gradcheck import check_layer

from .checked_parts import Square, noisy, reasons


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
