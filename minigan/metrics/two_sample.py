"""The classifier two-sample test: can a classifier tell samples from data?"""

import math
from typing import NamedTuple

import numpy as np

from .._checks import Count, EightPoints, OtherEightPoints, Seed, checked
from .._random import random_generator
from ..layers.activations import LeakyReLU
from ..layers.linear import Linear
from ..losses import NonSaturating
from ..network import Sequential
from ..optim import Adam

UNITS, BATCH = 64, 128


class TwoSampleTest(NamedTuple):
    """What `classifier_two_sample_test` found."""

    accuracy: float
    tested: int
    p_value: float

    def __str__(self) -> str:
        return (
            f"a classifier tells them apart in {self.accuracy:.1%} of {self.tested:,} cases it has "
            f"not seen (50 %: not at all), p = {self.p_value:.2g}"
        )


@checked
@np.errstate(under="ignore")
def classifier_two_sample_test(
    real: EightPoints,
    fake: OtherEightPoints,
    *,
    steps: Count = 500,
    rng: Seed = 0,
) -> TwoSampleTest:
    """accuracy of a classifier of real against fake, trained on one half, tested on the other

    Like a discriminator, but of fixed samples, and tested on samples it was not trained on. If both
    sets come from one distribution, its accuracy is 1/2 with standard deviation 1 / sqrt(4 m) on m
    tested cases; p is the probability of an accuracy as high under that normal distribution
    (Lopez-Paz and Oquab 2017, arXiv 1610.06545). Sets of unequal size are cut to the smaller.

    Parameters
    ----------
    real, fake : (n, d) and (m, d), n, m >= 8; a judge's features, or points
    steps : of Adam, on minibatches of 128
    rng : a seed or a Generator, for the halves, the weights and the minibatches

    Returns
    -------
    TwoSampleTest
    """
    rng = random_generator(rng)
    half = min(len(real), len(fake)) // 2
    (r_train, r_test), (f_train, f_test) = (_halves(x, half, rng) for x in (real, fake))
    pooled = np.concatenate([r_train, f_train])
    mean, scale = pooled.mean(axis=0), pooled.std(axis=0)
    scale[scale == 0] = 1  # a constant, which tells nothing
    r_train, r_test, f_train, f_test = (
        ((x - mean) / scale).astype(np.float32) for x in (r_train, r_test, f_train, f_test)
    )
    network = Sequential([Linear(real.shape[1], UNITS), LeakyReLU(0.2), Linear(UNITS, 1)], rng=rng)
    optimizer, loss = Adam(1e-3, beta1=0.9), NonSaturating()
    for _ in range(steps):
        x = np.concatenate([s[rng.integers(half, size=BATCH)] for s in (r_train, f_train)])
        logits, cache = network.forward(x)
        _, d_real, d_fake = loss.discriminator(logits[:BATCH], logits[BATCH:])
        network.zero_grad()
        network.backward_params(np.concatenate([d_real, d_fake]), cache)
        optimizer.step(network.theta, network.grad)
    right = np.count_nonzero(network.forward(r_test, training=False)[0] > 0)
    right += np.count_nonzero(network.forward(f_test, training=False)[0] <= 0)
    accuracy, tested = right / (2 * half), 2 * half
    z = (accuracy - 0.5) * math.sqrt(4 * tested)
    return TwoSampleTest(accuracy, tested, math.erfc(z / math.sqrt(2)) / 2)


def _halves(x, half, rng):
    x = x[rng.permutation(len(x))[: 2 * half]]
    return x[:half], x[half:]
