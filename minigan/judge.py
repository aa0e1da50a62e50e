"""A judge of generated digits: a classifier of our own, and what its features say.

    judge = minigan.judge.hire(images, labels)             # trained once, then kept in the cache
    real, fake = judge.look(images[:10_000]), judge.look(samples)
    print(minigan.judge.score(fake, real))

Scores mean little by themselves: print those of held-out real images beside them. And they are
this judge's: a Frechet distance in the features of another network is another number.
"""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import archive, classifier
from .data.images import cache_folder
from .kernels.reference import log_softmax
from .metrics import (
    class_coverage,
    frechet_distance,
    kernel_distance,
    precision_recall_density_coverage,
)
from .metrics._report import Report


class Seen(NamedTuple):
    """What the judge made of n images."""

    features: np.ndarray  # (n, 128), the layer below the logits
    probabilities: np.ndarray  # (n, classes)


class Judge:
    """A trained `minigan.classifier` network that only looks."""

    def __init__(self, network):
        self.network = network

    def look(self, images):
        """The features and class probabilities of images (n, 28, 28, 1) in [-1, 1], as `Seen`."""
        trunk, *_, head = self.network.layers
        features = classifier.in_batches(trunk, images)
        logits, _ = head.forward(features)
        with np.errstate(under="ignore"):
            return Seen(features, np.exp(log_softmax(logits)))

    def accuracy(self, images, labels):
        """The share of labelled images that it gets right, in [0, 1]."""
        return classifier.accuracy(self.network, images, labels)


@dataclass(frozen=True, eq=False)
class ImageScores(Report):
    """What `score` found: classes first, then distances, then the support, k = 5 neighbours."""

    samples: int
    covered: int  # classes with at least 5% of the samples
    total_variation: float  # of the class shares from the real ones, in [0, 1]
    confident: float  # share of the samples whose class has a probability above 0.9
    frechet: float  # in the judge's features; biased upwards, so compare equal numbers only
    kernel: float  # the unbiased one
    precision: float
    recall: float
    density: float
    coverage: float
    shares: np.ndarray  # of the classes

    def __str__(self):
        return (
            f"{self.covered} of {len(self.shares)} classes, total variation "
            f"{self.total_variation:.3f}, confident {self.confident:.1%}, Frechet "
            f"{self.frechet:.2f}, kernel {self.kernel:.4f}, precision {self.precision:.3f}, recall "
            f"{self.recall:.3f}, density {self.density:.3f}, coverage {self.coverage:.3f}"
        )


def score(samples, real):
    """Samples beside real images, both `Seen` by one judge and, to be fair, of equal number."""
    n, classes = real.probabilities.shape
    shares = np.bincount(real.probabilities.argmax(axis=1), minlength=classes) / n
    classes = class_coverage(samples.probabilities, reference=shares)
    neighbours = precision_recall_density_coverage(real.features, samples.features)
    return ImageScores(
        samples=len(samples.features),
        covered=classes.covered,
        total_variation=classes.total_variation,
        confident=classes.confident,
        frechet=frechet_distance(real.features, samples.features),
        kernel=kernel_distance(real.features, samples.features),
        shares=classes.shares,
        **neighbours._asdict(),
    )


def hire(images, labels, *, epochs=5, folder=None, rng=0, progress=True):
    """A Judge for a labelled set of images (M, 28, 28, 1): from the cache, or trained and kept.

    folder : where to keep it; by default "judge" in the user's cache. Its file is named by what it
             was trained on and how, so another data set has another judge.
    Training takes a minute or two on two cores. Raises what `classifier.fit` does.
    """
    labels = np.asarray(labels)
    network = classifier.build(int(labels.max()) + 1, rng=rng)
    path = (cache_folder() / "judge" if folder is None else archive.as_path("hire", folder)) / (
        f"{_fingerprint(network, images, labels, epochs, rng)}.npz"
    )
    try:
        _load(path, network)
    except (FileNotFoundError, ValueError):  # never trained, or damaged since
        classifier.fit(network, images, labels, epochs=epochs, rng=rng, progress=progress)
        _keep(path, network)
    return Judge(network)


def _fingerprint(network, images, labels, epochs, rng):
    """Sixteen digits that are others for other data, another network or another training."""
    digest = hashlib.sha256(f"{network!r} {epochs} {rng}".encode())
    digest.update(np.ascontiguousarray(images))
    digest.update(np.ascontiguousarray(labels))
    return digest.hexdigest()[:16]


def _keep(path, network):
    path.parent.mkdir(parents=True, exist_ok=True)
    buffers = {f"buffer/{name}": value for name, value in network.named_buffers()}
    archive.write(path, {"kind": "judge"}, {"theta": network.theta, **buffers})


def _load(path, network):
    file = archive.Archive(path)
    theta = file.array("theta", network.theta.shape, network.dtype)
    buffers = [
        (value, file.array(f"buffer/{name}", value.shape, value.dtype))
        for name, value in network.named_buffers()
    ]
    network.theta[...] = theta
    for value, kept in buffers:
        value[...] = kept
