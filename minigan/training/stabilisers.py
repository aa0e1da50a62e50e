"""Stabilisers: instance noise, packing, smoothed labels, discrete noise, learned prior, annealing.

    InstanceNoise(std)       a layer, first in D: real and fake samples are blurred alike
    Pack(samples)            a layer, first in D: D judges several samples at once (PacGAN)
    DiscreteNoise(signs)     a layer, first in G: some of the noise values become their signs
    WithInput(layer)         a layer in D: Fourier features with the samples themselves beside them
    OneSidedSmoothing(label) a loss: the non-saturating one with a softer label for the real samples
    Annealing(...)           a callback of `minigan.train`: from coarse to fine
    LearnedPrior(...)        a callback: learns from D how likely each of G's categories is

None needs a change in `GAN`: four are ordinary layers, so a whole step with them can be checked by
`minigan.gradcheck.check_step`. The running average of G is `minigan.Average`, schedules of the
learning rates are in `minigan.schedules`.
"""

from .._checks import Blurs, Count, Positive, PositiveShare, ZeroCentred, checked
from ..gan import GAN
from ..layers.activations import sigmoid, softplus
from ..layers.input_layers import DiscreteNoise, InstanceNoise, Pack, WithInput
from ..losses import Array, NonSaturating, Played, mean
from .learned_prior import LearnedPrior
from .schedules import exponential

__all__ = [
    "Annealing", "DiscreteNoise", "InstanceNoise", "LearnedPrior", "OneSidedSmoothing", "Pack",
    "WithInput",
]  # fmt: skip


class OneSidedSmoothing(NonSaturating):
    """The non-saturating game with the label a < 1 for real samples, fakes' left at 0.

    L_D = mean [a softplus(-r) + (1 - a) softplus(r)] + mean softplus(f)
                                        dL_D/dr = (sigmoid(r) - a) / N,  dL_D/df = sigmoid(f) / N
    L_G as in NonSaturating

    At the optimum sigmoid(D) = a p / (p + q), which is at most a: for a < 1 the optimal logit stays
    finite where there are no fakes. Smoothing the fakes' label too would put q into the numerator,
    and reward fakes for staying where they are (Salimans et al. 2016, sec. 3.4).
    0 < a <= 1; the paper's is 0.9.
    """

    def __init__(self, label: PositiveShare = 0.9) -> None:
        self.label = label

    def discriminator(self, real: Array, fake: Array) -> Played:
        a = self.label
        value = mean(a * softplus(-real) + (1 - a) * softplus(real)) + mean(softplus(fake))
        return value, (sigmoid(real) - a) / real.size, sigmoid(fake) / fake.size

    def __repr__(self) -> str:
        return f"OneSidedSmoothing({self.label:g})"


class Annealing:
    """From coarse to fine: b(t) = coarse (fine / coarse)^((t / until)^power) up to t = until.

    t: steps done / `steps`. From t = until on, b = fine.

    Parameters
    ----------
    noise : an `InstanceNoise` or `FourierFeatures`, whose std is set to b, or None
    penalties : R1 or R2 whose gamma is set to b
    coarse, fine : the first and the last b, both > 0; as a blur, in the units of the samples
    steps : number of steps of the whole training
    until : in (0, 1]
    power : > 0; with 1, b falls by the same ratio at each step; with more, more slowly at first

    Idea: with a large blur the data have one mode; as the blur shrinks below the distance of the
    modes they separate, where G has samples already. Both penalties are 0 where D is constant, as
    the optimal D is at p = q (its gradients there are 0): they do not move that equilibrium. Away
    from it, R1 smooths D over distances of about sqrt(gamma), so gamma has to fall as well.

    The constructor sets the first values; pass the object to `minigan.train` as `callback`.
    """

    @checked
    def __init__(
        self,
        noise: Blurs | None,
        penalties: ZeroCentred = (),
        *,
        coarse: Positive,
        fine: Positive,
        steps: Count,
        until: PositiveShare = 0.8,
        power: Positive = 1.0,
    ) -> None:
        self.noise, self.penalties = noise, penalties
        self.coarse, self.steps, self.until, self.power = coarse, steps, until, power
        self.factor = exponential(final=fine / self.coarse)
        self._set(0.0)

    def __repr__(self) -> str:
        fine = self.coarse * self.factor(1.0)
        return f"Annealing(coarse={self.coarse:g}, fine={fine:g}, steps={self.steps})"

    def __call__(self, step: int, gan: GAN, figures: dict[str, float]) -> None:
        self._set(step / self.steps)

    def _set(self, t: float) -> None:
        b = self.coarse * self.factor(min(1.0, t / self.until) ** self.power)
        if self.noise is not None:
            self.noise.std = b
        for penalty in self.penalties:
            penalty.gamma = b
