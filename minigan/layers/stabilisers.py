"""Layers that stabilise training: instance noise, packing, discrete noise, features beside inputs.

See `minigan.stabilisers` for what each is for.
"""

import numpy as np

from .._checks import instance
from .base import Layer, StraightLayer, positive_int, real_number


class InstanceNoise(StraightLayer):
    """y = x + std e,  e ~ N(0, I) drawn anew each training pass; y = x in evaluation.

    As D's first layer it makes D compare p and q convolved with N(0, std^2 I). For std > 0 both
    convolutions have a density > 0 at each point, so D's optimum, the log of their ratio, is
    finite and has a gradient for G to follow; and they are equal only if p = q, so G's goal is as
    before (Sonderby et al. 2017; Arjovsky and Bottou 2017). dx = dy: the noise does not depend on
    x. R1 and R2 are taken at the noisy samples. std >= 0, in the units of x; it may be changed
    between steps: see `Annealing`.
    """

    def __init__(self, std):
        super().__init__()
        self.std = real_number("InstanceNoise", "std", std, low=0)

    def forward(self, x, training=True):
        x = self.as_input(x)
        if not training or self.std == 0:
            return x, None
        return x + x.dtype.type(self.std) * self.rng.standard_normal(x.shape, x.dtype), None

    def backward_input(self, dy, cache):
        return dy

    def tangent(self, dx, cache):
        return dx

    def __repr__(self):
        return f"InstanceNoise({self.std:g})"


class Pack(StraightLayer):
    """y_n = [x_n, x_n+1, ..., x_n+m-1], indices modulo N: D judges m samples at once (PacGAN)

    x (N, F), y (N, m F). For N >= m and independent samples each y_n is a draw from the product
    p^m (or q^m), so D judges *sets* of m: those of a generator that misses modes hold more samples
    of one mode than those of the data (Lin et al. 2018). The paper's packs are disjoint, N / m of
    them; these overlap, each sample being in m of them, so the loss has the same expectation and D
    gives one logit per sample, like any other D.

    backward: dx_n = sum over k of dy_n-k[k].  m = `samples` >= 1. The layer mixes samples: real and
    fake are judged apart, and a penalty on D's gradient is refused.
    """

    mixes_samples = True

    def __init__(self, samples):
        super().__init__()
        self.samples = positive_int("Pack", "samples", samples)

    def forward(self, x, training=True):
        x = self.as_input(x, 2)
        return self.tangent(x, None), None

    def backward_input(self, dy, cache):
        parts = np.split(dy, self.samples, axis=1)
        return sum(np.roll(part, k, axis=0) for k, part in enumerate(parts))

    def tangent(self, dx, cache):
        return np.concatenate([np.roll(dx, -k, axis=0) for k in range(self.samples)], axis=1)

    def __repr__(self):
        return f"Pack({self.samples})"


class DiscreteNoise(StraightLayer):
    """y = [sign(x_1), ..., sign(x_k), x_k+1, ...]: k of the noise values become fair coins, +-1.

    x (N, F), y (N, F). A continuous G maps connected noise to connected samples, so it puts some
    between two modes, and the more the smaller its Lipschitz constant (Tanielian et al. 2020
    bound how many). With k = `signs` coins the noise has 2^k separate parts: each can be mapped to
    a mode of its own, with no samples between.

    A sign does not change with a small change of x (but at 0): dx = dy for the values that pass
    unchanged, 0 for the coins.
    signs >= 0. Raises ValueError for an input with fewer features.
    """

    def __init__(self, signs):
        super().__init__()
        self.signs = positive_int("DiscreteNoise", "signs", signs, minimum=0)

    def forward(self, x, training=True):
        x = self.as_input(x, 2)
        if x.shape[1] < self.signs:
            raise ValueError(f"{self}: expected at least {self.signs} features, got {x.shape[1]}")
        y = x.copy()
        y[:, : self.signs] = np.where(x[:, : self.signs] < 0, -1, 1)
        return y, None

    def backward_input(self, dy, cache):
        return self.tangent(dy, cache)

    def tangent(self, dx, cache):
        dy = dx.copy()
        dy[:, : self.signs] = 0
        return dy

    def __repr__(self):
        return f"DiscreteNoise({self.signs})"


class WithInput(Layer):
    """y = [x, f(x)]: the output of a layer f beside its input x.

    Fourier features are bounded and periodic along each frequency: far from the data they look as
    they do near it. A D that sees nothing else has no gradient that leads distant fakes back to the
    data; with x beside the features it can have one.

    x (N, F), y (N, F + outputs of f).  backward: dx = dy_x + backward of f, dy_f.
    """

    def __init__(self, layer):
        super().__init__()
        self.children = {"layer": instance("WithInput", "layer", layer, Layer)}
        self.mixes_samples = layer.mixes_samples

    @property
    def inner(self):
        return self.children["layer"]

    def forward(self, x, training=True):
        x = self.as_input(x, 2)
        y, cache = self.inner.forward(x, training)
        return np.concatenate([x, y], axis=1), (x.shape[1], cache)

    def backward_input(self, dy, cache):
        width, inner = cache
        return dy[:, :width] + self.inner.backward_input(dy[:, width:], inner)

    def backward_params(self, dy, cache):
        width, inner = cache
        self.inner.backward_params(dy[:, width:], inner)

    def tangent(self, dx, cache):
        return np.concatenate([dx, self.inner.tangent(dx, cache[1])], axis=1)

    def curvature(self, dy, cache, x_dot):
        width, inner = cache
        return self.inner.curvature(dy[:, width:], inner, x_dot)

    def __repr__(self):
        return f"WithInput({self.inner!r})"
