"""Stabilisers: instance noise, packing, smoothed labels, discrete noise, annealing.

    InstanceNoise(std)       a layer, first in D: real and fake samples are blurred alike
    Pack(samples)            a layer, first in D: D judges several samples at once (PacGAN)
    DiscreteNoise(signs)     a layer, first in G: some of the noise values become their signs
    WithInput(layer)         a layer in D: Fourier features with the samples themselves beside them
    OneSidedSmoothing(label) a loss: the non-saturating one with a softer label for the real samples
    Annealing(...)           a callback of `minigan.train`: from coarse to fine

None needs a change in `GAN`: four are ordinary layers, so a whole step with them can be checked by
`minigan.gradcheck.check_step`. The running average of G is `minigan.Average`, schedules of the
learning rates are in `minigan.schedules`.
"""

from collections.abc import Sequence
from typing import Any

from .._old_checks import instance, part, positive_int, real_number, shown
from ..gan import GAN
from ..layers.input_layers import DiscreteNoise, InstanceNoise, Pack, WithInput
from ..losses import OneSidedSmoothing
from .schedules import exponential

__all__ = ["Annealing", "DiscreteNoise", "InstanceNoise", "OneSidedSmoothing", "Pack", "WithInput"]


class Annealing:
    """From coarse to fine: blur(t) = coarse (fine / coarse)^(t / until), constant from t = until.

    Parameters
    ----------
    noise : an `InstanceNoise` whose std is set to the blur, or None
    penalties : R1 or R2 whose gamma is set to strength * blur
    coarse, fine : the first and the last blur, in the units of the samples, both > 0
    steps : number of steps of the whole training
    until : in (0, 1]
    strength : >= 0

    Idea: with a large blur the data have one mode; as the blur shrinks below the distance of the
    modes they separate, where G has samples already. Both penalties are 0 where D is constant, as
    the optimal D is at p = q (its gradients there are 0): they do not move that equilibrium. Away
    from it, R1 smooths D over distances of about sqrt(gamma), so gamma has to fall as well.

    The constructor sets the first values; pass the object to `minigan.train` as `callback`.
    """

    def __init__(
        self,
        noise: InstanceNoise | None,
        penalties: Sequence[Any] = (),
        *,
        coarse: float,
        fine: float,
        steps: int,
        until: float = 0.8,
        strength: float = 1.0,
    ) -> None:
        name = type(self).__name__
        self.noise = None if noise is None else instance(name, "noise", noise, InstanceNoise)
        if not isinstance(penalties, tuple | list):
            raise TypeError(f"{name}: penalties must be a list, got {shown(penalties)}")
        self.penalties = tuple(
            part(name, "penalties", each, "gamma", "R1 or R2") for each in penalties
        )
        self.coarse = real_number(name, "coarse", coarse, low=0, open_low=True)
        fine = real_number(name, "fine", fine, low=0, open_low=True)
        self.steps = positive_int(name, "steps", steps)
        self.until = real_number(name, "until", until, low=0, high=1, open_low=True)
        self.strength = real_number(name, "strength", strength, low=0)
        self.factor = exponential(final=fine / self.coarse)
        self._set(0.0)

    def __repr__(self) -> str:
        fine = self.coarse * self.factor(1.0)
        return f"Annealing(coarse={self.coarse:g}, fine={fine:g}, steps={self.steps})"

    def __call__(self, step: int, gan: GAN, figures: dict[str, float]) -> None:
        self._set(step / self.steps)

    def _set(self, t: float) -> None:
        blur = self.coarse * self.factor(min(1.0, t / self.until))
        if self.noise is not None:
            self.noise.std = blur
        for penalty in self.penalties:
            penalty.gamma = self.strength * blur
