"""The arrays of a layer, and the network that it belongs to. No mathematics.

A layer by itself has an array for each parameter and each gradient. In a network these become views
into the network's two flat vectors: see `flat_vectors`.
"""

import functools
import inspect
import threading
import weakref
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from .. import _checks as checks
from .parameters import Parameters, zeros

OF_EVERY_LAYER = {"params", "grads", "buffers", "children", "dtype", "rng", "_held"}


class _Holding(threading.local):
    """The networks whose buffers this thread does not change: see `FlatVectors.held_buffers`."""

    def __init__(self) -> None:
        self.networks: list[Any] = []


HELD = _Holding()


class _Passes(threading.local):
    """The number of nested forward passes of networks that are running in this thread."""

    open = 0


_PASSES = _Passes()


class ForwardPass:
    """A `with` block around a forward pass of a network. Its value is True for the outermost pass:
    the user has called that one, and may write to x and y afterwards."""

    def __init__(self, network: Any) -> None:
        self.outermost = not _PASSES.open or network.owner is None

    def __enter__(self) -> bool:
        _PASSES.open += 1
        return self.outermost

    def __exit__(self, *_: object) -> None:
        _PASSES.open -= 1


class Memory(checks.CheckedConstructors):
    """The base class of `minigan.layers.base.Layer` that stores the arrays.

    params, grads : dict of name -> array
    buffers       : dict of name -> array; state without gradients (running statistics)
    children      : dict of name -> layer; the layers inside this one. Read-only in a network
    dtype         : of the parameters; None for a layer without parameters, which uses its input's
    rng           : the generator of random numbers in training (dropout's masks)
    trained       : whether there are parameters in this layer or inside it
    hold_buffers  : while True, a training forward pass leaves the buffers as they are
    """

    def __init__(self) -> None:
        name = type(self).__name__
        self.params, self.grads = Parameters(name), Parameters(name)
        self.buffers: dict[str, np.ndarray] = {}
        self.children: Mapping[str, Any] = {}
        self.dtype: Any = None
        self.rng = np.random.default_rng(0)
        self._held = False
        self._networks: list[Callable[[], Any]] = []  # weak references to the networks around it
        self._drawn: int | None = None  # the checksum of the values from `initialize`

    def __init_subclass__(cls, **options: Any) -> None:
        """Wraps every `initialize`, so that it records a checksum of the values that it drew."""
        super().__init_subclass__(**options)
        if "initialize" in vars(cls):
            setattr(cls, "initialize", _recording_initial_values(cls.initialize))  # noqa: B010

    def add_parameter(self, name: str, shape: tuple[int, ...]) -> None:
        """A parameter of zeros; `initialize` gives it its first value."""
        self.dtype = np.dtype("float32")
        self.params[name] = zeros(shape)
        self.grads[name] = np.zeros_like(self.params[name])
        self._drawn = self._checksum()

    def initialize(self, rng: np.random.Generator) -> None:
        """Draws first values for the parameters. Layers without parameters have nothing to draw."""

    @property
    def as_drawn(self) -> bool:
        """Whether the parameters and buffers are still those that `initialize` drew."""
        return self._drawn is None or self._drawn == self._checksum()

    def _checksum(self) -> int:
        arrays = (*self.params.values(), *self.buffers.values())
        return functools.reduce(lambda c, a: zlib.crc32(np.ascontiguousarray(a), c), arrays, 0)

    @functools.cached_property
    def trained(self) -> bool:
        return bool(self.params) or any(child.trained for child in self.children.values())

    def rebind(
        self, params: dict[str, Any], grads: dict[str, Any], dtype: Any, rng: np.random.Generator
    ) -> None:
        """Replaces params and grads by views of a network's vectors; sets dtype and rng. From now
        on `children` is read-only."""
        name = repr(self) if params else type(self).__name__
        params, grads = Parameters(name, params, closed=True), Parameters(name, grads, closed=True)
        children = MappingProxyType(dict(self.children))
        vars(self).update(params=params, grads=grads, dtype=dtype, rng=rng, children=children)
        self.buffers = {
            name: buffer.astype(dtype) if buffer.dtype.kind == "f" else buffer
            for name, buffer in self.buffers.items()
        }

    @property
    def owner(self) -> Any:
        """The network that this layer is in, directly or inside another layer; or None. A layer
        without arrays (an activation) may be in several networks: then the last of them."""
        for reference in reversed(vars(self).get("_networks", ())):
            network = reference()
            if network is not None:
                return network
        return None

    def put_into(self, network: Any) -> None:
        """Records that this layer is also in `network`."""
        others = [other for other in self._around() if other is not network]
        self._networks = [weakref.ref(around) for around in (*others, network)]

    def _around(self):
        """The networks that this layer is in."""
        networks = (reference() for reference in vars(self).get("_networks", ()))
        return [network for network in networks if network is not None]

    @property
    def hold_buffers(self) -> bool:
        if self._held or not HELD.networks:
            return self._held
        network: Any = self
        while network is not None:
            if any(network is held for held in HELD.networks):
                return True
            network = network.owner
        return False

    @hold_buffers.setter
    def hold_buffers(self, hold: bool) -> None:
        self._held = hold

    def __setattr__(self, name: str, value: Any) -> None:
        """Assigning to params or grads copies the values into the existing arrays."""
        if name in ("params", "grads") and name in vars(self):
            getattr(self, name).update(value)
        elif name == "children" and isinstance(vars(self).get(name), MappingProxyType):
            raise TypeError(
                f"{type(self).__name__}: children are part of a network and stay in it; "
                "build a new Sequential of the layers you want"
            )
        else:
            object.__setattr__(self, name, value)
            self._has_changed(name)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._has_changed(name)

    def _has_changed(self, name):
        if name in _of_the_formulas(type(self)):
            self.drop_stages()

    def drop_stages(self) -> None:
        """Makes the networks around this layer find their compiled stages again."""
        for network in self._around():
            network.drop_stages()

    def __getattr__(self, name: str) -> Any:
        if name in OF_EVERY_LAYER:
            owner = type(self).__name__
            raise AttributeError(f"{owner}: its __init__ must begin with super().__init__()")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __copy__(self):
        """A layer that shares all arrays with this one."""
        clone = object.__new__(type(self))
        vars(clone).update(vars(self))
        return clone

    def __getstate__(self):
        """For copy.deepcopy and pickle: a copy belongs to no network until it is put into one."""
        return vars(self) | {"_networks": [], "children": dict(self.children)}


@functools.cache
def _of_the_formulas(kind):
    """The names of the attributes that a layer of this class computes with: options, public
    methods, buffers."""
    methods = (name for name in dir(kind) if name[0] != "_" and callable(getattr(kind, name)))
    return {"buffers", *inspect.signature(kind).parameters, *methods}


def _recording_initial_values(initialize):
    @functools.wraps(initialize)
    def recording(self, rng):
        initialize(self, rng)
        self._drawn = self._checksum()

    return recording


def read_only(array: np.ndarray) -> np.ndarray:
    """A read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view


def unchanging(x: np.ndarray) -> np.ndarray:
    """x as an array that nobody writes to: a copy, or, if x is a `read_only` view, its base.

    The base and not the view, because the Numba kernels are compiled for writeable arrays.
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
