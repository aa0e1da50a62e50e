"""Spectral normalisation: a layer whose weight is held to a largest singular value of one."""

import contextlib
import math

import numpy as np

from .. import kernels
from ..checks import shown
from .base import Layer, flat_rows


class SpectralNorm(Layer):
    """Its layer with W / sigma in place of W, sigma the largest singular value (Miyato et al. 2018)

    W is seen as a matrix (everything but the last axis, out). The singular vectors (u, v) are kept
    as buffers; the first training pass after a change of W moves them by one power iteration
        u = W v / |W v|,   v = W' u / |W' u|,   sigma = u' W v
    so that the real and the fake minibatch of one step see one and the same sigma.
    backward: the layer gives G = dL/d(W / sigma). With u and v held, dsigma/dW = u v', so
        dL/dW = (G - <G, W / sigma> u v') / sigma.
    Leaving the second term out is a bug that shipped (the scale of W would seem to matter).
    The chain is linear in G, so it serves the second-order terms of `curvature` as it stands.

    layer: a Linear, Conv2d or ConvTranspose2d.
    """

    def __init__(self, layer):
        super().__init__()
        if not isinstance(layer, Layer) or "weight" not in layer.params:
            got = shown(layer)
            raise TypeError(f"SpectralNorm: layer must be a layer with a weight, got {got}")
        self.children = {"layer": layer}
        self.piecewise_linear = layer.piecewise_linear
        rows, columns = flat_rows(layer.params["weight"]).shape
        self.buffers["u"] = np.zeros(rows, np.float32)
        self.buffers["v"] = np.zeros(columns, np.float32)
        self.iterated_on = None  # the W of the last power iteration
        self.initialize(self.rng)

    def initialize(self, rng):
        """Starts v at random and iterates until sigma is near: a far-off sigma would rescale W."""
        self.buffers["v"][...] = _unit(rng.standard_normal(self.buffers["v"].shape))
        for _ in range(15):
            self.iterate()

    def iterate(self):
        """One power iteration: u and v move nearer to the singular vectors of W as it is."""
        weight = flat_rows(self.children["layer"].params["weight"])
        u = _unit(_times(weight, self.buffers["v"]))
        self.buffers["u"], self.buffers["v"] = u, _unit(_times(weight, u, transpose=True))

    def forward(self, x, training=True):
        layer = self.children["layer"]
        weight = layer.params["weight"]
        if training and not self.hold_buffers and not np.array_equal(weight, self.iterated_on):
            self.iterate()
            self.iterated_on = weight.copy()
        u, v = self.buffers["u"], self.buffers["v"]
        sigma = max(kernels.dot(u, _times(flat_rows(weight), v)), np.finfo(weight.dtype).tiny)
        normalised = weight / sigma
        with _substituted(layer.params, normalised):
            y, cache = layer.forward(x, training)
        return y, (cache, normalised, sigma, u, v)

    def backward_input(self, dy, cache):
        inner, normalised, *_ = cache
        layer = self.children["layer"]
        with _substituted(layer.params, normalised):
            return layer.backward_input(dy, inner)

    def backward_params(self, dy, cache):
        with self._chained(cache) as layer:
            layer.backward_params(dy, cache[0])

    def curvature(self, dy, cache, x_dot):
        with self._chained(cache) as layer:
            return layer.curvature(dy, cache[0], x_dot)

    def backward_merged(self, dy, scale, cache, x_dot):
        with self._chained(cache) as layer:
            layer.backward_merged(dy, scale, cache[0], x_dot)

    @contextlib.contextmanager
    def _chained(self, cache):
        """Gives the layer with W / sigma for weight; what is then added to its weight gradient is
        collected as G, and chained to W at the end."""
        _, normalised, sigma, u, v = cache
        layer = self.children["layer"]
        gradient = np.zeros_like(normalised)
        with _substituted(layer.params, normalised), _substituted(layer.grads, gradient):
            yield layer
        layer.grads["weight"] += chain_spectral(gradient, normalised, sigma, u, v)

    def tangent(self, dx, cache):
        inner, normalised, *_ = cache
        layer = self.children["layer"]
        with _substituted(layer.params, normalised):
            return layer.tangent(dx, inner)

    def __repr__(self):
        return f"SpectralNorm({self.children['layer']})"


def chain_spectral(gradient, normalised, sigma, u, v):
    """From G = dL/d(W / sigma) to dL/dW = (G - <G, W / sigma> u v') / sigma."""
    through_sigma = np.sum(gradient * normalised) * np.outer(u, v).reshape(gradient.shape)
    return (gradient - through_sigma) / sigma


def _times(weight, vector, transpose=False):
    """W v, or W' v."""
    return kernels.matmul(weight, vector[:, None], transpose_a=transpose)[:, 0]


def _unit(vector):
    norm = math.sqrt(kernels.dot(vector, vector))
    return vector / norm if norm > 0 else vector


@contextlib.contextmanager
def _substituted(arrays, replacement):
    """For the length of a `with`, a layer's weight (or its gradient) is another array."""
    original, arrays["weight"] = arrays["weight"], replacement
    try:
        yield
    finally:
        arrays["weight"] = original
