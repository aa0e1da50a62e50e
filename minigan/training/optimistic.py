"""Optimistic optimizers: the step just made is taken back, and the present one made twice.

On a game the gradient turns as the players move. 2 u_t - u_{t-1} is u_{t+1} guessed along a
straight line, so each player answers where the other is about to be (Daskalakis et al. 2018, arXiv
1711.00141). On the bilinear game, where plain steps spiral out, these converge: see `dirac`.
"""

import numpy as np

from ..layers.base import positive_eps, real_number
from ..optim import _Optimizer


class OptimisticSGD(_Optimizer):
    """theta = theta - lr (2 g_t - g_{t-1}),   g_0 = g_1: the first step is a plain one."""

    moments = ("before",)
    before: np.ndarray

    def __init__(self, lr: float = 1e-2) -> None:
        super().__init__(lr)

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        before = grad if self.steps == 1 else self.before
        theta -= self.lr * (2 * grad - before)
        self.before = grad.copy()


class OptimisticAdam(_Optimizer):
    """theta = theta - lr (2 u_t - u_{t-1}),   u = m / (sqrt(v) + eps), m and v as in Adam

    u_0 = 0. Parameters as in `minigan.optim.Adam`.
    """

    moments = ("first", "second", "before")
    first: np.ndarray
    second: np.ndarray
    before: np.ndarray

    def __init__(
        self, lr: float = 2e-4, beta1: float = 0.5, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        super().__init__(lr)
        self.beta1 = real_number("OptimisticAdam", "beta1", beta1, low=0, high=1, open_high=True)
        self.beta2 = real_number("OptimisticAdam", "beta2", beta2, low=0, high=1, open_high=True)
        self.eps = positive_eps("OptimisticAdam", eps)

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        t = self.steps
        self.first = self.beta1 * self.first + (1 - self.beta1) * grad
        self.second = self.beta2 * self.second + (1 - self.beta2) * grad**2
        m = self.first / (1 - self.beta1**t)
        v = self.second / (1 - self.beta2**t)
        u = m / (np.sqrt(v) + self.eps)
        theta -= self.lr * (2 * u - self.before)
        self.before = u
