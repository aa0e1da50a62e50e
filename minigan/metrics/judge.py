"""A judge of generated digits: a classifier of digits, and what its features say.

    judge = minigan.judge.load_or_train(images, labels)    # trained once, then kept in the cache
    real, fake = judge.classify(images[:10_000]), judge.classify(samples)
    print(minigan.judge.score(fake, real))

Scores mean little by themselves: print those of held-out real images beside them. And they are
this judge's: a Frechet distance in the features of another network is another number.
"""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import _archive as archive
from .._callers import callers_level
from .._checks import Count, FilePath, Images, Labels, Numbers, Seed, checked, shown
from ..data.mnist_files import cache_folder
from ..layers import Dropout, Linear
from ..layers.cross_entropy import log_softmax
from ..network import Sequential
from . import (
    class_coverage,
    classifier,
    frechet_distance,
    kernel_distance,
    precision_recall_density_coverage,
)
from ._report import Measures


class Predictions(NamedTuple):
    """What `Judge.classify` returns for n images."""

    features: np.ndarray  # (n, 128), the layer below the logits
    probabilities: np.ndarray  # (n, classes)


@checked
class Judge:
    """A trained `minigan.classifier` network, used for inference only.

    Raises ValueError for another network: the first layer has to make the features, and the last
    one, which is linear, the logits of them.
    """

    def __init__(self, network: Sequential) -> None:
        first, *others = network.layers
        *between, last = others or [None]
        is_judge = isinstance(first, Sequential) and isinstance(last, Linear)
        if not is_judge or not all(isinstance(layer, Dropout) for layer in between):
            raise ValueError(
                f"Judge: network must be like those of classifier.build, got {shown(network)}"
            )
        self.network = network

    def __repr__(self) -> str:
        return f"Judge({self.network!r})"

    def classify(self, images: Numbers) -> Predictions:
        """Features and class probabilities of images (n, 28, 28, 1) in [-1, 1].

        Raises ValueError for pixels outside of [-1, 1]: clip the samples of a generator that is not
        bounded. Warns of 16 images or more of which no pixel is below 0, as in [0, 1].
        """
        if suspicion := classifier.outside("classify", images):
            warnings.warn(suspicion, stacklevel=callers_level())
        trunk, *_, head = self.network.layers
        features = classifier.in_batches(trunk, images)
        logits, _ = head.forward(features)
        with np.errstate(under="ignore"):
            return Predictions(features, np.exp(log_softmax(logits)))

    def accuracy(self, images: Images, labels: Labels) -> float:
        """The share of labelled images that it gets right, in [0, 1]."""
        return classifier.accuracy(self.network, images, labels)


@dataclass(frozen=True, eq=False, repr=False)
class ImageScores(Measures):
    """What `score` found: classes, then distances, then neighbours (k = 5) in the features."""

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

    LEGEND = {
        "class": "the one to which the judge gives the largest probability",
        "total variation": "share of the samples that would have to change class to match",
        "confident": "samples whose class has a probability above 0.9",
        "Frechet": "distance of means and covariances of the features; biased upwards",
        "kernel": "distance of the features' first three moments; unbiased, so it may be negative",
        "precision": "share of the samples that lie among the real images",
        "recall": "share of the real images that lie among the samples",
        "density": "how densely the samples lie there; 1 is perfect",
        "coverage": "share of the real images with a sample near them",
    }

    def __str__(self) -> str:
        return (
            f"{self.covered} of {len(self.shares)} classes, total variation "
            f"{self.total_variation:.3f}, confident {self.confident:.1%}, Frechet "
            f"{self.frechet:.2f}, kernel {self.kernel:.4f}, precision {self.precision:.3f}, recall "
            f"{self.recall:.3f}, density {self.density:.3f}, coverage {self.coverage:.3f}"
        )


@checked
def score(samples: Predictions, real: Predictions) -> ImageScores:
    """Compares samples with real images, by the predictions of one judge for both.

    Take equal numbers of each: the Frechet distance is biased upwards, the more the fewer samples.
    """
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


@checked
def load_or_train(
    images: Images,
    labels: Labels,
    *,
    epochs: Count = 5,
    folder: FilePath | None = None,
    rng: Seed = 0,
    progress: bool = True,
) -> Judge:
    """A Judge for a labelled set of images (M, 28, 28, 1): from the cache, or trained and kept.

    Training takes a minute or two on two cores. Ctrl-C ends it with KeyboardInterrupt; the next
    call goes on after the last whole epoch. Warns if the judge cannot be written.

    Parameters
    ----------
    images : (M, 28, 28, 1), in [-1, 1]
    labels : (M,), integers from 0
    epochs : passes over the images
    folder : where to keep it; by default "judge" in the user's cache. The file's name is made of
        the data, the architecture and the training options, so other data have another judge
    rng : seed or Generator
    progress : show a progress bar

    Raises
    ------
    ValueError, TypeError
        As `classifier.fit`.
    """
    seed = rng.bit_generator.state if isinstance(rng, np.random.Generator) else rng
    network = classifier.build(int(labels.max()) + 1, rng=rng)
    folder = folder or cache_folder() / "judge"
    name = classifier.fingerprint(f"{network!r} {epochs} {seed}", images, labels)
    path = folder / f"{name}.npz"
    try:
        _load(path, network)
    except (OSError, ValueError):  # never trained, or damaged since
        options: dict = {"epochs": epochs, "rng": rng, "progress": progress}
        writable = _make_folder(folder)
        if writable:
            options["checkpoint"] = folder / f"{name}.training.npz"
        classifier.fit(network, images, labels, **options)
        if writable:
            _keep(path, network)
    return Judge(network)


def _make_folder(folder):
    """Makes the folder; False, with a warning, where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        warnings.warn(
            f"load_or_train: the judge will not be kept: {error}", stacklevel=callers_level()
        )
        return False
    return True


def _keep(path, network):
    buffers = {f"buffer/{name}": value for name, value in network.named_buffers()}
    try:
        archive.write(path, {"kind": "judge"}, {"theta": network.theta, **buffers})
    except OSError as error:
        warnings.warn(f"load_or_train: the judge was not kept: {error}", stacklevel=callers_level())


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
