"""Ready-made networks and GANs.

Networks, each a list of layers:

- `mlp`                linear layers, for samples of any shape
- `dcgan`              convolutions, for images
- `residual_pair`      residual blocks without normalisation, for images
- `conditional_pairs`  DCGANs for labelled images

GANs that are known to converge:

- `recipes`            distributions on the plane
- `image_recipes`      images: a model, a loss and a penalty by name

What was trained, in a file:

- `saved`              `Sequential.save`, `GAN.save` and `load`
- `described`          `register`, for layers of your own: architectures in words
- `interop`            PyTorch, JAX, safetensors (also as `minigan.interop`)

Conditional GANs (also as `minigan.conditional` and `minigan.auxiliary`):

- `conditional_games`  labelled rows, and the layers that read them
- `auxiliary`          losses with a classifier (AC-GAN) or a code (InfoGAN)
- `feature_matching`   G's loss on D's features instead of its logits
"""

from typing import TYPE_CHECKING

from .. import _public_names
from .conditional_pairs import (
    auxiliary_discriminator,
    concatenation_discriminator,
    conditional_generator,
    projection_discriminator,
)
from .dcgan import dcgan_discriminator, dcgan_generator
from .described import describe, register
from .feature_matching import FeatureMatching
from .mlp import mlp, mlp_discriminator, mlp_generator
from .residual_pair import residual_discriminator, residual_generator

__all__ = [
    "FeatureMatching",
    "auxiliary_discriminator",
    "concatenation_discriminator",
    "conditional_generator",
    "dcgan_discriminator",
    "dcgan_generator",
    "describe",
    "mlp",
    "mlp_discriminator",
    "mlp_generator",
    "projection_discriminator",
    "register",
    "residual_discriminator",
    "residual_generator",
]

if not TYPE_CHECKING:
    __getattr__ = _public_names.modules_of(__name__)
