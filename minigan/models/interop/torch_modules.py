"""Networks as modules of PyTorch, and back.

Every layer becomes one of torch.nn, at the same place: "0.weight" is "0.weight". What is NHWC in
minigan is NCHW in PyTorch, see `torch_layouts`. In evaluation the outputs and all gradients are the
same. In training they are too, but for random numbers (Dropout) and SpectralNorm: PyTorch moves the
singular vectors in each training pass, and in the other order, so that there the two agree where
the vectors have converged.
"""

from typing import Any

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
from ...layers.residual import Identity
from ...network import Sequential
from .outside import needed
from .torch_layouts import (
    Role,
    decode,
    encoded,
    leaves,
    named_tensors,
    orders,
    role,
    sample_shape,
    tensors,
)

EXACT = 40  # above it, softplus(x) is x to the last bit of a float64; torch.nn takes it from 20


@checked
def to_torch(network: Sequential, *, channels: Count | None = None) -> Any:
    """An equal torch.nn.Sequential, with its own copies of the weights.

    Parameters
    ----------
    channels : of the images that the network sees; needed only where a Flatten comes first

    Raises ImportError without PyTorch; TypeError, naming it, for a layer without a counterpart in
    torch.nn; ValueError where the order of flattened features cannot be known.
    """
    torch = needed("torch", "to_torch")
    check_counterparts("to_torch", network)
    found = list(leaves(network.layers))
    places = orders("to_torch", [role(layer) for _, layer in found], channels)
    images = {id(layer): saw for (_, layer), (_, _, saw) in zip(found, places)}
    module = _module(torch, network, images).to(getattr(torch, network.dtype.name))
    values = {
        name: torch.from_numpy(encoded(tensor).copy())
        for name, tensor in named_tensors("to_torch", network, channels)
    }
    counts = {n: v for n, v in module.state_dict().items() if n.endswith("num_batches_tracked")}
    module.load_state_dict(values | counts)
    return module


def check_counterparts(owner: str, network: Sequential) -> None:
    """Raises TypeError, naming it, for a layer that torch.nn does not have."""
    for _, layer in leaves(network.layers):
        inner = layer.children["layer"] if isinstance(layer, SpectralNorm) else layer
        other = type(inner) is Reshape and len(sample_shape(inner)) not in (1, 3)
        if type(inner) not in TO_TORCH or other:
            raise TypeError(f"{owner}: {shown(layer)} has no counterpart in torch.nn")


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


def _module(torch, layer, images):
    nn = torch.nn
    if isinstance(layer, Sequential):
        return nn.Sequential(*(_module(torch, inner, images) for inner in layer.layers))
    if isinstance(layer, SpectralNorm):
        module = _module(torch, layer.children["layer"], images)
        return nn.utils.parametrizations.spectral_norm(module)
    kind, arguments = TO_TORCH[type(layer)]
    options = arguments(layer)
    if kind == "BatchNorm":
        kind = "BatchNorm2d" if images[id(layer)] else "BatchNorm1d"
    if isinstance(layer, Reshape) and len(layer.shape) == 1:
        kind, options = "Flatten", {}
    return getattr(nn, kind)(**options)


# -- back ------------------------------------------------------------------------------------------


@checked
def from_torch(module: Any, *, channels: Count | None = None) -> Sequential:
    """An equal network, from a torch.nn.Sequential of layers that minigan has.

    Parameters
    ----------
    channels : as in `to_torch`

    torch.nn.Softplus is taken for log(1 + exp x), from which it differs by 2e-9 above its
    threshold. Raises as `to_torch` does; ValueError also for an option of a layer that minigan does
    not have, such as groups.
    """
    torch = needed("torch", "from_torch")
    if not isinstance(module, torch.nn.Sequential):
        raise TypeError(f"from_torch: module must be a torch.nn.Sequential, got {shown(module)}")
    if not len(module):
        raise ValueError("from_torch: expected at least one layer, got none")
    pairs = list(_pairs(torch, module, ""))
    roles = [_role(torch, inner, layer) for _, inner, layer in pairs]
    dtypes = {p.dtype for p in module.parameters()}
    if len(dtypes) > 1 or not dtypes <= {torch.float32, torch.float64}:
        raise TypeError(f"from_torch: expected one dtype, float32 or float64, got {dtypes}")
    dtype = "float64" if dtypes == {torch.float64} else "float32"
    layers = {id(inner): layer for _, inner, layer in pairs}
    network = Sequential(_row(torch, module, layers, dtype), dtype=dtype)
    values = {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}
    for (prefix, _, layer), (before, after, _) in zip(pairs, orders("from_torch", roles, channels)):
        for tensor in tensors(layer, before, after):
            decode(tensor, values[prefix + tensor.name], "from_torch")
    return network


def _pairs(torch, module, prefix):
    """Yields (name, module, new layer) of every module that is no Sequential, in order."""
    for name, inner in module.named_children():
        if isinstance(inner, torch.nn.Sequential):
            yield from _pairs(torch, inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}.", inner, _layer(torch, inner)


def _row(torch, module, layers, dtype):
    return [
        Sequential(_row(torch, inner, layers, dtype), dtype=dtype)
        if isinstance(inner, torch.nn.Sequential)
        else layers[id(inner)]
        for inner in module.children()
    ]


def _role(torch, module, layer):
    """As `role`, from PyTorch's shapes: channels first."""
    found = role(layer)
    if isinstance(module, torch.nn.LayerNorm) and len(module.normalized_shape) == 1:
        return Role("same", None, found.name)
    return found


def _layer(torch, module) -> Layer:
    """A new layer with the options of a module; its weights are copied later."""
    kind = type(module).__name__
    if torch.nn.utils.parametrize.is_parametrized(module):
        parts = {n: [type(p).__name__ for p in ps] for n, ps in module.parametrizations.items()}
        if parts != {"weight": ["_SpectralNorm"]}:
            raise ValueError("from_torch: of the parametrizations, minigan has spectral_norm alone")
        kind = type(module).__mro__[1].__name__
        return SpectralNorm(FROM_TORCH[kind](module))
    if kind not in FROM_TORCH:
        raise TypeError(f"from_torch: {shown(module)} has no counterpart in minigan")
    return FROM_TORCH[kind](module)


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
