"""Feature matching: G makes samples whose features, in D, have the mean of real ones.

    D = Sequential([Linear(2, 64), LeakyReLU(), LogitWithFeatures(Linear(64, 1))])
    GAN(G, D, latent_dim=8, loss=FeatureMatching(NonSaturating(), 64))

The gradient enters D at its features, below the logit. D learns as before, from its logit alone.
Its features are those by which it tells real from fake; once their means agree, it needs others.

References
----------
Salimans et al. (2016), "Improved techniques for training GANs", sec. 3.1 (arXiv 1606.03498).
"""

import numpy as np

from .._checks import Adversarial, Count
from ..losses import Array, Loss, Played


class FeatureMatching(Loss):
    """L_G = |m_real - m_fake|^2,   m the minibatch's mean of D's features

    dL_G/d(features of a fake) = -2 (m_real - m_fake) / N,  and 0 at its logit.
    L_D is that of another loss, of the logits alone. D gives rows [logit, features]: see
    `layers.LogitWithFeatures`.

    Parameters
    ----------
    adversarial : one of `minigan.losses`; only its discriminator's side is used
    features : their number, F >= 1
    """

    generator_sees_real = True

    def __init__(self, adversarial: Adversarial, features: Count) -> None:
        self.adversarial, self.features = adversarial, features
        self.width = 1 + features

    def discriminator(self, real: Array, fake: Array) -> Played:
        d_real, d_fake = np.zeros_like(real), np.zeros_like(fake)
        value, d_real[:, :1], d_fake[:, :1] = self.adversarial.discriminator(
            real[:, :1], fake[:, :1]
        )
        return value, d_real, d_fake

    def generator(self, real: Array, fake: Array) -> Played:
        difference = real[:, 1:].mean(axis=0) - fake[:, 1:].mean(axis=0)
        d_real, d_fake = np.zeros_like(real), np.zeros_like(fake)
        d_real[:, 1:] = 2 * difference / len(real)
        d_fake[:, 1:] = -2 * difference / len(fake)
        return float(np.sum(difference.astype(np.float64) ** 2)), d_real, d_fake

    def __repr__(self) -> str:
        return f"FeatureMatching({self.adversarial}, {self.width - 1})"
