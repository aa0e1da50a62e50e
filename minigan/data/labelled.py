"""Labelled samples as rows: pixels, then the class as a one-hot code."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .._old_checks import as_array, positive_int, sizes
from ..layers.conditional import class_of_code, one_hot


def label(images: npt.ArrayLike, labels: npt.ArrayLike, classes: int) -> np.ndarray:
    """Labelled samples as rows: images (M, ...) flattened, then the one-hot code of the class.

    Parameters
    ----------
    labels : (M,) integers in [0, classes)

    Returns (M, pixels + classes), a copy.

    Raises TypeError or ValueError for images that are not numbers, labels that are not such
    integers, or different numbers of images and labels.
    """
    images = _images("label", images)
    classes = positive_int("label", "classes", classes, minimum=2)
    labels = _classes("label", labels, classes)
    if labels.shape != (len(images),):
        raise ValueError(
            f"label: expected one label an image, got images {images.shape}, labels {labels.shape}"
        )
    return np.concatenate([images, one_hot(labels, classes).astype(images.dtype)], axis=1)


def blank(images: npt.ArrayLike, width: int) -> np.ndarray:
    """Unlabelled samples as rows, with zeros in place of the `width` values of a fake's code."""
    images = _images("blank", images)
    width = positive_int("blank", "width", width)
    return np.concatenate([images, np.zeros((len(images), width), images.dtype)], axis=1)


def unlabel(
    rows: np.ndarray, shape: tuple[int, ...], classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Labelled rows as (images (N, *shape), classes (N,)). Raises ValueError for short rows."""
    shape = sizes("unlabel", "shape", shape)
    classes = positive_int("unlabel", "classes", classes, minimum=2)
    rows, pixels = as_array("unlabel: rows", rows), int(np.prod(shape))
    if rows.ndim != 2 or rows.shape[1] < pixels + classes:
        raise ValueError(
            f"unlabel: rows must have shape (N, {pixels} + {classes} or more), got {rows.shape}"
        )
    return rows[:, :pixels].reshape(-1, *shape), class_of_code(rows, classes)


def ask(noise: np.ndarray, labels: npt.ArrayLike, classes: int) -> np.ndarray:
    """Noise (N, L + classes) for samples of given classes: a copy with their codes at the end.

    Parameters
    ----------
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


def _images(owner: str, images: Any) -> np.ndarray:
    """Images as rows of floats."""
    images = as_array(f"{owner}: images", images)
    if images.dtype.kind not in "fiub":
        raise TypeError(f"{owner}: images must be numbers, got dtype {images.dtype}")
    if images.ndim < 2 or not images.size:
        raise ValueError(f"{owner}: images must have shape (M, ...), got {images.shape}")
    rows = images.reshape(len(images), -1)
    return rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float32)


def _classes(owner: str, labels: Any, classes: int) -> np.ndarray:
    labels = as_array(f"{owner}: labels", labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{owner}: labels must be integers, got dtype {labels.dtype}")
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"{owner}: labels must be in [0, {classes}), got {labels.min()} to {labels.max()}"
        )
    return labels
