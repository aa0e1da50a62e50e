"""Stabilisers: instance noise, packing, smoothed labels, discrete noise, annealing.

    InstanceNoise(std)       a layer, first in D: real and fake samples are blurred alike
    Pack(samples)            a layer, first in D: D judges several samples at once (PacGAN)
    DiscreteNoise(signs)     a layer, first in G: some of the noise values become their signs
    WithInput(layer)         a layer in D: Fourier features with the samples themselves beside them
    OneSidedSmoothing(label) a loss: the non-saturating one with a softer label for the real samples
    Annealing(...)           a callback of `minigan.train`: from coarse to fine

None needs a change in `GAN`: four are ordinary layers, so a whole step with them can be checked by
`minigan.gradcheck.check_step`. The running average of G is `minigan.Average`, schedules of the
learning rates are in `minigan.schedules`.
"""

import numpy as np

from .checks import instance, part, shown
from .layers.activations import sigmoid, softplus
from .layers.base import Layer, StraightLayer, positive_int, real_number
from .losses import NonSaturating, _logits, _mean
from .schedules import exponential


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


class OneSidedSmoothing(NonSaturating):
    """The non-saturating game with the label a < 1 for real samples, fakes' left at 0.

    L_D = mean [a softplus(-r) + (1 - a) softplus(r)] + mean softplus(f)
                                        dL_D/dr = (sigmoid(r) - a) / N,  dL_D/df = sigmoid(f) / N
    L_G as in NonSaturating

    At the optimum sigmoid(D) = a p / (p + q), which is at most a: for a < 1 the optimal logit stays
    finite where there are no fakes. Smoothing the fakes' label too would put q into the numerator,
    and reward fakes for staying where they are (Salimans et al. 2016, sec. 3.4).
    0 < a <= 1; the paper's is 0.9.
    """

    def __init__(self, label=0.9):
        self.label = real_number("OneSidedSmoothing", "label", label, low=0, high=1, open_low=True)

    def discriminator(self, real_logits, fake_logits):
        real, fake = _logits(real_logits, fake_logits)
        a = self.label
        with np.errstate(under="ignore"):  # far logits: an underflow to zero is no error
            value = _mean(a * softplus(-real) + (1 - a) * softplus(real)) + _mean(softplus(fake))
            return value, (sigmoid(real) - a) / real.size, sigmoid(fake) / fake.size

    def generator(self, real_logits, fake_logits):
        with np.errstate(under="ignore"):
            return super().generator(real_logits, fake_logits)

    def __repr__(self):
        return f"OneSidedSmoothing({self.label:g})"


class Annealing:
    """From coarse to fine: blur(t) = coarse (fine / coarse)^(t / until), constant from t = until.

    noise     : an `InstanceNoise`, whose std follows the blur; or None, for penalties alone
    penalties : R1 or R2; their gamma = strength * blur follow too
    coarse, fine : the first and the last blur, in the units of the samples, both > 0
    steps     : of the whole training;  until in (0, 1]
    strength  : >= 0

    Idea: with a large blur the data have one mode; as the blur shrinks below the distance of the
    modes they separate, where G has samples already. Both penalties are 0 where D is constant, as
    the optimal D is at p = q (its gradients there are 0): they do not move that equilibrium. Away
    from it, R1 smooths D over distances of about sqrt(gamma), so gamma has to fall as well.

    The constructor sets the first values; pass the object to `minigan.train` as `callback`.
    """

    def __init__(self, noise, penalties=(), *, coarse, fine, steps, until=0.8, strength=1.0):
        name = type(self).__name__
        self.noise = None if noise is None else instance(name, "noise", noise, InstanceNoise)
        if not isinstance(penalties, tuple | list):
            raise TypeError(f"{name}: penalties must be a list, got {shown(penalties)}")
        self.penalties = tuple(
            part(name, "penalties", each, "gamma", "R1 or R2") for each in penalties
        )
        self.coarse = real_number(name, "coarse", coarse, low=0, open_low=True)
        fine = real_number(name, "fine", fine, low=0, open_low=True)
        self.steps = positive_int(name, "steps", steps)
        self.until = real_number(name, "until", until, low=0, high=1, open_low=True)
        self.strength = real_number(name, "strength", strength, low=0)
        self.factor = exponential(final=fine / self.coarse)
        self._set(0.0)

    def __repr__(self):
        fine = self.coarse * self.factor(1.0)
        return f"Annealing(coarse={self.coarse:g}, fine={fine:g}, steps={self.steps})"

    def __call__(self, step, gan, figures):
        self._set(step / self.steps)

    def _set(self, t):
        blur = self.coarse * self.factor(min(1.0, t / self.until))
        if self.noise is not None:
            self.noise.std = blur
        for penalty in self.penalties:
            penalty.gamma = self.strength * blur
