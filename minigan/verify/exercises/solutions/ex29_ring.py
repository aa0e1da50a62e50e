"""Exercise 29: a ring of eight, and not of seven

The data on which GANs are tried out: K small Gaussians ("modes") on a circle,
evenly apart. Mode j has its centre at the angle 2 pi j / K:

    c_j = radius * (cos(2 pi j / K), sin(2 pi j / K))        j = 0 .. K - 1
    x   = c_j + std * noise          j drawn at random, noise ~ N(0, I)

A generator that makes only some of the modes has collapsed. To count them:

    a sample belongs to a mode if it is within 3 std of its centre
    a mode is reached if any sample belongs to it

Wanted: the centres; samples, from given j and noise; and the number of modes
that some samples reach.

Shapes:
    centres (K, 2)    j (N,) of integers    noise, x (N, 2)

By hand, with K = 4 and radius 2: the centres are [2, 0], [0, 2], [-2, 0],
[0, -2]. With std = 0.1, noise [1, -1] at j = 1 gives the sample [0.1, 1.9].

    >>> centres = ring_centres(4, 2.0)
    >>> noise = np.array([[1.0, -1.0]])
    >>> ring_samples(np.array([1]), noise, centres, std=0.1).round(6)
    array([[0.1, 1.9]])
    >>> x = np.array([[0.1, 1.9], [2.0, 0.2], [2.0, 1.0]])  # one is too far
    >>> count_modes(x, centres, std=0.1)
    2

Why it matters: np.linspace(0, 2 pi, 8) has its end included, so the eighth
mode lies on the first. Two public projects counted "8 modes" on such a ring.
"""

import numpy as np


def ring_centres(K, radius):
    """The centres of K modes on a circle, (K, 2)"""
    # GAP angles
    # HINT np.arange(K) is 0, 1, ..., K - 1.
    angles = 2 * np.pi * np.arange(K) / K
    # END
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def ring_samples(j, noise, centres, std):
    """j (N,), noise (N, 2), centres (K, 2) -> x (N, 2)"""
    # GAP x
    # HINT centres[j], with an array j, is the centre of each sample.
    x = centres[j] + std * noise
    # END
    return x


def count_modes(x, centres, std):
    """x (N, 2), centres (K, 2) -> how many modes are reached, an integer"""
    distances = np.linalg.norm(x[:, None] - centres, axis=2)  # (N, K)
    # GAP reached
    # HINT distances <= 3 * std is (N, K): which sample belongs to which mode.
    # HINT .any(axis=0) says for each mode if any sample belongs to it.
    reached = (distances <= 3 * std).any(axis=0).sum()
    # END
    return int(reached)


# == for the checker ===========================================================


def cases(rng):
    yield "ring_centres", {"K": 8, "radius": 1.0}, "centres", "K = 8"
    yield "ring_centres", {"K": 5, "radius": 2.0}, "centres", "K = 5, radius 2"
    angles = 2 * np.pi * np.arange(8) / 8
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    j, noise = rng.integers(8, size=20), rng.standard_normal((20, 2))
    arguments = {"j": j, "noise": noise, "centres": centres, "std": 0.1}
    yield "ring_samples", arguments, "x"
    x = centres[[0, 0, 0, 0, 3, 6, 5, 1]]
    x = x + 0.01 * np.array(
        [[5, 0], [0, 20], [15, 0], [9, 9], [20, 10], [0, 25], [25, 25], [0, 31]]
    )
    yield "count_modes", {"x": x, "centres": centres, "std": 0.1}, "the number of modes"
    many = np.repeat(centres, 3, axis=0)
    yield "count_modes", {"x": many, "centres": centres, "std": 0.1}, "the number of modes"


ANGLES, REACHED = (
    "angles = 2 * np.pi * np.arange(K) / K",
    "reached = (distances <= 3 * std).any(axis=0).sum()",
)
MISTAKES = [
    (
        ANGLES,
        "angles = np.linspace(0, 2 * np.pi, K)",
        "the end is included, so the last mode lies on the first: K - 1 modes",
    ),
    (
        ANGLES,
        "angles = 2 * np.pi * np.arange(1, K + 1) / K",
        "j begins at 1; mode 0 has the angle 0",
    ),
    (ANGLES, "angles = np.pi * np.arange(K) / K", "half a circle: a whole one is 2 pi"),
    (ANGLES, "angles = 360 * np.arange(K) / K", "the angles are in degrees; np.cos takes radians"),
    ("x = centres[j] + std * noise", "x = centres[j] + noise", "the factor std is missing"),
    (
        "x = centres[j] + std * noise",
        "x = centres[j] + std**2 * noise",
        "the variance stands for std",
    ),
    (
        "x = centres[j] + std * noise",
        "x = std * (centres[j] + noise)",
        "the centres are multiplied by std too",
    ),
    (REACHED, "reached = (distances <= 3 * std).sum()", "samples are counted; count the modes"),
    (
        REACHED,
        "reached = (distances <= 3 * std).any(axis=1).sum()",
        "samples are counted; count the modes",
    ),
    (
        REACHED,
        "reached = len(np.unique(distances.argmin(axis=1)))",
        "samples that are far from every mode are counted too",
    ),
    (REACHED, "reached = (distances <= std).any(axis=0).sum()", "within 3 std, and not within one"),
    (
        ANGLES,
        "angles = -2 * np.pi * np.arange(K) / K",
        "the modes run clockwise; the angles grow with j",
    ),
    (
        "x = centres[j] + std * noise",
        "x = centres[j] + np.sqrt(std) * noise",
        "the root of std stands for std",
    ),
]
