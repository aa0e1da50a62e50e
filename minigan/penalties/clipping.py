"""Weight clipping: the first method to bound a critic's slope."""

from typing import Any

import numpy as np

from .._checks import Positive, checked
from ..network import Sequential


@checked
class WeightClipping:
    """theta = min(max(theta, -limit), limit), after each of D's steps   (Arjovsky et al. 2017)

    Clipping bounds D's slope only loosely, which is why gradient penalties were proposed. Pass it
    in a GAN's list of penalties: it adds nothing to the loss, and acts in `after_step`.
    Every parameter is clipped, biases included. limit > 0; the paper's is 0.01.
    """

    def __init__(self, limit: Positive) -> None:
        self.limit = limit

    def accumulate(self, discriminator: Sequential, real: Any, fake: Any, rng: Any) -> float:
        return 0.0

    def value(self, discriminator: Sequential, real: Any, fake: Any, rng: Any) -> float:
        return 0.0

    def check(self, discriminator: Sequential) -> None:
        """Any network can be clipped; raises TypeError for anything else."""

    def after_step(self, discriminator: Sequential) -> None:
        np.clip(discriminator.theta, -self.limit, self.limit, out=discriminator.theta)

    def __repr__(self) -> str:
        return f"WeightClipping({self.limit:g})"
