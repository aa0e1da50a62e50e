"""A network's memory: every parameter in one flat vector theta, every gradient in one vector grad.

    layer.params["weight"]   a view into      network.theta[start:stop]
    layer.grads["weight"]    a view into      network.grad[start:stop]

So an optimizer is one call over theta, and a gradient norm one product. No mathematics here. Rules:

- Assigning to theta, to `params` or to an entry of it copies the values. If a view were replaced by
  another array, no optimizer would update that array.
- The layers of a network cannot be replaced: theta would not contain the new layer's parameters.
- A layer with parameters or buffers is in one network at most (`check_owners`).
- A vector that a network no longer uses becomes read-only: writing to it would have no effect.
- A copied or unpickled network gets vectors of its own.
- The outermost network draws new first values for layers that still have those from their
  constructor (`fresh_layers`). Parameters that were trained or set by hand stay as they are.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .. import _checks as checks
from .. import backend
from .base import Layer
from .composite import Composite, count_parameters, walk
from .memory import HELD


class BackwardPass:
    """A `with` block around a backward pass. If the pass ends with an error, it sets the gradients
    that were not yet written to 0, so that none of an earlier pass remain."""

    def __init__(self, caches: Sequence[Any]) -> None:
        self.caches = caches

    def __enter__(self) -> None:
        pass

    def __exit__(self, error: Any, *_: object) -> None:
        if error:
            backend.clear_rest(self.caches)


class FlatVectors(Composite):
    """The base class of `minigan.network.Sequential` that stores theta and grad.

    theta, grad : (P,) all parameters and all gradients. Assigning to one copies the values
    """

    _theta: np.ndarray
    _grad: np.ndarray
    _seeded = False  # whether the network was given a seed of its own
    _stale = False  # whether grad must be set to 0 before it is read or added to
    compiled: list[Any] | None = None  # the stages of the compiled backend: see `backend.stages`

    def lay_out(self, dtype: Any, rng: np.random.Generator) -> None:
        """Makes theta and grad, and moves the parameters of every layer inside into them."""
        size = count_parameters(self)
        _move(self, np.zeros(size, dtype), np.zeros(size, dtype), 0, dtype, rng)

    def take(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """Replaces theta and grad by these vectors, which have the same values."""
        for old in (vars(self).get("_theta"), vars(self).get("_grad")):
            if old is not None:
                old.flags.writeable = False
        self._theta, self._grad, self.compiled = theta, grad, None

    @property
    def theta(self) -> np.ndarray:
        return self._theta

    @theta.setter
    def theta(self, values: ArrayLike) -> None:
        self._assign("theta", self._theta, values)

    @property
    def grad(self) -> np.ndarray:
        self.settle()
        return self._grad

    @grad.setter
    def grad(self, values: ArrayLike) -> None:
        self._assign("grad", self._grad, values)

    def _assign(self, name, vector, values):
        if values is not vector:  # `theta += ...` ends with theta = theta
            vector[...] = checks.numbers(type(self).__name__, name, values, vector.shape)

    def drop_stages(self) -> None:
        self.compiled = None
        super().drop_stages()

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layers in order. They cannot be replaced: build a new network instead."""
        return tuple(self.children.values())

    def save(self: Any, path: Any) -> None:
        """Writes the network, architecture and weights, to a file that `minigan.load` reads.

        Raises TypeError for a layer that is neither minigan's nor registered (see
        `minigan.models.register`), FloatingPointError for a weight that is not finite, OSError if
        the file cannot be written.
        """
        from ..models.saved import save_network  # which imports this module

        save_network(self, path)

    def initialize(self, rng: np.random.Generator) -> None:
        """Draws every parameter of the network anew."""
        for layer in walk_inside_out(self):
            if not isinstance(layer, FlatVectors):
                layer.initialize(rng)

    def zero_grad(self, *, lazy: bool = False) -> None:
        """grad = 0.

        lazy : not now, but when grad is read or a backward pass begins. That pass may then
            overwrite the old gradients; until then, views of grad still show the old ones.
        """
        self._stale = True
        if not lazy:
            self.settle()

    def settle(self, caches: Sequence[Any] = ()) -> None:
        """Completes a lazy `zero_grad`, before the stages of `caches` add their gradients."""
        if self._stale:
            backend.clear(self._grad, caches)
            self._stale = False

    def settled(self, caches: Sequence[Any]) -> "BackwardPass":
        """A `with` block around a backward pass through the stages of `caches`; calls `settle`."""
        self.settle(caches)
        return BackwardPass(caches)

    def named_parameters(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """[(name, value, grad)] of every parameter, as views; names like "0.weight", "0.bias"."""
        return [
            (prefix + name, value, layer.grads[name])
            for prefix, layer in walk(self)
            for name, value in layer.params.items()
        ]

    def named_buffers(self) -> list[tuple[str, np.ndarray]]:
        """[(name, value)] of every buffer: running statistics, spectral vectors."""
        return [
            (prefix + name, value)
            for prefix, layer in walk(self)
            for name, value in layer.buffers.items()
        ]

    def copy(self, dtype: DTypeLike | None = None) -> Any:
        """An independent network, equal in parameters and buffers, in another dtype if given."""
        clone = copy.deepcopy(self)
        if dtype is not None:
            found = checks.dtype(f"{type(self).__name__}.copy", "dtype", dtype)
            if clone.dtype != found:
                clone.lay_out(found, clone.rng)
        return clone

    def __getstate__(self):
        """Without theta and grad: `__setstate__` makes new vectors of the layers' parameters."""
        left_out = ("_theta", "_grad", "compiled")
        return {k: v for k, v in super().__getstate__().items() if k not in left_out}

    def __setstate__(self, state):
        vars(self).update(state)
        self.lay_out(self.dtype, self.rng)

    @contextmanager
    def held_buffers(self) -> Iterator[Any]:
        """Within a `with` block, training forward passes made by this thread leave the buffers of
        this network as they are."""
        HELD.networks.append(self)
        try:
            yield self
        finally:
            HELD.networks.remove(self)


def walk_inside_out(layer: Layer) -> Iterator[Any]:
    """Yields every layer inside `layer`; each one comes after the layers inside it."""
    for child in layer.children.values():
        yield from walk_inside_out(child)
        yield child


def fresh_layers(layer: Layer) -> Iterator[Any]:
    """Yields the layers inside `layer` that need new first values, inner layers first."""
    for child in layer.children.values():
        if isinstance(child, FlatVectors):
            if not child._seeded:
                yield from fresh_layers(child)
            continue
        yield from fresh_layers(child)
        if child.as_drawn:
            yield child


def check_owners(network: Layer) -> None:
    """Raises ValueError, naming it, for a layer that is used twice or is in another network.

    (An activation, which has no arrays, may be in two networks.)"""
    inside, places = [layer for _, layer in walk(network)], set()
    for layer in inside:
        if id(layer) in places:
            raise ValueError(
                f"Sequential: layers must be different ones, got {checks.shown(layer)} twice; "
                "make one for each place"
            )
        places.add(id(layer))
    for layer in inside:
        has_arrays = layer.params or layer.buffers or isinstance(layer, FlatVectors)
        if has_arrays and layer.owner is not None and id(layer.owner) not in places:
            raise ValueError(
                f"Sequential: layers must be in no other network, got {checks.shown(layer)}; "
                "use copy.deepcopy(layer), or put that whole network in"
            )


def _move(layer, theta, grad, start, dtype, rng):
    """Moves the parameters of a layer and of the layers inside it into the two vectors, in order,
    from index `start` on; returns where they end."""
    stop, params, grads = start, {}, {}
    for name, value in layer.params.items():
        part = slice(stop, stop + value.size)
        stop = part.stop
        params[name], grads[name] = (vector[part].reshape(value.shape) for vector in (theta, grad))
        for new, old in ((params[name], value), (grads[name], layer.grads.get(name))):
            if old is not None:
                new[...] = old
                old.flags.writeable = False
    layer.rebind(params, grads, dtype, rng)
    for child in layer.children.values():
        network = layer if isinstance(layer, FlatVectors) else layer.owner
        child.put_into(network)
        stop = _move(child, theta, grad, stop, dtype, rng)
    if isinstance(layer, FlatVectors):
        layer.take(theta[start:stop], grad[start:stop])
    return stop
