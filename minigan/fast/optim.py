"""Compiled counterparts of the optimizers' updates, and the norm of a flat vector."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..optim import SGD, Adam, RMSProp
from .as_written import as_written, remember
from .kernels.updates import adam_update, rmsprop_update, sgd_update
from .kernels.vectors import dot


def update(optimizer: Any) -> Callable[..., Any] | None:
    """A compiled update(theta, grad) for an optimizer of `minigan.optim`. None for any other class,
    subclasses included, and for an optimizer whose `update` was replaced or edited."""
    compiled = _UPDATES.get(type(optimizer))
    if compiled is None or not as_written(optimizer):
        return None

    def move(theta, grad):
        arrays = theta, grad, *(getattr(optimizer, name) for name in optimizer.moments)
        plain = all(v.flags.c_contiguous and v.dtype == theta.dtype for v in arrays)
        (compiled if plain else type(optimizer).update)(optimizer, theta, grad)

    return move


def norm(vector: np.ndarray) -> float:
    """The Euclidean length of a flat vector."""
    return math.sqrt(dot(vector, vector))


def _sgd(o, theta, grad):
    sgd_update(theta, grad, o.velocity, o.lr, o.momentum)


def _rmsprop(o, theta, grad):
    rmsprop_update(theta, grad, o.square, o.lr, o.decay, o.eps)


def _adam(o, theta, grad):
    adam_update(theta, grad, o.first, o.second, o.steps, o.lr, o.beta1, o.beta2, o.eps)


_UPDATES = {SGD: _sgd, RMSProp: _rmsprop, Adam: _adam}
remember(_UPDATES, "update")
