"""Softmax and its cross-entropy: a Jacobian that has more than its diagonal, and a target.

y = softmax(x):        dx = y (dy - sum(y dy))
-log y[label], mean:   dx = (y - onehot) / N
"""

from collections.abc import Iterator

import numpy as np

from .added import deviations
from .case import Array, Candidate, Case


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def jacobian(case: Case) -> Iterator[Candidate]:
    """Where dx = y (dy - sum(y dy)) along the last axis is right."""
    x, dy = case.array("x"), case.array("dy")
    if x is None or dy is None or x.shape != dy.shape or x.ndim < 2:
        return
    y = softmax(x)
    through_sum = np.sum(y * dy, axis=-1, keepdims=True)
    if not case.is_right(y * (dy - through_sum)):
        return
    yield Candidate(
        y * (1 - y) * dy,
        "is the diagonal of the Jacobian alone: each output depends on all inputs, through the sum",
    )
    over_batch = np.sum(y * dy, axis=0, keepdims=True)
    yield Candidate(
        y * (dy - over_batch), "sums y dy over the batch, where each row has a sum of its own"
    )
    yield Candidate(
        y * (dy - np.sum(dy, axis=-1, keepdims=True)),
        "subtracts the sum of dy, where the sum of y dy is right",
    )
    yield Candidate(
        y * (dy - np.sum(y * dy)), "has one sum of y dy over the whole batch, not one for each row"
    )
    yield Candidate(
        x * (dy - np.sum(x * dy, axis=-1, keepdims=True)), "uses x, where y = softmax(x) is right"
    )
    yield Candidate(
        dy - y * np.sum(dy, axis=-1, keepdims=True), "is that of log softmax, not of softmax"
    )
    yield Candidate(
        y * (dy - np.mean(dy, axis=-1, keepdims=True)),
        "subtracts the mean of dy, where the sum of y dy is right",
    )
    yield Candidate(
        y * (y * dy - through_sum),
        "is all but the diagonal of the Jacobian: y (1 - y) dy is missing",
    )
    yield Candidate(
        y * (1 - y), "is the diagonal of the Jacobian, y (1 - y), without dy and the other entries"
    )
    yield Candidate(dy - through_sum, "is not multiplied by y")
    terms = {
        "the direct path, y dy": y * dy,
        "the path through the sum, y sum(y dy)": -y * through_sum,
    }
    if (said := deviations(case, terms)) is not None:
        yield said


def cross_entropy(case: Case) -> Iterator[Candidate]:
    """Where dx = (softmax(x) - onehot) / N is right."""
    x, labels = case.array("x"), case.array("labels")
    if x is None or labels is None or x.ndim != 2 or labels.shape != x.shape[:1]:
        return
    p, n = softmax(x), len(x)
    onehot = 1.0 * (np.arange(x.shape[1]) == labels[:, None])
    if not case.is_right((p - onehot) / n):
        return
    terms = {"the probabilities": p / n, "the label's target, -onehot / N": -onehot / n}
    if (said := deviations(case, terms)) is not None:
        yield said
    yield Candidate(
        p * (1 - p) * (p - onehot) / n,
        "goes through the softmax's derivative once more: (p - onehot) / N contains it already",
    )
    target = p - onehot
    yield Candidate(
        p * (target - np.sum(p * target, axis=1, keepdims=True)) / n,
        "goes through the softmax's derivative once more: (p - onehot) / N contains it already",
    )
    classes = x.shape[1]
    yield Candidate(
        target / classes, f"is divided by the number of classes, {classes}, not by N = {n}"
    )
    yield Candidate((p - 1) / n, "subtracts 1 from every class, where only the label's has it")
    for by in (1, -1):
        yield Candidate(
            (p - np.roll(onehot, by, axis=1)) / n, "takes the class beside the label: off by one"
        )
    over_batch = np.exp(x - x.max(axis=0))
    yield Candidate(
        (over_batch / over_batch.sum(axis=0) - onehot) / n,
        "takes the softmax over the batch, where each row has its own",
    )
    for eps in (0.05, 0.1, 0.2):
        smooth = (1 - eps) * onehot
        for value in (smooth, smooth + eps / classes):
            yield Candidate(
                (p - value) / n, f"has smoothed targets, by {eps:g}, where the loss has none"
            )
    for value, words in (
        (0.5 * (1 + np.tanh(x / 2)), "the sigmoid of the logits"),
        (np.exp(x), "exp of the logits, not divided by its sum,"),
    ):
        yield Candidate((value - onehot) / n, f"takes {words} for the probabilities")
    for value, words in (
        (labels[:, None], "the class number itself"),
        (1.0 * (x == x.max(axis=1, keepdims=True)), "1 at the largest logit"),
        (onehot[::-1], "the targets of the samples in reverse order"),
    ):
        yield Candidate((p - value) / n, f"subtracts {words}, where 1 at the label is right")
    yield Candidate((x - onehot) / n, "uses the logits, where softmax of them is right")
    yield Candidate(
        (p - onehot) * onehot / n,
        "is zero for all classes but the label's: the others have a gradient too, through the sum",
    )
    log = -onehot / p / n
    yield Candidate(
        log,
        "is -onehot / p / N, the gradient of the probabilities, not of the logits: "
        "the softmax's derivative is left out",
    )
    yield Candidate((np.log(p) - onehot) / n, "uses log p, where p is right")


def equal_labels(case: Case) -> Iterator[Candidate]:
    """Where a row of the gradient is the sum of dy over the samples of its class."""
    dy, labels = case.array("dy"), case.array("x")
    if dy is None or labels is None or labels.ndim != 1 or dy.shape[:1] != labels.shape:
        return
    labels = labels.astype(int)
    if labels.min() < 0 or labels.max() >= len(case.expected):
        return
    right = np.zeros(case.expected.shape)
    if right.shape[1:] != dy.shape[1:]:
        return
    np.add.at(right, labels, dy)
    if not case.is_right(right):
        return
    last, first = np.zeros_like(right), np.zeros_like(right)
    last[labels] = dy
    first[labels[::-1]] = dy[::-1]
    for which, value in (("last", last), ("first", first)):
        yield Candidate(
            value,
            f"counts the {which} sample of each class alone: `+=` with an index "
            "adds one of equal labels, np.add.at adds all",
        )
    ones = np.zeros_like(right)
    np.add.at(ones, labels, 1.0)
    yield Candidate(ones, "counts the samples of each class: 1 is added, not dy")
    counts = np.maximum(np.bincount(labels, minlength=len(right)), 1)
    counts = counts.reshape(-1, *(1,) * (right.ndim - 1))
    yield Candidate(right / counts, "is divided by the number of samples of each class")
    yield Candidate(right * counts, "is multiplied by the number of samples of each class")
    rows = np.zeros_like(right)
    fit = min(len(rows), len(dy))
    rows[:fit] = dy[:fit]
    yield Candidate(rows, "has the row of a sample where the row of its class belongs")
