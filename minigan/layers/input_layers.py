"""Layers for the input of a network: instance noise, packing, discrete noise, features.

They are meant to stabilise training: see `minigan.stabilisers`.
"""

from typing import Any

import numpy as np

from .._checks import Count, CountOrZero, NotNegative
from .base import Layer, PiecewiseLinearLayer


class InstanceNoise(PiecewiseLinearLayer):
    """y = x + std e,  e ~ N(0, I) drawn anew in each training pass; y = x in evaluation.

    As D's first layer it makes D compare p and q convolved with N(0, std^2 I). For std > 0 both
    convolutions have a density > 0 everywhere, so the optimal D, the log of their ratio, is finite
    and has a gradient for G to follow. They are equal only if p = q, so G's goal is unchanged
    (Sonderby et al. 2017; Arjovsky and Bottou 2017). R1 and R2 are taken at the noisy samples.

    backward: dx = dy, since the noise does not depend on x.

    Parameters
    ----------
    std : >= 0, in the units of x; it may be changed between steps (see `Annealing`)
    """

    def __init__(self, std: NotNegative) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.as_input(x)
        if not training or self.std == 0:
            return x, None
        return x + x.dtype.type(self.std) * self.rng.standard_normal(x.shape, np.float32), None

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return dy

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        return x_dot

    def __repr__(self) -> str:
        return f"InstanceNoise({self.std:g})"


class Pack(PiecewiseLinearLayer):
    """y_n = [x_n, x_n+1, ..., x_n+m-1], indices modulo N: D judges m samples at once (PacGAN)

    x (N, F), y (N, m F). For N >= m and independent samples each y_n is a draw from the product
    p^m (or q^m), so D judges *sets* of m: sets from a generator that misses modes hold more samples
    of one mode than sets from the data (Lin et al. 2018). The paper uses N / m disjoint packs. Here
    packs overlap, each sample is in m of them: the expected loss is the same, and D gives one logit
    per sample like any other D.

    backward: dx_n = sum over k of dy_n-k[k].  m = `samples` >= 1. The layer mixes samples: real and
    fake are judged in separate batches, and a penalty on D's gradient is refused.
    """

    def __init__(self, samples: Count) -> None:
        super().__init__()
        self.samples = samples
        self.mixes_samples = samples > 1

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.as_input(x, "N", "F")
        return self.tangent(x, None), None

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        parts = np.split(dy, self.samples, axis=1)
        return np.sum([np.roll(part, k, axis=0) for k, part in enumerate(parts)], axis=0)

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        return np.concatenate([np.roll(x_dot, -k, axis=0) for k in range(self.samples)], axis=1)

    def __repr__(self) -> str:
        return f"Pack({self.samples})"


class DiscreteNoise(PiecewiseLinearLayer):
    """y = [sign(x_1), ..., sign(x_k), x_k+1, ...]: k of the noise values become fair coins, +-1.

    x (N, F), y (N, F). A continuous G maps connected noise to connected samples, so it puts some
    samples between modes, more of them the smaller its Lipschitz constant (Tanielian et al. 2020
    give a bound). With k = `signs` coins the noise has 2^k separate parts, and each can be mapped
    to one mode, with no samples between modes.

    backward: dx = dy for the unchanged values, 0 for the coins: except at 0, a small change of x
    does not change its sign.  signs >= 0.

    Raises ValueError for an input with fewer than k features.
    """

    def __init__(self, signs: CountOrZero) -> None:
        super().__init__()
        self.signs = signs

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.as_input(x, "N", f">={self.signs}")
        y = x.copy()
        y[:, : self.signs] = np.where(x[:, : self.signs] < 0, -1, 1)
        return y, None

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self.tangent(dy, cache)

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        y_dot = x_dot.copy()
        y_dot[:, : self.signs] = 0
        return y_dot

    def __repr__(self) -> str:
        return f"DiscreteNoise({self.signs})"


class WithInput(Layer):
    """y = [x, f(x)]: the input x and the output of a layer f, concatenated.

    Fourier features are bounded and periodic, so far from the data they take the same values as
    near it. A D that gets nothing else has no gradient that leads distant fakes back to the data.
    With x as well as the features it can have one.

    x (N, F), y (N, F + outputs of f).  backward, dy = [dy_x, dy_f]: dx = dy_x + f's dx from dy_f.
    tangent: y_dot = [x_dot, f's y_dot].  curvature: f's, since x itself is copied.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.children = {"layer": layer}
        self.mixes_samples = layer.mixes_samples

    @property
    def inner(self) -> Layer:
        return self.children["layer"]

    def join(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The output, from x and y = f(x)."""
        return np.concatenate([x, y], axis=1)

    def split(self, dy: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
        """dy as (dy_x, dy_f), for x with `width` columns."""
        return dy[:, :width], dy[:, width:]

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.as_input(x, "N", "F")
        y, inner = self.inner.forward(x, training)
        return self.join(x, y), (x.shape[1], inner)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        width, inner = cache
        dy_x, dy_f = self.split(dy, width)
        return dy_x + self.inner.backward_input(dy_f, inner)

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        width, inner = cache
        self.inner.backward_params(self.split(dy, width)[1], inner)

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        return self.join(x_dot, self.inner.tangent(x_dot, cache[1]))

    def curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> np.ndarray | None:
        width, inner = cache
        return self.inner.curvature(self.split(dy, width)[1], inner, x_dot)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inner!r})"
