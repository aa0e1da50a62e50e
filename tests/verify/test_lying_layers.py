"""Layers that break the contract in one item each: each is caught, by the name of that item."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.layers.base import Layer
from minigan.verify.gradcheck import check_layer

NOISE = np.random.default_rng(0)


class Right(Layer):
    """y = factor tanh(x), all of the contract kept."""

    def __init__(self):
        super().__init__()
        self.add_parameter("factor", (1,))
        self.params["factor"][...] = 1.5

    def forward(self, x, training=True):
        t = np.tanh(self.as_input(x))
        return self.params["factor"] * t, t

    def backward_input(self, dy, t):
        return self.params["factor"] * (1 - t * t) * dy

    def backward_params(self, dy, t):
        self.grads["factor"] += np.sum(dy * t)

    def tangent(self, x_dot, t):
        return self.params["factor"] * (1 - t * t) * x_dot

    def curvature(self, dy, t, x_dot):
        self.grads["factor"] += np.sum(dy * (1 - t * t) * x_dot)
        return self.params["factor"] * -2 * t * (1 - t * t) * x_dot * dy


def lying(base=Right, **broken):
    return type("Lying", (base,), broken)()


def remembers(self, x, training=True):
    y, self.t = Right.forward(self, x, training)
    return y, None


def writes_x(self, x, training=True):
    x = self.as_input(x)
    np.tanh(x, out=x)
    return self.params["factor"] * x, x


def writes_dy(self, dy, t):
    dy *= self.params["factor"] * (1 - t * t)
    return dy


def needs_contiguous(self, dy, t):
    flat = dy.view()
    flat.shape = (dy.size,)
    return Right.backward_input(self, dy, t)


def curved_grads(self, dy, t, x_dot):
    return self.params["factor"] * -2 * t * (1 - t * t) * x_dot * dy


def overwrites(self, dy, t):
    self.grads["factor"] = np.sum(dy * t).reshape(1)


def counts_twice(self, dy, t):
    self.backward_params(dy, t)
    self.backward_params(dy, t)
    return self.backward_input(dy, t)


def mixes(self, x, training=True):
    t = np.tanh(self.as_input(x) - np.mean(x, axis=0))
    return self.params["factor"] * t, t


def mixed_dx(self, dy, t):
    dx = Right.backward_input(self, dy, t)
    return dx - dx.mean(axis=0)


def mixed_tangent(self, x_dot, t):
    return Right.tangent(self, x_dot - x_dot.mean(axis=0), t)


def in_float16(self, x, training=True):
    x = self.as_input(x)
    if x.dtype == np.float32:
        x = x.astype(np.float16).astype(np.float32)
    return Right.forward(self, x, training)


def always_float64(self, x, training=True):
    y, t = Right.forward(self, x, training)
    return y.astype(np.float64), t


class MovingBuffer(L.BatchNorm):
    """It moves its running statistics while they are held."""

    def update_running(self, mean, variance, count):
        self.buffers["running_mean"] = 0.9 * self.buffers["running_mean"] + 0.1 * mean


class OtherInEvaluation(L.BatchNorm):
    def backward_input(self, dy, cache):
        x_hat, inv_std, _ = cache
        return super().backward_input(dy, (x_hat, inv_std, True))


# name: (layer, a part of the row that must fail, and no other row)
LIES = {
    "forward is random": (
        lying(forward=lambda s, x, training=True: Right.forward(
            s, x + 1e-9 * NOISE.standard_normal(x.shape))), "y of two forward passes"),
    "caches on self": (
        lying(forward=remembers,
              backward_input=lambda s, dy, c: Right.backward_input(s, dy, s.t),
              backward_params=lambda s, dy, c: Right.backward_params(s, dy, s.t),
              tangent=lambda s, v, c: Right.tangent(s, v, s.t),
              curvature=lambda s, dy, c, v: Right.curvature(s, dy, s.t, v)), "caches"),
    "dx": (lying(backward_input=lambda s, dy, t: dy), "dx"),
    "gradients": (lying(backward_params=lambda s, dy, t: None), "factor"),
    "= for +=": (lying(backward_params=overwrites), "adds into grads"),
    "backward twice": (lying(backward=counts_twice), "backward"),
    "tangent": (lying(tangent=lambda s, v, t: s.params["factor"] * v), "tangent"),
    "curvature, dx": (
        lying(curvature=lambda s, dy, t, v: -Right.curvature(s, dy, t, v)), "curvature: dx"),
    "curvature, grads": (lying(curvature=curved_grads), "curvature: grads"),
    "mixes in secret": (
        lying(forward=mixes, backward_input=mixed_dx, tangent=mixed_tangent,
              curvature=Layer.curvature), "mixes_samples"),
    "mixes in name only": (lying(mixes_samples=True), "mixes_samples"),
    "straight in name only": (lying(piecewise_linear=True), "piecewise_linear"),
    "writes to x": (lying(forward=writes_x), "x unchanged"),
    "writes to dy": (lying(backward_input=writes_dy), "dy"),
    "needs a contiguous dy": (lying(backward_input=needs_contiguous), "not contiguous"),
    "float16 inside": (lying(forward=in_float16), "numpy"),
    "float64 always": (lying(forward=always_float64), "y is float32"),
    "a batch of one": (
        lying(backward_input=lambda s, dy, t: Right.backward_input(s, dy, t) * (1 + (len(t) == 1))),
        "batch sizes: dx"),
    "gradients of a batch of one": (
        lying(backward_params=lambda s, dy, t: len(t) == 1 or Right.backward_params(s, dy, t)),
        "batch sizes: grads"),
    "curvature of a larger batch": (
        lying(curvature=lambda s, dy, t, v: Right.curvature(s, dy, t, v) * (1 + (len(t) > 9))),
        "batch sizes: curvature: dx"),
    "tangent of an even batch": (
        lying(tangent=lambda s, v, t: Right.tangent(s, v, t) * (2 - len(t) % 2)),
        "batch sizes: tangent"),
    "refuses a batch of one": (
        lying(forward=lambda s, x, training=True: Right.forward(s, x if len(x) > 1 else None)),
        "batch sizes"),
    "moves held buffers": (MovingBuffer(2), "held buffer"),
    "evaluation": (OtherInEvaluation(2), "dx"),
}  # fmt: skip


def test_an_honest_layer_passes(backend):
    assert check_layer(Right(), (4, 3), progress=False).ok


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LIES)
def test_each_lie_is_caught_by_name(name):
    layer, row = LIES[name]
    with mg.kernels.use_backend("numpy"):
        report = check_layer(layer, (5, 2), progress=False)
    assert any(row in failure.tensor for failure in report.failures), report
