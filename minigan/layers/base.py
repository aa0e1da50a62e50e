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

A layer checks its x. Its dy, dx and cache it takes on trust: they come from the layers beside it,
and what comes from outside is checked by the network.
"""

import math

import numpy as np

from ..checks import FLOATS, LARGEST, as_array, is_finite, shown


class Layer:
    """The part that all layers share: where parameters, gradients and buffers live.

    params, grads : dict of name -> array; in a network they are views into its flat vectors
    buffers       : dict of name -> array; state that gradients do not train (running statistics)
    children      : dict of name -> layer; the layers inside this one
    mixes_samples : True if a row of y depends on more than its own row of x (batch norm)
    piecewise_linear : True if `tangent` is the same map all around x, so `curvature` returns None;
                    a layer with parameters then has a `backward_merged` too (see `Linear`)
    hold_buffers  : while True, a training forward pass leaves the buffers as they are
    """

    mixes_samples = False
    piecewise_linear = False

    def __init__(self):
        self.params, self.grads, self.buffers, self.children = {}, {}, {}, {}
        self.dtype = None  # a layer with nothing of its own follows its input
        self.hold_buffers = False
        self.rng = np.random.default_rng(0)

    # -- parameters ----------------------------------------------------------------------------

    def add_parameter(self, name, shape):
        """A parameter of zeros; `initialize` gives it its first value."""
        self.dtype = np.dtype("float32")
        self.params[name] = np.zeros(shape, self.dtype)
        self.grads[name] = np.zeros(shape, self.dtype)

    def initialize(self, rng):
        """Draws first values for the parameters. Layers without parameters have nothing to draw."""

    def place(self, params, grads, dtype, rng):
        """Moves into a network: the arrays to live in from now on, the generator to draw from."""
        self.params, self.grads, self.dtype, self.rng = params, grads, dtype, rng
        self.buffers = {
            name: buffer.astype(dtype) if buffer.dtype.kind == "f" else buffer
            for name, buffer in self.buffers.items()
        }

    # -- the contract --------------------------------------------------------------------------

    def forward(self, x, training=True):
        raise NotImplementedError

    def backward_input(self, dy, cache):
        raise NotImplementedError

    def backward_params(self, dy, cache):
        """Layers without parameters have no gradients to add."""

    def backward(self, dy, cache):
        self.backward_params(dy, cache)
        return self.backward_input(dy, cache)

    def tangent(self, dx, cache):
        raise NotImplementedError

    def curvature(self, dy, cache, x_dot):
        """How `backward(dy, cache)` moves when x moves along x_dot and dy is held.

        In other words the Hessian of <dy, y> in x and the parameters, times x_dot: its x part is
        returned (None for zero), its part for each parameter is added (+=) into grads. Gradient
        penalties need it: see `minigan.penalties.second_order`.
        """
        raise NotImplementedError(f"{self}: its second derivative is not written down")

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
            raise ValueError(f"{self}: expected an input of shape ({shape}), got {x.shape}")
        return x

    def __repr__(self):
        return f"{type(self).__name__}()"


class StraightLayer(Layer):
    """A layer without parameters whose tangent is one and the same linear map everywhere."""

    piecewise_linear = True

    def curvature(self, dy, cache, x_dot):
        return None


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
