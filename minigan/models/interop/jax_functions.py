"""Networks as functions of JAX, and back.

    tree, apply = to_jax(network)
    y = apply(tree, x)                            in evaluation
    y, tree = apply(tree, x, training=True)       in training: batch norm moves its statistics

The tree is a dict of dicts of arrays, {"params": ..., "buffers": ...}, by the names of
`named_parameters`; jax.grad of a function of tree["params"] is what `network.grad` holds. Images
stay NHWC, and weights keep their shapes. SpectralNorm has one more buffer here, iterated_on: the
weight that the vectors were last moved for (NaN: none), so that they move when minigan's do.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import layers as L
from ..._checks import checked, shown
from ...layers import conditional, input_layers
from ...layers.base import Layer
from ...layers.composite import walk
from ...layers.residual import Identity
from ...layers.spectral import least_sigma
from ...network import Sequential
from .outside import needed

Tree = dict[str, dict[str, Any]]


@checked
def to_jax(network: Sequential) -> tuple[Tree, Callable[..., Any]]:
    """(tree, apply): the weights, and the function that the network is.

    Raises ImportError without JAX; TypeError, naming it, for a layer that has no counterpart here;
    ValueError for a float64 network where JAX computes in float32.
    """
    jax = needed("jax", "to_jax")
    for _, layer in walk(network):
        if type(layer) not in FUNCTIONS:
            raise TypeError(f"to_jax: {shown(layer)} has no counterpart in JAX")
    if network.dtype == np.float64 and not jax.config.jax_enable_x64:
        raise ValueError("to_jax: for float64, jax.config.update('jax_enable_x64', True) first")
    plan = _Plan(copy.deepcopy(network), jax)
    tree = {
        "params": {name: jax.numpy.array(value) for name, value, _ in network.named_parameters()},
        "buffers": {name: jax.numpy.array(value) for name, value in _buffers(network).items()},
    }

    def apply(tree: Tree, x: Any, training: bool = False) -> Any:
        """y = network(x); in training, (y, the tree with the buffers moved)."""
        buffers = dict(tree["buffers"])
        y = plan.run(plan.network, "", tree["params"], buffers, x, training)
        return (y, {**tree, "buffers": buffers}) if training else y

    return tree, apply


@checked
def from_jax(tree: Tree, network: Sequential) -> Sequential:
    """Copies the arrays of a tree into the network that it was made from, or an equal one; returns
    the network. Raises ValueError, with nothing changed, for other names or shapes."""
    own = {
        "params": {name: value for name, value, _ in network.named_parameters()},
        "buffers": _buffers(network),
    }
    for part, values in own.items():
        found = tree.get(part) if isinstance(tree, dict) else None
        found = found if isinstance(found, dict) else {}
        for name in sorted(values.keys() | found.keys()):
            here, there = (np.shape(x[name]) if name in x else None for x in (values, found))
            if here != there:
                raise ValueError(f"from_jax: {part} {name} must have shape {here}, got {there}")
    for part, values in own.items():
        for name, value in values.items():
            value[...] = np.asarray(tree[part][name])
    for prefix, layer in walk(network):
        if isinstance(layer, L.SpectralNorm):
            layer.iterated_on = own["buffers"][f"{prefix}{SEEN}"]
    return network


SEEN = "iterated_on"


def _buffers(network):
    """name -> array of every buffer, and the weight that each SpectralNorm iterated on last."""
    found = dict(network.named_buffers())
    for prefix, layer in walk(network):
        if isinstance(layer, L.SpectralNorm):
            weight = layer.children["layer"].params["weight"]
            seen = np.full_like(weight, np.nan) if layer.iterated_on is None else layer.iterated_on
            found[f"{prefix}{SEEN}"] = seen.copy()
    return found


class _Plan:
    """The layers of a network as functions of their arrays: the layers hold options alone."""

    def __init__(self, network: Sequential, jax: Any) -> None:
        self.network, self.jax, self.np = network, jax, jax.numpy

    def run(self, layer, prefix, params, buffers, x, training):
        function = FUNCTIONS[type(layer)]
        return function(_Call(self, layer, prefix, params, buffers, training), x)


class _Call:
    """One layer in one pass: `call.layer` has the options, `call["weight"]` an array."""

    def __init__(self, plan, layer, prefix, params, buffers, training):
        self.plan, self.layer, self.prefix = plan, layer, prefix
        self.params, self.buffers, self.training = params, buffers, training
        self.np, self.jax = plan.np, plan.jax

    def __getitem__(self, name):
        home = self.params if name in self.layer.params else self.buffers
        return home[self.prefix + name]

    def keep(self, name, value):
        self.buffers[self.prefix + name] = value

    def inside(self, name, x, params=None):
        """A layer inside this one, of x."""
        params = self.params if params is None else params
        layer = self.layer.children[name]
        return self.plan.run(layer, f"{self.prefix}{name}.", params, self.buffers, x, self.training)

    def plus_bias(self, y):
        return y + self["bias"] if self.layer.bias else y


# -- the layers ------------------------------------------------------------------------------------


def _sequential(call, x):
    for name in call.layer.children:
        x = call.inside(name, x)
    return x


def _linear(call, x):
    return call.plus_bias(x @ call["weight"])


def _conv2d(call, x):
    layer = call.layer
    y = call.jax.lax.conv_general_dilated(
        x, call["weight"], (layer.stride,) * 2, [(layer.padding,) * 2] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip
    return call.plus_bias(y)


def _conv_transpose2d(call, x):
    """The adjoint of a convolution: x with zeros between its pixels, the kernel turned around."""
    layer = call.layer
    pads = [(k - 1 - layer.padding,) * 2 for k in layer.kernel_size]
    y = call.jax.lax.conv_general_dilated(
        x, call["weight"][::-1, ::-1], (1, 1), pads, lhs_dilation=(layer.stride,) * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip
    return call.plus_bias(y)


def _batch_norm(call, x):
    return call["gamma"] * _normalised(call, x) + call["beta"]


def _normalised(call, x):
    """x_hat of a batch norm; in training, moves its statistics."""
    layer, np = call.layer, call.np
    mean, var = call["running_mean"], call["running_var"]
    if call.training:
        axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
        batch_mean, batch_var = x.mean(axes), x.var(axes)
        for name, old, new in (
            ("running_mean", mean, batch_mean),
            ("running_var", var, batch_var * count / (count - 1)),
        ):
            call.keep(name, (1 - layer.momentum) * old + layer.momentum * new)
        mean, var = batch_mean, batch_var
    return (x - mean) / np.sqrt(var + layer.eps)


def _layer_norm(call, x):
    axes = tuple(range(1, x.ndim))
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return call["gamma"] * (x - mean) / call.np.sqrt(var + call.layer.eps) + call["beta"]


def _spectral_norm(call, x):
    """In training, one power iteration if W has changed. u, v are constants to the gradient."""
    np, name = call.np, f"{call.prefix}layer.weight"
    weight, vectors = call.params[name], (call["u"], call["v"])
    matrix = weight.reshape(-1, weight.shape[-1])
    held = call.jax.lax.stop_gradient(matrix)
    if call.training:
        changed = np.any(call.jax.lax.stop_gradient(weight) != call[SEEN])
        moved = _iterated(call, held, *vectors)
        vectors = [np.where(changed, new, old) for new, old in zip(moved, vectors)]
        for key, value in zip(("u", "v", SEEN), (*vectors, call.jax.lax.stop_gradient(weight))):
            call.keep(key, value)
    least = least_sigma(call.layer.dtype)
    unfit = vectors[0] @ held @ vectors[1] < least
    moved = _iterated(call, held, *vectors)
    u, v = (np.where(unfit, new, old) for new, old in zip(moved, vectors))
    sigma = u @ matrix @ v
    normalised = np.where(sigma >= least, weight / np.where(sigma >= least, sigma, 1), weight)
    return call.inside("layer", x, {**call.params, name: normalised})


def _iterated(call, matrix, u, v):
    """u and v after one power iteration; as they are where W is zero."""
    np = call.np
    largest = np.abs(matrix).max()
    matrix = matrix / np.where(largest == 0, 1, largest)
    row = matrix[np.abs(matrix).max(axis=1).argmax()]
    image = matrix @ v
    image = np.where(np.any(image), image, matrix @ row)
    return _unit(np, image, u), _unit(np, matrix.T @ _unit(np, image, u), v)


def _unit(np, vector, otherwise):
    length = np.linalg.norm(vector)
    return np.where(length == 0, otherwise, vector / np.where(length == 0, 1, length))


def _self_attention(call, x):
    rows = x.reshape(len(x), -1, x.shape[-1])
    q, k, v = (rows @ call[name] for name in ("query", "key", "value"))
    r = call.jax.nn.softmax(q @ k.swapaxes(1, 2), axis=2) @ v
    return x + call["gamma"] * (r @ call["output"]).reshape(x.shape)


def _discrimination(call, x):
    M = call.np.tensordot(x, call["T"], 1)
    c = call.np.exp(-call.np.abs(M[:, None] - M).sum(3))
    return call.np.concatenate([x, c.sum(1)], axis=1)


def _conditional_batch_norm(call, x):
    layer, classes = call.layer, call.layer.classes
    features = x[:, :-classes].reshape(len(x), -1, layer.shape[-1])
    k = x[:, -classes:].argmax(1)
    x_hat = _normalised(call, features)
    y = call["gamma"][k][:, None] * x_hat + call["beta"][k][:, None]
    return call.np.concatenate([y.reshape(len(x), -1), x[:, -classes:]], axis=1)


def _drawing(option):
    """A layer that is the identity, but in training with an option above 0."""

    def function(call, x):
        if call.training and getattr(call.layer, option) > 0:
            raise ValueError(f"apply: {call.layer} draws random numbers in training")
        return x

    return function


def _upsample(call, x):
    return x.repeat(call.layer.scale, axis=1).repeat(call.layer.scale, axis=2)


def _avg_pool(call, x):
    n, height, width, channels = x.shape
    k = call.layer.kernel_size
    return x.reshape(n, height // k, k, width // k, k, channels).mean((2, 4))


def _fourier(call, x):
    phase = 2 * call.np.pi * (x @ call["frequencies"])
    squared = (call["frequencies"] ** 2).sum(0)
    w = call.np.exp(-2 * (call.np.pi * float(call.layer.std)) ** 2 * squared)
    return call.np.concatenate([w * call.np.cos(phase), w * call.np.sin(phase)], axis=1)


def _std_dev(call, x):
    std = call.np.sqrt(x.var(0) + call.layer.eps)
    spread = call.np.full((*x.shape[:-1], 1), std.mean())
    return call.np.concatenate([x, spread], axis=-1)


def _code(call, x):
    """The one-hot code of the last values of each row."""
    classes = call.layer.classes
    return call.jax.nn.one_hot(x[:, -classes:].argmax(1), classes, dtype=x.dtype)


def _one_hot(call, x):
    layer = call.layer
    votes = x[:, -layer.classes :] + call["offset"] if layer.learned else x
    code = layer.scale * _code(call, votes)
    return call.np.concatenate([x[:, : -layer.classes], code], axis=1)


def _with_code(call, x):
    width = call.layer.width
    y = call.inside("layer", x if call.layer.whole else x[:, :-width])
    return call.np.concatenate([y.reshape(len(y), -1), x[:, -width:]], axis=1)


def _projection(call, x):
    classes = call.layer.classes
    return x[:, :1] + (x[:, 1 : 1 + classes] * _code(call, x)).sum(1, keepdims=True)


def _label_planes(call, x):
    height, width, _ = call.layer.shape
    pixels = x[:, : -call.layer.classes].reshape(-1, *call.layer.shape)
    code = call.np.broadcast_to(
        _code(call, x)[:, None, None], (len(x), height, width, call.layer.classes)
    )
    return call.np.concatenate([pixels, code], axis=-1)


def _discrete_noise(call, x):
    signs = call.layer.signs
    return call.np.concatenate([call.np.where(x[:, :signs] < 0, -1, 1), x[:, signs:]], axis=1)


def _pack(call, x):
    np = call.np
    return np.concatenate([np.roll(x, -k, axis=0) for k in range(call.layer.samples)], axis=1)


FUNCTIONS: dict[type[Layer], Callable[[_Call, Any], Any]] = {
    Sequential: _sequential,
    L.Linear: _linear,
    L.Conv2d: _conv2d,
    L.ConvTranspose2d: _conv_transpose2d,
    L.BatchNorm: _batch_norm,
    L.LayerNorm: _layer_norm,
    L.SpectralNorm: _spectral_norm,
    L.Embedding: lambda call, x: call["weight"][x],
    L.ReLU: lambda call, x: call.np.where(x > 0, x, 0),
    L.LeakyReLU: lambda call, x: call.np.where(x > 0, x, call.layer.negative_slope * x),
    L.Tanh: lambda call, x: call.np.tanh(x),
    L.Sigmoid: lambda call, x: call.jax.nn.sigmoid(x),
    L.Softplus: lambda call, x: call.jax.nn.softplus(x),
    L.SiLU: lambda call, x: call.jax.nn.silu(x),
    L.Dropout: _drawing("p"),
    L.Flatten: lambda call, x: x.reshape(len(x), -1),
    L.Reshape: lambda call, x: x.reshape(len(x), *call.layer.shape),
    L.Rescale: lambda call, x: x.dtype.type(call.layer.factor) * x,
    L.Upsample2d: _upsample,
    L.AvgPool2d: _avg_pool,
    L.FourierFeatures: _fourier,
    L.SelfAttention: _self_attention,
    L.MinibatchDiscrimination: _discrimination,
    L.ConditionalBatchNorm: _conditional_batch_norm,
    L.RandomBrightness: _drawing("amount"),
    L.RandomTranslation: _drawing("fraction"),
    L.RandomCutout: _drawing("fraction"),
    L.LogitWithFeatures: lambda call, x: call.np.concatenate([call.inside("layer", x), x], axis=1),
    L.MinibatchStdDev: _std_dev,
    L.Residual: lambda call, x: call.inside("branch", x) + call.inside("skip", x),
    Identity: lambda call, x: x,
    conditional.OneHot: _one_hot,
    conditional.WithCode: _with_code,
    conditional.Projection: _projection,
    conditional.LabelPlanes: _label_planes,
    input_layers.DiscreteNoise: _discrete_noise,
    input_layers.InstanceNoise: _drawing("std"),
    input_layers.Pack: _pack,
    input_layers.WithInput: lambda call, x: call.np.concatenate(
        [x, call.inside("layer", x)], axis=1
    ),
}
