"""The base class of stages for a layer and the activation after it."""

from typing import Any

import numpy as np

from ..layers.composite import add
from .activations import ActivationStage, fused_activation
from .kernels.codes import IDENTITY
from .stage import Stage


class FusedStage(Stage):
    """y = phi(layer(x)), with phi the activation after the layer, or the identity.

    The cache is (inner, y): the layer's own cache, and y, from which phi' is computed. A subclass
    has `inner_tangent` and `inner_curvature`, the methods of the layer without phi. `bare` is the
    stage without phi.
    """

    def __init__(self, layer, activation=None):
        super().__init__(layer)
        self.activation, self.phi = None, (IDENTITY, 0.0)
        if activation is not None:
            self.activation, self.phi = ActivationStage(activation), fused_activation(activation)
            self.children = {"layer": layer, "activation": activation}
            self.piecewise_linear = layer.piecewise_linear and activation.piecewise_linear
            self.bare = type(self)(layer)

    def parts(self, cache: Any) -> list[tuple[Any, Any]]:
        """[(stage, cache)] of the layer and of the activation, if there is one."""
        if self.activation is None:
            return [(self, cache)]
        return [(self.bare, cache), (self.activation, cache[1])]

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        if self.activation is None:
            return self.inner_tangent(x_dot, cache)
        return self.activation.tangent(self.bare.tangent(x_dot, cache), cache[1])

    def curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> np.ndarray | None:
        """By the chain rule, as in `Sequential`: dz_dot = activation.curvature, then
        dx_dot = backward(dz_dot) + curvature(dz) of the layer."""
        if self.activation is None:
            return self.inner_curvature(dy, cache, x_dot)
        dz = self.activation.backward_input(dy, cache[1])
        dz_dot = self.activation.curvature(dy, cache[1], self.bare.tangent(x_dot, cache))
        through = None if dz_dot is None else self.bare.backward(dz_dot, cache)
        return add(through, self.bare.curvature(dz, cache, x_dot))
