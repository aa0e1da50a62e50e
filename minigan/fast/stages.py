"""Which stages a network runs: compiled counterparts of its layers, pairs of layers in one.

An affine layer or a batch norm followed by an activation is two passes over memory: one writes
z, one reads it to write y = phi(z). A stage for both applies phi to z before it is written, or
while it is still in the cache.
"""

import copy

from ..layers.activations import LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from ..layers.convolution import Conv2d, ConvTranspose2d
from ..layers.features import FourierFeatures
from ..layers.linear import Linear
from ..layers.normalisation import BatchNorm, LayerNorm
from ..layers.spectral import SpectralNorm
from ..network import Sequential
from .activations import ActivationStage, SiLUStage, SoftplusStage, fused_activation
from .convolution import ConvStage, ConvTransposeStage
from .linear import FourierStage, LinearStage
from .normalisation import BatchNormStage, LayerNormStage
from .spectral import SpectralStage

# by exact type: a subclass may have changed the formula
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
}


def stages(network):
    """The stages of a network, found once and kept on it."""
    if network.compiled is None:
        network.compiled = _in_a_row(network.layers)
    return network.compiled


def _in_a_row(layers):
    found, rest = [], list(layers)
    while rest:
        layer = rest.pop(0)
        if type(layer) in _FUSED and rest and fused_activation(rest[0]):
            found.append(_FUSED[type(layer)](layer, rest.pop(0)))
        else:
            found.append(stage_of(layer))
    return found


def stage_of(layer):
    """The counterpart of one layer; the layer itself if it has none."""
    kind = type(layer)
    if kind in _FUSED or kind in _SINGLE:
        return {**_FUSED, **_SINGLE}[kind](layer)
    if kind is SpectralNorm:
        return SpectralStage(layer, stage_of)
    if not layer.children or isinstance(layer, Sequential):  # a network asks for its own stages
        return layer
    stage = copy.copy(layer)  # the same parameters; stages in the place of the layers inside
    stage.children = {name: stage_of(child) for name, child in layer.children.items()}
    return stage
