"""Distances between two vectors of shares, such as the shares of the modes or of the classes."""

import numpy as np

from .._checks import OtherShares, Shares, checked


@checked
@np.errstate(under="ignore")
def total_variation(p: Shares, q: OtherShares) -> float:
    """Total variation: half of sum_k |p_k - q_k|, the mass that must move to turn p into q.

    p, q: shares (bins,), non-negative, each summing to 1. Returns a float in [0, 1]: 0 where
    they are equal, 1 where no bin is shared.
    Raises ValueError or TypeError for anything that is not two distributions over equal bins.
    """
    return 0.5 * float(np.abs(p - q).sum())


@checked
@np.errstate(under="ignore")
def reverse_kl(generated: Shares, reference: OtherShares) -> float:
    """Reverse Kullback-Leibler divergence: sum_k g_k log(g_k / r_k), in nats.

    "Reverse" because the generator's shares g come first: what is generated where the data r has
    nothing costs infinity, a bin that is never generated only raises the others. n fair draws
    from r over K bins score (K - 1) / 2n on average.

    generated, reference: shares (bins,), non-negative, each summing to 1. Returns a float >= 0,
    infinite if some g_k > 0 has r_k = 0.
    Raises ValueError or TypeError for anything that is not two distributions over equal bins.
    """
    drawn = generated > 0.0  # 0 log 0 = 0
    g, r = generated[drawn], reference[drawn]
    if np.any(r == 0.0):
        return float("inf")
    return max(0.0, float(np.sum(g * (np.log(g) - np.log(r)))))  # rounding may leave -1e-17
