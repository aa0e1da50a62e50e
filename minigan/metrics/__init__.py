"""How good are the samples? Each metric by its paper's definition, in NumPy, one family a file.

    the data's density is known    mode_coverage          modes reached, sharpness, widths
    any two sets of points         sliced_wasserstein     how far the mass must move
                                   mmd                    differences at chosen scales
    a network's features           frechet_distance       means and covariances
                                   kernel_distance        the same and third moments, unbiased
                                   precision_recall_density_coverage    fidelity apart from variety
                                   classifier_two_sample_test    can they be told apart?
                                   copying, nearest       is a sample a training image?
                                   birthday_support       how many different samples
                                   alike_within           a distance below which two are the same
    a classifier's outputs         class_coverage         classes reached, confidence
    two vectors of shares          total_variation  reverse_kl

Read none of them alone: `beside_real` gives what held-out real data score, with the spread over
several draws. The reports of mode_coverage and class_coverage explain their words: `.legend()`.
"""

from typing import TYPE_CHECKING

from .. import _public_names
from .classes import ClassCoverage, class_coverage
from .frechet import frechet_distance
from .held_out import BesideReal, Spread, beside_real
from .kernel_distances import kernel_distance, mmd
from .memorisation import Copying, Support, alike_within, birthday_support, copying, nearest
from .modes import ModeCoverage, mode_coverage
from .neighbours import NeighbourScores, precision_recall_density_coverage
from .shares import reverse_kl, total_variation
from .two_sample import TwoSampleTest, classifier_two_sample_test
from .wasserstein import sliced_wasserstein

__all__ = [
    "BesideReal",
    "ClassCoverage",
    "Copying",
    "ModeCoverage",
    "NeighbourScores",
    "Spread",
    "Support",
    "TwoSampleTest",
    "alike_within",
    "birthday_support",
    "beside_real",
    "class_coverage",
    "classifier_two_sample_test",
    "copying",
    "frechet_distance",
    "kernel_distance",
    "mmd",
    "mode_coverage",
    "nearest",
    "precision_recall_density_coverage",
    "reverse_kl",
    "sliced_wasserstein",
    "total_variation",
]

if not TYPE_CHECKING:
    __getattr__ = _public_names.modules_of(__name__)
