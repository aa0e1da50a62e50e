"""A network: layers in a row, and all of their parameters in one flat vector."""

import contextlib
import copy
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import _checks as checks
from . import backend
from .layers.base import HELD, Array, Layer
from .layers.composite import Composite, add, count_parameters, walk


class Caches(list):
    """What a forward pass of a network keeps: [(layer, its cache)], and the shapes of x and y."""

    def __init__(self, x_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.x_shape = x_shape
        self.y_shape: tuple[int, ...] = ()


class Sequential(Composite):
    """y = layer_n(... layer_2(layer_1(x))): a network, and itself a layer.

    theta, grad : (P,) every parameter, and every gradient, of the network. The layers hold views
                  into them, so an optimizer is one call over theta, a gradient norm one product.
                  Assigning to one copies the values in
    dtype       : float32 to train, float64 to check
    rng         : a numpy Generator or a seed: draws the first parameters, and dropout's masks.
                  None: the seed 0, and a network built around this one draws its parameters anew

    `rng` draws for layers that are as they were made. Parameters that were trained or set by hand,
    and those of a network inside that has a seed of its own, stay as they are.

    A layer with parameters or buffers is in one network at most. A whole network can be put into
    another: then its theta is a part of the other's, and both go on working. To use a layer again
    elsewhere, copy.deepcopy it; a copy of a network, by `copy`, copy.deepcopy or pickle, has its
    own memory.

    `cache`, as everywhere, is returned by `forward` and handed to the backward passes.
    Raises TypeError for what is not a layer, ValueError for no layers, for one layer used twice and
    for a layer of another network.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *more: Any,
        dtype: DTypeLike = "float32",
        rng: int | tuple[int, ...] | np.random.Generator | None = None,
    ) -> None:
        if more or not isinstance(layers, tuple | list):
            got = f"{1 + len(more)} arguments" if more else checks.shown(layers)
            raise TypeError(
                f"Sequential: layers must be a list, got {got}; write Sequential([a, b])"
            )
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential: expected layers, got {checks.shown(layer)}")
        if not layers:
            raise ValueError("Sequential: expected at least one layer, got none")
        super().__init__({str(i): layer for i, layer in enumerate(layers)})
        self._check_owners()
        self._seeded = rng is not None
        to_draw = list(_as_made(self))
        self._allocate(dtype, checks.generator("rng", rng if self._seeded else 0, "weights"))
        for layer in to_draw:
            layer.initialize(self.rng)

    @property
    def layers(self) -> list[Layer]:
        return list(self.children.values())

    # -- parameters ----------------------------------------------------------------------------

    @property
    def theta(self) -> Array:
        return self._theta

    @theta.setter
    def theta(self, values: ArrayLike) -> None:
        self._set("theta", self._theta, values)

    @property
    def grad(self) -> Array:
        return self._grad

    @grad.setter
    def grad(self, values: ArrayLike) -> None:
        self._set("grad", self._grad, values)

    def _set(self, name, vector, values):
        """Copies the values into the vector: the layers hold views into it, so it has to stay."""
        if values is vector:  # as `theta += ...` ends
            return
        values = checks.real_array(f"Sequential: {name}", values)
        if values.shape != vector.shape:
            raise ValueError(
                f"Sequential: {name} must have shape {vector.shape}, got {values.shape}"
            )
        vector[...] = values

    def _check_owners(self):
        """Raises ValueError, naming it, for a layer in two places or of another living network.

        (An activation, which has nothing of its own, may be in two networks.)"""
        inside = [layer for _, layer in walk(self)]
        places = set()
        for layer in inside:
            if id(layer) in places:
                raise ValueError(
                    f"Sequential: the same layer stands in two places: {checks.shown(layer)}; "
                    "make one for each"
                )
            places.add(id(layer))
        for layer in inside:
            has_state = layer.params or layer.buffers or isinstance(layer, Sequential)
            if has_state and layer.owner is not None and id(layer.owner) not in places:
                raise ValueError(
                    f"Sequential: {checks.shown(layer)} is part of another network; "
                    "use copy.deepcopy(layer), or put that whole network in"
                )

    def _allocate(self, dtype, rng):
        """Lays theta and grad out, and moves every layer's parameters into them."""
        dtype = checks.float_dtype("dtype", dtype)
        size = count_parameters(self)
        _move(self, np.zeros(size, dtype), np.zeros(size, dtype), 0, dtype, rng)

    def take(self, theta: Array, grad: Array) -> None:
        """From now on, theta and grad are these vectors, which hold the same values.

        Whoever still has the old ones would write where nobody reads: they become read-only."""
        for old in (vars(self).get("_theta"), vars(self).get("_grad")):
            if old is not None:
                old.flags.writeable = False
        self._theta, self._grad = theta, grad
        self.compiled: list[Layer] | None = (
            None  # the stages of the compiled backend: see `backend.stages`
        )

    def initialize(self, rng: np.random.Generator) -> None:
        """Draws every parameter of the network anew."""
        for _, layer in _inside_out(self):
            if not isinstance(layer, Sequential):
                layer.initialize(rng)

    def named_parameters(self) -> list[tuple[str, Array, Array]]:
        """[(name, value, grad)] of every parameter, as views; names like "0.weight", "0.bias"."""
        return [
            (prefix + name, value, layer.grads[name])
            for prefix, layer in walk(self)
            for name, value in layer.params.items()
        ]

    def named_buffers(self) -> list[tuple[str, Array]]:
        """[(name, value)] of every buffer: running statistics, spectral vectors."""
        return [
            (p + name, value) for p, layer in walk(self) for name, value in layer.buffers.items()
        ]

    def zero_grad(self) -> None:
        self._grad.fill(0)

    def copy(self, dtype: DTypeLike | None = None) -> "Sequential":
        """An independent network, equal in parameters and buffers, in another dtype if given."""
        twin = copy.deepcopy(self)
        if dtype is not None and twin.dtype != checks.float_dtype("dtype", dtype):
            twin._allocate(dtype, twin.rng)
        return twin

    def save(self, path: Any) -> None:
        """Writes the network, architecture and weights, to a file that `minigan.load` reads.

        Raises TypeError for a layer that is neither minigan's nor registered (see
        `minigan.models.register`), FloatingPointError for a weight that is not finite, OSError if
        the file cannot be written.
        """
        from .models.saved import save_network  # which imports this module

        save_network(self, path)

    def __getstate__(self):
        """The layers alone: theta and grad are laid out anew around their parameters."""
        left_out = ("_theta", "_grad", "compiled")
        return {k: v for k, v in super().__getstate__().items() if k not in left_out}

    def __setstate__(self, state):
        vars(self).update(state)
        self._allocate(self.dtype, self.rng)

    @contextlib.contextmanager
    def held_buffers(self) -> Iterator["Sequential"]:
        """For the length of a `with`, the training forward passes that this thread makes leave the
        buffers of this network as they are."""
        HELD.networks.append(self)
        try:
            yield self
        finally:
            HELD.networks.remove(self)

    # -- the contract --------------------------------------------------------------------------

    @np.errstate(under="ignore")
    def forward(self, x: Any, training: bool = True) -> tuple[Array, "Caches"]:
        """(y, caches). The caches hold y itself, and x: so y is read-only, and x a copy.

        Inside another network, which sees to both, neither is done again.
        """
        outermost = self.owner is None
        x = checks.as_array("x", x)
        if x.dtype.kind == "f" and x.dtype != self.dtype:
            x = x.astype(self.dtype)
        elif outermost:
            x = unchanging(x)
        caches = Caches(x.shape)
        for stage in backend.stages(self):
            result = stage.forward(x, training)
            if type(result) is not tuple or len(result) != 2:
                got = checks.shown(result)
                raise TypeError(f"{stage}: forward must return y and its cache, got {got}")
            x, cache = result
            caches.append((stage, cache))
        caches.y_shape = x.shape
        return (read_only(x) if outermost else x), caches

    @np.errstate(under="ignore")
    def backward(self, dy: Array, caches: "Caches") -> Array:
        dy = self._signal("dy", dy, caches, "y_shape")
        for stage, cache in reversed(caches):
            dy = stage.backward(dy, cache)
        return dy

    @np.errstate(under="ignore")
    def backward_input(self, dy: Array, caches: "Caches") -> Array:
        dy = self._signal("dy", dy, caches, "y_shape")
        for stage, cache in reversed(caches):
            dy = stage.backward_input(dy, cache)
        return dy

    @np.errstate(under="ignore")
    def backward_params(self, dy: Array, caches: "Caches") -> None:
        """Stops at the first layer with parameters: below it, there is nothing to add."""
        dy = self._signal("dy", dy, caches, "y_shape")
        first = next((i for i, (stage, _) in enumerate(caches) if stage.trained), None)
        if first is None:
            return
        for stage, cache in reversed(caches[first + 1 :]):
            dy = stage.backward(dy, cache)
        stage, cache = caches[first]
        stage.backward_params(dy, cache)

    @np.errstate(under="ignore")
    def tangent(self, x_dot: Array, caches: "Caches") -> Array:
        x_dot = self._signal("x_dot", x_dot, caches, "x_shape")
        for stage, cache in caches:
            x_dot = stage.tangent(x_dot, cache)
        return x_dot

    @np.errstate(under="ignore")
    def signals(self, dy: Array, caches: "Caches") -> list[Array]:
        """[dx, ..., dy]: a backward pass that keeps the gradient at the input of each stage."""
        dy = self._signal("dy", dy, caches, "y_shape")
        kept = [dy]
        for stage, cache in reversed(caches):
            kept.append(stage.backward_input(kept[-1], cache))
        return kept[::-1]

    def curvature(self, dy: Array, caches: "Caches", x_dot: Array) -> Array | None:
        return self.curvature_along(self.signals(dy, caches), caches, x_dot)

    @np.errstate(under="ignore")
    def curvature_along(self, signals: list[Array], caches: "Caches", x_dot: Array) -> Array | None:
        """`curvature`, from the signals of the backward pass: forward with the tangents, then
        backward with dy_dot. Where the signal does not move, dy_dot is None."""
        x_dots = [self._signal("x_dot", x_dot, caches, "x_shape")]
        for stage, cache in caches:
            x_dots.append(stage.tangent(x_dots[-1], cache))
        dy_dot = None  # dy is held
        for i, (stage, cache) in reversed(list(enumerate(caches))):
            through = None if dy_dot is None else stage.backward(dy_dot, cache)
            dy_dot = add(through, stage.curvature(signals[i + 1], cache, x_dots[i]))
        return dy_dot

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

    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self.layers))
        return f"Sequential([{inside}], dtype={self.dtype.name})"


def read_only(array: Array) -> Array:
    """A view of an array through which it cannot be written."""
    view = array.view()
    view.flags.writeable = False
    return view


def unchanging(x: Array) -> Array:
    """x as an array that its owner does not write to: a copy, or what a `read_only` x is a view of.

    The Numba kernels are compiled for writeable arrays alone, so the view itself would not do.
    """
    base = x.base
    if (
        not x.flags.writeable
        and type(base) is np.ndarray
        and (base.shape, base.strides, base.dtype) == (x.shape, x.strides, x.dtype)
        and base.flags.writeable
    ):
        return base
    return x.copy()


def _inside_out(layer):
    """Yields (prefix, layer) of every layer inside one, a layer after those that it contains."""
    for name, child in layer.children.items():
        for prefix, inner in _inside_out(child):
            yield f"{name}.{prefix}", inner
        yield f"{name}.", child


def _as_made(layer):
    """Yields the layers inside one that still have to be drawn, inner ones first."""
    for child in layer.children.values():
        if isinstance(child, Sequential):
            if not child._seeded:
                yield from _as_made(child)
            continue
        yield from _as_made(child)
        if child.as_drawn:
            yield child


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
                old.flags.writeable = False  # as in `Sequential.take`
    layer.place(params, grads, dtype, rng)
    for child in layer.children.values():
        network = layer if isinstance(layer, Sequential) else layer.owner
        child._owner = weakref.ref(network)
        stop = _move(child, theta, grad, stop, dtype, rng)
    if isinstance(layer, Sequential):
        layer.take(theta[start:stop], grad[start:stop])
    return stop
