"""How PyTorch lays out what a layer holds: its names, its axes, and the order of flat features.

Images are NHWC in minigan and NCHW in PyTorch. Weights of convolutions have their axes exchanged.
Where images become rows (Flatten), or rows images (Reshape), the features of a row are in another
order: pixel by pixel in minigan, channel by channel in PyTorch. The weights of the linear layer
beside it, and all that stands between the two, are put into that order, so that a PyTorch module of
ordinary layers computes the same.

A `Tensor` says this for one array; `encoded` and `decode` go there and back.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Embedding,
    LayerNorm,
    Linear,
    Reshape,
    SpectralNorm,
    Upsample2d,
)
from ...layers.base import Layer
from ...network import Sequential

Order = int | None  # channels of the images whose features these are; None: in the same order


class Role(NamedTuple):
    """What a layer does to the order of features.

    kind : "rows" (it gives rows of its own: linear), "images" (it sees images), "flatten",
        "unflatten", or "same" (it leaves the order)
    channels : of the images that it gives, where that is known
    name : of the layer, for errors
    """

    kind: str
    channels: int | None
    name: str


def sample_shape(layer: Any) -> tuple[int, ...]:
    """The shape to which a Reshape brings each sample."""
    return tuple(layer.shape)


def role(layer: Layer) -> Role:
    """The role of one of minigan's layers."""
    inner = layer.children["layer"] if isinstance(layer, SpectralNorm) else layer
    name = repr(layer)
    if isinstance(inner, Linear | Embedding):
        return Role("rows", None, name)
    if isinstance(inner, Conv2d | ConvTranspose2d):
        return Role("images", inner.out_channels, name)
    if isinstance(inner, Upsample2d | AvgPool2d):
        return Role("images", None, name)
    if isinstance(inner, Reshape):
        *_, last = shape = sample_shape(inner)
        return Role("flatten", None, name) if len(shape) == 1 else Role("unflatten", last, name)
    return Role("same", getattr(inner, "num_features", None), name)


def sees_images(roles: Sequence[Role]) -> bool:
    """Whether the input of these layers is images; rows if nothing tells."""
    kinds = [role.kind for role in roles if role.kind != "same"]
    return bool(kinds) and kinds[0] == "images"


def orders(
    owner: str, roles: Sequence[Role], channels: int | None
) -> list[tuple[Order, Order, bool]]:
    """[(order before, order after, whether it sees images)] of each layer of a network.

    channels : of the input, if it is images
    Raises ValueError, naming the layer, where the order cannot be known.
    """
    found: list[tuple[Order, Order, bool]] = []
    order: Order = None
    images = sees_images(roles) or channels is not None
    for i, (kind, own, name) in enumerate(roles):
        before, saw = order, images
        if kind == "rows":
            images, order = False, _order_wanted(roles[i + 1 :])
        elif kind == "images":
            images, order, channels = True, None, own or channels
        elif kind == "flatten" and (images or i == 0):
            if channels is None:
                raise ValueError(
                    f"{owner}: {name} needs the number of channels of its images: pass channels="
                )
            images, order, saw = False, channels, True
        elif kind == "unflatten":
            if images or (order != own and own != 1):
                raise ValueError(f"{owner}: {name} must follow a linear layer, to order its rows")
            images, order, channels = True, None, own
        elif kind == "same" and images:
            channels = own or channels
        found.append((before, order, saw))
    return found


def _order_wanted(following):
    """The order in which rows are wanted by the layers that follow."""
    for kind, channels, _ in following:
        if kind == "unflatten":
            return channels
        if kind in ("rows", "images"):
            return None
    return None


class Tensor(NamedTuple):
    """One array of a layer.

    name : in PyTorch
    home, key : the dict of the layer, and the name in it
    shape : in which it is seen in minigan, before its axes are moved
    axes : of PyTorch's array, as numbers of minigan's
    orders : axis -> order of its features
    flat : whether PyTorch has it flattened
    """

    name: str
    home: dict[str, np.ndarray]
    key: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    orders: dict[int, Order]
    flat: bool = False


AXES = {Linear: (1, 0), Conv2d: (3, 2, 0, 1), ConvTranspose2d: (2, 3, 0, 1), Embedding: (0, 1)}
NORM_NAMES = {"gamma": "weight", "beta": "bias"}


def tensors(layer: Layer, before: Order, after: Order) -> Iterator[Tensor]:
    """Every array of a layer as PyTorch has it."""
    if isinstance(layer, SpectralNorm):
        yield from _spectral(layer, before, after)
    elif isinstance(layer, BatchNorm | LayerNorm):
        for home in (layer.params, layer.buffers):
            for key, value in home.items():
                yield Tensor(NORM_NAMES.get(key, key), home, key, value.shape, (0,), {0: after})
    elif type(layer) in AXES:
        axes, rows = AXES[type(layer)], isinstance(layer, Linear)
        for key, value in layer.params.items():
            if key == "weight":
                orders = {value.ndim - 1: after} | ({0: before} if rows else {})
                yield Tensor(key, layer.params, key, value.shape, axes, orders)
            else:
                yield Tensor(key, layer.params, key, value.shape, (0,), {0: after})


def _spectral(layer, before, after):
    """u is of the rows of the weight, every axis but the last, and v of that axis: PyTorch calls
    them v and u."""
    inner = layer.children["layer"]
    for tensor in tensors(inner, before, after):
        original = tensor.name == "weight"
        yield tensor._replace(name="parametrizations.weight.original") if original else tensor
    shape = inner.params["weight"].shape[:-1]
    axes = (len(shape) - 1, *range(len(shape) - 1))
    orders = {0: before} if len(shape) == 1 else {}
    vector = "parametrizations.weight.0."
    yield Tensor(f"{vector}_v", layer.buffers, "u", shape, axes, orders, True)
    v = layer.buffers["v"]
    yield Tensor(f"{vector}_u", layer.buffers, "v", v.shape, (0,), {0: after})


def encoded(tensor: Tensor) -> np.ndarray:
    """The array as PyTorch has it."""
    value = tensor.home[tensor.key].reshape(tensor.shape)
    for axis, channels in tensor.orders.items():
        value = _reordered(value, axis, channels, there=True)
    value = np.ascontiguousarray(value.transpose(tensor.axes))
    return value.reshape(-1) if tensor.flat else value


def decode(tensor: Tensor, value: np.ndarray, owner: str) -> None:
    """Copies PyTorch's array into the layer's. Raises ValueError for another shape."""
    own = tensor.home[tensor.key]
    shape = tuple(tensor.shape[axis] for axis in tensor.axes)
    expected = (own.size,) if tensor.flat else shape
    if value.shape != expected:
        raise ValueError(f"{owner}: {tensor.name} must have shape {expected}, got {value.shape}")
    value = value.reshape(shape).transpose(np.argsort(tensor.axes))
    for axis, channels in tensor.orders.items():
        value = _reordered(value, axis, channels, there=False)
    own[...] = value.reshape(own.shape)


def _reordered(value, axis, channels, *, there):
    """Features pixel by pixel (P, C) as channel by channel (C, P), or back."""
    if channels is None:
        return value
    pair = (-1, channels) if there else (channels, value.shape[axis] // channels)
    split = value.reshape(*value.shape[:axis], *pair, *value.shape[axis + 1 :])
    return split.swapaxes(axis, axis + 1).reshape(value.shape)


def leaves(layers: Sequence[Any], prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Yields (name, layer) of every layer that is no Sequential, in order."""
    for i, layer in enumerate(layers):
        if isinstance(layer, Sequential):
            yield from leaves(layer.layers, f"{prefix}{i}.")
        else:
            yield f"{prefix}{i}.", layer


def named_tensors(
    owner: str, network: Sequential, channels: int | None
) -> Iterator[tuple[str, Tensor]]:
    """Yields (name in the module's state_dict, tensor) of every array of a network."""
    found = list(leaves(network.layers))
    places = orders(owner, [role(layer) for _, layer in found], channels)
    for (prefix, layer), (before, after, _) in zip(found, places):
        for tensor in tensors(layer, before, after):
            yield prefix + tensor.name, tensor._replace(name=prefix + tensor.name)
