"""Mode coverage: which modes of a known Gaussian mixture a generator reaches, and how well."""

import math
from dataclasses import dataclass

import numpy as np

from .._checks import OtherPoints, Points, Positive, PositiveShare, Shares, checked
from ._distances import row_blocks, squared_distances
from ._report import Measures
from .shares import reverse_kl

HQ_RADIUS = 3.0  # standard deviations


@dataclass(frozen=True, eq=False, repr=False)
class ModeCoverage(Measures):
    """What `mode_coverage` found. K modes in d dimensions; HQ means high quality."""

    samples: int  # samples scored
    modes: int  # K
    captured: int  # modes that some HQ sample is nearest to
    covered: int  # modes with at least `min_share` of their share in HQ samples
    min_share: float
    hq: float  # fraction of the samples that are HQ
    hq_perfect: float  # the same for the mixture itself
    reverse_kl: float  # nats, over K modes and one bin for all that is off the modes
    worst_mode: int  # index of the mode with the least of its share
    worst_share: float  # HQ samples there, over the number expected
    narrowest: float  # least and
    widest: float  # greatest standard deviation along any mode's axes, over the truth
    counts: np.ndarray  # (K,) HQ samples per mode
    shares: np.ndarray  # (K,) the same, over all samples
    covariances: np.ndarray  # (K, d, d) over the truth: the identity is perfect; NaN: too few

    LEGEND = {
        "captured": "modes with one HQ sample or more",
        "share": "a mode's HQ samples, over those that the mixture would give it",
        "covered": "modes with `min_share` or more of their share",
        "HQ": "high quality: within 3 standard deviations of the nearest mode",
        "reverse KL": "divergence of the modes' shares from the mixture's, in nats; 0 is perfect",
        "widths": "standard deviations of the modes' HQ samples, over the truth; 1 is perfect",
    }

    def __str__(self):
        return (
            f"{self.captured} of {self.modes} modes captured, "
            f"{self.covered} at {self.min_share:.0%} of their share or more; "
            f"HQ {self.hq:.1%} (a perfect sampler: {self.hq_perfect:.1%})\n"
            f"worst: mode {self.worst_mode} with {self.worst_share:.0%} of its share; "
            f"reverse KL {self.reverse_kl:.4f}; "
            f"widths {self.narrowest:.2f} to {self.widest:.2f} of the truth "
            f"({self.samples} samples)"
        )


@checked
@np.errstate(under="ignore")
def mode_coverage(
    samples: Points,
    modes: OtherPoints,
    std: Positive,
    *,
    weights: Shares | None = None,
    min_share: PositiveShare = 0.2,
) -> ModeCoverage:
    """Score samples against a mixture of K isotropic Gaussians, sum_k w_k N(mu_k, std^2 I).

    - A sample is high quality (HQ) within 3 standard deviations of its nearest mode.
    - A mode is captured if one HQ sample is nearest to it; covered if `min_share` w_k n are.
    - Reverse KL compares the HQ share of each mode, and the share of samples that are not HQ,
      with what the mixture itself would give.
    - The covariance of a mode is that of its HQ samples, so one stray sample cannot blow it up,
      over the variance a Gaussian has when it is cut off at the same 3.

    A perfect sampler is HQ with probability 1 - exp(-3^2 / 2) = 98.9% in 2-D: a higher score
    means modes that are too narrow. (This, and the reverse KL, where modes lie over 6 std apart.)

    samples: (n, d). modes: the centres mu (K, d). std > 0, in the units of the samples.
    weights: w (K,), positive and summing to 1; by default equal. min_share in (0, 1].
    The papers count captured modes on 2,500 samples; take 10,000 for shares.
    Returns a `ModeCoverage`. Raises ValueError or TypeError, naming the argument.

    Srivastava et al. 2017 (VEEGAN), section 4; Lin et al. 2018 (PacGAN), section 4.
    """
    (n, d), k = samples.shape, len(modes)
    weights = np.full(k, 1.0 / k) if weights is None else weights
    if len(weights) != k or not np.all(weights > 0.0):
        raise ValueError(f"mode_coverage: weights must be {k} shares > 0, got {weights}")

    nearest = _nearest(samples, modes)
    with np.errstate(over="ignore"):  # inf is as far from the mode as it should be
        offsets = (samples - modes[nearest]) / std
        is_hq = np.einsum("nd,nd->n", offsets, offsets) <= HQ_RADIUS**2
    counts = np.bincount(nearest[is_hq], minlength=k)
    hq = int(counts.sum())
    relative = counts / (n * weights)

    hq_perfect, variance = gaussian_ball(HQ_RADIUS, d)
    generated = np.append(counts, n - hq) / n
    mixture = np.append(weights * hq_perfect, 1.0 - hq_perfect)
    covariances = _covariances(offsets[is_hq], nearest[is_hq], k) / variance
    measured = covariances[np.isfinite(covariances[:, 0, 0])]
    widths = np.sqrt(np.maximum(np.linalg.eigvalsh(measured), 0.0))

    return ModeCoverage(
        samples=n,
        modes=k,
        captured=int(np.count_nonzero(counts)),
        covered=int(np.count_nonzero(relative >= min_share)),
        min_share=min_share,
        hq=hq / n,
        hq_perfect=hq_perfect,
        reverse_kl=reverse_kl(generated, mixture),
        worst_mode=int(np.argmin(relative)),
        worst_share=float(relative.min()),
        narrowest=float(widths.min()) if widths.size else math.nan,
        widest=float(widths.max()) if widths.size else math.nan,
        counts=counts,
        shares=counts / n,
        covariances=covariances,
    )


def gaussian_ball(radius: float, d: int) -> tuple[float, float]:
    """Mass of N(0, I) in d dimensions within |z| <= radius, and each coordinate's variance there.

    With a = radius^2 / 2 and s = d / 2, the incomplete gamma function's series:

        mass(d) = a^s e^-a / Gamma(s + 1) * total,    total = 1 + a/(s+1) + a^2/((s+1)(s+2)) + ...

    which is 1 - e^-a in 2-D. An extra factor |z|^2 turns the density of |z| into that of d + 2
    dimensions, so the variance is mass(d + 2) / mass(d) = 1 - 1 / total: below 1, for want of
    the tails.
    """
    a, s = radius**2 / 2.0, d / 2.0
    total = term = 1.0
    j = 0
    while term > 1e-17 * total:
        j += 1
        term *= a / (s + j)
        total += term
    mass = math.exp(s * math.log(a) - a - math.lgamma(s + 1.0)) * total
    return mass, 1.0 - 1.0 / total


def _nearest(samples, modes):
    """Index (n,) of the mode nearest to each sample."""
    nearest = np.empty(len(samples), dtype=np.intp)
    for block in row_blocks(len(samples), len(modes)):
        nearest[block] = squared_distances(samples[block], modes).argmin(axis=1)
    return nearest


def _covariances(offsets, labels, k):
    """Covariance (k, d, d) of the offsets under each label; NaN where fewer than d + 1 lie."""
    d = offsets.shape[1]
    covariances = np.full((k, d, d), np.nan)
    for mode in range(k):
        own = offsets[labels == mode]
        if len(own) > d:  # fewer cannot span d axes
            own = own - own.mean(axis=0)
            covariances[mode] = own.T @ own / (len(own) - 1)
    return covariances
