"""Layers: each one a forward pass, its two backward passes and its tangent, written out.

The contract they share is in `base`.
"""

from .activations import LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from .attention import SelfAttention
from .augmentation import RandomBrightness, RandomCutout, RandomTranslation
from .base import Layer
from .conditional_norm import ConditionalBatchNorm
from .convolution import Conv2d, ConvTranspose2d
from .dropout import Dropout
from .feature_output import LogitWithFeatures
from .features import Embedding, FourierFeatures, MinibatchStdDev
from .linear import Linear
from .minibatch_discrimination import MinibatchDiscrimination
from .normalisation import BatchNorm, LayerNorm
from .rescale import Rescale
from .residual import Residual
from .shape import AvgPool2d, Flatten, Reshape, Upsample2d
from .spectral import SpectralNorm

__all__ = [
    "AvgPool2d",
    "BatchNorm",
    "ConditionalBatchNorm",
    "Conv2d",
    "ConvTranspose2d",
    "Dropout",
    "Embedding",
    "Flatten",
    "FourierFeatures",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogitWithFeatures",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "RandomBrightness",
    "RandomCutout",
    "RandomTranslation",
    "ReLU",
    "Rescale",
    "Reshape",
    "Residual",
    "Sigmoid",
    "SelfAttention",
    "SiLU",
    "Softplus",
    "SpectralNorm",
    "Tanh",
    "Upsample2d",
]
