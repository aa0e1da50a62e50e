"""Labelled samples as rows: pixels, then the class as a one-hot code."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _checks as checks
from .._checks import Classes, Count, Shape, checked
from ..layers.conditional import class_of_code, one_hot


@checked
def label(images: npt.ArrayLike, labels: npt.ArrayLike, classes: Classes) -> np.ndarray:
    """Labelled samples as rows: images (M, ...) flattened, then the one-hot code of the class.

    Parameters
    ----------
    labels : (M,) integers in [0, classes)

    Returns (M, pixels + classes), a copy.

    Raises TypeError or ValueError for images that are not numbers, labels that are not such
    integers, or different numbers of images and labels.
    """
    rows, labels = (
        _images("label", images),
        checks.class_numbers("label", "labels", labels, classes),
    )
    checks.one_each("label", "labels", labels, "images", rows)
    return np.concatenate([rows, one_hot(labels, classes).astype(rows.dtype)], axis=1)


@checked
def blank(images: npt.ArrayLike, width: Count) -> np.ndarray:
    """Unlabelled samples as rows, with zeros in place of the `width` values of a fake's code."""
    images = _images("blank", images)
    return np.concatenate([images, np.zeros((len(images), width), images.dtype)], axis=1)


@checked
def unlabel(rows: np.ndarray, shape: Shape, classes: Classes) -> tuple[np.ndarray, np.ndarray]:
    """Labelled rows as (images (N, *shape), classes (N,)). Raises ValueError for short rows."""
    pixels = int(np.prod(shape))
    rows = checks.numbers("unlabel", "rows", rows, ("N", "F"))
    checks.at_least_features("unlabel", rows, pixels + classes, "rows")
    return rows[:, :pixels].reshape(-1, *shape), class_of_code(rows, classes)


@checked
def ask(noise: np.ndarray, labels: npt.ArrayLike, classes: Classes) -> np.ndarray:
    """Noise (N, L + classes) for samples of given classes: a copy with their codes at the end.

    Parameters
    ----------
    labels : (N,) integers in [0, classes), or one for all
    """
    noise = checks.numbers("ask", "noise", noise, ("N", "L"))
    checks.at_least_features("ask", noise, classes, "noise")
    labels = np.broadcast_to(labels, len(noise)) if np.ndim(labels) == 0 else labels
    labels = checks.class_numbers("ask", "labels", labels, classes)
    checks.one_each("ask", "labels", labels, "rows of noise", noise)
    asked = noise.copy()
    asked[:, -classes:] = one_hot(labels, classes)
    return asked


def _images(owner: str, images: Any) -> np.ndarray:
    """Images as rows of floats."""
    x = checks.not_empty(owner, "images", checks.numbers(owner, "images", images, ("M", "F", ...)))
    rows = x.reshape(len(x), -1)
    return rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float32)
