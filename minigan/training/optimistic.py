"""Optimistic optimizers: two times the present gradient minus the previous one.

On a game the gradient turns as the players move. 2 u_t - u_{t-1} is u_{t+1} guessed along a
straight line, so each player answers where the other is about to be (Daskalakis et al. 2018, arXiv
1711.00141). On the bilinear game, where plain steps spiral out, these converge: see `dirac`.
"""

import numpy as np

from .._checks import NotNegative
from ..optim import Adam, _Optimizer


class OptimisticSGD(_Optimizer):
    """theta = theta - lr (2 g_t - g_{t-1}),   g_0 = g_1: the first step is a plain one."""

    moments = ("before",)
    before: np.ndarray

    def __init__(self, lr: NotNegative = 1e-2) -> None:
        super().__init__(lr)

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        before = grad if self.steps == 1 else self.before
        theta -= self.lr * (2 * grad - before)
        self.before = grad.copy()


class OptimisticAdam(Adam):
    """theta = theta - lr (2 u_t - u_{t-1}),   u = m / (sqrt(v) + eps), m and v as in Adam

    u_0 = 0. Parameters as in `minigan.optim.Adam`.
    """

    moments: tuple[str, ...] = (*Adam.moments, "before")  # type: ignore[assignment]
    before: np.ndarray

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        t = self.steps
        self.first = self.beta1 * self.first + (1 - self.beta1) * grad
        self.second = self.beta2 * self.second + (1 - self.beta2) * grad**2
        m = self.first / (1 - self.beta1**t)
        v = self.second / (1 - self.beta2**t)
        u = m / (np.sqrt(v) + self.eps)
        theta -= self.lr * (2 * u - self.before)
        self.before = u
