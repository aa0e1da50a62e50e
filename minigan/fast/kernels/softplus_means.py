"""The mean of softplus(z) or softplus(-z), and its gradient: see `minigan.losses`."""

import math

import numpy as np

from .cache import cached_njit
from .calls import compiled_call
from .nonlinear import as_type_of, exp_of_negative

__all__ = ["mean_softplus"]


@compiled_call
def mean_softplus(z, sign):
    """(mean softplus(s z), s sigmoid(s z) / N) for a sign s of 1 or -1 and N numbers."""
    slopes = np.empty_like(z)
    return _mean_softplus(z.reshape(-1), z.dtype.type(sign), slopes.reshape(-1)), slopes


@cached_njit(error_model="numpy")
def _mean_softplus(z, sign, slopes):
    total, one, zero = 0.0, as_type_of(sign, 1), as_type_of(sign, 0)
    scale = sign / as_type_of(sign, z.size)
    for i in range(z.size):
        slopes[i] = exp_of_negative(-abs(z[i]))  # in [0, 1]: nothing overflows
    for i in range(z.size):
        signed, small = sign * z[i], slopes[i]
        total += (signed if signed > 0 else zero) + math.log1p(small)
        slopes[i] = scale * ((one if signed >= 0 else small) / (one + small))
    return total / z.size
