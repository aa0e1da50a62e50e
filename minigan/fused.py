"""Neighbouring layers as one operation, for the Numba kernels.

A linear layer, a convolution or a batch norm followed by an activation is two passes over memory:
one writes z, one reads it to write y = phi(z). The compiled kernels apply a leaky ReLU before z is
stored, and batch norm any phi; tanh and the sigmoid behind a product are a second pass, in place.
Each class here is such a pair, obeys the layer contract, and computes what the two layers compute
one after the other: it keeps y and reads phi' off it. `fuse` finds the pairs.
"""

from . import kernels
from .layers.activations import LeakyReLU, Sigmoid, Tanh
from .layers.base import Layer, flat_rows
from .layers.convolution import Conv2d, ConvTranspose2d
from .layers.linear import Linear
from .layers.normalisation import BatchNorm


def fuse(layers):
    """The layers, each affine layer or batch norm joined with the activation behind it, if any."""
    stages, rest = [], list(layers)
    while rest:
        layer = rest.pop(0)
        stage = _STAGES.get(type(layer))
        if stage is None:
            stages.append(layer)
            continue
        phi = _code(rest[0]) if rest else None
        if phi is not None:
            rest.pop(0)
        stages.append(stage(layer, phi or (kernels.IDENTITY, 0.0)))
    return stages


def _code(layer):
    """(activation, slope) as the kernels take them, or None for what cannot be fused."""
    if isinstance(layer, LeakyReLU):
        return kernels.LEAKY_RELU, layer.slope
    return {Tanh: (kernels.TANH, 0.0), Sigmoid: (kernels.SIGMOID, 0.0)}.get(type(layer))


class _Stage(Layer):
    """phi(layer(x)); its cache is (the layer's cache, y)."""

    def __init__(self, layer, phi):
        super().__init__()
        self.children = {"layer": layer}
        self.layer, self.phi = layer, phi

    def tangent(self, dx, cache):
        inner, y = cache
        return kernels.activate_backward(self.layer.tangent(dx, inner), y, *self.phi)

    def __repr__(self):
        return f"fused {self.layer}"


class _FusedLinear(_Stage):
    def forward(self, x, training=True):
        layer = self.layer
        x = layer.as_input(x, 2, layer.in_features)
        weight, bias = layer.params["weight"], layer.params.get("bias")
        y = kernels.linear_forward(x, weight, bias, *self.phi)
        return y, (x, y)

    def backward_input(self, dy, cache):
        _, y = cache
        return kernels.linear_backward_input(dy, y, self.layer.params["weight"], *self.phi)

    def backward_params(self, dy, cache):
        x, y = cache
        grads = self.layer.grads
        kernels.linear_backward_params(dy, y, x, grads["weight"], grads.get("bias"), *self.phi)

    def backward(self, dy, cache):
        x, y = cache
        weight, grads = self.layer.params["weight"], self.layer.grads
        dweight, dbias = grads["weight"], grads.get("bias")
        return kernels.linear_backward(dy, y, x, weight, dweight, dbias, *self.phi)


class _FusedConv(_Stage):
    def forward(self, x, training=True):
        x = self.layer.images(x)
        weight, bias = self.layer.params["weight"], self.layer.params.get("bias")
        y = kernels.conv2d_forward(x, weight, bias, *self._geometry(), *self.phi)
        return y, (x, y)

    def backward_input(self, dy, cache):
        x, y = cache
        weight = self.layer.params["weight"]
        return kernels.conv2d_backward_input(dy, y, weight, x.shape, *self._geometry(), *self.phi)

    def backward_params(self, dy, cache):
        x, y = cache
        dweight, dbias = self.layer.grads["weight"], self.layer.grads.get("bias")
        kernels.conv2d_backward_params(dy, y, x, dweight, dbias, *self._geometry(), *self.phi)

    def backward(self, dy, cache):
        x, y = cache
        weight, grads = self.layer.params["weight"], self.layer.grads
        dweight, dbias = grads["weight"], grads.get("bias")
        return kernels.conv2d_backward(
            dy, y, x, weight, dweight, dbias, *self._geometry(), *self.phi
        )

    def _geometry(self):
        return self.layer.stride, self.layer.padding


class _FusedConvTranspose(_FusedConv):
    def forward(self, x, training=True):
        x = self.layer.images(x)
        weight, bias = self.layer.params["weight"], self.layer.params.get("bias")
        y = kernels.conv_transpose2d_forward(x, weight, bias, *self._geometry(), *self.phi)
        return y, (x, y)

    def backward_input(self, dy, cache):
        _, y = cache
        weight = self.layer.params["weight"]
        return kernels.conv_transpose2d_backward_input(dy, y, weight, *self._geometry(), *self.phi)

    def backward_params(self, dy, cache):
        x, y = cache
        dweight, dbias = self.layer.grads["weight"], self.layer.grads.get("bias")
        kernels.conv_transpose2d_backward_params(
            dy, y, x, dweight, dbias, *self._geometry(), *self.phi
        )

    def backward(self, dy, cache):
        x, y = cache
        weight, grads = self.layer.params["weight"], self.layer.grads
        dweight, dbias = grads["weight"], grads.get("bias")
        return kernels.conv_transpose2d_backward(
            dy, y, x, weight, dweight, dbias, *self._geometry(), *self.phi
        )


class _FusedBatchNorm(_Stage):
    """In evaluation it is the two layers one after the other: nothing is left to fuse there."""

    def forward(self, x, training=True):
        layer = self.layer
        if not training:
            z, inner = layer.forward(x, training=False)
            y = kernels.activate(z, *self.phi)
            return y, (inner, y)
        x = layer.as_input(x, features=layer.num_features)
        rows = flat_rows(x)
        layer.check_count(len(rows))
        gamma, beta = layer.params["gamma"], layer.params["beta"]
        y, mean, variance, inv_std = kernels.batch_norm_forward(
            rows, gamma, beta, layer.eps, *self.phi
        )
        layer.update_running(mean, variance, len(rows))
        y = y.reshape(x.shape)
        return y, ((rows, mean, inv_std, True), y)

    def backward_input(self, dy, cache):
        return self._backward(dy, cache, None, None)

    def backward_params(self, dy, cache):
        inner, y = cache
        self.layer.backward_params(kernels.activate_backward(dy, y, *self.phi), inner)

    def backward(self, dy, cache):
        return self._backward(dy, cache, self.layer.grads["gamma"], self.layer.grads["beta"])

    def _backward(self, dy, cache, dgamma, dbeta):
        (rows, mean, inv_std, training), y = cache
        if not training:
            dz = kernels.activate_backward(dy, y, *self.phi)
            if dgamma is not None:
                self.layer.backward_params(dz, cache[0])
            return self.layer.backward_input(dz, cache[0])
        gamma = self.layer.params["gamma"]
        dx = kernels.batch_norm_backward(
            flat_rows(dy), flat_rows(y), rows, mean, inv_std, gamma, dgamma, dbeta, *self.phi
        )
        return dx.reshape(dy.shape)


_STAGES = {
    Linear: _FusedLinear,
    Conv2d: _FusedConv,
    ConvTranspose2d: _FusedConvTranspose,
    BatchNorm: _FusedBatchNorm,
}
