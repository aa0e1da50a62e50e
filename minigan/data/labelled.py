"""Labelled samples as rows: pixels, then the class as a one-hot code."""

import numpy as np

from .._checks import as_array
from ..layers.base import positive_int, sizes
from ..layers.conditional import one_hot, read


def label(images, labels, classes):
    """Labelled samples, one row each: images (M, ...) flattened, then the one-hot code of the class

    labels (M,) integers in [0, classes). Returns (M, values of an image + classes), a copy.
    Raises TypeError or ValueError for images that are not numbers, labels that are not such
    integers, or unequal numbers of the two.
    """
    images = _images("label", images)
    classes = positive_int("label", "classes", classes, minimum=2)
    labels = _classes("label", labels, classes)
    if labels.shape != (len(images),):
        raise ValueError(
            f"label: expected one label an image, got images {images.shape}, labels {labels.shape}"
        )
    return np.concatenate([images, one_hot(labels, classes).astype(images.dtype)], axis=1)


def blank(images, width):
    """Samples without a label, with zeros where fakes carry a code of `width` values (InfoGAN)."""
    images = _images("blank", images)
    width = positive_int("blank", "width", width)
    return np.concatenate([images, np.zeros((len(images), width), images.dtype)], axis=1)


def unlabel(rows, shape, classes):
    """(images (N, *shape), classes (N,)) of labelled rows. ValueError for rows too short."""
    shape = sizes("unlabel", "shape", shape)
    classes = positive_int("unlabel", "classes", classes, minimum=2)
    rows, pixels = as_array("unlabel: rows", rows), int(np.prod(shape))
    if rows.ndim != 2 or rows.shape[1] < pixels + classes:
        raise ValueError(
            f"unlabel: rows must have shape (N, {pixels} + {classes} or more), got {rows.shape}"
        )
    return rows[:, :pixels].reshape(-1, *shape), read(rows, classes)


def ask(noise, labels, classes):
    """Noise (N, L + classes) that asks for these classes: a copy, with their code in place.

    labels : (N,) integers in [0, classes), or one for all
    """
    classes = positive_int("ask", "classes", classes, minimum=2)
    noise, labels = as_array("ask: noise", noise), _classes("ask", labels, classes)
    if noise.ndim != 2 or noise.shape[1] < classes or labels.shape not in ((), noise.shape[:1]):
        raise ValueError(
            f"ask: expected noise (N, {classes} or more) and labels (N,), "
            f"got {noise.shape} and {labels.shape}"
        )
    asked = noise.copy()
    asked[:, -classes:] = one_hot(labels, classes)
    return asked


def _images(owner, images):
    """Images as rows of floats."""
    images = as_array(f"{owner}: images", images)
    if images.dtype.kind not in "fiub":
        raise TypeError(f"{owner}: images must be numbers, got dtype {images.dtype}")
    if images.ndim < 2 or not images.size:
        raise ValueError(f"{owner}: images must have shape (M, ...), got {images.shape}")
    rows = images.reshape(len(images), -1)
    return rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float32)


def _classes(owner, labels, classes):
    labels = as_array(f"{owner}: labels", labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{owner}: labels must be integers, got dtype {labels.dtype}")
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"{owner}: labels must be in [0, {classes}), got {labels.min()} to {labels.max()}"
        )
    return labels
