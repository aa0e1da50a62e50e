"""Linear layers without parameters that rearrange, copy or average pixels. They are linear, so the
tangent is the forward pass of x_dot, and the curvature is zero."""

import math
from collections.abc import Sequence
from typing import Annotated

from .. import _checks as checks
from .._checks import Count
from .base import Array, Cache, PiecewiseLinearLayer


class Reshape(PiecewiseLinearLayer):
    """y = x with each sample reshaped: (N, ...) -> (N, *shape). One entry may be -1.

    backward: dx = dy, reshaped.
    """

    def __init__(self, shape: Annotated[int | Sequence[int], checks.shape_to_fill]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x)
        sizes = self._sizes(x)
        if math.prod(sizes) != math.prod(x.shape[1:]):
            raise ValueError(
                f"{self}: samples of shape {x.shape[1:]} do not have the values to fill "
                f"{self.shape}"
            )
        return x.reshape(len(x), *sizes), x.shape

    def _sizes(self, x):
        """`shape` with -1 replaced by the size that a sample needs, also for an empty batch."""
        missing = math.prod(x.shape[1:]) // abs(math.prod(self.shape))
        return tuple(missing if size == -1 else size for size in self.shape)

    def backward_input(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return dy.reshape(x_shape)

    def tangent(self, x_dot: Array, x_shape: tuple[int, ...]) -> Array:
        return x_dot.reshape(len(x_dot), *self._sizes(x_dot))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape if type(self) is Reshape else ''})"


class Flatten(Reshape):
    """y = x with each sample as one row: (N, ...) -> (N, features).

    backward: dx = dy, reshaped.
    """

    def __init__(self) -> None:
        super().__init__(-1)


class Upsample2d(PiecewiseLinearLayer):
    """y = each pixel of x copied s^2 times: y[n, i, j, c] = x[n, i // s, j // s, c]

    Nearest-neighbour enlargement by the integer s: x (N, H, W, C), y (N, s H, s W, C).
    backward: dx = the sum of dy over the copies of each pixel.
    """

    def __init__(self, scale: Count) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", "H", "W", "C")
        return self.tangent(x, None), None

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        return _blocks(dy, self.scale).sum(axis=(2, 4))

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        return x_dot.repeat(self.scale, axis=1).repeat(self.scale, axis=2)

    def __repr__(self) -> str:
        return f"Upsample2d({self.scale})"


class AvgPool2d(PiecewiseLinearLayer):
    """y = the mean of x over blocks of k^2 pixels: (N, H, W, C) -> (N, H / k, W / k, C).

    backward: dx = dy / k^2, copied over the block: each of its pixels had the weight 1 / k^2.
    Raises ValueError unless k divides H and W.
    """

    def __init__(self, kernel_size: Count) -> None:
        super().__init__()
        self.kernel_size = kernel_size

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", "H", "W", "C")
        if x.shape[1] % self.kernel_size or x.shape[2] % self.kernel_size:
            raise ValueError(
                f"{self}: height and width must be multiples of {self.kernel_size}, got {x.shape}"
            )
        return self.tangent(x, None), None

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        k = self.kernel_size
        return (dy / k**2).repeat(k, axis=1).repeat(k, axis=2)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        return _blocks(x_dot, self.kernel_size).mean(axis=(2, 4))

    def __repr__(self) -> str:
        return f"AvgPool2d({self.kernel_size})"


def _blocks(images, size):
    """(N, H, W, C) seen as (N, H / size, size, W / size, size, C)."""
    n, height, width, channels = images.shape
    return images.reshape(n, height // size, size, width // size, size, channels)
