"""How PyTorch lays out what a layer holds: its names, its axes, and the order of flat features.

Images are NHWC in minigan and NCHW in PyTorch. Weights of convolutions have their axes exchanged.
Where images become rows (Flatten), or rows images (Reshape), the features of a row are in another
order: pixel by pixel in minigan, channel by channel in PyTorch. Beside a linear layer, its weights
and all that stands between the two are put into PyTorch's order, so that torch.nn.Flatten and
torch.nn.Unflatten compute the same. Elsewhere the rows stay in minigan's order, and a module of
`torch_counterparts` makes them.

A `Place` says this for one layer, a `Tensor` for one array; `encoded` and `decode` go there and
back.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import layers as L
from ...layers import conditional, input_layers
from ...layers.base import Layer
from ...layers.residual import Identity
from ...network import Sequential

Order = int | None  # channels of the images whose features these are; None: in minigan's order

ROWS = L.Linear, L.Embedding  # they give rows in any order
OF_IMAGES = (
    L.Conv2d, L.ConvTranspose2d, L.Upsample2d, L.AvgPool2d, L.SelfAttention, L.RandomTranslation,
    L.RandomCutout, L.RandomBrightness,
)  # fmt: skip
SAME = (  # they leave the order as it is
    L.BatchNorm, L.LayerNorm, L.Dropout, L.LeakyReLU, L.ReLU, L.Tanh, L.Sigmoid, L.Softplus,
    L.SiLU, L.Rescale, Identity, input_layers.InstanceNoise,
)  # fmt: skip
IN_ORDER = (  # they see rows, or what a Residual sees, in minigan's order
    L.Residual, L.MinibatchStdDev, L.MinibatchDiscrimination, L.ConditionalBatchNorm,
    L.FourierFeatures, L.LogitWithFeatures, conditional.OneHot, conditional.WithCode,
    conditional.Projection, conditional.LabelPlanes, input_layers.DiscreteNoise, input_layers.Pack,
    input_layers.WithInput,
)  # fmt: skip
KNOWN = (*ROWS, *OF_IMAGES, *SAME, *IN_ORDER, L.Reshape, L.Flatten, L.SpectralNorm)


class Place(NamedTuple):
    """A layer in its network.

    prefix : of the names of its arrays, such as "0."
    before, after : the order of the features that it gets and gives
    images : whether it sees images; None: nothing tells
    natural : of a Reshape: whether it is PyTorch's Flatten or Unflatten
    """

    prefix: str
    layer: Layer
    before: Order
    after: Order
    images: bool | None
    natural: bool


def inner(layer: Any) -> Any:
    """The layer itself, or the one inside a SpectralNorm."""
    return layer.children["layer"] if isinstance(layer, L.SpectralNorm) else layer


def leaves(layer: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields (prefix, layer) of a layer, or of every layer in a network that is no network."""
    if isinstance(layer, Sequential):
        for name, child in layer.children.items():
            yield from leaves(child, f"{prefix}{name}.")
    else:
        yield prefix, layer


def sees_images(layers: Sequence[Any]) -> bool | None:
    """Whether the input of these layers is images; None if nothing tells."""
    for layer in layers:
        if type(inner(layer)) is L.Residual:
            inside = [each for child in layer.children.values() for _, each in leaves(child)]
            if sees_images(inside):
                return True
        elif type(inner(layer)) not in (*SAME, L.MinibatchStdDev):
            return True if type(inner(layer)) in OF_IMAGES else None
    return None


def places(
    owner: str, network: Sequential, channels: int | None, natural: dict[int, bool] | None = None
) -> list[Place]:
    """The place of every layer of a network, also inside other layers.

    channels : of the input, if it is images
    natural : id of a Reshape -> `Place.natural`, where that is given and not to be chosen
    Raises ValueError, naming the layer, where the order of features cannot be known.
    """
    images = True if channels else sees_images([layer for _, layer in leaves(network)])
    found: list[Place] = []
    _Walk(owner, found, natural).along(network, "", images, channels)
    return found


class _Walk:
    """Goes along the layers of a network and appends their places to `found`."""

    def __init__(self, owner, found, natural):
        self.owner, self.found, self.natural = owner, found, natural

    def along(self, network, prefix, images, channels):
        """Returns (whether these layers give images, their channels where that is known)."""
        row = list(leaves(network, prefix))
        order: Order = None
        for i, (name, layer) in enumerate(row):
            kind, following = type(inner(layer)), [each for _, each in row[i + 1 :]]
            before, saw, natural = order, images, False
            if kind in ROWS:
                images, order = False, self._order_wanted(following)
            elif kind in OF_IMAGES:
                images, channels = True, getattr(inner(layer), "out_channels", channels)
            elif kind in (L.Reshape, L.Flatten):
                natural = self._is_natural(layer, images, channels, order, following)
                images, channels, order = self._reshaped(layer, images, channels, order, natural)
            elif kind in IN_ORDER:
                if order is not None:
                    raise self._unknown(layer)
                images, channels = self._through(layer, name, images, channels)
            elif images:
                channels = getattr(layer, "num_features", channels)
            self.found.append(Place(name, layer, before, order, saw, natural))
        if order is not None:
            raise self._unknown(row[-1][1])
        return images, channels

    def _through(self, layer, prefix, images, channels):
        """What a layer of `IN_ORDER` gives."""
        if isinstance(layer, L.Residual):
            for name in ("branch", "skip"):
                after = self.along(layer.children[name], f"{prefix}{name}.", images, channels)
            return after
        if isinstance(layer, L.MinibatchStdDev):
            return images, None if channels is None else channels + 1
        if isinstance(layer, conditional.LabelPlanes):
            return True, layer.shape[-1] + layer.classes
        for name, child in layer.children.items():
            self.along(child, f"{prefix}{name}.", False, None)
        return False, None

    def _is_natural(self, layer, images, channels, order, following):
        if self.natural is not None:
            return self.natural[id(layer)]
        if len(layer.shape) == 3:
            return images is False and order == _order(layer.shape[-1])
        there = next((inner(each) for each in following if type(each) not in SAME), None)
        ordered = images and channels is not None and type(there) in ROWS
        return len(layer.shape) == 1 and (ordered or images is False)

    def _reshaped(self, layer, images, channels, order, natural):
        """(whether it gives images, their channels, the order of the features)."""
        *_, last = layer.shape
        flat = len(layer.shape) == 1
        if not natural:
            if order is not None:
                raise self._unknown(layer)
            return len(layer.shape) == 3, None if flat else last, None
        if not flat:
            if images or order != _order(last):
                raise ValueError(
                    f"{self.owner}: {layer} must follow a linear layer, to order its rows"
                )
            return True, last, None
        if images is False:
            return False, None, order
        if channels is None:
            raise ValueError(
                f"{self.owner}: {layer} needs the number of channels of its images: pass channels="
            )
        return False, None, _order(channels)

    def _order_wanted(self, following):
        """The order in which rows are wanted by the layers that follow."""
        for layer in following:
            if type(layer) is L.Reshape and len(layer.shape) == 3:
                natural = self.natural is None or self.natural[id(layer)]
                return _order(layer.shape[-1]) if natural else None
            if type(layer) not in SAME:
                return None
        return None

    def _unknown(self, layer):
        return ValueError(
            f"{self.owner}: {layer}: the features of flattened images must reach a linear "
            "layer or an Unflatten first, to be put in order"
        )


def _order(channels):
    """Images of one channel have the same order in both."""
    return None if channels == 1 else channels


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


AXES: dict[type, tuple[int, ...]] = {
    L.Linear: (1, 0), L.Conv2d: (3, 2, 0, 1), L.ConvTranspose2d: (2, 3, 0, 1), L.Embedding: (0, 1),
}  # fmt: skip
NORM_NAMES = {"gamma": "weight", "beta": "bias"}


def tensors(place: Place) -> Iterator[Tensor]:
    """Every array of a layer as PyTorch has it. A module of ours keeps names and axes."""
    layer, after = place.layer, place.after
    if isinstance(layer, L.SpectralNorm):
        yield from _spectral(place)
    elif type(layer) in AXES:
        axes, rows = AXES[type(layer)], isinstance(layer, L.Linear)
        for key, value in layer.params.items():
            if key == "weight":
                orders = {value.ndim - 1: after} | ({0: place.before} if rows else {})
                yield Tensor(key, layer.params, key, value.shape, axes, orders)
            else:
                yield Tensor(key, layer.params, key, value.shape, (0,), {0: after})
    else:
        names = NORM_NAMES if isinstance(layer, L.BatchNorm | L.LayerNorm) else {}
        for home in (layer.params, layer.buffers):
            for key, value in home.items():
                orders = {0: after} if names else {}
                axes = tuple(range(value.ndim))
                yield Tensor(names.get(key, key), home, key, value.shape, axes, orders)


def _spectral(place):
    """u is of the rows of the weight, every axis but the last, and v of that axis: PyTorch calls
    them v and u."""
    layer = place.layer
    for tensor in tensors(place._replace(layer=inner(layer))):
        original = tensor.name == "weight"
        yield tensor._replace(name="parametrizations.weight.original") if original else tensor
    shape = inner(layer).params["weight"].shape[:-1]
    axes = (len(shape) - 1, *range(len(shape) - 1))
    orders = {0: place.before} if len(shape) == 1 else {}
    vector = "parametrizations.weight.0."
    yield Tensor(f"{vector}_v", layer.buffers, "u", shape, axes, orders, True)
    v = layer.buffers["v"]
    yield Tensor(f"{vector}_u", layer.buffers, "v", v.shape, (0,), {0: place.after})


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


def named_tensors(found: Sequence[Place]) -> Iterator[tuple[str, Tensor]]:
    """Yields (name in the module's state_dict, tensor) of every array of these layers."""
    for place in found:
        for tensor in tensors(place):
            name = place.prefix + tensor.name
            yield name, tensor._replace(name=name)
