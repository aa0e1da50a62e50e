"""Compiled counterparts of the cross-entropy losses: value and gradient in one pass."""

from collections.abc import Callable
from inspect import unwrap as as_defined
from typing import Any

import numpy as np

from .. import losses
from .._checks import FLOATS
from .edited import edited
from .kernels.softplus_means import mean_softplus


def loss(method: Callable[..., Any]) -> Callable[..., Any] | None:
    """The compiled counterpart of a method of a loss, given without its checks; or None."""
    compiled = _COUNTERPARTS.get(method)
    if compiled is None or edited(losses.__name__):
        return None

    def run(loss, real, fake):
        fits = real.dtype in FLOATS and fake.dtype in FLOATS
        return (compiled if fits else method)(loss, real, fake)

    return run


def _discriminator(loss, real, fake):
    on_real, d_real = mean_softplus(real, -1)
    on_fake, d_fake = mean_softplus(fake, 1)
    return on_real + on_fake, d_real, d_fake


def _generator(loss, real, fake):
    value, d_fake = mean_softplus(fake, -1)
    return value, np.zeros_like(real), d_fake


_COUNTERPARTS = {
    as_defined(losses.Minimax.discriminator): _discriminator,
    as_defined(losses.NonSaturating.generator): _generator,
}
