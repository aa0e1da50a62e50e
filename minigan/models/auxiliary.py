"""Auxiliary losses: D also estimates the class or code of a sample, and G helps it to.

    AuxiliaryClassifier(loss, classes)            AC-GAN: the class that a sample is labelled with
    Information(loss, categories, continuous)     InfoGAN: a code that G was given, without labels

Each stands around an ordinary loss of `minigan.losses` and adds a term that *both* players
minimise: they compete over real and fake, and cooperate on the code. D gives `loss.width` values
for each sample: its logit; then an estimate of the sample's code; last the code itself, which
`minigan.conditional.WithCode` has carried past D, so that the loss can compare the two. G's samples
carry the code that G was given; real samples carry their label, or zeros (`conditional.blank`).

A penalty looks at the slope of the logit alone.
"""

from typing import Any

import numpy as np

from .._checks import Adversarial, Classes, CountOrZero, NotNegative
from ..layers.conditional import class_of_code
from ..layers.cross_entropy import softmax_cross_entropy
from ..losses import Array, Loss, Played


class _Auxiliary(Loss):
    """The adversarial loss of the first column + weight * term(rows).

    A subclass has `term(rows)` -> (value, d value / d rows), for the rows (N, width) of one
    minibatch, and `real_samples_have_it`: whether D minimises the term on these as well.
    """

    real_samples_have_it: bool

    def __init__(self, adversarial: Any, weight: float, code: int) -> None:
        self.adversarial = adversarial
        self.generator_sees_real = adversarial.generator_sees_real
        self.weight = weight
        self.width = 1 + 2 * code

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.adversarial!r}, weight={self.weight:g})"

    def discriminator(self, real: Array, fake: Array) -> Played:
        play = self.adversarial.discriminator
        return self._play(play, real, fake, self.real_samples_have_it)

    def generator(self, real: Array, fake: Array) -> Played:
        return self._play(self.adversarial.generator, real, fake, False)

    def _play(self, play, real, fake, term_of_real):
        value, *slopes = play(real[:, :1], fake[:, :1])
        gradients = np.zeros_like(real), np.zeros_like(fake)
        for rows, slope, gradient in zip((real, fake), slopes, gradients):
            gradient[:, :1] = slope
            if rows is fake or term_of_real:
                term, d_term = self.term(rows)
                value += self.weight * term
                gradient += self.weight * d_term
        return value, *gradients

    def term(self, rows: Array) -> tuple[float, Array]:
        raise NotImplementedError


class AuxiliaryClassifier(_Auxiliary):
    """AC-GAN (Odena et al. 2017): D also classifies; G's samples should get the class asked for.

    rows [logit, l_1 ... l_K, c]: class logits l, and the one-hot code c of class k = argmax c

        CE  = mean -log softmax(l)_k                   dCE/dl = (softmax(l) - onehot(k)) / N
        L_D = adversarial + weight (CE of real samples + CE of fakes)
        L_G = adversarial + weight CE of fakes

    The derivative in c is zero: k does not move. D's logit does not look at the class at all, so
    the adversarial part alone asks only for real-looking samples; a heavy weight can make G give up
    samples that are hard to classify. weight >= 0, the paper's is 1; K = `classes` >= 2.
    """

    real_samples_have_it = True

    def __init__(
        self, adversarial: Adversarial, classes: Classes, weight: NotNegative = 1.0
    ) -> None:
        self.classes = classes
        super().__init__(adversarial, weight, classes)

    def term(self, rows: Array) -> tuple[float, Array]:
        gradient, logits = np.zeros_like(rows), slice(1, 1 + self.classes)
        value, gradient[:, logits] = softmax_cross_entropy(
            rows[:, logits], class_of_code(rows, self.classes)
        )
        return value, gradient


class Information(_Auxiliary):
    """InfoGAN (Chen et al. 2016): D reads the code of a fake off its pixels, so G has to use it.

    rows [logit, m_1 ... m_J, l_1 ... l_K, c_1 ... c_J, e]: J estimates m of the continuous codes c,
    which are N(0, 1) to begin with, and logits l of the category k = argmax e of K

        I   = mean [-log softmax(l)_k + |m - c|^2 / 2]        dI/dm = (m - c) / N,  dI/dc = -dI/dm
        L_D = adversarial + weight I of fakes,  L_G = adversarial + weight I of fakes

    -I is, up to constants, the log likelihood of the code under a categorical distribution and
    normal ones of mean m and variance 1: a lower bound of the information that samples have about
    the code, which both players raise. Real samples have no code, so D learns nothing of I from
    them, and the loss does not determine what a category means. (dI/dc goes where c came from, to
    the noise: nothing is trained there.)

    weight >= 0 is one for both parts of I. The paper takes 1 for a category, and says that it
    should be smaller for continuous codes. K = `categories` >= 2, J = `continuous` >= 0.
    """

    real_samples_have_it = False

    def __init__(
        self,
        adversarial: Adversarial,
        categories: Classes,
        continuous: CountOrZero = 0,
        weight: NotNegative = 1.0,
    ) -> None:
        self.categories, self.continuous = categories, continuous
        super().__init__(adversarial, weight, categories + continuous)

    def term(self, rows: Array) -> tuple[float, Array]:
        gradient, (means, logits, codes) = np.zeros_like(rows), self._places
        value, gradient[:, logits] = softmax_cross_entropy(
            rows[:, logits], class_of_code(rows, self.categories)
        )
        miss = rows[:, means] - rows[:, codes]
        value += float(np.sum(miss**2, dtype=np.float64)) / (2 * len(rows))
        gradient[:, means] = miss / len(rows)
        gradient[:, codes] = -miss / len(rows)
        return value, gradient

    @property
    def _places(self) -> list[slice]:
        """Where m, l and c stand."""
        ends = np.cumsum([1, self.continuous, self.categories, self.continuous]).tolist()
        return [slice(*place) for place in zip(ends, ends[1:])]
