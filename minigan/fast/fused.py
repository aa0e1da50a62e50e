"""A layer and the activation behind it as one stage."""

from ..layers.composite import add
from .activations import ActivationStage, fused_activation
from .kernels.codes import IDENTITY
from .stage import Stage


class FusedStage(Stage):
    """phi(layer(x)), phi the activation behind the layer, or the identity. The cache is (inner, y):
    what the backward pass of the layer needs, and the output, off which phi' is read."""

    def __init__(self, layer, activation=None):
        super().__init__(layer)
        self.activation, self.phi = None, (IDENTITY, 0.0)
        if activation is not None:
            self.activation, self.phi = ActivationStage(activation), fused_activation(activation)
            self.children = {"layer": layer, "activation": activation}
            self.piecewise_linear = layer.piecewise_linear and activation.piecewise_linear
            self.bare = type(self)(layer)

    def parts(self, cache):
        """[(stage, cache)]: the layer and the activation, one after the other."""
        if self.activation is None:
            return [(self, cache)]
        return [(self.bare, cache), (self.activation, cache[1])]

    def tangent(self, x_dot, cache):
        if self.activation is None:
            return self.inner_tangent(x_dot, cache)
        return self.activation.tangent(self.bare.tangent(x_dot, cache), cache[1])

    def curvature(self, dy, cache, x_dot):
        """That of the two, one after the other: see `Sequential.curvature_along`."""
        if self.activation is None:
            return self.inner_curvature(dy, cache, x_dot)
        dz = self.activation.backward_input(dy, cache[1])
        dz_dot = self.activation.curvature(dy, cache[1], self.bare.tangent(x_dot, cache))
        through = None if dz_dot is None else self.bare.backward(dz_dot, cache)
        return add(through, self.bare.curvature(dz, cache, x_dot))
