"""Penalties on the discriminator's gradient with respect to its input: grad_x D(x).

    R1(gamma)                    gamma / 2  mean |grad D(real)|^2            Mescheder et al. 2018
    R2(gamma)                    gamma / 2  mean |grad D(fake)|^2            Mescheder et al. 2018
    GradientPenalty(weight, t)   weight mean (|grad D(mixed)| - t)^2         Gulrajani et al. 2017
    Dragan(weight)               weight mean (|grad D(near real)| - 1)^2     Kodali et al. 2017
    WeightClipping(limit)        no penalty: holds D's weights in a box      Arjovsky et al. 2017

A gradient that is part of the loss has to be differentiated once more, with respect to D's weights.
`second_order` derives how, without autograd; `gradient` has the penalties.

A penalty of your own needs the four methods that these have: `WeightClipping` is the shortest.
"""

from .clipping import WeightClipping
from .gradient import R1, R2, Dragan, GradientPenalty

__all__ = [
    "R1",
    "R2",
    "Dragan",
    "GradientPenalty",
    "WeightClipping",
]
