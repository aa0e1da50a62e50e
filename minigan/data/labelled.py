"""Labelled samples as rows: pixels, then the class as a one-hot code."""

import numpy as np

from .._checks import (
    Classes,
    ClassLabels,
    CodeLength,
    Count,
    LabelsOrOne,
    Rows,
    Samples,
    Shape,
    checked,
)
from ..layers.conditional import class_of_code, one_hot


@checked
def label(images: Samples, labels: ClassLabels, classes: Classes) -> np.ndarray:
    """Labelled samples as rows: images (M, ...) flattened, then the one-hot code of the class.

    Parameters
    ----------
    labels : (M,) integers in [0, classes)

    Returns (M, pixels + classes), a copy.

    Raises TypeError or ValueError for images that are not numbers, labels that are not such
    integers, or different numbers of images and labels.
    """
    rows = _rows(images)
    return np.concatenate([rows, one_hot(labels, classes).astype(rows.dtype)], axis=1)


@checked
def blank(images: Samples, width: Count) -> np.ndarray:
    """Unlabelled samples as rows, with zeros in place of the `width` values of a fake's code."""
    images = _rows(images)
    return np.concatenate([images, np.zeros((len(images), width), images.dtype)], axis=1)


@checked
def unlabel(rows: Rows, shape: Shape, classes: CodeLength) -> tuple[np.ndarray, np.ndarray]:
    """Labelled rows as (images (N, *shape), classes (N,)). Raises ValueError for short rows."""
    pixels = int(np.prod(shape))
    return rows[:, :pixels].reshape(-1, *shape), class_of_code(rows, classes)


@checked
def ask(noise: Rows, labels: LabelsOrOne, classes: CodeLength) -> np.ndarray:
    """Noise (N, L + classes) for samples of given classes: a copy with their codes at the end.

    Parameters
    ----------
    labels : (N,) integers in [0, classes), or one for all
    """
    labels = np.broadcast_to(labels, len(noise))
    asked = noise.copy()
    asked[:, -classes:] = one_hot(labels, classes)
    return asked


def _rows(images: np.ndarray) -> np.ndarray:
    """Images as rows of floats."""
    rows = images.reshape(len(images), -1)
    return rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float32)
