"""Digits drawn from fonts and bent at random: images like MNIST's, with no file to fetch.

Each digit of each font is drawn once, large, and turned into a signed distance field: how far
every point is inside the ink (above 0) or outside of it (below 0). A field is smooth where an
image has edges, so it can be sampled at bent positions, and its strokes thickened or thinned by
adding a constant, and the edges still come out clean.
"""

from functools import cache

import numpy as np

from .._checks import CountOrZero, GlyphSize, Seed, checked
from .._random import random_generator

_CELL = 112  # pixels along a side of a drawn glyph, margins included: 4 for each of 28
_BOX = 80  # pixels along the longer side of its ink
_REACH = 14  # pixels up to which distances are measured
_PIXELS_AT_ONCE = 200_000  # so that the arrays of one round stay small: 255 images of 28 x 28
_WAVES = 3  # cosines along each axis in a smooth displacement


@np.errstate(under="ignore")
@checked
def glyphs(
    count: CountOrZero = 10_000, *, size: GlyphSize = 28, rng: Seed = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Digits from sixteen fonts, bent at random, in the format of MNIST.

    A digit and a font are drawn uniformly. The digit's ink is centred by its centre of mass, as
    MNIST's is, in a box of about 19/28 of the image; it is stretched, sheared, turned by a few
    degrees, displaced by a smooth random field, and its strokes are made bolder or lighter.

    Args:
        count: how many images, 0 or more.
        size: pixels along a side, 8 or more.
        rng: a `numpy.random.Generator` or an integer seed. One seed gives the same images with
            the same version of matplotlib, which draws the fonts.

    Returns:
        (images, labels): images float32 of shape (count, size, size, 1) in [-1, 1], -1 the paper
        and 1 the ink; labels int64 of shape (count,), 0 to 9.

    Raises:
        ValueError, TypeError: an argument that is out of range or of the wrong kind.
    """
    rng = random_generator(rng)
    fields, centres = _distance_fields()
    labels = rng.integers(10, size=count)
    fonts = rng.integers(len(fields) // 10, size=count)
    images = np.empty((count, size, size, 1), np.float32)
    step = max(1, _PIXELS_AT_ONCE // size**2)
    for start in range(0, count, step):
        rows = slice(start, start + step)
        glyph = fonts[rows] * 10 + labels[rows]
        x, y = _bend(size, len(glyph), rng)
        distance = _sample(fields, glyph, x + centres[glyph, 0:1], y + centres[glyph, 1:2])
        images[rows] = _ink(distance, size, rng).reshape(-1, size, size, 1)
    return images, labels


def _bend(size, n, rng):
    """The position in the glyph, from its centre, that each pixel of n images shows: (n, size^2).

    The position is A p + d(p): p the pixel's own place, A a random linear map, and d a smooth
    displacement, a sum of a few cosines along each axis with random amplitudes.
    """
    place = (np.arange(size) - (size - 1) / 2) / _zoom(size)
    pixels = np.stack(np.meshgrid(place, place)).reshape(2, -1)

    # Standard deviations: 7 degrees of turn, 0.12 of shear, 8 and 5 % of width and height. That the
    # digits can still be told apart is tested (tests/data/test_fonts.py).
    angle = rng.normal(0, 0.13, n)
    shear = rng.normal(0, 0.12, n)
    width = np.exp(rng.normal(0.08, 0.08, n))
    height = np.exp(rng.normal(0, 0.05, n))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    lean = np.array([[1 / width, shear], [np.zeros(n), 1 / height]])
    linear = np.einsum("ijn,jkn->nik", lean, turn)

    wave = np.cos(np.pi * np.outer(np.arange(1, _WAVES + 1), (np.arange(size) + 0.5) / size))
    waves = np.einsum("ay,bx->abyx", wave, wave).reshape(_WAVES**2, -1)
    # Long waves are tall and short ones low, which is what makes the field smooth.
    order = np.add.outer(np.arange(_WAVES), np.arange(_WAVES)).ravel() + 1
    amplitude = rng.normal(0, 0.035 * _BOX, (n, 2, _WAVES**2)) / order

    position = (linear @ pixels + amplitude @ waves).astype(np.float32)
    return position[:, 0], position[:, 1]


def _sample(fields, glyph, x, y):
    """Fields (k, cell, cell) at the positions (x, y) of each glyph, bilinearly: (n, p) -> (n, p).

    A position outside of its cell reads the nearest edge.
    """
    x = np.clip(x, 0, _CELL - 1.001)
    y = np.clip(y, 0, _CELL - 1.001)
    column, row = x.astype(np.int32), y.astype(np.int32)
    x -= column
    y -= row
    corner = glyph[:, np.newaxis].astype(np.int32) * _CELL**2 + row * _CELL + column
    flat = fields.ravel()
    upper = flat[corner] * (1 - x) + flat[corner + 1] * x
    lower = flat[corner + _CELL] * (1 - x) + flat[corner + _CELL + 1] * x
    return upper * (1 - y) + lower * y


def _ink(distance, size, rng):
    """Distances, in a glyph's pixels, to values from -1 to 1, with strokes bolder or lighter."""
    bolder = rng.uniform(-0.15, 0.5, (len(distance), 1)).astype(np.float32)
    # In pixels of the image, an edge goes from paper to ink within one and a half.
    inside = distance * np.float32(_zoom(size)) + bolder * np.float32(size / 28)
    return np.clip(inside * np.float32(2 / 1.5), -1, 1)


def _zoom(size):
    """Pixels of an image of this size for each pixel of a glyph.

    The ink's box is 19 pixels of 28, one less than MNIST's, as some are bent larger.
    """
    return 19 / 28 * size / _BOX


@cache
def _distance_fields():
    """Every digit of every font, as signed distances to its outline.

    Returns:
        (fields, centres): fields float32 (fonts * 10, cell, cell), above 0 in the ink, cut off at
        _REACH; centres float32 (fonts * 10, 2), the x and y of each ink's centre of mass.
    """
    from .drawn_digits import draw_digits  # matplotlib takes half a second to import

    ink = draw_digits(_CELL, _BOX)
    fields = _distance(ink <= 0.5) - _distance(ink > 0.5)
    fields -= np.sign(fields) / 2  # the outline runs halfway between two pixels
    place = np.arange(_CELL)
    mass = ink.sum(axis=(1, 2))
    centres = np.column_stack([ink.sum(axis=1) @ place / mass, ink.sum(axis=2) @ place / mass])
    return fields, centres.astype(np.float32)


def _distance(mask):
    """Distance in pixels from each pixel to the nearest one of the mask, at most _REACH.

    Squared distances separate: the least dy^2 along each column first, then the least
    dx^2 + (what the column at dx found) along each row.
    """
    squared = np.where(mask, np.float32(0), np.float32(_REACH**2))
    for axis in (1, 2):
        nearest = squared.copy()
        along, found = np.moveaxis(squared, axis, -1), np.moveaxis(nearest, axis, -1)
        for step in range(1, _REACH):
            np.minimum(found[..., step:], along[..., :-step] + step**2, out=found[..., step:])
            np.minimum(found[..., :-step], along[..., step:] + step**2, out=found[..., :-step])
        squared = nearest
    return np.sqrt(squared)
