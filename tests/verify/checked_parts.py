"""Small players and layers that the tests of the checkers share."""

import numpy as np

import minigan as mg
from minigan import layers as L

rng = np.random.default_rng(0)
X = rng.standard_normal(6)
W = rng.standard_normal(6)
REAL, FAKE = rng.standard_normal((2, 5, 2))


class Square(L.Layer):
    """y = x^2, the smallest of layers: no tangent, no curvature."""

    def forward(self, x, training=True):
        x = self.as_input(x)
        return x**2, x

    def backward_input(self, dy, x):
        return 2 * x * dy


def noisy(size):
    class Noisy(L.Linear):
        def forward(self, x, training=True):
            y, cache = super().forward(x, training)
            return y + size * np.random.standard_normal(y.shape), cache

    return Noisy(3, 2)


def critic():
    return mg.Sequential([L.Linear(2, 3), L.Tanh(), L.Linear(3, 1)], rng=1)


def game(discriminator=None, penalties=(), loss=None):
    generator = mg.Sequential([L.Linear(2, 3), L.Tanh(), L.Linear(3, 2)], rng=2)
    return mg.GAN(
        generator, discriminator or critic(), latent_dim=2, penalties=penalties, loss=loss, rng=3
    )


def reasons(report):
    """Why the rows of a report could not be compared, in one string."""
    return " ".join(row.reason for row in report.rows if row.reason)
