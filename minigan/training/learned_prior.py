"""Learned probabilities of a generator's categories, so that each mode can have its own share."""

import numpy as np

from .._checks import Count, Positive, TwoOrMore, checked
from ..gan import GAN
from ..layers.conditional import OneHot


class LearnedPrior:
    """A callback of `minigan.train` that learns the probabilities of G's categories from D.

    G's first layer is OneHot(K, learned=True): a sample's category is k = argmax(z + b), with z the
    last K values of its noise. Every `every` steps D judges n samples, both networks in evaluation
    mode, with logits f_i = D(G(z_i)), and

        b_j <- b_j + s lr (K / n) sum over the samples i of category j of (f_i - mean f)

    So categories with logits above the mean become more likely. If each category has n / K of the
    samples, b_j changes by s lr (mean f of category j - mean f). lr is the present learning rate
    of G: when a schedule lowers it, b comes to rest as G does.

    Why: when each category draws one class, the share of a class is the sum of the probabilities of
    its categories. Backpropagation cannot change these: the derivative of the argmax is 0. With p
    the density of the data and q that of G's samples, the optimal D is f = log(p / q) (Goodfellow
    et al. 2014), plus a constant under the relativistic loss. So f is low where G has too many
    samples. As these become fewer, D's f rises there; b rests when f has the same mean in every
    category.

    Near b = 0 this is gradient ascent on E[f]. Since z + b ~ N(b, I), for any constant c

        dE[f] / db_j = E[(f - c) z_j]            (score function; Williams 1992, "REINFORCE")

    f depends on these K values through the category alone, so z_j may be replaced by its mean given
    the category: the expectation is the same, with less noise. At b = 0 that mean is m, the mean of
    the largest of K normal values, if j was chosen, and -m / (K - 1) if not. With c = mean f the
    estimate of the gradient is then the sum above, times (m / n) K / (K - 1).

    Parameters
    ----------
    speed : s > 0. If it is too large, b follows the noise of f, and a category can become so
        unlikely that it is never drawn again
    every : number of steps between updates; each update costs a forward pass of both networks
    samples : n >= 2

    Calling it raises ValueError unless the first layer of G is OneHot(..., learned=True), and
    FloatingPointError if D's logits are not finite.
    """

    @checked
    def __init__(self, *, speed: Positive = 8.0, every: Count = 2, samples: TwoOrMore = 64) -> None:
        self.speed, self.every, self.samples = speed, every, samples

    def __repr__(self) -> str:
        return f"LearnedPrior(speed={self.speed:g}, every={self.every}, samples={self.samples})"

    def __call__(self, step: int, gan: GAN, figures: dict[str, float]) -> None:
        first = gan.generator.layers[0]
        if not isinstance(first, OneHot) or not first.learned:
            raise ValueError(
                f"LearnedPrior: G's first layer must be OneHot(..., learned=True), got {first}"
            )
        if step % self.every:
            return
        noise = gan.draw_noise(self.samples)
        samples = gan.generator.forward(noise, training=False)[0]
        logits = gan.discriminator.forward(samples, training=False)[0][:, 0]
        if not np.isfinite(logits).all():
            raise FloatingPointError(
                f"LearnedPrior: D's logits of samples are not finite at step {step}"
            )
        excess = np.bincount(first.chosen(noise), logits - logits.mean(), first.classes)
        rate = self.speed * gan.generator_optimizer.lr * first.classes / self.samples
        first.buffers["offset"] += rate * excess
