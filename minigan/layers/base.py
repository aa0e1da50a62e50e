"""What a layer is.

    y, cache = layer.forward(x, training=True)
    dx       = layer.backward_input(dy, cache)    # VJP: dL/dx from dy = dL/dy
               layer.backward_params(dy, cache)   # adds (+=) dL/dW, ... into layer.grads
    dx       = layer.backward(dy, cache)          # both
    y_dot    = layer.tangent(x_dot, cache)        # JVP: how y moves when x moves along x_dot
    dx_dot   = layer.curvature(dy, cache, x_dot)  # how `backward` moves when x moves along x_dot

A leading d is a gradient, a trailing _dot a perturbation. With J = dy/dx, `backward_input` is the
vector-Jacobian product J' dy and `tangent` the Jacobian-vector product J x_dot.

Whatever the backward pass needs of the forward pass is in `cache`, never on the layer: a
discriminator sees real and fake batches before any backward pass begins, and a layer that
remembered only its last input would use the wrong one for one of them.

The cache refers to arrays, x, y and the parameters themselves, and does not copy them. So none of
them, and no option of the layer, may change between a forward pass and the backward passes that use
its cache. A network ensures this for x and y: it works on a copy of x, and its y is read-only. If a
single layer is called by itself, its caller has to ensure it.

A layer checks its x (`as_input`), but not its dy, x_dot and cache. They come from the neighbouring
layers; those that come from outside are checked by the network.
"""

import math
from typing import Any

import numpy as np

from .. import _checks as checks
from .memory import Memory

Array = np.ndarray
Cache = Any  # what the backward passes of a layer need of its forward pass


class Layer(Memory):
    """The contract that all layers share. `Memory` says where params, grads and buffers live.

    mixes_samples : True if a sample of y depends on other samples of x (as in batch norm)
    piecewise_linear : True if y is a piecewise linear function of x: then `tangent` is the same map
        for all x nearby, and `curvature` returns None

    A layer of your own needs `forward` and `backward_input`, and `backward_params` if it has
    parameters. `tangent` and `curvature` are needed only under a gradient penalty, and `initialize`
    only to draw first values. The smallest one, which scales its input by one trained number:

    >>> class Scale(Layer):
    ...     def __init__(self) -> None:
    ...         super().__init__()
    ...         self.add_parameter("factor", (1,))
    ...
    ...     def initialize(self, rng: np.random.Generator) -> None:
    ...         self.params["factor"][...] = rng.uniform(0.5, 1.5)
    ...
    ...     def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
    ...         x = self.as_input(x)
    ...         return self.params["factor"] * x, x
    ...
    ...     def backward_input(self, dy: Array, x: Array) -> Array:
    ...         return self.params["factor"] * dy
    ...
    ...     def backward_params(self, dy: Array, x: Array) -> None:
    ...         self.grads["factor"] += np.sum(dy * x)
    >>> from minigan import Sequential, layers
    >>> network = Sequential([layers.Linear(2, 3), Scale()], rng=0)
    >>> y, cache = network.forward(np.ones((4, 2)))
    >>> network.backward_params(np.ones_like(y), cache)
    """

    mixes_samples = False
    piecewise_linear = False

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        raise self._missing("forward", "every layer needs it")

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        raise self._missing("backward_input", "every layer needs it for training")

    def backward_params(self, dy: Array, cache: Cache) -> None:
        """Layers without parameters have no gradients to add."""
        if self.params:
            raise self._missing("backward_params", "a layer with parameters needs it for training")

    def backward(self, dy: Array, cache: Cache) -> Array:
        self.backward_params(dy, cache)
        return self.backward_input(dy, cache)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        raise self._missing("tangent", "it is needed only under a gradient penalty")

    def curvature(self, dy: Array, cache: Cache, x_dot: Array) -> Array | None:
        """The derivative of `backward(dy, cache)` as x moves along x_dot, with dy constant.

        It is the Hessian of <dy, y> with respect to x and the parameters, times x_dot. The part for
        x is returned (None for zero), the part for each parameter is added (+=) to grads. Gradient
        penalties need it: see `minigan.penalties.second_order`.
        """
        raise self._missing("curvature", "it is needed only under a gradient penalty")

    def _missing(self, method: str, when: str) -> Exception:
        return NotImplementedError(f"{self}: the method {method} is not written; {when}")

    def __call__(self, *_: Any, **__: Any) -> Any:
        name = checks.shown(self)
        raise TypeError(f"{name}: a layer is not called; use y, cache = layer.forward(x)")

    def as_input(self, x: Any, *shape: Any) -> Array:
        """x as floats in the dtype of the parameters.

        Raises TypeError or ValueError, naming this layer, if x does not have `shape`: sizes, or
        names for sizes that are free, such as "N" (see `_checks.numbers`).
        """
        return checks.layer_input(self, x, shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PiecewiseLinearLayer(Layer):
    """A layer without parameters that is piecewise linear, so its `curvature` is zero."""

    piecewise_linear = True

    def curvature(self, dy: Array, cache: Cache, x_dot: Array) -> Array | None:
        return None


def flat_rows(x: Array) -> Array:
    """x (N, ..., C) seen as a matrix of rows (N * ..., C)."""
    return x.reshape(-1, x.shape[-1])


def flat_samples(x: Array) -> Array:
    """x (N, ...) seen as a matrix with a row for each sample, of an empty batch too."""
    return x.reshape(len(x), math.prod(x.shape[1:]))
