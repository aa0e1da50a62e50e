"""Ready-made generators and discriminators: lists of layers, to read as much as to use."""

from .conditional_pairs import (
    auxiliary_discriminator,
    concatenation_discriminator,
    conditional_generator,
    projection_discriminator,
)
from .dcgan import dcgan_discriminator, dcgan_generator
from .mlp import mlp, mlp_discriminator, mlp_generator
from .residual_pair import residual_discriminator, residual_generator

__all__ = [
    "auxiliary_discriminator",
    "concatenation_discriminator",
    "conditional_generator",
    "dcgan_discriminator",
    "dcgan_generator",
    "mlp",
    "mlp_discriminator",
    "mlp_generator",
    "projection_discriminator",
    "residual_discriminator",
    "residual_generator",
]
