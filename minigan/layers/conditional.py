"""Layers of conditional GANs: the class of a sample is a code of K values at the end of its row.

The class is the index of the largest of these values. A small change of x does not change that
index, so the derivative with respect to the code is zero almost everywhere.
"""

from typing import Any

import numpy as np

from .._checks import Classes, Count, ImageShape, Positive
from .base import Layer, PiecewiseLinearLayer, flat_samples
from .composite import Composite
from .parameters import zeros


class OneHot(PiecewiseLinearLayer):
    """y = [x_1, ..., x_F-K, scale e_k],  k = argmax(last K values + b): noise becomes a class.

    x (N, F), y (N, F). Unless `learned`, b = 0: each of K independent normal values is equally
    likely to be the largest, so noise N(0, I) chooses every class with probability 1 / K. A one-hot
    code in their place then chooses its own class: see `ask`. With b it does so only where no two
    values of b differ by 1 or more.

    backward: dx = dy, but 0 at the code.

    Parameters
    ----------
    classes : K >= 2
    scale : the value at the chosen class, > 0
    learned : the layer has a buffer b, "offset" (K,), 0 at first: the greater b_k, the more often
        class k is chosen. It has no gradient; `stabilisers.LearnedPrior` changes it

    Raises ValueError for an input of fewer than K features.
    """

    def __init__(self, classes: Classes, *, scale: Positive = 1.0, learned: bool = False) -> None:
        super().__init__()
        self.classes, self.scale, self.learned = classes, scale, learned
        if learned:
            self.buffers["offset"] = zeros(classes)

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.as_input(x, "N", f">={self.classes}")
        y = x.copy()
        code = one_hot(self.chosen(x), self.classes)
        y[:, -self.classes :] = self.scale * code.astype(x.dtype)
        return y, None

    def backward_input(self, dy: np.ndarray, cache: None) -> np.ndarray:
        return self.tangent(dy, cache)

    def tangent(self, x_dot: np.ndarray, cache: None) -> np.ndarray:
        y_dot = x_dot.copy()
        y_dot[:, -self.classes :] = 0
        return y_dot

    def chosen(self, x: np.ndarray) -> np.ndarray:
        """The class k of each row of x, (N,)."""
        votes = x[:, -self.classes :] + self.buffers["offset"] if self.learned else x
        return class_of_code(votes, self.classes)

    def __repr__(self) -> str:
        scale = "" if self.scale == 1 else f", scale={self.scale:g}"
        learned = ", learned=True" if self.learned else ""
        return f"OneHot({self.classes}{scale}{learned})"


class WithCode(Composite):
    """y = [f(x), c]: applies a layer f to x and appends the code c, the last values of x.

    backward:   dy = [df, dc]; dx is f's dx from df, with dc added at c
    tangent:    y_dot = [f's y_dot, c_dot]
    curvature:  f's; copying c has none

    Parameters
    ----------
    layer : f; its output is flattened, so x is (N, F) and y (N, outputs of f + width)
    width : number of values of c, >= 1
    whole : f gets all of x (a generator sees noise and code) instead of x without c (a
        discriminator sees pixels alone)

    Raises TypeError if f is not a layer, ValueError for an input of `width` features or fewer.
    """

    def __init__(self, layer: Layer, width: Count, *, whole: bool = False) -> None:
        super().__init__({"layer": layer})
        self.width, self.whole = width, whole
        self.dtype = layer.dtype

    @property
    def inner(self) -> Layer:
        return self.children["layer"]

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.as_input(x, "N", f">={self.width + 1}")
        y, inner = self.inner.forward(self.inner_input(x), training)
        return self.append_code(y, x), (inner, y.shape)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        inner, shape = cache
        df, dc = self.split(dy, shape)
        return self.join(self.inner.backward_input(df, inner), dc)

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        inner, shape = cache
        self.inner.backward_params(self.split(dy, shape)[0], inner)

    def backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        inner, shape = cache
        df, dc = self.split(dy, shape)
        return self.join(self.inner.backward(df, inner), dc)

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        return self.append_code(self.inner.tangent(self.inner_input(x_dot), cache[0]), x_dot)

    def curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> np.ndarray | None:
        inner, shape = cache
        df, _ = self.split(dy, shape)
        dx_dot = self.inner.curvature(df, inner, self.inner_input(x_dot))
        return None if dx_dot is None else self.join(dx_dot, np.zeros_like(x_dot[:, -self.width :]))

    def inner_input(self, x: np.ndarray) -> np.ndarray:
        """The part of x that f gets."""
        return x if self.whole else x[:, : -self.width]

    def append_code(self, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """[y flattened, c], with c from x."""
        return np.concatenate([flat_samples(y), x[:, -self.width :]], axis=1)

    def split(self, dy: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """dy as (df, dc), df in the shape of f's output."""
        return dy[:, : -self.width].reshape(shape), dy[:, -self.width :]

    def join(self, dx: np.ndarray, dc: np.ndarray) -> np.ndarray:
        """f's dx, with dc added at the values c."""
        if not self.whole:
            return np.concatenate([dx, dc], axis=1)
        dx = dx.copy()
        dx[:, -self.width :] += dc
        return dx

    def __repr__(self) -> str:
        return f"WithCode({self.inner}, {self.width}{', whole=True' if self.whole else ''})"


class Projection(PiecewiseLinearLayer):
    """y = s + e_k,  x = [s, e_1 ... e_K, c],  k = argmax c: the logit of a sample of class k.

    x (N, 1 + 2 K), y (N, 1), K = `classes` >= 2. After WithCode(f, K), with f ending in
    Linear(F, 1 + K) on features h, this is the projection discriminator of Miyato and Koyama
    (2018), D(h, k) = w.h + b + <E_k, h>: w is the first column of the weight, E_k the column of
    class k. Here each class also has a bias. It learns the log ratio of the class's frequencies
    among real samples and fakes, which the paper omits.

    backward: dx = dy at s and at e_k, 0 elsewhere.
    """

    def __init__(self, classes: Classes) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.as_input(x, "N", 1 + 2 * self.classes)
        column = 1 + class_of_code(x, self.classes)
        return self.tangent(x, column), column

    def backward_input(self, dy: np.ndarray, column: np.ndarray) -> np.ndarray:
        dx = np.zeros((len(dy), 1 + 2 * self.classes), dy.dtype)
        dx[:, :1] = dy
        dx[np.arange(len(dy)), column] = dy[:, 0]
        return dx

    def tangent(self, x_dot: np.ndarray, column: np.ndarray) -> np.ndarray:
        return x_dot[:, :1] + np.take_along_axis(x_dot, column[:, None], axis=1)

    def __repr__(self) -> str:
        return f"Projection({self.classes})"


class LabelPlanes(PiecewiseLinearLayer):
    """y = the image of a labelled row with K more channels: 1 in the channel of its class, else 0.

    x (N, H W C + K), y (N, H, W, C + K); shape = (H, W, C), K = `classes` >= 2. The first
    convolution then adds a bias per class (Mirza and Osindero 2014).

    backward: dx = dy of the C channels, flattened; 0 at the code.
    """

    def __init__(self, shape: ImageShape, classes: Classes) -> None:
        super().__init__()
        self.shape, self.classes = shape, classes

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.as_input(x, "N", int(np.prod(self.shape)) + self.classes)
        y = self.tangent(x, None)
        code = one_hot(class_of_code(x, self.classes), self.classes)
        y[..., self.shape[-1] :] = code[:, None, None]
        return y, None

    def backward_input(self, dy: np.ndarray, cache: None) -> np.ndarray:
        pixels = flat_samples(dy[..., : self.shape[-1]])
        return np.concatenate([pixels, np.zeros((len(dy), self.classes), dy.dtype)], axis=1)

    def tangent(self, x_dot: np.ndarray, cache: None) -> np.ndarray:
        height, width, channels = self.shape
        y_dot = np.zeros((len(x_dot), height, width, channels + self.classes), x_dot.dtype)
        y_dot[..., :channels] = x_dot[:, : -self.classes].reshape(-1, *self.shape)
        return y_dot

    def __repr__(self) -> str:
        return f"LabelPlanes({self.shape}, {self.classes})"


def class_of_code(x: np.ndarray, classes: int) -> np.ndarray:
    """The class of each row, (N,): the index of the largest of its last `classes` values."""
    return x[:, -classes:].argmax(axis=1)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels (N,) as rows (N, classes): 1 at the label, 0 elsewhere."""
    return np.eye(classes, dtype=np.float32)[labels]
