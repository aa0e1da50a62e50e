"""A classifier of small images, with the same layers, losses and optimizer as the GANs.

    network = minigan.classifier.build(classes=10)
    minigan.classifier.fit(network, images, labels, epochs=5)
    minigan.classifier.accuracy(network, test_images, test_labels)

It is here to judge generated digits (`minigan.judge`), and to show what the same parts do in the
ordinary, one-player case: its loss, unlike a GAN's, has only to fall.
"""

import numpy as np
from tqdm import tqdm

from . import checks
from .layers import BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, ReLU
from .losses import softmax_cross_entropy
from .network import Sequential
from .optim import Adam
from .schedules import cosine

FEATURES = 128


def build(classes=10, *, dtype="float32", rng=0):
    """Images (N, 28, 28, 1) -> class logits (N, classes).

    Its first layer is a network too: the one that makes the 128 features, of which the last layer
    is a linear function. About 440,000 parameters.
    """
    features = [
        Conv2d(1, 16, 5, stride=2, padding=2, bias=False), BatchNorm(16), ReLU(),
        Conv2d(16, 32, 3, padding=1, bias=False), BatchNorm(32), ReLU(),
        Conv2d(32, 64, 4, stride=2, padding=1, bias=False), BatchNorm(64), ReLU(),
        Flatten(), Linear(7 * 7 * 64, FEATURES), ReLU(),
    ]  # fmt: skip
    head = [Dropout(0.3), Linear(FEATURES, checks.count("classes", classes, at_least=2))]
    return Sequential([Sequential(features), *head], dtype=dtype, rng=rng)


def fit(network, images, labels, *, epochs=5, batch_size=128, lr=2e-3, rng=0, progress=True):
    """Minimises the softmax cross-entropy of the labels, in place, by Adam.

    images (M, H, W, C), labels (M,) integers. Each epoch sees every image once, in a new order,
    moved by up to one pixel at random along each axis; the rate falls from `lr` along a cosine.
    Returns the loss of each step. Raises ValueError or TypeError for images and labels that do not
    go together.
    """
    images, labels = _labelled("fit", network, images, labels)
    progress = checks.flag("fit", "progress", progress)
    epochs, batch_size = checks.count("epochs", epochs), checks.count("batch_size", batch_size)
    rng, optimizer, rate = checks.generator("rng", rng, "classifier"), Adam(lr, beta1=0.9), cosine()
    per_epoch = -(-len(images) // batch_size)
    losses, steps = [], epochs * per_epoch
    with tqdm(total=steps, disable=not progress, unit="step", desc="classifier") as bar:
        for _ in range(epochs):
            for batch in np.array_split(rng.permutation(len(images)), per_epoch):
                optimizer.lr = lr * rate(len(losses) / steps)
                logits, cache = network.forward(_moved(images[batch], rng))
                loss, dlogits = softmax_cross_entropy(logits, labels[batch])
                network.zero_grad()
                network.backward_params(dlogits, cache)
                optimizer.step(network.theta, network.grad)
                losses.append(loss)
                bar.update()
    return losses


def _moved(images, rng):
    """Each image moved by -1, 0 or 1 pixel along each axis, its rim repeated."""
    n, height, width, _ = images.shape
    shift = rng.integers(-1, 2, (2, n, 1))
    rows = np.clip(np.arange(height) + shift[0], 0, height - 1)
    columns = np.clip(np.arange(width) + shift[1], 0, width - 1)
    return images[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _labelled(owner, network, images, labels):
    """Images (M, H, W, C) and labels (M,) as arrays; ValueError or TypeError unless they are."""
    checks.instance(owner, "network", network, Sequential)
    images = checks.as_array(f"{owner}: images", images)
    labels = checks.as_array(f"{owner}: labels", labels)
    if images.dtype.kind not in "fiub" or labels.dtype.kind not in "iu":
        raise TypeError(
            f"{owner}: images must be numbers and labels integers, got {images.dtype} and "
            f"{labels.dtype}"
        )
    if images.ndim != 4 or labels.shape != images.shape[:1] or not len(images):
        raise ValueError(
            f"{owner}: expected images (M, H, W, C) and labels (M,), got {images.shape} and "
            f"{labels.shape}"
        )
    return images, labels


def in_batches(network, x, batch_size=500):
    """network(x) in evaluation mode, a part at a time: memory for one part only."""
    checks.instance("in_batches", "network", network, Layer)
    x, batch_size = checks.as_array("x", x), checks.count("batch_size", batch_size)
    parts = np.array_split(x, max(1, -(-len(x) // batch_size)))
    return np.concatenate([network.forward(part, training=False)[0] for part in parts])


def accuracy(network, images, labels):
    """The share of images whose largest logit is at their label, in [0, 1]."""
    images, labels = _labelled("accuracy", network, images, labels)
    return float(np.mean(in_batches(network, images).argmax(axis=1) == labels))
