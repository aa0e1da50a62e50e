"""The values of the losses at the equilibrium: samples distributed as the data, and an optimal D.

D cannot tell real from fake there, and its optimal logit is a constant c. The cross-entropies have
c = 0, least squares c = 1/2, and a relativistic loss does not depend on c. The optimal c is not
unique for Wasserstein (any c) and hinge (any in [-1, 1]), so L_G = -c has no fixed value.
"""

from math import log

from ... import losses

# loss: {player: (value, the value as a formula)}
EQUILIBRIUM: dict[type, dict[str, tuple[float, str]]] = {
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
