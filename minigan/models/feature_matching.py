"""Feature matching: G makes samples whose features, in D, have the mean of real ones.

    D = Sequential([Linear(2, 64), LeakyReLU(), LogitWithFeatures(Linear(64, 1))])
    GAN(G, D, latent_dim=8, loss=FeatureMatching(NonSaturating(), 64))

A new path for the gradient: into D below its logit. D learns as before, from its logit alone; its
features are what it has found to tell real from fake by, so where their means agree, it has to look
for others.

References
----------
Salimans et al. (2016), "Improved techniques for training GANs", sec. 3.1 (arXiv 1606.03498).
"""

from typing import Any

import numpy as np

from .._checks import as_array, shown
from ..layers.base import positive_int
from ..losses import Loss, Played


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

    def __init__(self, adversarial: Any, features: int) -> None:
        if not isinstance(adversarial, Loss) or adversarial.width != 1:
            raise TypeError(
                "FeatureMatching: adversarial must be one of minigan.losses, such as Hinge(), "
                f"got {shown(adversarial)}"
            )
        self.adversarial: Any = adversarial
        self.features = positive_int("FeatureMatching", "features", features)
        self.width = 1 + self.features

    def discriminator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = self._rows("real_logits", real_logits), self._rows("fake_logits", fake_logits)
        d_real, d_fake = np.zeros_like(real), np.zeros_like(fake)
        value, d_real[:, :1], d_fake[:, :1] = self.adversarial.discriminator(
            real[:, :1], fake[:, :1]
        )
        return value, d_real, d_fake

    def generator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = self._rows("real_logits", real_logits), self._rows("fake_logits", fake_logits)
        difference = real[:, 1:].mean(axis=0) - fake[:, 1:].mean(axis=0)
        d_real, d_fake = np.zeros_like(real), np.zeros_like(fake)
        d_real[:, 1:] = 2 * difference / len(real)
        d_fake[:, 1:] = -2 * difference / len(fake)
        return float(np.sum(difference.astype(np.float64) ** 2)), d_real, d_fake

    def _rows(self, name, rows):
        rows = as_array(f"FeatureMatching: {name}", rows)
        if rows.dtype.kind not in "fiu":
            raise TypeError(f"FeatureMatching: {name} must be numbers, got dtype {rows.dtype}")
        if rows.ndim != 2 or rows.shape[1] != self.width or not len(rows):
            raise ValueError(
                f"FeatureMatching: {name} must have shape (N, {self.width}), a logit and "
                f"{self.width - 1} features, got {rows.shape}"
            )
        return rows * 1.0  # integers become floats; a float keeps its dtype

    def __repr__(self) -> str:
        return f"FeatureMatching({self.adversarial}, {self.width - 1})"
