"""The losses at the game's equilibrium: the samples are like the data, and D is at its best.

D cannot tell real from fake then, and its best logit is one number c for all. The cross-entropies
have c = 0, least squares c = 1/2, and a relativistic loss does not depend on c. Wasserstein's and
hinge's best c is not unique (any, and any in [-1, 1]): their L_G = -c has no value of its own.
"""

from math import log

from ... import losses

# loss: {player: (value, as one writes it)}
EQUILIBRIUM = {
    losses.Minimax: {
        "discriminator": (2 * log(2), "2 log 2"),
        "generator": (-log(2), "-log 2"),
    },
    losses.NonSaturating: {
        "discriminator": (2 * log(2), "2 log 2"),
        "generator": (log(2), "log 2"),
    },
    losses.LeastSquares: {
        "discriminator": (1 / 4, "1/4"),
        "generator": (1 / 8, "1/8"),
    },
    losses.Wasserstein: {"discriminator": (0.0, "0")},
    losses.Hinge: {"discriminator": (2.0, "2")},
    losses.Relativistic: {
        "discriminator": (log(2), "log 2"),
        "generator": (log(2), "log 2"),
    },
}
