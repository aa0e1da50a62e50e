"""Class coverage: which classes a classifier sees among the samples, and how surely."""

from dataclasses import dataclass

import numpy as np

from .._checks import Points, PositiveShare, Share, Shares, checked
from ._report import Measures
from .shares import reverse_kl, total_variation


@dataclass(frozen=True, eq=False, repr=False)
class ClassCoverage(Measures):
    """What `class_coverage` found, over C classes."""

    samples: int  # samples scored
    classes: int  # C
    covered: int  # classes with at least `min_share` of the samples
    min_share: float
    total_variation: float  # of the shares against the reference, in [0, 1]
    reverse_kl: float  # nats
    mean_confidence: float  # mean of the largest probability
    confident: float  # share of the samples whose largest probability is above `confidence`
    confidence: float
    shares: np.ndarray  # (C,) share of the samples in each class

    LEGEND = {
        "class": "the one to which the classifier gives the largest probability",
        "total variation": "share of the samples that would have to change class to match",
        "reverse KL": "divergence of the classes' shares from the reference, in nats; 0 is perfect",
        "confidence": "the largest probability; a classifier can be sure of noise, too",
    }

    def __str__(self):
        return (
            f"{self.covered} of {self.classes} classes at {self.min_share:.0%} of the samples or "
            f"more; total variation {self.total_variation:.3f}, reverse KL {self.reverse_kl:.4f}; "
            f"confidence {self.mean_confidence:.3f} on average, above {self.confidence:g} on "
            f"{self.confident:.1%} ({self.samples} samples)"
        )


@checked
@np.errstate(under="ignore")
def class_coverage(
    probabilities: Points,
    *,
    reference: Shares | None = None,
    min_share: PositiveShare = 0.05,
    confidence: Share = 0.9,
) -> ClassCoverage:
    """Shares of the classes among samples, judged by a classifier: class = argmax probability.

    probabilities: (n, C), the classifier's softmax: rows non-negative, each summing to 1 (logits
    are refused). reference: shares (C,) to compare with, such as those of the real data; by
    default equal. min_share in (0, 1]: of all samples, to count a class as covered; a tail class
    rarer than that in the data needs a lower one. confidence in [0, 1].
    Returns a `ClassCoverage`. Raises ValueError or TypeError, naming the argument.

    A classifier is no judge of quality by itself, for it is also sure of some noise: read it
    beside a Frechet distance, and beside what held-out real data score.
    """
    n, classes = probabilities.shape
    sums = probabilities.sum(axis=1)
    if probabilities.min() < 0.0 or np.abs(sums - 1.0).max() > 1e-3:
        raise ValueError(
            "class_coverage: probabilities must be rows >= 0 that each sum to 1 (a softmax, not "
            f"logits), got a minimum of {probabilities.min():.4g} and sums from "
            f"{sums.min():.4g} to {sums.max():.4g}"
        )
    if reference is None:
        reference = np.full(classes, 1.0 / classes)
    if len(reference) != classes:
        raise ValueError(
            f"class_coverage: reference must be shares of {classes} classes, got {len(reference)}"
        )

    shares = np.bincount(probabilities.argmax(axis=1), minlength=classes) / n
    largest = probabilities.max(axis=1)
    return ClassCoverage(
        samples=n,
        classes=classes,
        covered=int(np.count_nonzero(shares >= min_share)),
        min_share=min_share,
        total_variation=total_variation(shares, reference),
        reverse_kl=reverse_kl(shares, reference),
        mean_confidence=float(largest.mean()),
        confident=float((largest > confidence).mean()),
        confidence=confidence,
        shares=shares,
    )
