"""Historical averaging: each player is also drawn to the mean of its own past parameters.

A player's cost gets the term  weight |theta - mean|^2,  mean = (theta_1 + ... + theta_t) / t  over
the steps so far, held; its gradient is 2 weight (theta - mean). On a circle about the equilibrium
the mean is near the middle, so the term pulls inwards (Salimans et al. 2016, sec. 3.3, arXiv
1606.03498). It acts on theta alone, so the optimizer is where it belongs.
"""

import numpy as np

from .._checks import Decay, Epsilon, NotNegative
from ..optim import SGD, Adam


class HistoricalSGD(SGD):
    """SGD down g + 2 weight (theta - mean). Parameters as in `SGD`, and weight >= 0."""

    moments: tuple[str, ...] = (*SGD.moments, "mean")  # type: ignore[assignment]
    mean: np.ndarray

    def __init__(
        self, lr: NotNegative = 1e-2, momentum: Decay = 0.0, *, weight: NotNegative = 1e-3
    ) -> None:
        super().__init__(lr, momentum)
        self.weight = weight

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        self.mean += (theta - self.mean) / self.steps
        super().update(theta, grad + 2 * self.weight * (theta - self.mean))


class HistoricalAdam(Adam):
    """Adam down g + 2 weight (theta - mean). Parameters as in `Adam`, and weight >= 0."""

    moments: tuple[str, ...] = (*Adam.moments, "mean")  # type: ignore[assignment]
    mean: np.ndarray

    def __init__(
        self, lr: NotNegative = 2e-4, beta1: Decay = 0.5, beta2: Decay = 0.999, eps: Epsilon = 1e-8,
        *, weight: NotNegative = 1e-3,
    ) -> None:  # fmt: skip
        super().__init__(lr, beta1, beta2, eps)
        self.weight = weight

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        self.mean += (theta - self.mean) / self.steps
        super().update(theta, grad + 2 * self.weight * (theta - self.mean))
