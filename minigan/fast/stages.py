"""Finds the stages that a network runs instead of its layers.

A layer and the activation after it take two passes over memory: one writes z, one reads z and
writes y = phi(z). For a linear layer, a convolution or batch norm, one stage replaces both: it
applies phi before z is written, or overwrites z.
"""

import copy
from collections.abc import Sequence
from typing import Any

from ..layers.activations import LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from ..layers.attention import SelfAttention
from ..layers.composite import walk
from ..layers.convolution import Conv2d, ConvTranspose2d
from ..layers.features import FourierFeatures
from ..layers.linear import Linear
from ..layers.normalisation import BatchNorm, LayerNorm
from ..layers.spectral import SpectralNorm
from ..network import Sequential
from .activations import ActivationStage, SiLUStage, SoftplusStage, fused_activation
from .as_written import PASSES, as_written, passes_of, remember
from .attention import AttentionStage
from .chain import chained
from .convolution import ConvStage, ConvTransposeStage
from .kernels import buffers
from .linear import FourierStage, LinearStage
from .normalisation import BatchNormStage, LayerNormStage
from .spectral import SpectralStage

_FUSED = {
    Linear: LinearStage,
    Conv2d: ConvStage,
    ConvTranspose2d: ConvTransposeStage,
    BatchNorm: BatchNormStage,
}
_SINGLE = {
    LeakyReLU: ActivationStage,
    ReLU: ActivationStage,
    Tanh: ActivationStage,
    Sigmoid: ActivationStage,
    Softplus: SoftplusStage,
    SiLU: SiLUStage,
    LayerNorm: LayerNormStage,
    FourierFeatures: FourierStage,
    SelfAttention: AttentionStage,
}
_COUNTERPARTS = _FUSED | _SINGLE
remember([*_COUNTERPARTS, SpectralNorm], *PASSES)


class Stages(list[Any]):
    """The stages of a network. They are valid until a layer or its class changes.

    one_batch : whether `step` may compute real and fake samples in one batch; None: not known yet
    """

    one_batch: bool | None = None

    def __init__(self, network):
        super().__init__(_found(network.layers))
        self.kinds = {type(layer) for _, layer in walk(network)}
        self.passes = list(map(passes_of, self.kinds))

    def still_valid(self) -> bool:
        """Whether every class of the layers still has the methods it had. (A change of one layer
        drops the stages: see `minigan.layers.memory`.)"""
        return list(map(passes_of, self.kinds)) == self.passes


def stages(network: Any) -> Sequence[Any]:
    """The stages of a network, at the beginning of a forward pass."""
    if network.owner is None:
        buffers.begin(network)
    return stages_of(network)


def stages_of(network: Any) -> Stages:
    """The stages of a network, found once and stored in `network.compiled`."""
    found = network.compiled
    if found is None or not found.still_valid():
        found = network.compiled = Stages(network)
    return found


def _found(layers):
    """The stages of consecutive layers, an activation fused with the layer before it."""
    found, rest = [], list(layers)
    while rest:
        layer = rest.pop(0)
        if _can_be_fused(layer) and rest and as_written(rest[0]) and fused_activation(rest[0]):
            found.append(_FUSED[type(layer)](layer, rest.pop(0)))
        else:
            found.append(stage_of(layer))
    return chained(found)


def _can_be_fused(layer):
    return type(layer) in _FUSED and as_written(layer)


def stage_of(layer: Any) -> Any:
    """The counterpart of one layer; the layer itself if it has none."""
    kind = type(layer)
    if kind in _COUNTERPARTS and as_written(layer):
        return _COUNTERPARTS[kind](layer)
    if kind is SpectralNorm and as_written(layer):
        return SpectralStage(layer, stage_of)
    if not layer.children or isinstance(layer, Sequential):  # a Sequential finds its own stages
        return layer
    if not vars(layer).keys().isdisjoint(PASSES):  # a pass replaced in this one layer
        return layer
    if kind.__module__.split(".")[0] != __name__.split(".")[0]:
        return layer  # a user's container may use its children's params, and a stage has none
    stage = copy.copy(layer)  # the same parameters, but stages for the children
    vars(stage)["children"] = {name: stage_of(child) for name, child in layer.children.items()}
    return stage
