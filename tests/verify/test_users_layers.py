"""Mistakes in layers that are not minigan's, with names and layouts of their own: each is named.

They are a small part of three batches, 510 mistakes, that were written without sight of the
hypotheses (docs/checkers.rst).
"""

import re

import numpy as np
import pytest

import minigan as mg
from minigan.layers.base import Layer
from minigan.verify.gradcheck import check_layer


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def turned(a):
    return a.swapaxes(1, 2)


def sigmoid(t):
    return 1 / (1 + np.exp(-t))


class Users(Layer):
    """Parameters by shape; forward(x, p) -> y; backward(dy, x, y, p) -> (dx, {name: gradient})."""

    def __init__(self, shapes, forward, backward):
        super().__init__()
        self.formula, self.passes, self.shapes = forward, backward, shapes
        for name, shape in shapes.items():
            self.add_parameter(name, shape)
        self.initialize(self.rng)

    def initialize(self, rng):
        for name, shape in self.shapes.items():
            self.params[name][...] = rng.standard_normal(shape)

    def forward(self, x, training=True):
        x = self.as_input(x)
        y = self.formula(x, self.params).astype(x.dtype)
        return y, (x, y)

    def backward_input(self, dy, cache):
        return self.passes(dy, *cache, self.params)[0].astype(dy.dtype)

    def backward_params(self, dy, cache):
        for name, gradient in self.passes(dy, *cache, self.params)[1].items():
            self.grads[name] += gradient


def linear(d, x, y, p, mistake):
    """Weights stored (out, in)."""
    dx, g = d @ p["weight"], d.T @ x
    if mistake == "transposed":
        dx = d @ p["weight"].T
    if mistake == "means":
        g = np.outer(d.mean(0), x.mean(0))
    if mistake == "first":
        g = np.outer(d[0], x[0])
    return dx, {"weight": g}


def attention(d, x, y, p, mistake):
    q, k, v = (x @ p[name] for name in ("to_q", "to_k", "to_v"))
    A = softmax(q @ turned(k) / 2)
    dA = d @ turned(v)
    dz = A * (dA - (0 if mistake == "sum" else (A * dA).sum(-1, keepdims=True))) / 2
    dq, dk, dv = dz @ k, turned(dz) @ q, (A if mistake == "transpose" else turned(A)) @ d
    if mistake == "exchanged":
        dq, dk = dk, dq
    dx = sum(s @ p[name].T for s, name in zip((dq, dk, dv), ("to_q", "to_k", "to_v")))
    if mistake == "path":
        dx = dx - dk @ p["to_k"].T
    products = zip(("to_q", "to_k", "to_v"), (dq, dk, dv))
    return dx, {name: np.einsum("ntc,ntd->cd", x, s) for name, s in products}


def prelu(d, x, y, p, mistake):
    dx = d * np.where(x > 0, 1, p["slope"])
    dx = d * (x > 0) if mistake == "slope" else dx
    by = {"no x": 1.0 * (x < 0), "no mask": x}.get(mistake, np.minimum(x, 0))
    return dx, {"slope": (d * by).sum(0)}


def norm(d, x, y, p, mistake):
    r = np.sqrt((x * x).sum(-1, keepdims=True))
    inner = (y * d).sum(-1, keepdims=True)
    return {
        "held": d / r, "undivided": d - y * inner, "x": (d - x * (x * d).sum(-1, keepdims=True)) / r
    }[mistake], {}  # fmt: skip


def gate(d, x, y, p, mistake):
    a, b = np.split(x, 2, -1)
    s = sigmoid(b)
    da, db = d * s, d * a * s * (1 - s)
    if mistake == "slope":
        db = d * a
    if mistake == "halves":
        da, db = db, da
    return np.concatenate([da, db], -1), {}


def hidden(d, x, y, p, mistake):
    h = np.tanh(x @ p["W1"] + p["b1"])
    dz = d @ p["W2"].T * {"none": 1, "h": 1 - h}.get(mistake, 1 - h * h)
    right = x.T @ dz if mistake != "last" else np.outer(x[-1], dz[-1])
    return dz @ p["W1"].T, {"W1": right, "b1": dz.sum(0), "W2": h.T @ d}


def sequence(d, x, y, p, mistake):
    w, T = p["kernel"], d.shape[1]
    dx, g = np.zeros_like(x), np.zeros_like(w)
    for i in range(len(w)):
        part = d @ w[-1 - i if mistake == "flip" else i].T
        dx[:, i : i + T] = part if mistake == "set" else dx[:, i : i + T] + part
        g[i] = np.einsum("ntc,nto->co", x[:, i : i + T], d)
    return dx, {"kernel": g / T if mistake == "mean" else g}


def pooling(d, x, y, p, mistake):
    spread = d.repeat(2, 1).repeat(2, 2)
    chosen = x == y.repeat(2, 1).repeat(2, 2)
    return {"mask": spread, "mean": spread / 4, "x": spread * chosen * x}[mistake], {}


def blocks(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c)


def windows(x, p):
    T = x.shape[1] - len(p["kernel"]) + 1
    return sum(x[:, i : i + T] @ w for i, w in enumerate(p["kernel"]))


LAYERS = {  # parameters, forward, backward, shape of x, {mistake: (tensor, what is said)}
    linear: (
        {"weight": (4, 4)}, lambda x, p: x @ p["weight"].T, (5, 4),
        {"transposed": ("dx", "transpose"), "means": ("weight", "means"),
         "first": ("weight", "first sample alone")},
    ),
    attention: (
        {name: (4, 4) for name in ("to_q", "to_k", "to_v")},
        lambda x, p: (
            softmax((x @ p["to_q"]) @ turned(x @ p["to_k"]) / 2) @ (x @ p["to_v"])
        ), (4, 3, 4),
        {"sum": ("dx", "softmax's sum"), "transpose": ("to_v", "A' dy is right"),
         "exchanged": ("to_q", "exchanged"), "path": ("dx", "lacks the path through k")},
    ),
    prelu: (
        {"slope": (4,)}, lambda x, p: np.where(x > 0, x, p["slope"] * x), (9, 4),
        {"slope": ("dx", "lacks slope"), "no x": ("slope", "without x"),
         "no mask": ("slope", r"sum of dy x, where the sum of dy min")},
    ),
    norm: (
        {}, lambda x, p: x / np.sqrt((x * x).sum(-1, keepdims=True)), (5, 4),
        {"held": ("dx", "lacks the path through the length"),
         "undivided": ("dx", "not divided by the length"), "x": ("dx", "has x, where y")},
    ),
    gate: (
        {}, lambda x, p: np.split(x, 2, -1)[0] * sigmoid(np.split(x, 2, -1)[1]), (5, 6),
        {"slope": ("dx", "lacks sigmoid's derivative"), "halves": ("dx", "halves exchanged")},
    ),
    hidden: (
        {"W1": (3, 5), "b1": (5,), "W2": (5, 2)},
        lambda x, p: np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"], (7, 3),
        {"none": ("W1", "lacks tanh's derivative"), "h": ("dx", "1 - h"),
         "last": ("W1", "last sample")},
    ),
    sequence: (
        {"kernel": (3, 2, 4)}, windows, (5, 8, 2),
        {"flip": ("dx", "flipped"), "set": ("dx", "`=` in place"),
         "mean": ("kernel", "sequences")},
    ),
    pooling: (
        {}, lambda x, p: blocks(x).max((2, 4)), (4, 4, 4, 2),
        {"mask": ("dx", "mask is missing"), "mean": ("dx", "largest"), "x": ("dx", "by x")},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "layer, mistake", [(layer, m) for layer, (*_, all_of) in LAYERS.items() for m in all_of]
)
def test_it_is_named(layer, mistake):
    shapes, forward, shape, mistakes = LAYERS[layer]
    tensor, says = mistakes[mistake]
    wrong = Users(shapes, forward, lambda *known: layer(*known, mistake))
    with mg.kernels.use_backend("numpy"):
        report = check_layer(wrong, shape, progress=False)
    row = next(row for row in report.failures if row.tensor.split(".")[-1] == tensor)
    assert row.diagnosis is not None and re.search(says, row.diagnosis), row
