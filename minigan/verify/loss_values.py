"""The two losses of a step as values, by forward passes alone: to take differences of them."""

import numpy as np

from ..gan import GAN
from ..losses import sees_real


def discriminator_loss(gan: GAN, real: np.ndarray, fake: np.ndarray) -> float:
    """L_D of these minibatches, the penalties included."""
    real_logits, fake_logits = (gan.discriminator.forward(x)[0] for x in (real, fake))
    value, *_ = gan.loss.discriminator(real_logits, fake_logits)
    return value + sum(p.value(gan.discriminator, real, fake, gan.rng) for p in gan.penalties)


def generator_loss(gan: GAN, real: np.ndarray, fake: np.ndarray) -> float:
    """L_G of these minibatches."""
    fake_logits, _ = gan.discriminator.forward(fake)
    real_logits = gan.discriminator.forward(real)[0] if sees_real(gan.loss) else fake_logits
    return gan.loss.generator(real_logits, fake_logits)[0]
