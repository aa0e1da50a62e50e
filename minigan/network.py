"""A network: layers in sequence. Each pass is one loop over them."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from . import _checks as checks
from . import backend
from ._random import random_generator
from .layers.base import Array, Layer
from .layers.composite import add
from .layers.flat_vectors import FlatVectors, check_owners, fresh_layers
from .layers.memory import ForwardPass, read_only, unchanging


class Caches(list):
    """What a forward pass of a network keeps: [(layer, its cache)], and the shapes of x and y."""

    def __init__(self, network: "Sequential", x_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.network, self.x_shape = network, x_shape
        self.y_shape: tuple[int, ...] = ()


class Sequential(FlatVectors):
    """y = layer_n(... layer_2(layer_1(x))): a network, and itself a layer.

    Parameters
    ----------
    layers : a list of layers. One with parameters or buffers is in one network at most; to use it
        again elsewhere, copy.deepcopy it. A whole network can be put into another: then its theta
        is a part of the other's, and both go on working
    dtype : float32 to train, float64 to check
    rng : a numpy Generator or a seed: draws the first parameters, and dropout's masks. Parameters
        that were trained or set by hand stay, as do those of an inner network with a seed of its
        own. None: the seed 0, and a network built around this one draws its parameters anew

    Attributes
    ----------
    theta, grad : (P,) every parameter, and every gradient. The layers hold views into them (see
        `layers.flat_vectors`). Assigning to one copies the values in

    Raises TypeError for what is not a layer, ValueError for no layers, for one layer used twice and
    for a layer of another network. `caches` is what `forward` returned.
    """

    def __init__(
        self, layers: Annotated[Sequence[Layer], checks.some_of(Layer)],
        *more: Annotated[Any, checks.one_list],
        dtype: checks.DType = "float32", rng: checks.Seed | None = None,
    ) -> None:  # fmt: skip
        super().__init__({str(i): layer for i, layer in enumerate(layers)})
        check_owners(self)
        self._seeded = rng is not None
        to_draw = list(fresh_layers(self))
        self.lay_out(dtype, random_generator(0 if rng is None else rng, "weights"))
        for layer in to_draw:
            layer.initialize(self.rng)

    @np.errstate(under="ignore")  # a result that is too small for a float is 0, and no error
    def forward(self, x: Any, training: bool = True) -> tuple[Array, Caches]:
        """(y, caches). The caches hold y itself, and x: so y is read-only, and x a copy.

        Within a pass of the network around it, a network leaves both to that one.
        """
        with ForwardPass(self) as outermost:
            x = checks.as_array("Sequential", "x", x)
            if x.dtype.kind == "f" and x.dtype != self.dtype:
                x = x.astype(self.dtype)
            elif outermost:
                x = unchanging(x)
            caches = Caches(self, x.shape)
            for stage in backend.stages(self):
                x, cache = checks.pass_of(stage, stage.forward(x, training))
                caches.append((stage, cache))
            caches.y_shape = x.shape
            return (read_only(x) if outermost else x), caches

    @np.errstate(under="ignore")
    def backward(self, dy: Array, caches: Caches) -> Array:
        dy = self._signal("dy", dy, caches)
        with self.settled(caches):
            for stage, cache in reversed(caches):
                dy = self._in_dtype(stage.backward(dy, cache), stage)
        return dy

    @np.errstate(under="ignore")
    def backward_input(self, dy: Array, caches: Caches) -> Array:
        dy = self._signal("dy", dy, caches)
        for stage, cache in reversed(caches):
            dy = self._in_dtype(stage.backward_input(dy, cache), stage)
        return dy

    @np.errstate(under="ignore")
    def backward_params(self, dy: Array, caches: Caches) -> None:
        """Stops at the first layer with parameters: below it, there is nothing to add."""
        dy = self._signal("dy", dy, caches)
        first = next((i for i, (stage, _) in enumerate(caches) if stage.trained), None)
        if first is None:
            return
        with self.settled(caches):
            for stage, cache in reversed(caches[first + 1 :]):
                dy = self._in_dtype(stage.backward(dy, cache), stage)
            stage, cache = caches[first]
            stage.backward_params(dy, cache)

    @np.errstate(under="ignore")
    def tangent(self, x_dot: Array, caches: Caches) -> Array:
        x_dot = self._signal("x_dot", x_dot, caches)
        for stage, cache in caches:
            x_dot = self._in_dtype(stage.tangent(x_dot, cache), stage)
        return x_dot

    @np.errstate(under="ignore")
    def signals(self, dy: Array, caches: Caches) -> list[Array]:
        """[dx, ..., dy]: a backward pass that keeps the gradient at the input of each stage."""
        kept = [self._signal("dy", dy, caches)]
        for stage, cache in reversed(caches):
            kept.append(self._in_dtype(stage.backward_input(kept[-1], cache), stage))
        return kept[::-1]

    def curvature(self, dy: Array, caches: Caches, x_dot: Array) -> Array | None:
        return self.curvature_along(self.signals(dy, caches), caches, x_dot)

    @np.errstate(under="ignore")
    def curvature_along(self, signals: list[Array], caches: Caches, x_dot: Array) -> Array | None:
        """`curvature`, from the signals of the backward pass: forward with the tangents, then
        backward with dy_dot. Where the signal does not move, dy_dot is None."""
        x_dots = [self._signal("x_dot", x_dot, caches)]
        self.settle()
        for stage, cache in caches:
            x_dots.append(self._in_dtype(stage.tangent(x_dots[-1], cache), stage))
        dy_dot = None  # dy is held
        for i, (stage, cache) in reversed(list(enumerate(caches))):
            through = None if dy_dot is None else stage.backward(dy_dot, cache)
            dy_dot = add(through, stage.curvature(signals[i + 1], cache, x_dots[i]))
            dy_dot = None if dy_dot is None else self._in_dtype(dy_dot, stage)
        return dy_dot

    def _signal(self, name: str, value: Any, caches: Any) -> Array:
        return checks.signal(self, name, value, caches)

    def _in_dtype(self, array: Any, stage: Any) -> Any:
        """What a layer returned, in the network's dtype, the only one that compiled layers read."""
        return checks.passed_on(self, stage, array)

    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self.layers))
        return f"Sequential([{inside}], dtype={self.dtype.name})"
