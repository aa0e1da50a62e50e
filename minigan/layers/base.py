"""What a layer is.

    y, cache = layer.forward(x, training=True)
    dx       = layer.backward_input(dy, cache)    # the gradient for the layer before
               layer.backward_params(dy, cache)   # adds (+=) into layer.grads
    dx       = layer.backward(dy, cache)          # both
    dy       = layer.tangent(dx, cache)           # how y moves when x moves along dx
    dx_dot   = layer.curvature(dy, cache, x_dot)  # how `backward` moves when x moves along x_dot

Whatever the backward pass needs of the forward pass is in `cache`, never on the layer: a
discriminator sees real and fake batches before any backward pass begins, and a layer that
remembered only its last input would use the wrong one for one of them.

The cache keeps arrays, not copies of them: x, y and the parameters themselves. So none of them may
change between a forward pass and the backward passes that use its cache. A network sees to that: it
works on a copy of its x, and the y that it returns is read-only. A single layer, called by itself,
leaves it to its caller.

A layer checks its x. Its dy, dx and cache it takes on trust: they come from the layers beside it,
and what comes from outside is checked by the network.
"""

import functools
import math
import threading
import zlib
from typing import Any

import numpy as np

from .._checks import FLOATS, LARGEST, as_array, is_finite, shown
from .parameters import Parameters, zeros


class _Held(threading.local):
    """The networks whose buffers this thread leaves as they are: see `Sequential.held_buffers`."""

    def __init__(self) -> None:
        self.networks: list[Layer] = []


Array = np.ndarray
Cache = Any  # what the backward passes of a layer need of its forward pass
HELD = _Held()
OF_EVERY_LAYER = {"params", "grads", "buffers", "children", "dtype", "rng", "_held", "_owner"}


class Layer:
    """The part that all layers share: where parameters, gradients and buffers live.

    params, grads : dict of name -> array; in a network they are views into its flat vectors.
                    Assigning to an entry copies the values in, it does not replace the array
    buffers       : dict of name -> array; state that gradients do not train (running statistics)
    children      : dict of name -> layer; the layers inside this one
    trained       : whether there are parameters in this layer or inside it
    mixes_samples : True if a row of y depends on more than its own row of x (batch norm)
    piecewise_linear : True if `tangent` is the same map all around x, so `curvature` returns None;
                    a layer with parameters then has a `backward_merged` too (see `Linear`)
    hold_buffers  : while True, a training forward pass leaves the buffers as they are

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
    in_symbols: Any  # the formulas of y, dx and the gradients, as the ledger prints them

    def __init__(self) -> None:
        name = type(self).__name__
        self.params, self.grads = Parameters(name), Parameters(name)
        self.buffers: dict[str, Array] = {}
        self.children: dict[str, Layer] = {}
        self.dtype: Any = None  # a layer without parameters takes its input's dtype
        self.rng = np.random.default_rng(0)
        self._held = False
        self._owner = None  # a weak reference to the network that this layer is in
        self._drawn = None  # the checksum of what `initialize` drew

    def __init_subclass__(cls, **options):
        """Lets every `initialize` note what it drew, so that later changes can be told from it."""
        super().__init_subclass__(**options)
        if "initialize" in vars(cls):
            cls.initialize = _noting_what_was_drawn(cls.initialize)

    # -- parameters ----------------------------------------------------------------------------

    def add_parameter(self, name, shape):
        """A parameter of zeros; `initialize` gives it its first value."""
        self.dtype = np.dtype("float32")
        self.params[name] = zeros(shape)
        self.grads[name] = np.zeros_like(self.params[name])
        self._drawn = self._checksum()

    def initialize(self, rng: np.random.Generator) -> None:
        """Draws first values for the parameters. Layers without parameters have nothing to draw."""

    @property
    def as_drawn(self):
        """Whether the parameters and buffers are still those that `initialize` drew."""
        return self._drawn is None or self._drawn == self._checksum()

    def _checksum(self):
        arrays = (*self.params.values(), *self.buffers.values())
        return functools.reduce(lambda c, a: zlib.crc32(np.ascontiguousarray(a), c), arrays, 0)

    @functools.cached_property
    def trained(self):
        return bool(self.params) or any(child.trained for child in self.children.values())

    def place(self, params, grads, dtype, rng):
        """Moves into a network: the arrays to live in from now on, the generator to draw from."""
        name = repr(self) if params else type(self).__name__
        params, grads = Parameters(name, params, closed=True), Parameters(name, grads, closed=True)
        vars(self).update(params=params, grads=grads, dtype=dtype, rng=rng)
        self.buffers = {
            name: buffer.astype(dtype) if buffer.dtype.kind == "f" else buffer
            for name, buffer in self.buffers.items()
        }

    @property
    def owner(self):
        """The network that this layer is in, directly or inside another layer; or None."""
        return None if self._owner is None else self._owner()

    @property
    def hold_buffers(self) -> bool:
        if self._held or not HELD.networks:
            return self._held
        network = self
        while network is not None:
            if any(network is held for held in HELD.networks):
                return True
            network = network.owner
        return False

    @hold_buffers.setter
    def hold_buffers(self, hold):
        self._held = hold

    def __setattr__(self, name, value):
        """params and grads are the network's memory: assigning them copies the values in."""
        if name in ("params", "grads") and name in vars(self):
            getattr(self, name).update(value)
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name):
        if name in OF_EVERY_LAYER:
            owner = type(self).__name__
            raise AttributeError(f"{owner}: its __init__ must begin with super().__init__()")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __copy__(self):
        """A layer that shares all arrays with this one."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    def __getstate__(self):
        """For copy.deepcopy and pickle: a copy belongs to no network until it is put into one."""
        return vars(self) | {"_owner": None}

    # -- the contract --------------------------------------------------------------------------

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
        """How `backward(dy, cache)` moves when x moves along x_dot and dy is held.

        In other words the Hessian of <dy, y> in x and the parameters, times x_dot: its x part is
        returned (None for zero), its part for each parameter is added (+=) into grads. Gradient
        penalties need it: see `minigan.penalties.second_order`.
        """
        raise self._missing("curvature", "it is needed only under a gradient penalty")

    def _missing(self, method, when):
        return NotImplementedError(f"{self}: the method {method} is not written; {when}")

    def __call__(self, *_, **__):
        raise TypeError(f"{shown(self)}: a layer is not called; use y, cache = layer.forward(x)")

    # -- input checks --------------------------------------------------------------------------

    def as_input(self, x, ndim=None, features=None):
        """x as a floating-point array of the parameters' dtype, its shape checked.

        Raises TypeError for what is not numeric, ValueError for the wrong number of axes or of
        features (the length of the last axis), both naming this layer.
        """
        x = as_array(self, x)
        dtype = self.dtype or (x.dtype if x.dtype in FLOATS else FLOATS[0])
        if x.dtype != dtype:
            if x.dtype.kind not in "fiub":
                raise TypeError(f"{self}: expected an array of numbers, got dtype {x.dtype}")
            x = x.astype(dtype)
        wrong_axes = x.ndim < 1 if ndim is None else x.ndim != ndim
        if wrong_axes or (features is not None and x.shape[-1] != features):
            axes = {2: ("N",), 4: ("N", "H", "W"), None: ("N", "...")}[ndim]
            shape = ", ".join((*axes, "features" if features is None else str(features)))
            hint = ""
            if ndim == 4 and x.ndim == 4 and x.shape[1] == features:
                hint = "; the channels come last: x.transpose(0, 2, 3, 1)"
            raise ValueError(f"{self}: expected an input of shape ({shape}), got {x.shape}{hint}")
        return x

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class StraightLayer(Layer):
    """A layer without parameters whose tangent is one and the same linear map everywhere."""

    piecewise_linear = True

    def curvature(self, dy: Array, cache: Cache, x_dot: Array) -> Array | None:
        return None


def _noting_what_was_drawn(initialize):
    @functools.wraps(initialize)
    def noting(self, rng):
        initialize(self, rng)
        self._drawn = self._checksum()

    return noting


def flat_rows(x):
    """x (N, ..., C) seen as a matrix of rows (N * ..., C)."""
    return x.reshape(-1, x.shape[-1])


def positive_int(owner, name, value, minimum=1):
    """`value` as an int of at least `minimum`; else one clear error."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{owner}: {name} must be an int, got {shown(value)}")
    if not minimum <= value <= LARGEST:
        bound = f"least {minimum}" if value < minimum else f"most {LARGEST}"
        raise ValueError(f"{owner}: {name} must be at {bound}, got {shown(value)}")
    return int(value)


def sample_rows(x):
    """x (N, ...) seen as a matrix with a row for each sample; N may be 0."""
    return x.reshape(len(x), math.prod(x.shape[1:]))


def sizes(owner, name, value, *, fewest=0):
    """`value`, a sequence of ints of at least 1, as a tuple; at least `fewest` of them."""
    if not isinstance(value, tuple | list) or len(value) < fewest:
        raise TypeError(f"{owner}: {name} must be a tuple of sizes, got {shown(value)}")
    return tuple(positive_int(owner, f"every size in {name}", size) for size in value)


def real_number(owner, name, value, *, low, high=np.inf, open_low=False, open_high=False):
    """`value` as a float within [low, high] (or the open interval); else one clear error."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{owner}: {name} must be a number, got {shown(value)}")
    inside = (low < value if open_low else low <= value) and (
        value < high if open_high else value <= high
    )
    if not inside or not is_finite(value):
        interval = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
        raise ValueError(f"{owner}: {name} must be in {interval}, got {shown(value)}")
    return float(value)


def positive_eps(owner, value):
    """`value` as an eps > 0 that is not zero as a float32 either; else one clear error."""
    value, smallest = real_number(owner, "eps", value, low=0, open_low=True), 1e-37
    if value < smallest:
        raise ValueError(f"{owner}: eps must be at least {smallest:g}, got {shown(value)}")
    return value
