"""A copy of a minigan network in PyTorch: channels first, with the same parameters."""

import numpy as np
import torch
from torch import nn

from minigan import layers
from minigan.models.conditional_games import OneHot


def in_pytorch(network):
    """An nn.Sequential of the modules that PyTorch has for the network's layers.

    A reshape to images and a flattening of them change the order of values, since a sample is
    (row, column, channel) here and (channel, row, column) there: the linear layers beside them are
    permuted, so that noise and logits are the same.
    """
    modules, channels = [], None
    before, after = [None, *network.layers], [*network.layers[1:], None]
    for layer, previous, following in zip(network.layers, before, after):
        of_images = any(isinstance(m, nn.Unflatten | nn.Conv2d) for m in modules)
        module, parameters = _module(layer, of_images), dict(layer.params)
        if isinstance(layer, layers.Linear):
            weight = parameters["weight"]
            if isinstance(following, layers.Reshape) and not isinstance(following, layers.Flatten):
                order = _channels_first(following.shape)
                parameters = {name: value[..., order] for name, value in parameters.items()}
            if isinstance(previous, layers.Flatten) and channels:
                side = round((len(weight) / channels) ** 0.5)
                parameters["weight"] = weight[_channels_first((side, side, channels))]
            parameters["weight"] = parameters["weight"].T
        elif isinstance(layer, layers.Conv2d):
            parameters["weight"] = parameters["weight"].transpose(3, 2, 0, 1)
            channels = layer.out_channels
        elif isinstance(layer, layers.ConvTranspose2d):
            parameters["weight"] = parameters["weight"].transpose(2, 3, 0, 1)
        elif isinstance(layer, layers.BatchNorm):
            parameters = {"weight": parameters["gamma"], "bias": parameters["beta"]}
        with torch.no_grad():
            for name, value in parameters.items():
                getattr(module, name).copy_(torch.tensor(value.copy()))
        modules.append(module)
    return nn.Sequential(*modules)


def _module(layer, of_images):
    """The module of a layer on images or on rows, its parameters still PyTorch's own."""
    bias = "bias" in layer.params
    if isinstance(layer, layers.Linear):
        return nn.Linear(layer.in_features, layer.out_features, bias=bias)
    if isinstance(layer, layers.Conv2d | layers.ConvTranspose2d):
        kind = nn.Conv2d if isinstance(layer, layers.Conv2d) else nn.ConvTranspose2d
        sizes = layer.in_channels, layer.out_channels, layer.kernel_size
        return kind(*sizes, stride=layer.stride, padding=layer.padding, bias=bias)
    if isinstance(layer, layers.BatchNorm):
        kind = nn.BatchNorm2d if of_images else nn.BatchNorm1d
        return kind(layer.num_features, eps=layer.eps, momentum=layer.momentum)
    if isinstance(layer, layers.LeakyReLU):
        return nn.LeakyReLU(layer.negative_slope)
    if isinstance(layer, OneHot):
        return _Choice(layer)
    if isinstance(layer, layers.Flatten):
        return nn.Flatten()
    if isinstance(layer, layers.Reshape):
        height, width, channels = layer.shape
        return nn.Unflatten(1, (channels, height, width))
    return {layers.ReLU: nn.ReLU, layers.Tanh: nn.Tanh}[type(layer)]()


class _Choice(nn.Module):
    """The last `classes` values of a row of noise become one choice."""

    def __init__(self, layer):
        super().__init__()
        self.classes, self.scale = layer.classes, layer.scale
        offset = layer.buffers.get("offset", np.zeros(layer.classes, np.float32))
        self.register_buffer("offset", torch.tensor(offset.copy()))

    def forward(self, noise):
        rest, votes = noise[:, : -self.classes], noise[:, -self.classes :] + self.offset
        chosen = nn.functional.one_hot(votes.argmax(1), self.classes)
        return torch.cat([rest, self.scale * chosen], 1)


def _channels_first(shape):
    """For a sample of this shape (row, column, channel), flattened: which of its values stand
    where, once it is (channel, row, column)."""
    return np.arange(np.prod(shape)).reshape(shape).transpose(2, 0, 1).ravel()
