"""Step rules made for games: extragradient, optimistic, lookahead.

The derivations are in the package's docstring.

References
----------
Gidel et al. (2019), "A variational inequality perspective on GANs" (arXiv 1802.10551);
Daskalakis et al. (2018), "Training GANs with optimism" (arXiv 1711.00141);
Chavdarova et al. (2021), "Taming GANs with lookahead-minmax" (arXiv 2006.14567).
"""

import numpy as np

from ..._checks import Count, PositiveShare
from .fields import QUIET, Field
from .step_rules import Simultaneous, Step


class Extragradient(Step):
    """z' = z + h v(z + h v(z)):  M = I + h J + (h J)^2."""

    @QUIET
    def __call__(self, method: Field, z: np.ndarray) -> np.ndarray:
        ahead = Simultaneous(self.h)(method, z)
        theta, psi = z + self.h * np.array(method.field(*ahead))
        return np.array([theta, method.project(psi)])

    def matrix(self, jacobian: np.ndarray, split: int = 1) -> np.ndarray:
        a, one = self.h * jacobian, np.eye(len(jacobian))
        return one + a + a @ a


class Optimistic(Step):
    """z' = z + 2 h v(z) - h v(z_before):  M = [[I + 2 h J, -h J], [I, 0]] on (z, z_before).

    The first step has z_before = z, which makes it a simultaneous one.
    """

    def begin(self, z: np.ndarray) -> np.ndarray:
        return np.concatenate([z, z])

    @QUIET
    def __call__(self, method: Field, z: np.ndarray) -> np.ndarray:
        now, before = z[:2], z[2:]
        v, v_before = np.array(method.field(*now)), np.array(method.field(*before))
        theta, psi = now + self.h * (2 * v - v_before)
        return np.array([theta, method.project(psi), *now])

    def matrix(self, jacobian: np.ndarray, split: int = 1) -> np.ndarray:
        a, one = self.h * jacobian, np.eye(len(jacobian))
        return np.block([[one + 2 * a, -a], [one, np.zeros_like(one)]])


class LookaheadRounds(Step):
    """z' = (1 - a) z + a B^k z: `every` = k steps of an inner rule B, then back by 1 - a.

    One call is a whole round, so a contraction is one per k inner steps.

    Parameters
    ----------
    inner : the rule of the inner steps, with a learning rate of its own
    every : k >= 1
    fraction : a in (0, 1]
    """

    def __init__(self, inner: Step, *, every: Count = 5, fraction: PositiveShare = 0.5) -> None:
        super().__init__(inner.h)
        self.inner, self.every, self.fraction = inner, every, fraction

    def begin(self, z: np.ndarray) -> np.ndarray:
        return self.inner.begin(z)

    @QUIET
    def __call__(self, method: Field, z: np.ndarray) -> np.ndarray:
        ahead = z
        for _ in range(self.every):
            ahead = self.inner(method, ahead)
        return z + self.fraction * (ahead - z)

    def matrix(self, jacobian: np.ndarray, split: int = 1) -> np.ndarray:
        ahead = np.linalg.matrix_power(self.inner.matrix(jacobian, split), self.every)
        return (1 - self.fraction) * np.eye(len(ahead)) + self.fraction * ahead

    def __repr__(self) -> str:
        return f"LookaheadRounds({self.inner}, every={self.every}, fraction={self.fraction:g})"
