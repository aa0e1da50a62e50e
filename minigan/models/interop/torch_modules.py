"""Networks as modules of PyTorch, and back.

Every layer becomes one module, of torch.nn or, where that has none, of `torch_counterparts`, at the
same place: "0.weight" keeps its name. Images are NHWC in minigan and NCHW in PyTorch (see
`torch_layouts`). In evaluation and in training the outputs and all gradients are the same, and the
running statistics and singular vectors afterwards too. Layers that draw random numbers in training
(Dropout, InstanceNoise, RandomCutout, ...) draw from PyTorch's generator there.
"""

import importlib
from typing import Any

import numpy as np

from ..._checks import Count, checked, shown
from ...layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Reshape,
    Sigmoid,
    SiLU,
    Softplus,
    SpectralNorm,
    Tanh,
    Upsample2d,
)
from ...layers.base import Layer
from ...layers.composite import walk
from ...layers.residual import Identity
from ...network import Sequential
from ..described import arguments_of, kept
from .outside import needed
from .torch_layouts import KNOWN, Place, decode, encoded, named_tensors, places, tensors

EXACT = 40  # above it, log(1 + exp(x)) rounds to x in float64; torch.nn returns x from 20 on


@checked
def to_torch(network: Sequential, *, channels: Count | None = None) -> Any:
    """An equal torch.nn.Sequential, with its own copies of the weights.

    Parameters
    ----------
    channels : the number of channels of the network's input images. Give it if the network begins
        with a Flatten and you want a torch.nn.Flatten, which flattens channel by channel; without
        it, the Flatten becomes a module that flattens pixel by pixel, as minigan's does

    Raises ImportError without PyTorch; TypeError, naming it, for a layer of your own.
    """
    torch = needed("torch", "to_torch")
    check_counterparts("to_torch", network)
    found = places("to_torch", network, channels)
    module = _Modules(torch, found).of(network).to(getattr(torch, network.dtype.name))
    values = {
        name: torch.from_numpy(encoded(tensor).copy()) for name, tensor in named_tensors(found)
    }
    counts = {n: v for n, v in module.state_dict().items() if n.endswith("num_batches_tracked")}
    module.load_state_dict(values | counts)
    return module


def check_counterparts(owner: str, network: Sequential) -> None:
    """Raises TypeError, naming it, for a layer of a class that is not minigan's."""
    for _, layer in walk(network):
        if type(layer) not in (*KNOWN, Sequential):
            raise TypeError(f"{owner}: {shown(layer)} has no counterpart in PyTorch")


TO_TORCH: dict[type, tuple[str, Any]] = {  # layer -> (name in torch.nn, its arguments)
    Linear: ("Linear", lambda x: {
        "in_features": x.in_features, "out_features": x.out_features, "bias": x.bias}),
    Conv2d: ("Conv2d", lambda x: _convolution(x)),
    ConvTranspose2d: ("ConvTranspose2d", lambda x: _convolution(x)),
    BatchNorm: ("BatchNorm", lambda x: {
        "num_features": x.num_features, "eps": x.eps, "momentum": x.momentum}),
    LayerNorm: ("GroupNorm", lambda x: {
        "num_groups": 1, "num_channels": x.num_features, "eps": x.eps}),
    Embedding: ("Embedding", lambda x: {
        "num_embeddings": x.num_embeddings, "embedding_dim": x.embedding_dim}),
    Dropout: ("Dropout", lambda x: {"p": x.p}),
    ReLU: ("ReLU", lambda x: {}),
    LeakyReLU: ("LeakyReLU", lambda x: {"negative_slope": x.negative_slope}),
    Tanh: ("Tanh", lambda x: {}),
    Sigmoid: ("Sigmoid", lambda x: {}),
    Softplus: ("Softplus", lambda x: {"threshold": EXACT}),
    SiLU: ("SiLU", lambda x: {}),
    Identity: ("Identity", lambda x: {}),
    Flatten: ("Flatten", lambda x: {}),
    Reshape: ("Unflatten", lambda x: {"dim": 1, "unflattened_size": (x.shape[-1], *x.shape[:-1])}),
    Upsample2d: ("Upsample", lambda x: {"scale_factor": x.scale}),
    AvgPool2d: ("AvgPool2d", lambda x: {"kernel_size": x.kernel_size}),
}  # fmt: skip


def _convolution(layer):
    names = "in_channels", "out_channels", "kernel_size", "stride", "padding", "bias"
    return {name: getattr(layer, name) for name in names}


class _Modules:
    """The modules of the layers of a network."""

    def __init__(self, torch: Any, found: list[Place]) -> None:
        self.torch, self.places = torch, {id(place.layer): place for place in found}
        self.own = importlib.import_module(f"{__package__}.torch_counterparts")

    def of(self, layer: Any) -> Any:
        """The module of one layer."""
        nn, kind = self.torch.nn, type(layer)
        if kind is Sequential:
            return nn.Sequential(*map(self.of, layer.layers))
        place = self.places[id(layer)]
        if kind is SpectralNorm:
            return self._spectral(place)
        if kind in (Reshape, Flatten) and not place.natural:
            return self.own.COUNTERPARTS[Reshape](layer.shape)
        if kind in self.own.COUNTERPARTS and kind is not Reshape:
            options = {name: kept(layer, name) for name in arguments_of(kind)}
            options |= {n: self.of(v) for n, v in options.items() if isinstance(v, Layer)}
            return self.own.COUNTERPARTS[kind](**options)
        name, arguments = TO_TORCH[kind]
        options = arguments(layer)
        if kind is BatchNorm:
            name = "BatchNorm2d" if place.images else "BatchNorm1d"
        if kind is Reshape and len(layer.shape) == 1:
            name, options = "Flatten", {}
        return getattr(nn, name)(**options)

    def _spectral(self, place: Place) -> Any:
        torch, layer = self.torch, place.layer
        inside = layer.children["layer"]
        name, arguments = TO_TORCH[type(inside)]
        module = getattr(torch.nn, name)(**arguments(inside)).to(getattr(torch, str(layer.dtype)))
        arrays = {tensor.name: encoded(tensor) for tensor in tensors(place)}
        vectors = (arrays[f"parametrizations.weight.0.{name}"] for name in ("_u", "_v"))
        u, v = (torch.from_numpy(vector.copy()) for vector in vectors)
        seen = None
        if np.array_equal(layer.iterated_on, inside.params["weight"]):
            seen = torch.from_numpy(arrays["parametrizations.weight.original"].copy())
        dim = 1 if isinstance(inside, ConvTranspose2d) else 0
        parametrization = self.own.SpectralModule(u, v, dim, seen)
        module.eval()  # the parametrization is tried at once, and would iterate
        torch.nn.utils.parametrize.register_parametrization(module, "weight", parametrization)
        return module.train()


# -- back ------------------------------------------------------------------------------------------


@checked
def from_torch(module: Any, *, channels: Count | None = None) -> Sequential:
    """An equal network, from a torch.nn.Sequential of layers that minigan has.

    Parameters
    ----------
    channels : the number of channels of the module's input images; needed only if a Flatten comes
        first

    torch.nn.Softplus is taken for log(1 + exp x), from which it differs by 2e-9 above its
    threshold. PyTorch's own spectral_norm iterates in another order than `SpectralNorm`: the two
    agree in evaluation, and in training once the vectors have converged.

    Raises ImportError without PyTorch; TypeError, naming it, for a module without a counterpart,
    such as one with a forward pass of its own; ValueError for an option of a layer that minigan
    does not have, such as groups, for a module with forward hooks, for a parameter that two layers
    share, and where the order of flattened features cannot be known.
    """
    torch = needed("torch", "from_torch")
    if not isinstance(module, torch.nn.Sequential):
        raise TypeError(
            f"from_torch: module must be a torch.nn.Sequential, got {shown(module)}"
            f"{_sequential_inside(torch, module)}"
        )
    if not len(module):
        raise ValueError("from_torch: expected at least one layer, got none")
    floats = {p.dtype for p in module.state_dict().values() if p.is_floating_point()}
    if len(floats) > 1 or not floats <= {torch.float32, torch.float64}:
        raise TypeError(f"from_torch: expected one dtype, float32 or float64, got {floats}")
    _refuse_shared(module)
    layers = _Layers(torch, "float64" if floats == {torch.float64} else "float32")
    network = layers.of(module, "")
    values = {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}
    for place in places("from_torch", network, channels, layers.natural):
        prefix, inner = layers.found[id(place.layer)]
        if place.images and isinstance(inner, torch.nn.LayerNorm):
            raise ValueError(f"from_torch: {shown(inner)}: minigan has one of rows, with a bias")
        for tensor in tensors(place):
            decode(tensor, values[prefix + tensor.name], "from_torch")
        if isinstance(place.layer, SpectralNorm):
            _note_iteration(place.layer, inner)
    return network


def _sequential_inside(torch, module):
    """A hint for a module of somebody's own class: where in it a Sequential is."""
    parts = module.named_children() if isinstance(module, torch.nn.Module) else ()
    names = [name for name, part in parts if isinstance(part, torch.nn.Sequential)]
    return f"; it has one in .{', .'.join(names)}" if names else ""


def _refuse_shared(module):
    """Raises ValueError for a parameter with two names: as two, they would be trained apart."""
    names: dict[int, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        first = names.setdefault(id(parameter), name)
        if first != name:
            raise ValueError(
                f"from_torch: {first} and {name} are one parameter; in minigan, each layer has its "
                "own"
            )


def _note_iteration(layer, module):
    """The next training pass is to iterate only if the module's next one would."""
    seen = getattr(module.parametrizations.weight[0], "_iterated_on", None)
    if seen is not None and seen.equal(module.parametrizations.weight.original):
        layer.iterated_on = layer.children["layer"].params["weight"].copy()


class _Layers:
    """The layers of a module: new ones with its options, whose weights are copied in later.

    found : id of a layer -> (prefix of its names in the module's state_dict, its module)
    natural : id of a Reshape -> whether it is PyTorch's Flatten or Unflatten
    """

    def __init__(self, torch: Any, dtype: str) -> None:
        self.torch, self.dtype = torch, dtype
        own = importlib.import_module(f"{__package__}.torch_counterparts")
        self.spectral = own.SpectralModule, torch.nn.utils.parametrizations._SpectralNorm
        self.own = {module: layer for layer, module in own.COUNTERPARTS.items()}
        self.found: dict[int, tuple[str, Any]] = {}
        self.natural: dict[int, bool] = {}

    def of(self, module: Any, prefix: str) -> Any:
        """The layer of one module."""
        if module._forward_hooks or module._forward_pre_hooks:
            raise ValueError(
                f"from_torch: {shown(module)} has a forward hook, which minigan would leave out; "
                "remove it (in place of the older torch.nn.utils.spectral_norm, take "
                "torch.nn.utils.parametrizations.spectral_norm)"
            )
        nn = self.torch.nn
        if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
            # named_children would leave out a module that is there twice
            inside = [self.of(each, f"{prefix}{n}.") for n, each in module._modules.items()]
            return Sequential(inside, dtype=self.dtype)
        layer = self._spectral(module) or self._own(module, prefix)
        if layer is None:
            layer = self._counterpart(module, type(module))
            self.natural[id(layer)] = True
        self.found[id(layer)] = prefix, module
        return layer

    def _own(self, module, prefix):
        kind = self.own.get(type(module))
        if kind is None:
            return None
        options = {name: getattr(module, name) for name in arguments_of(kind)}
        children = dict(module.named_children())
        options |= {n: self.of(each, f"{prefix}{n}.") for n, each in children.items()}
        layer = Flatten() if options == {"shape": (-1,)} else kind(**options)
        self.natural[id(layer)] = False
        return layer

    def _spectral(self, module):
        if not self.torch.nn.utils.parametrize.is_parametrized(module):
            return None
        for name, parts in module.parametrizations.items():
            if name != "weight" or len(parts) != 1 or not isinstance(parts[0], self.spectral):
                raise ValueError(
                    "from_torch: of the parametrizations, minigan has spectral_norm alone"
                )
        return SpectralNorm(self._counterpart(module, type(module).__mro__[1]))

    def _counterpart(self, module, kind):
        """The layer of a module of that class, if the class is one of torch.nn itself."""
        name = kind.__name__
        if name not in FROM_TORCH or getattr(self.torch.nn, name) is not kind:
            raise TypeError(f"from_torch: {shown(module)} has no counterpart in minigan")
        return FROM_TORCH[name](module)


def _plain(module, **expected):
    """Raises ValueError unless the module has these options."""
    for name, value in expected.items():
        if getattr(module, name) != value:
            raise ValueError(
                f"from_torch: {shown(module)}: minigan has {name}={value!r} alone, "
                f"got {getattr(module, name)!r}"
            )


def _one(module, name):
    """An option that is one number in minigan, and one for each axis in PyTorch."""
    value = getattr(module, name)
    if isinstance(value, tuple):
        if len(set(value)) != 1:
            raise ValueError(f"from_torch: {shown(module)}: {name} must be the same for both axes")
        value = value[0]
    return value


def _from_convolution(kind):
    def make(module):
        _plain(module, dilation=(1, 1), groups=1, padding_mode="zeros", output_padding=(0, 0))
        if isinstance(module.padding, str):
            raise ValueError(f"from_torch: {shown(module)}: padding must be a number")
        return kind(
            module.in_channels, module.out_channels, tuple(module.kernel_size),
            stride=_one(module, "stride"), padding=_one(module, "padding"),
            bias=module.bias is not None,
        )  # fmt: skip

    return make


def _from_batch_norm(module):
    _plain(module, affine=True, track_running_stats=True)
    if module.momentum is None:
        raise ValueError(f"from_torch: {shown(module)}: momentum must be a number, got None")
    return BatchNorm(module.num_features, eps=module.eps, momentum=module.momentum)


def _from_group_norm(module):
    _plain(module, num_groups=1, affine=True)
    return LayerNorm(module.num_channels, eps=module.eps)


def _from_layer_norm(module):
    _plain(module, elementwise_affine=True)
    if len(module.normalized_shape) != 1 or module.bias is None:
        raise ValueError(f"from_torch: {shown(module)}: minigan has one of rows, with a bias")
    return LayerNorm(module.normalized_shape[0], eps=module.eps)


def _from_embedding(module):
    _plain(module, padding_idx=None, max_norm=None, sparse=False)
    return Embedding(module.num_embeddings, module.embedding_dim)


def _from_flatten(module):
    _plain(module, start_dim=1, end_dim=-1)
    return Flatten()


def _from_unflatten(module):
    _plain(module, dim=1)
    size = tuple(module.unflattened_size)
    if len(size) != 3:
        raise ValueError(f"from_torch: {shown(module)}: expected images (C, H, W), got {size}")
    return Reshape((*size[1:], size[0]))


def _from_upsample(module):
    _plain(module, mode="nearest", size=None)
    scale = float(_one(module, "scale_factor"))
    if scale != int(scale):
        raise ValueError(f"from_torch: {shown(module)}: scale_factor must be a whole number")
    return Upsample2d(int(scale))


def _from_pooling(module):
    size = _one(module, "kernel_size")
    if _one(module, "stride") != size:
        raise ValueError(f"from_torch: {shown(module)}: the stride must be the kernel's size")
    _plain(module, padding=0, ceil_mode=False, divisor_override=None)
    return AvgPool2d(size)


def _from_softplus(module):
    _plain(module, beta=1)
    return Softplus()


FROM_TORCH: dict[str, Any] = {
    "Linear": lambda m: Linear(m.in_features, m.out_features, bias=m.bias is not None),
    "Conv2d": _from_convolution(Conv2d),
    "ConvTranspose2d": _from_convolution(ConvTranspose2d),
    "BatchNorm1d": _from_batch_norm,
    "BatchNorm2d": _from_batch_norm,
    "GroupNorm": _from_group_norm,
    "LayerNorm": _from_layer_norm,
    "Embedding": _from_embedding,
    "Dropout": lambda m: Dropout(m.p),
    "ReLU": lambda m: ReLU(),
    "LeakyReLU": lambda m: LeakyReLU(m.negative_slope),
    "Tanh": lambda m: Tanh(),
    "Sigmoid": lambda m: Sigmoid(),
    "Softplus": _from_softplus,
    "SiLU": lambda m: SiLU(),
    "Identity": lambda m: Identity(),
    "Flatten": _from_flatten,
    "Unflatten": _from_unflatten,
    "Upsample": _from_upsample,
    "AvgPool2d": _from_pooling,
}
