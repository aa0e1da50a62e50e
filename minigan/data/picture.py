"""A picture as a distribution: where it is dark, points are dense."""

from typing import Any

import numpy as np

from .._checks import RegularFile, checked
from .planar import PlanarDistribution

# A picture is decoded only when its header promises no more pixels than this (2048 x 2048).
_MOST_PIXELS = 1 << 22


class PictureDistribution(PlanarDistribution):
    """A density that is constant on each pixel; see `from_picture`.

    Args:
        darkness: array of shape (height, width), not negative, with a sum above zero.

    Attributes:
        extent: see `PlanarDistribution`; it is the picture's frame, with nothing outside.
    """

    def __init__(self, darkness):
        height, width = darkness.shape
        self._pixel = 2 / max(height, width)
        self._mass = darkness / darkness.sum()
        self._cumulative = np.cumsum(self._mass)
        self._cumulative /= self._cumulative[-1]
        right, top = width * self._pixel / 2, height * self._pixel / 2
        self.extent = (-right, right, -top, top)

    def _describe(self):
        height, width = self._mass.shape
        return f"{width} x {height} pixels"

    def _draw(self, n, rng):
        # side="right" finds the first pixel whose cumulative mass is above u, and so passes over
        # the pixels without mass.
        pixel = np.searchsorted(self._cumulative, rng.random(n), side="right")
        row, column = np.divmod(pixel, self._mass.shape[1])
        left, _, _, top = self.extent
        x = left + self._pixel * (column + rng.random(n))
        y = top - self._pixel * (row + rng.random(n))
        return np.column_stack([x, y])

    def _log_density(self, points):
        height, width = self._mass.shape
        left, _, _, top = self.extent
        column = np.floor((points[:, 0] - left) / self._pixel)
        row = np.floor((top - points[:, 1]) / self._pixel)
        inside = (0 <= column) & (column < width) & (0 <= row) & (row < height)
        mass = np.zeros(len(points))
        mass[inside] = self._mass[row[inside].astype(int), column[inside].astype(int)]
        with np.errstate(divide="ignore"):  # log 0 = -inf is the answer on white
            return np.log(mass) - 2 * np.log(self._pixel)


@checked
def from_picture(path: RegularFile) -> PictureDistribution:
    """The distribution whose density follows the darkness of a picture.

    A pixel of grey level g in [0, 1] has a mass in proportion to 1 - g; colours count by their
    luma 0.299 R + 0.587 G + 0.114 B, and a transparent picture is laid on white. Within its pixel
    a point is uniform. The picture is centred at the origin with y upwards, keeps its aspect, and
    its longer side spans [-1, 1]. It is turned as viewers show it, by a photograph's EXIF
    orientation. Of an animated PNG the first image is used.

    Args:
        path: a PNG or JPEG file of at most 4,194,304 pixels (2048 x 2048).

    Returns:
        A `PictureDistribution`. Its density is piecewise constant and exact; its logarithm is
        -inf where the picture is white, and outside of it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no readable picture, is too large, or is white all over.
    """
    darkness = _darkness(path)
    if not darkness.any():
        raise ValueError(f"{path}: expected a picture with something dark on it, found only white")
    return PictureDistribution(darkness)


def _darkness(path):
    """1 - luma of each pixel, with transparency laid on white: (height, width), in [0, 1]."""
    from PIL import Image

    try:
        # These two formats alone: to read some others, Pillow starts another program.
        with Image.open(path, formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                raise ValueError(f"{width} x {height} pixels, more than {_MOST_PIXELS}")
            picture.load()
            turned = upright(picture)
            if turned.mode.startswith("I"):  # grey of 16 bits, which RGBA would cut to 8
                return _darkness_of_grey(turned)
            if turned.mode == "CMYK":
                turned = turned.convert("RGB")  # there is no direct way from CMYK to RGBA
            pixels = np.asarray(turned.convert("RGBA")) / 255
    except Exception as error:  # a decoder fed with damaged data raises nearly anything
        raise ValueError(f"{path}: expected a PNG or JPEG picture ({error})") from error
    return (1 - pixels[..., :3]) @ [0.299, 0.587, 0.114] * pixels[..., 3]


def upright(picture: Any) -> Any:
    """The picture turned or mirrored as its EXIF orientation says."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # damaged EXIF, which viewers ignore; the pixels have been read already
        return picture


def _darkness_of_grey(picture):
    """`_darkness` of a 16-bit grey picture, in which one level may be declared transparent."""
    levels = np.asarray(picture)
    return np.where(levels == picture.info.get("transparency", -1), 0.0, 1 - levels / 65535)
