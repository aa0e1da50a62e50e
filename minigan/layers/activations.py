"""Elementwise activations: y = phi(x), dx = dy * phi'(x), and tangent dy = phi'(x) * dx.

The Jacobian is diagonal, so backward and tangent are the same product. Where phi' can be read off
the output, the cache is y (that is what a fused kernel keeps too); else it is x.

`second(cache)` is phi'', which the second-order sweep of a gradient penalty needs: when x moves
along x_dot, dx = dy * phi'(x) moves by dy * phi''(x) * x_dot.
"""

import numpy as np

from .. import kernels
from .base import Layer, real_number


class _Activation(Layer):
    """A layer whose second derivative is elementwise too: `second(cache)`, None for zero."""

    def curvature(self, dy, cache, x_dot):
        second = self.second(cache)
        return None if second is None else second * x_dot * dy


class LeakyReLU(_Activation):
    """y = x if x > 0 else s x, slope 0 <= s; phi' = 1 or s, phi'' = 0 (Maas et al. 2013).

    At x = 0 itself, where there is no derivative, phi' = s.
    """

    piecewise_linear = True

    def __init__(self, negative_slope=0.2):
        super().__init__()
        self.slope = real_number("LeakyReLU", "negative_slope", negative_slope, low=0)

    def forward(self, x, training=True):
        y = kernels.activate(self.as_input(x), kernels.LEAKY_RELU, self.slope)
        return y, y

    def backward_input(self, dy, y):
        return kernels.activate_backward(dy, y, kernels.LEAKY_RELU, self.slope)

    def tangent(self, dx, y):
        return kernels.activate_backward(dx, y, kernels.LEAKY_RELU, self.slope)

    def second(self, y):
        return None  # zero everywhere that it exists

    def __repr__(self):
        return f"LeakyReLU({self.slope:g})"


class ReLU(LeakyReLU):
    """y = max(x, 0): LeakyReLU with slope 0 (Nair and Hinton 2010)."""

    def __init__(self):
        super().__init__(0.0)

    def __repr__(self):
        return "ReLU()"


class Tanh(_Activation):
    """y = tanh x;  phi' = 1 - y^2,  phi'' = -2 y (1 - y^2)."""

    def forward(self, x, training=True):
        y = kernels.activate(self.as_input(x), kernels.TANH)
        return y, y

    def backward_input(self, dy, y):
        return kernels.activate_backward(dy, y, kernels.TANH)

    def tangent(self, dx, y):
        return kernels.activate_backward(dx, y, kernels.TANH)

    def second(self, y):
        return -2 * y * (1 - y * y)


class Sigmoid(_Activation):
    """y = 1 / (1 + exp(-x));  phi' = y (1 - y),  phi'' = y (1 - y) (1 - 2 y)."""

    def forward(self, x, training=True):
        y = kernels.activate(self.as_input(x), kernels.SIGMOID)
        return y, y

    def backward_input(self, dy, y):
        return kernels.activate_backward(dy, y, kernels.SIGMOID)

    def tangent(self, dx, y):
        return kernels.activate_backward(dx, y, kernels.SIGMOID)

    def second(self, y):
        return y * (1 - y) * (1 - 2 * y)


class Softplus(_Activation):
    """y = log(1 + exp x);  phi' = sigmoid(x),  phi'' = sigmoid(x) (1 - sigmoid(x))."""

    def forward(self, x, training=True):
        x = self.as_input(x)
        return kernels.softplus(x), x

    def backward_input(self, dy, x):
        return dy * kernels.sigmoid(x)

    def tangent(self, dx, x):
        return dx * kernels.sigmoid(x)

    def second(self, x):
        s = kernels.sigmoid(x)
        return s * (1 - s)


class SiLU(_Activation):
    """y = x s, s = sigmoid(x);  phi' = s (1 + x (1 - s)),  phi'' = s (1 - s) (2 + x (1 - 2 s)).

    (Elfwing et al. 2018; "swish" in Ramachandran et al. 2017.)
    """

    def forward(self, x, training=True):
        x = self.as_input(x)
        return kernels.silu(x), x

    def backward_input(self, dy, x):
        return kernels.silu_backward(dy, x)

    def tangent(self, dx, x):
        return kernels.silu_backward(dx, x)

    def second(self, x):
        s = kernels.sigmoid(x)
        return s * (1 - s) * (2 + x * (1 - 2 * s))


class Dropout(Layer):
    """y = x * m / (1 - p), m ~ Bernoulli(1 - p) drawn anew each training pass; y = x in evaluation.

    The scaling keeps E[y] = x (Srivastava et al. 2014). The cache is the scaled mask, so backward
    and tangent use the very mask of their forward pass: dx = dy * m / (1 - p). 0 <= p < 1.
    """

    piecewise_linear = True

    def __init__(self, p):
        super().__init__()
        self.p = real_number("Dropout", "p", p, low=0, high=1, open_high=True)

    def forward(self, x, training=True):
        x = self.as_input(x)
        if not training or self.p == 0:
            return x, None
        kept = self.rng.random(x.shape, np.float32) >= self.p
        mask = kept.astype(x.dtype) / (1 - self.p)
        return x * mask, mask

    def backward_input(self, dy, mask):
        return dy if mask is None else dy * mask

    def tangent(self, dx, mask):
        return dx if mask is None else dx * mask

    def curvature(self, dy, mask, x_dot):
        return None  # linear, once the mask is drawn

    def __repr__(self):
        return f"Dropout({self.p:g})"
