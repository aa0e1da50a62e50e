"""Optimizers: each moves a flat parameter vector theta against its gradient g, in place.

    optimizer.step(theta, grad)

An optimizer sees one vector and its gradient, no layers. Its moments have the shape of theta and
are made at the first step; `lr` may be changed between steps (see `minigan.schedules`).
"""

import numpy as np

from . import _checks as checks
from . import backend
from ._checks import Decay, Epsilon, NotNegative


class _Optimizer(checks.CheckedConstructors):
    """Checks theta and grad, makes the moments at the first step, counts the steps."""

    moments: tuple[str, ...] = ()  # names of the arrays kept between steps

    def __init__(self, lr: NotNegative) -> None:
        self.lr, self.steps = lr, 0
        self._theta: np.ndarray | None = None  # the vector of the last step

    @np.errstate(under="ignore")  # a result that is too small is 0, and no error
    def step(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """One update of theta, in place. Raises TypeError or ValueError, theta unchanged, unless
        both are vectors of one floating-point dtype, theta writeable and the one seen before."""
        checks.theta_and_grad(self, theta, grad)
        if self.steps == 0:
            vars(self).update({name: np.zeros_like(theta) for name in self.moments})
        self.steps += 1
        self._theta = theta
        (backend.update(self) or self.update)(theta, grad)

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """The formula of the class, in place."""
        raise NotImplementedError

    def __getstate__(self):
        """For copy.deepcopy and pickle: a copy is of the optimizer, not of the network."""
        return vars(self) | {"_theta": None}

    def __repr__(self) -> str:
        kept = {k: v for k, v in vars(self).items() if k not in ("steps", "_theta", *self.moments)}
        return f"{type(self).__name__}({', '.join(f'{k}={v:g}' for k, v in kept.items())})"


class SGD(_Optimizer):
    """velocity = momentum velocity + g
    theta    = theta - lr velocity             (Polyak 1964)

    lr >= 0, 0 <= momentum < 1.
    """

    moments = ("velocity",)
    velocity: np.ndarray

    def __init__(self, lr: NotNegative = 1e-2, momentum: Decay = 0.0) -> None:
        super().__init__(lr)
        self.momentum = momentum

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        self.velocity = self.momentum * self.velocity + grad
        theta -= self.lr * self.velocity


class RMSProp(_Optimizer):
    """square = decay square + (1 - decay) g^2
    theta  = theta - lr g / (sqrt(square) + eps)        (Tieleman and Hinton 2012)

    lr >= 0, 0 <= decay < 1, eps > 0. WGAN uses lr = 5e-5.
    """

    moments = ("square",)
    square: np.ndarray

    def __init__(self, lr: NotNegative = 1e-3, *, decay: Decay = 0.9, eps: Epsilon = 1e-8) -> None:
        super().__init__(lr)
        self.decay, self.eps = decay, eps

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        self.square = self.decay * self.square + (1 - self.decay) * grad**2
        theta -= self.lr * grad / (np.sqrt(self.square) + self.eps)


class Adam(_Optimizer):
    """first  = beta1 first  + (1 - beta1) g
    second = beta2 second + (1 - beta2) g^2
    theta  = theta - lr m / (sqrt(v) + eps),
             m = first / (1 - beta1^t),  v = second / (1 - beta2^t),  t = 1, 2, ...

    The moments start from zero and so begin too small: first_t = (1 - beta) sum_s beta^(t-s) g_s,
    and these weights add up to 1 - beta^t, so E[first_t] = (1 - beta^t) E[g] for a steady g. The
    division by 1 - beta^t corrects that (Kingma and Ba 2015).

    lr >= 0, 0 <= beta1, beta2 < 1, eps > 0. The defaults are those GANs are usually trained with
    (Radford et al. 2016): beta1 = 0.5, not 0.9.
    """

    moments = ("first", "second")
    first: np.ndarray
    second: np.ndarray

    def __init__(
        self, lr: NotNegative = 2e-4, beta1: Decay = 0.5, beta2: Decay = 0.999, eps: Epsilon = 1e-8
    ) -> None:
        super().__init__(lr)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        t = self.steps
        self.first = self.beta1 * self.first + (1 - self.beta1) * grad
        self.second = self.beta2 * self.second + (1 - self.beta2) * grad**2
        m = self.first / (1 - self.beta1**t)
        v = self.second / (1 - self.beta2**t)
        theta -= self.lr * m / (np.sqrt(v) + self.eps)
