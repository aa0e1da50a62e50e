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


class AllInOne(L.BatchNorm):
    """backward_input adds the gradients of the parameters too."""

    def backward_input(self, dy, cache):
        L.BatchNorm.backward_params(self, dy, cache)
        return super().backward_input(dy, cache)

    def backward_params(self, dy, cache):
        pass


class OfTheLastDy(L.BatchNorm):
    """backward_params uses what backward_input has left on the layer."""

    def backward_input(self, dy, cache):
        self.dy = dy
        return super().backward_input(dy, cache)

    def backward_params(self, dy, cache):
        super().backward_params(getattr(self, "dy", dy), cache)


class OfFiveSamples(L.BatchNorm):
    """Its mean over the batch is the sum over 5."""

    def backward_input(self, dy, cache):
        x_hat, inv_std, _ = cache
        g = self.params["gamma"] * dy
        sums = g.sum(axis=0) + x_hat * np.sum(g * x_hat, axis=0)
        return inv_std * (g - sums / 5) if cache[2] else inv_std * g


def reused(name, method):
    """The method of that name, with its result always in one array."""

    def into_one(self, *arguments, **options):
        result = method(self, *arguments, **options)
        array = result[0] if isinstance(result, tuple) else result
        held = vars(self).setdefault("held", {})
        kept = held.setdefault((name, array.shape, array.dtype), np.empty_like(array))
        kept[...] = array
        return (kept, *result[1:]) if isinstance(result, tuple) else kept

    return into_one


def wrong_if(wrong, method=Layer.backward):
    return lambda self, dy, *rest: method(self, dy, *rest) * (1 + wrong(dy))


def spoils(which, method):
    """The method, writing over one of its arguments at the end."""

    def spoiling(self, *arguments):
        result = method(self, *arguments)
        arguments[which][...] = 0
        return result

    return spoiling


def adds(method):
    def adding(self, *arguments):
        self.grads["factor"] += 1
        return method(self, *arguments)

    return adding


class Draws(Right):
    """Half of x, drawn at random; in float32, three times as much."""

    def forward(self, x, training=True):
        x = self.as_input(x)
        mask = (self.rng.random(x.shape) < 0.5) * (3.0 if x.dtype == np.float32 else 1.0)
        y, t = super().forward(x)
        return y * mask.astype(x.dtype), (t, mask.astype(x.dtype))

    def backward_input(self, dy, cache):
        return super().backward_input(dy * cache[1], cache[0])

    def backward_params(self, dy, cache):
        super().backward_params(dy * cache[1], cache[0])

    tangent, curvature = Layer.tangent, Layer.curvature


def moves_parameters(self, dy, t):
    Right.backward_params(self, dy, t)
    self.params["factor"] *= 1 - 1e-10


class MovesBuffers(L.BatchNorm):
    def backward_input(self, dy, cache):
        self.buffers["running_mean"] = self.buffers["running_mean"] + 1e-9
        return super().backward_input(dy, cache)


def shape_on_self(self, x, training=True):
    self.shape = np.shape(x)
    return Right.forward(self, x, training)


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
    "gradients from backward_input": (AllInOne(2), "backward_input leaves grads"),
    "the dy of another pass": (OfTheLastDy(2), "linear in dy: grads"),
    "a clipped dy": (
        lying(backward_input=lambda s, dy, t: Right.backward_input(s, dy.clip(-9, 9), t)),
        "linear in dy: dx"),
    "gradients from the tangent": (
        lying(tangent=adds(Right.tangent)), "tangent leaves grads"),
    "the samples of one batch size": (OfFiveSamples(2), "twice as large"),
    "y in a buffer": (lying(forward=reused("y", Right.forward)), "kept: y"),
    "dx in a buffer": (lying(backward_input=reused("dx", Right.backward_input)), "kept: dx"),
    "a shape on self": (
        lying(forward=shape_on_self,
              backward_input=lambda s, dy, t: Right.backward_input(s, dy.reshape(s.shape), t)),
        "caches"),
    "backward of a batch of one": (
        lying(backward=wrong_if(lambda dy: len(dy) == 1)), "batch sizes: backward: dx"),
    "backward in float32": (
        lying(backward=wrong_if(lambda dy: dy.dtype == np.float32)), "backward: dx, numpy"),
    "backward writes to dy": (lying(backward=spoils(0, Layer.backward)), "dy unchanged later"),
    "curvature writes to dy": (lying(curvature=spoils(0, Right.curvature)), "dy unchanged later"),
    "curvature writes to x_dot": (
        lying(curvature=spoils(2, Right.curvature)), "x_dot unchanged"),
    "random and wrong in float32": (Draws(), "y, numpy"),
    "moves parameters": (lying(backward_params=moves_parameters), "parameters unchanged"),
    "moves held buffers backward": (MovesBuffers(2), "held buffer"),
}  # fmt: skip


def test_an_honest_layer_passes(backend):
    assert check_layer(Right(), (4, 3), progress=False).ok


@pytest.mark.parametrize("bits", [np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_random_generators_of_other_kinds(bits, backend):
    """The states of some hold arrays."""
    rng = np.random.Generator(bits(0))
    network = mg.Sequential([L.Linear(2, 3), L.Dropout(0.5)], rng=rng)
    assert check_layer(network, (5, 2), progress=False).ok


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LIES)
def test_each_lie_is_caught_by_name(name):
    layer, row = LIES[name]
    with mg.kernels.use_backend("numpy"):
        report = check_layer(layer, (5, 2), progress=False)
    assert any(row in failure.tensor for failure in report.failures), report
