"""Softmax and its cross-entropy, for classifiers."""

import numpy as np

from .. import _checks as checks
from .base import Array


@np.errstate(under="ignore")
def softmax_cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """mean over the batch of -log softmax(logits)[label], for a classifier.

    logits (N, K), labels (N,) integers in [0, K). Returns (value, dlogits) with
    dlogits = (softmax(logits) - onehot(labels)) / N.
    """
    logits, labels = checks.logits_and_labels("softmax_cross_entropy", logits, labels)
    log_p, rows = log_softmax(logits), np.arange(len(labels))
    dlogits = np.exp(log_p)
    dlogits[rows, labels] -= 1
    return -float(np.mean(log_p[rows, labels], dtype=np.float64)), dlogits / len(labels)


@np.errstate(under="ignore")
def log_softmax(x: Array) -> Array:
    """x - log sum_k exp(x_k) along each row; the largest entry is subtracted first, so that exp
    does not overflow."""
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))
