"""The layers of a conditional game.

Each reads a class as the place of the largest of the last K values of a row. A small change of x
does not move that place, so the derivative in the code is zero: exactly, and almost everywhere.
"""

import numpy as np

from .._checks import flag, instance, shown
from .base import Layer, StraightLayer, positive_int, real_number, sizes
from .composite import Composite


class OneHot(StraightLayer):
    """y = [x_1, ..., x_F-K, scale e_k],  k = argmax of the last K values: noise becomes a class.

    x (N, F), y (N, F). Of K independent normal values each is the largest equally often, so plain
    noise N(0, I) asks for every class with probability 1 / K; and a one-hot code in these places
    asks for the class that it is: see `ask`.

    dx = dy where x passes through, 0 at the code.  K = `classes` >= 2, scale > 0.
    Raises ValueError for an input of fewer than K features.
    """

    def __init__(self, classes, *, scale=1.0):
        super().__init__()
        self.classes = positive_int("OneHot", "classes", classes, minimum=2)
        self.scale = real_number("OneHot", "scale", scale, low=0, open_low=True)

    def forward(self, x, training=True):
        x = _rows(self, x, self.classes)
        y = x.copy()
        y[:, -self.classes :] = self.scale * one_hot(read(x, self.classes), self.classes)
        return y, None

    def backward_input(self, dy, cache):
        return self.tangent(dy, cache)

    def tangent(self, dx, cache):
        dy = dx.copy()
        dy[:, -self.classes :] = 0
        return dy

    def __repr__(self):
        scale = "" if self.scale == 1 else f", scale={self.scale:g}"
        return f"OneHot({self.classes}{scale})"


class Carry(Composite):
    """y = [f(x), c],  c the last `width` values of x: what f makes of a row, the code beside it.

    x (N, F), y (N, outputs of f + width), the outputs of f flattened. f is shown x without c (a
    discriminator looks at pixels alone); with whole=True, all of x (a generator looks at z and c).

    backward, dy = [df, dc]: dx = backward of f, df; dc is added where c stands
    tangent and curvature: those of f; c is carried along, and does not curve

    Raises TypeError if f is not a layer, ValueError for an input of `width` features or fewer.
    """

    def __init__(self, layer, width, *, whole=False):
        super().__init__({"layer": instance("Carry", "layer", layer, Layer)})
        self.width = positive_int("Carry", "width", width)
        self.whole = flag("Carry", "whole", whole)
        self.dtype = layer.dtype

    @property
    def inner(self):
        return self.children["layer"]

    def forward(self, x, training=True):
        x = _rows(self, x, self.width + 1)
        y, inner = self.inner.forward(self.seen(x), training)
        return self.beside(y, x), (inner, y.shape)

    def backward_input(self, dy, cache):
        inner, shape = cache
        df, dc = self.parts(dy, shape)
        return self.join(self.inner.backward_input(df, inner), dc)

    def backward_params(self, dy, cache):
        inner, shape = cache
        self.inner.backward_params(self.parts(dy, shape)[0], inner)

    def backward(self, dy, cache):
        inner, shape = cache
        df, dc = self.parts(dy, shape)
        return self.join(self.inner.backward(df, inner), dc)

    def tangent(self, dx, cache):
        return self.beside(self.inner.tangent(self.seen(dx), cache[0]), dx)

    def curvature(self, dy, cache, x_dot):
        inner, shape = cache
        df, _ = self.parts(dy, shape)
        dx_dot = self.inner.curvature(df, inner, self.seen(x_dot))
        return None if dx_dot is None else self.join(dx_dot, np.zeros_like(x_dot[:, -self.width :]))

    def seen(self, x):
        """What f is shown of x."""
        return x if self.whole else x[:, : -self.width]

    def beside(self, y, x):
        """[y flattened, c]."""
        return np.concatenate([y.reshape(len(y), -1), x[:, -self.width :]], axis=1)

    def parts(self, dy, shape):
        """dy as df, in the shape of f's output, and dc."""
        return dy[:, : -self.width].reshape(shape), dy[:, -self.width :]

    def join(self, dx, dc):
        """dx of f with dc where c stands."""
        if not self.whole:
            return np.concatenate([dx, dc], axis=1)
        dx = dx.copy()
        dx[:, -self.width :] += dc
        return dx

    def __repr__(self):
        return f"Carry({self.inner}, {self.width}{', whole=True' if self.whole else ''})"


class Projection(StraightLayer):
    """y = s + e_k,  x = [s, e_1 ... e_K, c],  k = argmax c: a logit for the class in question.

    x (N, 1 + 2 K), y (N, 1). Behind Carry(f, K), f ending in Linear(F, 1 + K) on features h, it is
    the projection discriminator of Miyato and Koyama (2018), D(h, k) = w.h + b + <E_k, h>: w is the
    first column of the weight, E_k the column of class k. (Here a class has a bias of its own, too.
    It takes up the log ratio of how often the class is real and fake, which the paper leaves out.)
    K = `classes` >= 2.

    backward: dx = dy at s and at e_k, 0 elsewhere.
    """

    def __init__(self, classes):
        super().__init__()
        self.classes = positive_int("Projection", "classes", classes, minimum=2)

    def forward(self, x, training=True):
        x = self.as_input(x, 2, 1 + 2 * self.classes)
        place = 1 + read(x, self.classes)
        return self.tangent(x, place), place

    def backward_input(self, dy, place):
        dx = np.zeros((len(dy), 1 + 2 * self.classes), dy.dtype)
        dx[:, :1] = dy
        dx[np.arange(len(dy)), place] = dy[:, 0]
        return dx

    def tangent(self, dx, place):
        return dx[:, :1] + np.take_along_axis(dx, place[:, None], axis=1)

    def __repr__(self):
        return f"Projection({self.classes})"


class LabelPlanes(StraightLayer):
    """y = the image of a labelled row, with K more channels: 1 in that of its class, 0 in others.

    x (N, H W C + K), y (N, H, W, C + K); shape = (H, W, C), K = `classes` >= 2. So the first
    convolution adds a number of its own for each class (Mirza and Osindero 2014).

    backward: dx = dy of the C channels, flattened; 0 at the code.
    """

    def __init__(self, shape, classes):
        super().__init__()
        self.shape = sizes("LabelPlanes", "shape", shape)
        if len(self.shape) != 3:
            raise ValueError(f"LabelPlanes: shape must be (H, W, C), got {shown(shape)}")
        self.classes = positive_int("LabelPlanes", "classes", classes, minimum=2)

    def forward(self, x, training=True):
        x = self.as_input(x, 2, int(np.prod(self.shape)) + self.classes)
        y = self.tangent(x, None)
        code = one_hot(read(x, self.classes), self.classes)
        y[..., self.shape[-1] :] = code[:, None, None]
        return y, None

    def backward_input(self, dy, cache):
        pixels = dy[..., : self.shape[-1]].reshape(len(dy), -1)
        return np.concatenate([pixels, np.zeros((len(dy), self.classes), dy.dtype)], axis=1)

    def tangent(self, dx, cache):
        height, width, channels = self.shape
        dy = np.zeros((len(dx), height, width, channels + self.classes), dx.dtype)
        dy[..., :channels] = dx[:, : -self.classes].reshape(-1, *self.shape)
        return dy

    def __repr__(self):
        return f"LabelPlanes({self.shape}, {self.classes})"


def read(x, classes):
    """The class of each row, (N,)."""
    return x[:, -classes:].argmax(axis=1)


def one_hot(labels, classes):
    return np.eye(classes, dtype=np.float32)[labels]


def _rows(layer, x, fewest):
    x = layer.as_input(x, 2)
    if x.shape[1] < fewest:
        raise ValueError(f"{layer}: expected at least {fewest} features, got {x.shape[1]}")
    return x
