"""Wrong backward passes of layers, written from lists of published bugs before the hypotheses of
`gradcheck.explain`, and without sight of them.

`says`: a pattern that an explanation must contain to count as right.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import layers as L
from minigan.layers.activations import sigmoid
from minigan.layers.base import flat_rows
from minigan.layers.convolution import correlate, gather, pad, scatter


@dataclass
class WrongLayer:
    """A layer with one backward pass replaced.

    dx(layer, dy, cache) -> dx, or grads(layer, dy, cache) -> {parameter: gradient}, the others
    being right. `overwrite`: the gradients are assigned, not added.
    """

    name: str
    layer: L.Layer
    x: Any
    tensor: str
    says: str
    dx: Any = None
    grads: Any = None
    overwrite: bool = False
    mode: str = "training"

    def make(self):
        """The layer, of a class of its own with the wrong method."""
        kind, wrong = type(self.layer), self

        def backward_input(self, dy, cache):
            return wrong.dx(self, dy, cache)

        def backward_params(self, dy, cache):
            grads = self.children["layer"].grads if kind is L.SpectralNorm else self.grads
            before = {name: grad.copy() for name, grad in grads.items()}
            kind.backward_params(self, dy, cache)
            for name, value in wrong.grads(self, dy, cache).items():
                grads[name][...] = value if wrong.overwrite else before[name] + value

        methods = {"backward_input": backward_input} if self.dx else {}
        methods |= {"backward_params": backward_params} if self.grads else {}
        made = object.__new__(type("Learners" + kind.__name__, (kind,), methods))
        vars(made).update(vars(self.layer))
        return made


def linear():
    return L.Linear(3, 3, bias=True)


def conv(**options):
    return L.Conv2d(2, 2, 3, **({"padding": 1} | options))


def norm_parts(layer, dy, cache):
    x_hat, inv_std, _ = cache
    g = flat_rows(dy) * layer.params["gamma"]
    return g, x_hat, inv_std, lambda a: a.mean(axis=0)


def sample_parts(layer, dy, cache):
    x_hat, inv_std = cache
    return dy * layer.params["gamma"], x_hat, inv_std, lambda a: a.mean(axis=1, keepdims=True)


def batch_norm_dx(formula):
    return lambda self, dy, c: formula(*norm_parts(self, dy, c)).reshape(dy.shape)


def layer_norm_dx(formula):
    return lambda self, dy, c: formula(*sample_parts(self, dy, c))


def spectral(formula):
    """The weight's gradient as formula(G, W / sigma, sigma, u v')."""

    def grads(layer, dy, cache):
        x, normalised, sigma, u, v = cache
        return {"weight": formula(x.T @ dy, normalised, sigma, np.outer(u, v))}

    return grads


class Softmax(L.Layer):
    """y = softmax(x) along each row; dx = y (dy - sum(y dy))."""

    def forward(self, x, training=True):
        x = self.as_input(x)
        e = np.exp(x - x.max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        return y, y

    def backward_input(self, dy, y):
        return y * (dy - np.sum(y * dy, axis=1, keepdims=True))


def spectral_linear():
    return L.SpectralNorm(L.Linear(4, 3))


def last_of_loop(rows):
    """What a loop over samples with `=` in place of `+=` leaves."""
    return rows[-1]


def window_at_stride_one(layer, dy, x):
    rows, columns = dy.shape[1:3]
    padded = pad(x, layer.padding)
    dw = np.zeros(layer.params["weight"].shape)
    for u in range(3):
        for v in range(3):
            window = padded[:, u : u + rows, v : v + columns]
            dw[u, v] = np.tensordot(window, dy, axes=([0, 1, 2], [0, 1, 2]))
    return {"weight": dw}


def without_last_tap(layer, dy, x):
    weight = layer.params["weight"].swapaxes(2, 3).copy()
    weight[-1, -1] = 0
    return scatter(dy, weight, layer.stride, layer.padding, x.shape[1:3])


def last_label_wins(layer, dy, x):
    dw = np.zeros(layer.params["weight"].shape)
    dw[x] += dy  # NumPy adds one of equal indices
    return {"weight": dw}


def first_of_block(dy, k):
    dx = np.zeros((len(dy), dy.shape[1] * k, dy.shape[2] * k, dy.shape[3]))
    dx[:, ::k, ::k] = dy / k**2
    return dx


def flipped(weight):
    return weight[::-1, ::-1]


F, IMAGE = (5, 3), (4, 4, 4, 2)
LABELS = np.array([0, 2, 2, 1, 2])

LAYERS = [
    # -- linear --------------------------------------------------------------------------------
    WrongLayer("the mean twice", linear(), F, "weight", "batch size",
               grads=lambda s, dy, x: {"weight": x.T @ dy / len(x)}),
    WrongLayer("dW transposed", linear(), F, "weight", "transpos",
               grads=lambda s, dy, x: {"weight": dy.T @ x}),
    WrongLayer("db a mean", linear(), F, "bias", "batch size",
               grads=lambda s, dy, x: {"bias": dy.mean(axis=0)}),
    WrongLayer("db of the last sample", linear(), F, "bias", "last sample",
               grads=lambda s, dy, x: {"bias": last_of_loop(dy)}),
    WrongLayer("dW of the last sample", linear(), F, "weight", "last sample",
               grads=lambda s, dy, x: {"weight": np.outer(x[-1], dy[-1])}),
    WrongLayer("dW of the first sample", linear(), F, "weight", "first sample",
               grads=lambda s, dy, x: {"weight": np.outer(x[0], dy[0])}),
    WrongLayer("db one sum for all outputs", linear(), F, "bias", "sum",
               grads=lambda s, dy, x: {"bias": np.full(3, dy.sum())}),
    WrongLayer("dx with W untransposed", linear(), F, "dx", "transpos",
               dx=lambda s, dy, x: dy @ s.params["weight"]),
    WrongLayer("dW overwritten", linear(), F, "adds into grads", r"\+=", overwrite=True,
               grads=lambda s, dy, x: {"weight": x.T @ dy}),
    WrongLayer("dW of the other sign", linear(), F, "weight", "sign",
               grads=lambda s, dy, x: {"weight": -x.T @ dy}),
    WrongLayer("dW doubled", linear(), F, "weight", "twice|times 2|multiplied by 2|2 times",
               grads=lambda s, dy, x: {"weight": 2 * x.T @ dy}),
    WrongLayer("dW from y", linear(), F, "weight", r"\by\b",
               grads=lambda s, dy, x: {
                   "weight": (x @ s.params["weight"] + s.params["bias"]).T @ dy}),
    WrongLayer("db forgotten", linear(), F, "bias", "zero",
               grads=lambda s, dy, x: {"bias": 0}),
    WrongLayer("dx forgotten", linear(), F, "dx", "zero",
               dx=lambda s, dy, x: np.zeros_like(x)),
    WrongLayer("weight decay in dW", linear(), F, "weight", "decay|itself|weight",
               grads=lambda s, dy, x: {"weight": x.T @ dy + 0.01 * s.params["weight"]}),
    WrongLayer("dx divided by N", linear(), F, "dx", "batch size",
               dx=lambda s, dy, x: dy @ s.params["weight"].T / len(x)),
    WrongLayer("dW by |W|", linear(), F, "dx", r"abs|\|W\||signs? of|positive",
               dx=lambda s, dy, x: dy @ np.abs(s.params["weight"]).T),
    # -- activations ---------------------------------------------------------------------------
    WrongLayer("slope lost", L.LeakyReLU(), (4, 5), "dx", "slope|negative",
               dx=lambda s, dy, y: np.where(y > 0, dy, 0)),
    WrongLayer("ReLU's mask forgotten", L.ReLU(), (4, 5), "dx", "left out|mask",
               dx=lambda s, dy, y: dy),
    WrongLayer("ReLU masked by dy", L.ReLU(), (4, 5), "dx", "dy",
               dx=lambda s, dy, y: np.where(dy > 0, dy, 0)),
    WrongLayer("ReLU masked by dy as well", L.ReLU(), (4, 5), "dx", "dy",
               dx=lambda s, dy, y: dy * (y > 0) * (dy > 0)),
    WrongLayer("LeakyReLU's sides exchanged", L.LeakyReLU(), (4, 5), "dx", "side|negative|exchang",
               dx=lambda s, dy, y: np.where(y < 0, dy, 0.2 * dy)),
    WrongLayer("ReLU returns the mask", L.ReLU(), (4, 5), "dx", "dy|chain",
               dx=lambda s, dy, y: 1.0 * (y > 0)),
    WrongLayer("tanh not squared", L.Tanh(), (4, 5), "dx", "squar|1 - y",
               dx=lambda s, dy, y: (1 - y) * dy),
    WrongLayer("tanh at x", L.Tanh(), (4, 5), "dx", r"\bx\b",
               dx=lambda s, dy, y: (1 - np.arctanh(y) ** 2) * dy),
    WrongLayer("tanh's derivative forgotten", L.Tanh(), (4, 5), "dx", "left out",
               dx=lambda s, dy, y: dy),
    WrongLayer("tanh of y again", L.Tanh(), (4, 5), "dx", r"\by\b|twice",
               dx=lambda s, dy, y: (1 - np.tanh(y) ** 2) * dy),
    WrongLayer("tanh in place of its derivative", L.Tanh(), (4, 5), "dx", r"itself|\by\b",
               dx=lambda s, dy, y: y * dy),
    WrongLayer("sigmoid at x", L.Sigmoid(), (4, 5), "dx", r"\bx\b",
               dx=lambda s, dy, y: (t := np.log(y / (1 - y))) * (1 - t) * dy),
    WrongLayer("sigmoid of y again", L.Sigmoid(), (4, 5), "dx", r"\by\b|twice",
               dx=lambda s, dy, y: sigmoid(y) * (1 - sigmoid(y)) * dy),
    WrongLayer("sigmoid without 1 - y", L.Sigmoid(), (4, 5), "dx", "1 - y|itself",
               dx=lambda s, dy, y: y * dy),
    WrongLayer("sigmoid's derivative of tanh", L.Sigmoid(), (4, 5), "dx", "tanh|squar",
               dx=lambda s, dy, y: (1 - y**2) * dy),
    WrongLayer("softplus at y", L.Softplus(), (4, 5), "dx", r"\by\b",
               dx=lambda s, dy, x: sigmoid(np.logaddexp(0, x)) * dy),
    WrongLayer("softplus as sigmoid's derivative", L.Softplus(), (4, 5), "dx", "sigmoid",
               dx=lambda s, dy, x: sigmoid(x) * (1 - sigmoid(x)) * dy),
    WrongLayer("SiLU without its second term", L.SiLU(), (4, 5), "dx", "term|path|missing",
               dx=lambda s, dy, x: sigmoid(x) * dy),
    WrongLayer("SiLU without its first term", L.SiLU(), (4, 5), "dx", "term|path|missing",
               dx=lambda s, dy, x: x * sigmoid(x) * (1 - sigmoid(x)) * dy),
    # -- dropout -------------------------------------------------------------------------------
    WrongLayer("dropout unscaled", L.Dropout(0.4), (4, 6), "dx", r"1 - p|scal",
               dx=lambda s, dy, m: dy if m is None else dy * (m > 0)),
    WrongLayer("dropout's mask forgotten", L.Dropout(0.4), (4, 6), "dx", "mask",
               dx=lambda s, dy, m: dy),
    WrongLayer("dropout with another mask", L.Dropout(0.4), (4, 6), "dx", "mask",
               dx=lambda s, dy, m: dy if m is None else dy * m[::-1]),
    WrongLayer("dropout scaled twice", L.Dropout(0.4), (4, 6), "dx", r"1 - p|scal",
               dx=lambda s, dy, m: dy if m is None else dy * m / 0.6),
    # -- batch norm ----------------------------------------------------------------------------
    WrongLayer("variance held", L.BatchNorm(3), (6, 3), "dx", "variance|std",
               dx=batch_norm_dx(lambda g, h, i, mean: i * (g - mean(g)))),
    WrongLayer("mean held", L.BatchNorm(3), (6, 3), "dx", "mean",
               dx=batch_norm_dx(lambda g, h, i, mean: i * (g - h * mean(g * h)))),
    WrongLayer("both held", L.BatchNorm(3), (6, 3), "dx", "mean and|both|statistics",
               dx=batch_norm_dx(lambda g, h, i, mean: i * g)),
    WrongLayer("gamma left out", L.BatchNorm(3), (6, 3), "dx", "gamma",
               dx=lambda s, dy, c: c[1] * (
                   dy - dy.mean(axis=0) - c[0] * (dy * c[0]).mean(axis=0))),
    WrongLayer("variance path of the other sign", L.BatchNorm(3), (6, 3), "dx", "sign",
               dx=batch_norm_dx(lambda g, h, i, mean: i * (g - mean(g) + h * mean(g * h)))),
    WrongLayer("std left out", L.BatchNorm(3), (6, 3), "dx", "std|sqrt",
               dx=batch_norm_dx(lambda g, h, i, mean: g - mean(g) - h * mean(g * h))),
    WrongLayer("variance for std", L.BatchNorm(3), (6, 3), "dx", "std|sqrt|var",
               dx=batch_norm_dx(lambda g, h, i, mean: i**2 * (g - mean(g) - h * mean(g * h)))),
    WrongLayer("sums for means", L.BatchNorm(3), (6, 3), "dx", "sum|batch size|N",
               dx=batch_norm_dx(lambda g, h, i, mean: i * (g - 6 * mean(g) - 6 * h * mean(g * h)))),
    WrongLayer("variance over N - 1", L.BatchNorm(3), (6, 3), "dx", r"N - 1|6/5|1\.2|unbiased",
               dx=batch_norm_dx(lambda g, h, i, mean: i * (g - mean(g) - h * mean(g * h) * 6 / 5))),
    WrongLayer("dgamma from y", L.BatchNorm(3), (6, 3), "gamma", r"\by\b",
               grads=lambda s, dy, c: {
                   "gamma": np.sum(dy * (c[0] * s.params["gamma"] + s.params["beta"]), axis=0)}),
    WrongLayer("dgamma not divided by std", L.BatchNorm(3), (6, 3), "gamma", "std|x - mean",
               grads=lambda s, dy, c: {"gamma": np.sum(dy * c[0] / c[1], axis=0)}),
    WrongLayer("dbeta a mean", L.BatchNorm(3), (6, 3), "beta", "batch size",
               grads=lambda s, dy, c: {"beta": dy.mean(axis=0)}),
    WrongLayer("dbeta a mean, images", L.BatchNorm(2), (4, 2, 3, 2), "beta", "pixel",
               grads=lambda s, dy, c: {"beta": flat_rows(dy).mean(axis=0)}),
    WrongLayer("dgamma and dbeta exchanged", L.BatchNorm(3), (6, 3), "gamma", "beta|x_hat",
               grads=lambda s, dy, c: {"gamma": dy.sum(axis=0)}),
    WrongLayer("evaluation by the training formula", L.BatchNorm(3), (6, 3), "dx",
               "running|evaluation|batch", mode="evaluation",
               dx=batch_norm_dx(lambda g, h, i, mean: i * (g - mean(g) - h * mean(g * h)))),
    # -- layer norm ----------------------------------------------------------------------------
    WrongLayer("means over the batch", L.LayerNorm(4), (5, 4), "dx", "batch|axis",
               dx=layer_norm_dx(lambda g, h, i, mean: i * (
                   g - g.mean(axis=0) - h * (g * h).mean(axis=0)))),
    WrongLayer("layer norm's variance held", L.LayerNorm(4), (5, 4), "dx", "variance|std",
               dx=layer_norm_dx(lambda g, h, i, mean: i * (g - mean(g)))),
    WrongLayer("gamma after the means", L.LayerNorm(4), (5, 4), "dx", "gamma",
               dx=lambda s, dy, c: s.params["gamma"] * c[1] * (
                   dy - dy.mean(axis=1, keepdims=True)
                   - c[0] * (dy * c[0]).mean(axis=1, keepdims=True))),
    WrongLayer("layer norm's dgamma a mean", L.LayerNorm(4), (5, 4), "gamma", "batch size",
               grads=lambda s, dy, c: {"gamma": (dy * c[0]).mean(axis=0)}),
    # -- convolutions --------------------------------------------------------------------------
    WrongLayer("dW flipped", conv(), IMAGE, "weight", "flip",
               grads=lambda s, dy, x: {"weight": flipped(correlate(x, dy, (3, 3), 1, 1))}),
    WrongLayer("dx by the kernel unflipped", conv(), IMAGE, "dx", "flip",
               dx=lambda s, dy, x: scatter(
                   dy, flipped(s.params["weight"]).swapaxes(2, 3), 1, 1, (4, 4))),
    WrongLayer("conv db a mean over pixels", conv(), IMAGE, "bias", "pixel",
               grads=lambda s, dy, x: {"bias": dy.mean(axis=(1, 2)).sum(axis=0)}),
    WrongLayer("conv db of the last sample", conv(), IMAGE, "bias", "last sample",
               grads=lambda s, dy, x: {"bias": dy[-1].sum(axis=(0, 1))}),
    WrongLayer("conv dW channels exchanged", conv(), IMAGE, "weight", "transpos|exchang|axes",
               grads=lambda s, dy, x: {
                   "weight": correlate(x, dy, (3, 3), 1, 1).swapaxes(2, 3)}),
    WrongLayer("conv dx channels exchanged", conv(), IMAGE, "dx", "transpos|exchang|axes|channel",
               dx=lambda s, dy, x: scatter(dy, s.params["weight"], 1, 1, (4, 4))),
    WrongLayer("conv dx a pixel aside", conv(), IMAGE, "dx", "shift|pixel|off by one|padding",
               dx=lambda s, dy, x: np.roll(
                   scatter(dy, s.params["weight"].swapaxes(2, 3), 1, 1, (4, 4)), 1, axis=2)),
    WrongLayer("conv dx without padding", conv(), IMAGE, "dx", "shift|pixel|off by one|padding",
               dx=lambda s, dy, x: scatter(
                   dy, s.params["weight"].swapaxes(2, 3), 1, 0, (6, 6))[:, :4, :4]),
    WrongLayer("conv dW ignores the stride", conv(stride=2), (4, 6, 6, 2), "weight", "stride",
               grads=window_at_stride_one),
    WrongLayer("kernel axes exchanged", conv(), IMAGE, "weight", "transpos|exchang|axes",
               grads=lambda s, dy, x: {
                   "weight": correlate(x, dy, (3, 3), 1, 1).swapaxes(0, 1)}),
    WrongLayer("conv db of the first pixel", conv(), IMAGE, "bias", "pixel",
               grads=lambda s, dy, x: {"bias": dy[:, 0, 0].sum(axis=0)}),
    WrongLayer("conv dx without the last tap", conv(), IMAGE, "dx", "tap|kernel",
               dx=without_last_tap),
    WrongLayer("conv dW divided by N", conv(), IMAGE, "weight", "batch size",
               grads=lambda s, dy, x: {"weight": correlate(x, dy, (3, 3), 1, 1) / len(x)}),
    WrongLayer("conv dW of the last sample", conv(), IMAGE, "weight", "last sample",
               grads=lambda s, dy, x: {"weight": correlate(x[-1:], dy[-1:], (3, 3), 1, 1)}),
    WrongLayer("transposed conv dW flipped", L.ConvTranspose2d(2, 2, 4, stride=2, padding=1),
               (4, 3, 3, 2), "weight", "flip",
               grads=lambda s, dy, x: {
                   "weight": flipped(correlate(dy, x, (4, 4), 2, 1).swapaxes(2, 3))}),
    WrongLayer("transposed conv db a mean", L.ConvTranspose2d(2, 2, 4, stride=2, padding=1),
               (4, 3, 3, 2), "bias", "batch size",
               grads=lambda s, dy, x: {"bias": dy.sum(axis=(1, 2)).mean(axis=0)}),
    WrongLayer("transposed conv dx flipped", L.ConvTranspose2d(2, 2, 4, stride=2, padding=1),
               (4, 3, 3, 2), "dx", "flip",
               dx=lambda s, dy, x: gather(
                   dy, flipped(s.params["weight"]).swapaxes(2, 3), 2, 1, (3, 3))),
    WrongLayer("transposed conv dW unswapped", L.ConvTranspose2d(2, 2, 4, stride=2, padding=1),
               (4, 3, 3, 2), "weight", "transpos|exchang|axes",
               grads=lambda s, dy, x: {"weight": correlate(dy, x, (4, 4), 2, 1)}),
    # -- pixels --------------------------------------------------------------------------------
    WrongLayer("upsampling strided", L.Upsample2d(2), (4, 2, 3, 2), "dx", "stride|one of|sum",
               dx=lambda s, dy, c: dy[:, ::2, ::2]),
    WrongLayer("upsampling averaged", L.Upsample2d(2), (4, 2, 3, 2), "dx", "mean|1/4|divided by 4",
               dx=lambda s, dy, c: dy.reshape(4, 2, 2, 3, 2, 2).mean(axis=(2, 4))),
    WrongLayer("pooling undivided", L.AvgPool2d(2), (4, 4, 6, 2), "dx", "4",
               dx=lambda s, dy, c: dy.repeat(2, axis=1).repeat(2, axis=2)),
    WrongLayer("pooling divided by k", L.AvgPool2d(3), (4, 3, 6, 2), "dx", "3",
               dx=lambda s, dy, c: dy.repeat(3, axis=1).repeat(3, axis=2) / 3),
    WrongLayer("pooling to one pixel", L.AvgPool2d(2), (4, 4, 6, 2), "dx", "one of|pixel|spread",
               dx=lambda s, dy, c: first_of_block(dy, 2)),
    WrongLayer("flatten in the other order", L.Flatten(), (4, 3, 2, 2), "dx", "order|axes|transpos",
               dx=lambda s, dy, shape: dy.reshape(4, 2, 2, 3).transpose(0, 3, 1, 2)),
    WrongLayer("reversed batch", L.Reshape((4,)), (5, 4), "dx", "order|revers",
               dx=lambda s, dy, shape: dy[::-1]),
    # -- spectral norm -------------------------------------------------------------------------
    WrongLayer("sigma held", spectral_linear(), (5, 4), "weight", "sigma",
               grads=spectral(lambda G, W, sigma, uv: G / sigma)),
    WrongLayer("sigma left out", spectral_linear(), (5, 4), "weight", "sigma",
               grads=spectral(lambda G, W, sigma, uv: G - np.sum(G * W) * uv)),
    WrongLayer("sigma's path of the other sign", spectral_linear(), (5, 4), "weight", "sign",
               grads=spectral(lambda G, W, sigma, uv: (G + np.sum(G * W) * uv) / sigma)),
    WrongLayer("sigma and its path left out", spectral_linear(), (5, 4), "weight", "sigma",
               grads=spectral(lambda G, W, sigma, uv: G)),
    WrongLayer("spectral dx by W", spectral_linear(), (5, 4), "dx", "sigma",
               dx=lambda s, dy, c: dy @ s.children["layer"].params["weight"].T),
    # -- softmax -------------------------------------------------------------------------------
    WrongLayer("softmax's diagonal alone", Softmax(), (4, 5), "dx", "diagonal|sum|other",
               dx=lambda s, dy, y: y * (1 - y) * dy),
    WrongLayer("softmax without the sum", Softmax(), (4, 5), "dx", "sum|path|missing",
               dx=lambda s, dy, y: y * dy),
    WrongLayer("softmax summed over the batch", Softmax(), (4, 5), "dx", "batch|axis",
               dx=lambda s, dy, y: y * (dy - np.sum(y * dy, axis=0))),
    WrongLayer("softmax's sum a mean", Softmax(), (4, 5), "dx", "mean|1/5|divided by 5",
               dx=lambda s, dy, y: y * (dy - np.mean(y * dy, axis=1, keepdims=True))),
    # -- features, joins -----------------------------------------------------------------------
    WrongLayer("embedding: one of equal labels", L.Embedding(3, 2), LABELS, "weight",
               "label|class|last|index", grads=last_label_wins),
    WrongLayer("skip forgotten", L.Residual(L.Linear(3, 3)), F, "dx", "skip|dy",
               dx=lambda s, dy, c: s.branch.backward_input(dy, c[0])),
    WrongLayer("branch forgotten", L.Residual(L.Linear(3, 3)), F, "dx", "branch|skip",
               dx=lambda s, dy, c: dy),
    WrongLayer("2 pi forgotten", L.FourierFeatures(2, 3), (5, 2), "dx", "pi",
               dx=lambda s, dy, c: (c[0] * dy[:, 3:] - c[1] * dy[:, :3])
               @ s.buffers["frequencies"].T),
    WrongLayer("cosine of the wrong sign", L.FourierFeatures(2, 3), (5, 2), "dx", "sign",
               dx=lambda s, dy, c: 2 * np.pi * (c[0] * dy[:, 3:] + c[1] * dy[:, :3])
               @ s.buffers["frequencies"].T),
]  # fmt: skip
