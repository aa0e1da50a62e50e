"""A network: layers in a row, and all of their parameters in one flat vector."""

import contextlib
import copy

import numpy as np

from . import checks, kernels
from .fused import fuse
from .layers.base import Layer
from .layers.composite import Composite, count_parameters, sweep_row, walk


class Caches(list):
    """What a forward pass of a network keeps: [(layer, its cache)], and the shapes of x and y."""

    def __init__(self, x_shape):
        super().__init__()
        self.x_shape, self.y_shape = x_shape, None


class Sequential(Composite):
    """y = layer_n(... layer_2(layer_1(x))): a network, and itself a layer.

    theta, grad : (P,) every parameter, and every gradient, of the network. The layers hold views
                  into them, so an optimizer is one call over theta, a gradient norm one product.
    dtype       : float32 to train, float64 to check
    rng         : a numpy Generator or a seed: draws the first parameters, and dropout's masks

    `cache`, as everywhere, is returned by `forward` and handed to the backward passes.
    Raises TypeError for what is not a layer, ValueError for no layers or one layer used twice.
    """

    def __init__(self, layers, *, dtype="float32", rng=0):
        if not isinstance(layers, tuple | list):
            raise TypeError(f"Sequential: layers must be a list, got {checks.shown(layers)}")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential: expected layers, got {checks.shown(layer)}")
        if not layers:
            raise ValueError("Sequential: expected at least one layer, got none")
        super().__init__({str(i): layer for i, layer in enumerate(layers)})
        everyone = [layer for _, layer in walk(self)]
        if len(set(map(id, everyone))) < len(everyone):
            raise ValueError("Sequential: the same layer stands in two places; make one for each")
        self._fused = fuse(layers)
        self._allocate(dtype, checks.generator("rng", rng))
        self.initialize(self.rng)

    @property
    def layers(self):
        return list(self.children.values())

    # -- parameters ----------------------------------------------------------------------------

    def _allocate(self, dtype, rng):
        """Lays theta and grad out, and moves every layer's parameters into them."""
        dtype = checks.float_dtype("dtype", dtype)
        size = sum(value.size for _, layer in walk(self) for value in layer.params.values())
        _move(self, np.zeros(size, dtype), np.zeros(size, dtype), dtype, rng)

    def initialize(self, rng):
        for layer in self.children.values():
            for _, inner in reversed(list(walk(layer))):  # a wrapper looks at what it wraps
                inner.initialize(rng)

    def named_parameters(self):
        """[(name, value, grad)] of every parameter, as views; names like "0.weight", "0.bias"."""
        return [
            (prefix + name, value, layer.grads[name])
            for prefix, layer in walk(self)
            for name, value in layer.params.items()
        ]

    def named_buffers(self):
        """[(name, value)] of every buffer: running statistics, spectral vectors."""
        return [
            (p + name, value) for p, layer in walk(self) for name, value in layer.buffers.items()
        ]

    def zero_grad(self):
        self.grad.fill(0)

    def copy(self, dtype=None):
        """An independent network, equal in parameters and buffers, in another dtype if given."""
        twin = copy.deepcopy(self)
        twin._allocate(self.dtype if dtype is None else dtype, twin.rng)
        twin.theta[...] = self.theta
        twin.grad[...] = self.grad
        return twin

    @contextlib.contextmanager
    def held_buffers(self):
        """For the length of a `with`, training forward passes leave the buffers as they are."""
        everyone = [layer for _, layer in walk(self)]
        before = [layer.hold_buffers for layer in everyone]
        try:
            for layer in everyone:
                layer.hold_buffers = True
            yield self
        finally:
            for layer, hold in zip(everyone, before):
                layer.hold_buffers = hold

    # -- the contract --------------------------------------------------------------------------

    def stages(self):
        """What forward walks: the layers; on the Numba kernels, neighbours fused (see `fused`)."""
        return self._fused if kernels.backend() == "numba" else self.layers

    def forward(self, x, training=True):
        x = checks.as_array("x", x)
        if x.dtype.kind == "f" and x.dtype != self.dtype:
            x = x.astype(self.dtype)
        caches = Caches(x.shape)
        for stage in self.stages():
            x, cache = stage.forward(x, training)
            caches.append((stage, cache))
        caches.y_shape = x.shape
        return x, caches

    def backward(self, dy, caches):
        dy = self._signal("dy", dy, caches, "y_shape")
        for stage, cache in reversed(caches):
            dy = stage.backward(dy, cache)
        return dy

    def backward_input(self, dy, caches):
        dy = self._signal("dy", dy, caches, "y_shape")
        for stage, cache in reversed(caches):
            dy = stage.backward_input(dy, cache)
        return dy

    def backward_params(self, dy, caches):
        """Stops at the first layer with parameters: below it, there is nothing to add."""
        dy = self._signal("dy", dy, caches, "y_shape")
        first = next((i for i, (stage, _) in enumerate(caches) if count_parameters(stage)), None)
        if first is None:
            return
        for stage, cache in reversed(caches[first + 1 :]):
            dy = stage.backward(dy, cache)
        stage, cache = caches[first]
        stage.backward_params(dy, cache)

    def tangent(self, dx, caches):
        dx = self._signal("dx", dx, caches, "x_shape")
        for stage, cache in caches:
            dx = stage.tangent(dx, cache)
        return dx

    def _signal(self, name, value, caches, like):
        """dy or dx as numbers of this network's dtype, in the shape of the y or the x of that pass:
        another shape might broadcast, to a wrong gradient.
        """
        if not isinstance(caches, Caches):
            got = checks.shown(caches)
            raise TypeError(f"Sequential: caches must be what forward returned, got {got}")
        value, shape = checks.as_array(name, value), getattr(caches, like)
        if value.dtype.kind not in "fiub":
            raise TypeError(f"Sequential: {name} must be real numbers, got dtype {value.dtype}")
        if value.shape != shape:
            raise ValueError(f"Sequential: {name} must have shape {shape}, got {value.shape}")
        return value.astype(self.dtype, copy=False)

    def sweep(self, dy, caches):
        return sweep_row(list(self.layer_caches(caches)), dy)

    def layer_caches(self, caches):
        """Yields (layer, cache), layer by layer: what `forward` kept, with fused neighbours and
        networks inside this one taken apart again."""
        layers = iter(self.layers)
        for (stage, cache), layer in zip(caches, layers):
            if isinstance(layer, Sequential):
                yield from layer.layer_caches(cache)
            elif stage is layer:
                yield layer, cache
            else:
                inner, y = cache  # of a fused stage: an activation reads all it needs off y
                yield layer, inner
                if stage.phi[0] != kernels.IDENTITY:
                    yield next(layers), y

    def __repr__(self):
        inside = ", ".join(map(repr, self.layers))
        return f"Sequential([{inside}], dtype={self.dtype.name})"


def _move(layer, theta, grad, dtype, rng):
    """Cuts the two slices into the parameters of a layer and of the layers inside it, in order."""
    params, grads, start = {}, {}, 0
    for name, value in layer.params.items():
        stop = start + value.size
        params[name] = theta[start:stop].reshape(value.shape)
        grads[name] = grad[start:stop].reshape(value.shape)
        params[name][...] = value
        start = stop
    layer.place(params, grads, dtype, rng)
    if isinstance(layer, Sequential):
        layer.theta, layer.grad = theta, grad
    for child in layer.children.values():
        stop = start + count_parameters(child)
        _move(child, theta[start:stop], grad[start:stop], dtype, rng)
        start = stop
