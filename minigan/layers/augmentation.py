"""DiffAugment: random augmentations as D's first layers, each a linear map with its transpose.

D sees only augmented samples, real and fake alike, so it cannot memorise a small data set. In G's
update D sees augmented fakes too, and the gradient reaches G through the transpose of the map that
was drawn (Zhao et al. 2020, arXiv 2006.10738):

    translation   y = S x     S shifts the image, dropping what leaves it    S' shifts it back
    cutout        y = K x     K sets a square to zero                         K' = K
    brightness    y = x + b   one number b per image, drawn                   the identity

Each draws anew in every training pass, one draw per image, from the network's rng; the draws are
kept in the cache. In evaluation y = x. Images (N, H, W, C).

`fill` is the value of an empty pixel, such as the background of the images; the default is 0. With
another value the map is y - fill = S (x - fill): affine, with the same tangent and backward pass.
"""

from typing import Any

import numpy as np

from .._checks import Finite, NotNegative, Share
from .base import Array, Cache, PiecewiseLinearLayer


def diff_augment(*, fill: float = 0.0) -> list[PiecewiseLinearLayer]:
    """[brightness, translation, cutout]: the paper's policy, without saturation and contrast.

    For D: Sequential([*diff_augment(fill=-1.0), *layers]).
    """
    return [RandomBrightness(), RandomTranslation(fill=fill), RandomCutout(fill=fill)]


class RandomTranslation(PiecewiseLinearLayer):
    """y_n = x_n moved by (r_n, c_n) pixels, each uniform on -m ... m,  m = fraction of the side

    y[n, i, j] = x[n, i - r, j - c] where that is inside the image, else `fill`.
    backward: dx[n, i, j] = dy[n, i + r, j + c] where that is inside, else 0.

    Parameters
    ----------
    fraction : in [0, 1], of the height and of the width; the paper's is 1/8
    fill : the value outside the image
    """

    def __init__(self, fraction: Share = 0.125, *, fill: Finite = 0.0) -> None:
        super().__init__()
        self.fraction, self.fill = fraction, fill

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", "H", "W", "C")
        if not training:
            return x, None
        furthest = np.round(self.fraction * np.array(x.shape[1:3])).astype(int)
        moves = self.rng.integers(-furthest, furthest + 1, (len(x), 2))
        fill = x.dtype.type(self.fill)
        return moved(x - fill, moves) + fill, moves

    def backward_input(self, dy: Array, moves: Cache) -> Array:
        return dy if moves is None else moved(dy, -moves)

    def tangent(self, x_dot: Array, moves: Cache) -> Array:
        return x_dot if moves is None else moved(x_dot, moves)

    def __repr__(self) -> str:
        return f"RandomTranslation({self.fraction:g}, fill={self.fill:g})"


class RandomCutout(PiecewiseLinearLayer):
    """y = x outside a rectangle about a random pixel, `fill` inside it

    Its sides are `fraction` of the image's: a square in a square image. It may reach beyond the
    image. backward: dx = dy outside the rectangle, 0 inside.

    Parameters
    ----------
    fraction : in [0, 1]; the paper's is 1/2
    fill : the value inside the rectangle
    """

    def __init__(self, fraction: Share = 0.5, *, fill: Finite = 0.0) -> None:
        super().__init__()
        self.fraction, self.fill = fraction, fill

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", "H", "W", "C")
        if not training:
            return x, None
        keep = self._kept(*x.shape[:3]).astype(x.dtype)
        return x * keep + x.dtype.type(self.fill) * (1 - keep), keep

    def backward_input(self, dy: Array, keep: Cache) -> Array:
        return dy if keep is None else dy * keep

    def tangent(self, x_dot: Array, keep: Cache) -> Array:
        return x_dot if keep is None else x_dot * keep

    def _kept(self, n, *lengths):
        """(n, H, W, 1): False in the rectangle of each image."""
        inside = []
        for length in lengths:
            side = round(self.fraction * length)
            first = self.rng.integers(length, size=(n, 1)) - side // 2
            index = np.arange(length)
            inside.append((first <= index) & (index < first + side))
        rows, columns = inside
        return ~(rows[:, :, None, None] & columns[:, None, :, None])

    def __repr__(self) -> str:
        return f"RandomCutout({self.fraction:g}, fill={self.fill:g})"


class RandomBrightness(PiecewiseLinearLayer):
    """y_n = x_n + b_n,  b_n ~ U(-amount, amount), one number per image.   backward: dx = dy

    Parameters
    ----------
    amount : >= 0, in the units of x; the paper's is 1/2 for pixels in [-1, 1]
    """

    def __init__(self, amount: NotNegative = 0.5) -> None:
        super().__init__()
        self.amount = amount

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", "H", "W", "C")
        if not training:
            return x, None
        b = self.rng.uniform(-self.amount, self.amount, (len(x), 1, 1, 1))
        return x + b.astype(x.dtype), None

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        return dy

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        return x_dot

    def __repr__(self) -> str:
        return f"RandomBrightness({self.amount:g})"


def moved(x: Array, moves: Array) -> Any:
    """Each image moved by its (rows, columns); pixels from outside are zeros. The transpose of this
    map moves by -moves."""
    n, height, width, _ = x.shape
    rows = np.arange(height) - moves[:, :1]  # (N, H): where each row comes from
    columns = np.arange(width) - moves[:, 1:]
    row_inside, column_inside = (0 <= rows) & (rows < height), (0 <= columns) & (columns < width)
    inside = row_inside[:, :, None, None] & column_inside[:, None, :, None]
    rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    y = x[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None]]
    return y * inside.astype(x.dtype)
