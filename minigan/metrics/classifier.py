"""A classifier of small images, with the same layers, losses and optimizer as the GANs.

    network = minigan.classifier.build(classes=10)
    minigan.classifier.fit(network, images, labels, epochs=5)
    minigan.classifier.accuracy(network, test_images, test_labels)

Its purpose is to judge generated digits (`minigan.judge`), and to show what the same parts do with
one player: its loss, unlike a GAN's, has only to fall.
"""

import hashlib
import warnings
from typing import Any

import numpy as np

from .. import _archive as archive
from .. import _interrupts as interrupts
from .._callers import callers_level
from .._checks import (
    Classes,
    Count,
    DType,
    FilePath,
    Images,
    Inputs,
    Labels,
    NotNegative,
    Seed,
    checked,
)
from .._progress import Bar, say, track
from .._random import random_generator
from ..layers import BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, ReLU
from ..layers.cross_entropy import softmax_cross_entropy
from ..network import Sequential
from ..optim import Adam
from ..training.schedules import cosine

FEATURES = 128  # below the logits: the space in which the judge measures distances


@checked
def build(classes: Classes = 10, *, dtype: DType = "float32", rng: Seed = 0) -> Sequential:
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
    head = [Dropout(0.3), Linear(FEATURES, classes)]
    return Sequential([Sequential(features), *head], dtype=dtype, rng=rng)


@checked
def fit(
    network: Sequential, images: Images, labels: Labels, *, epochs: Count = 5,
    batch_size: Count = 128, lr: NotNegative = 2e-3, rng: Seed = 0, progress: bool = True,
    checkpoint: FilePath | None = None,
) -> list[float]:  # fmt: skip
    """Minimises the softmax cross-entropy of the labels, in place, by Adam.

    images (M, H, W, C) in [-1, 1], labels (M,) integers. Each epoch sees every image once, in a new
    order, moved by up to one pixel at random along each axis; the rate falls from `lr` along a
    cosine. With the defaults it reads 99.3 % of MNIST's test images right, which is enough for a
    judge of samples of which 5 % are doubtful. They are customary values, except that the rate is
    twice the usual 1e-3 of Adam, because it falls to 0; no others were compared.

    checkpoint : a file that keeps the training after each epoch. The same call goes on from there,
                 to the same bits; at the end the file is deleted

    Returns the loss of each step. Raises ValueError or TypeError for images and labels that do not
    go together, and for pixels outside of [-1, 1] or none below 0. Ctrl-C raises KeyboardInterrupt
    after the step it is in.
    """
    _check_range("fit", images)
    rng = random_generator(rng, "classifier")
    optimizer, rate = Adam(lr, beta1=0.9), cosine()
    kept = None
    if checkpoint is not None:
        identity = fingerprint(
            network.theta, images, labels, network, epochs, batch_size, lr, _states(network, rng)
        )
        kept = _Kept(checkpoint, identity, network, optimizer, rng)
    per_epoch = -(-len(images) // batch_size)
    losses, steps = kept.load() if kept else [], epochs * per_epoch
    bar = Bar(steps, initial=len(losses), unit="step", desc="classifier", show=progress)
    with bar, interrupts.held() as interrupted, np.errstate(under="ignore"):
        for epoch in range(len(losses) // per_epoch, epochs):
            for batch in np.array_split(rng.permutation(len(images)), per_epoch):
                optimizer.lr = lr * rate(len(losses) / steps)
                logits, cache = network.forward(_moved(images[batch], rng))
                loss, dlogits = softmax_cross_entropy(logits, labels[batch])
                network.zero_grad()
                network.backward_params(dlogits, cache)
                optimizer.step(network.theta, network.grad)
                losses.append(loss)
                bar.update()
                if interrupted:
                    _stop(kept, epoch, epochs, progress)
            if kept and epoch + 1 < epochs:
                kept.save(losses)
    if kept:
        kept.delete()
    return losses


def _stop(kept, epoch, epochs, progress):
    """Ends the training after a Ctrl-C, and says what is left of it."""
    words = f"classifier: interrupted in epoch {epoch + 1} of {epochs}; "
    if kept and epoch:
        words += f"epochs up to {epoch} are in {kept.path}, and the same call goes on from there"
    else:
        words += "nothing of it is kept, and the next training starts anew"
    if progress:
        say(words)
    raise KeyboardInterrupt(words)


class _Kept:
    """The file in which a training of the classifier is kept between its epochs."""

    def __init__(self, path, identity, network, optimizer, rng):
        self.path, self.identity = path, identity
        self.network, self.optimizer, self.rng = network, optimizer, rng

    def save(self, losses):
        """Keeps the state after an epoch; where it cannot be written, training goes on."""
        arrays = {"theta": self.network.theta, "losses": np.array(losses, np.float64)}
        arrays |= {name: getattr(self.optimizer, name) for name in self.optimizer.moments}
        arrays |= {f"buffer/{name}": value for name, value in self.network.named_buffers()}
        header = {"kind": "classifier", "identity": self.identity, "steps": self.optimizer.steps}
        try:
            archive.write(self.path, header | {"random": _states(self.network, self.rng)}, arrays)
        except OSError as error:
            warnings.warn(f"fit: {error}", stacklevel=callers_level())

    def load(self):
        """Puts back what `save` kept of the same training, and returns its losses; [] if there is
        no such file."""
        network, optimizer = self.network, self.optimizer
        try:
            file = archive.Archive(self.path)
            if file.header.get("identity") != self.identity:
                return []
            theta = file.array("theta", network.theta.shape, network.dtype)
            moments = {n: file.array(n, theta.shape, theta.dtype) for n in optimizer.moments}
            buffers = [
                (value, file.array(f"buffer/{name}", value.shape, value.dtype))
                for name, value in network.named_buffers()
            ]
            losses = file.array("losses", (None,), np.float64).tolist()
            random, steps = file.header["random"], file.header["steps"]
        except (OSError, ValueError, KeyError):  # never written, or damaged since
            return []
        network.theta[...] = theta
        for value, kept in buffers:
            value[...] = kept
        vars(optimizer).update(moments, steps=steps)
        for generator, state in zip((self.rng, network.rng), random):
            generator.bit_generator.state = state
        return losses

    def delete(self):
        for file in (self.path, archive.previous(self.path)):
            file.unlink(missing_ok=True)


def _states(network, rng):
    return [rng.bit_generator.state, network.rng.bit_generator.state]


def fingerprint(*parts: Any) -> str:
    """16 hex digits that differ with the parts: arrays by their bytes, the others by their repr."""
    digest = hashlib.sha256()
    for part in parts:
        array = isinstance(part, np.ndarray)
        digest.update(np.ascontiguousarray(part) if array else f"{part!r};".encode())
    return digest.hexdigest()[:16]


def _moved(images, rng):
    """Each image moved by -1, 0 or 1 pixel along each axis, its rim repeated."""
    n, height, width, _ = images.shape
    shift = rng.integers(-1, 2, (2, n, 1))
    rows = np.clip(np.arange(height) + shift[0], 0, height - 1)
    columns = np.clip(np.arange(width) + shift[1], 0, width - 1)
    return images[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _check_range(owner, images):
    """Raises ValueError for images that are not in [-1, 1], or do not look like it."""
    if suspicion := outside(owner, images):
        raise ValueError(suspicion)


MANY = 16  # images; of fewer, all pixels may happen to be bright


def outside(owner: str, images: np.ndarray) -> str | None:
    """Raises ValueError for images that cannot be pixels in [-1, 1]. Returns the text of
    a warning for `MANY` or more in [0, 1], else None."""
    scale = "scale them: x / 127.5 - 1 from 0..255, or 2 x - 1 from [0, 1]"
    if not images.size:
        return None
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{owner}: images must be finite, got NaN or infinity")
    found = f"got {images.dtype} from {low:g} to {high:g}"
    if low < -1.001 or high > 1.001:
        raise ValueError(f"{owner}: images must be in [-1, 1], {found}; {scale}")
    if len(images) >= MANY and low >= 0:
        return f"{owner}: images must be in [-1, 1], {found}, none below 0; {scale}"
    return None


@checked
def in_batches(
    network: Layer, x: Inputs, batch_size: Count = 500, *, progress: bool = True
) -> np.ndarray:
    """network(x) in evaluation mode, a part at a time: memory for one part only.

    progress : show a bar, if it takes more than two seconds
    """
    parts = np.array_split(x, max(1, -(-len(x) // batch_size)))
    options = {"unit": "batch", "desc": "images", "show": progress, "delay": 2.0, "leave": False}
    with np.errstate(under="ignore"):
        return np.concatenate(
            [network.forward(part, training=False)[0] for part in track(parts, **options)]
        )


@checked
def accuracy(network: Sequential, images: Images, labels: Labels) -> float:
    """The share of images whose largest logit is at their label, in [0, 1]."""
    _check_range("accuracy", images)
    return float(np.mean(in_batches(network, images).argmax(axis=1) == labels))
