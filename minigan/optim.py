"""Optimizers: each moves a flat parameter vector theta against its gradient g, in place.

    optimizer.step(theta, grad)

An optimizer sees one vector and its gradient, no layers. Its moments have the shape of theta and
are made at the first step; `lr` may be changed between steps (see `minigan.schedules`).
"""

import numpy as np

from . import backend
from ._checks import FLOATS, shown
from .layers.base import positive_eps, real_number


class _Optimizer:
    """Checks theta and grad, makes the moments at the first step, counts the steps."""

    moments: tuple[str, ...] = ()  # names of the arrays kept between steps

    def __init__(self, lr: float) -> None:
        self.lr = real_number(type(self).__name__, "lr", lr, low=0)
        self.steps = 0
        self._theta: np.ndarray | None = None  # the vector of the last step

    @np.errstate(under="ignore")  # a result that is too small is 0, and no error
    def step(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """One update of theta, in place. Raises TypeError or ValueError, theta unchanged, unless
        both are vectors of one floating-point dtype, theta writeable and the one seen before."""
        name = type(self).__name__
        for label, array in (("theta", theta), ("grad", grad)):
            if not isinstance(array, np.ndarray) or array.dtype not in FLOATS:
                raise TypeError(
                    f"{name}: {label} must be a float32 or float64 array, got {shown(array)}"
                )
        if theta.ndim != 1 or grad.shape != theta.shape or grad.dtype != theta.dtype:
            raise ValueError(
                f"{name}: theta and grad must be vectors of one size and dtype, got "
                f"{theta.shape} {theta.dtype} and {grad.shape} {grad.dtype}"
            )
        if not theta.flags.writeable:
            raise ValueError(f"{name}: theta is read-only, so it cannot be moved in place")
        if self.steps and self.moments and getattr(self, self.moments[0]).shape != theta.shape:
            raise ValueError(f"{name}: theta had another size before; use one optimizer each")
        if theta is not self._theta and not self.serves(theta):
            raise ValueError(
                f"{name}: theta is another vector than in the steps before; make an optimizer for "
                "each network"
            )
        if self.steps == 0:
            for moment in self.moments:
                setattr(self, moment, np.zeros_like(theta))
        self.steps += 1
        self._theta = theta
        update = backend.update(self) or self.update
        update(theta, grad)

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """The formula of the class, in place."""
        raise NotImplementedError

    def serves(self, theta: np.ndarray) -> bool:
        """Whether this vector is the one that was moved before, or may take its place: a network
        that was put into another leaves its old vector read-only."""
        last = self._theta
        if last is None or not last.flags.writeable:
            return True
        return theta.ctypes.data == last.ctypes.data and theta.shape == last.shape

    def __getstate__(self):
        """For copy.deepcopy and pickle: a copy is of the optimizer, not of the network."""
        return vars(self) | {"_theta": None}

    def __repr__(self) -> str:
        left_out = {"steps", "_theta", *self.moments}
        options = [f"{k}={v:g}" for k, v in vars(self).items() if k not in left_out]
        return f"{type(self).__name__}({', '.join(options)})"


class SGD(_Optimizer):
    """velocity = momentum velocity + g
    theta    = theta - lr velocity             (Polyak 1964)

    lr >= 0, 0 <= momentum < 1.
    """

    moments = ("velocity",)
    velocity: np.ndarray

    def __init__(self, lr: float = 1e-2, momentum: float = 0.0) -> None:
        super().__init__(lr)
        self.momentum = real_number("SGD", "momentum", momentum, low=0, high=1, open_high=True)

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

    def __init__(self, lr: float = 1e-3, *, decay: float = 0.9, eps: float = 1e-8) -> None:
        super().__init__(lr)
        self.decay = real_number("RMSProp", "decay", decay, low=0, high=1, open_high=True)
        self.eps = positive_eps("RMSProp", eps)

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        self.square = self.decay * self.square + (1 - self.decay) * grad**2
        theta -= self.lr * grad / (np.sqrt(self.square) + self.eps)


class Adam(_Optimizer):
    """first  = beta1 first  + (1 - beta1) g
    second = beta2 second + (1 - beta2) g^2
    theta  = theta - lr m / (sqrt(v) + eps),
             m = first / (1 - beta1^t),  v = second / (1 - beta2^t),  t = 1, 2, ...

    The moments start from zero and so begin too small; the division by 1 - beta^t, t the number of
    the step, corrects them (Kingma and Ba 2015). lr >= 0, 0 <= beta1, beta2 < 1, eps > 0. The
    defaults are those GANs are usually trained with (Radford et al. 2016): beta1 = 0.5, not 0.9.
    """

    moments = ("first", "second")
    first: np.ndarray
    second: np.ndarray

    def __init__(
        self, lr: float = 2e-4, beta1: float = 0.5, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        super().__init__(lr)
        self.beta1 = real_number("Adam", "beta1", beta1, low=0, high=1, open_high=True)
        self.beta2 = real_number("Adam", "beta2", beta2, low=0, high=1, open_high=True)
        self.eps = positive_eps("Adam", eps)

    def update(self, theta: np.ndarray, grad: np.ndarray) -> None:
        t = self.steps
        self.first = self.beta1 * self.first + (1 - self.beta1) * grad
        self.second = self.beta2 * self.second + (1 - self.beta2) * grad**2
        m = self.first / (1 - self.beta1**t)
        v = self.second / (1 - self.beta2**t)
        theta -= self.lr * m / (np.sqrt(v) + self.eps)
