"""Exercise 28: the Wasserstein loss, and its sign

A Wasserstein critic gives scores, not logits: high for real samples, low for
fakes. It wants the two means as far apart as it can get them; and since we
always go down a gradient, what it minimises is

    L_D = mean of f - mean of r        (r: scores of real samples, f: of fakes)

G wants its fakes scored high:

    L_G = -mean of f

The distance between the two distributions is estimated by -L_D.

Wanted: both losses and their gradients, and the estimate.

Shapes:
    r, f and their gradients (N, 1)    the values: one number each

By hand, with r = [4, 6] and f = [1, 0]:

    L_D = 0.5 - 5 = -4.5        the estimate is 4.5
    dr = [-1/2, -1/2]     df = [1/2, 1/2]        for D
    L_G = -0.5            df = [-1/2, -1/2]      for G

    >>> r, f = np.array([[4.0], [6.0]]), np.array([[1.0], [0.0]])
    >>> value, dr, df = critic_loss(r, f)
    >>> float(value), dr.ravel(), df.ravel()
    (-4.5, array([-0.5, -0.5]), array([0.5, 0.5]))
    >>> float(distance(r, f))
    4.5

Why it matters: a public library had the sign wrong in this loss, and wrong
again in the loss's test, so the test passed. Compare with the formula.
"""

import numpy as np


def critic_loss(r, f):
    """r (N, 1) of real samples, f (N, 1) of fakes -> L_D, dL_D/dr, dL_D/df"""
    # GAP value, dr, df
    # HINT The gradient of a mean is 1/N for each entry: np.full_like(r, 1 / len(r)).
    # HINT L_D falls as r grows, and grows as f does. That settles both signs.
    value = np.mean(f) - np.mean(r)
    dr = np.full_like(r, -1 / len(r))
    df = np.full_like(f, 1 / len(f))
    # END
    return value, dr, df


def generator_loss(f):
    """f (N, 1), the scores of the fakes -> L_G, dL_G/df"""
    # GAP value, df
    # HINT The same, for -mean of f.
    value = -np.mean(f)
    df = np.full_like(f, -1 / len(f))
    # END
    return value, df


def distance(r, f):
    """The estimated distance between the real samples and the fakes"""
    # GAP estimate
    # HINT It is positive when real samples are scored higher than fakes.
    estimate = np.mean(r) - np.mean(f)
    # END
    return estimate


# == for the checker ===========================================================


def cases(rng):
    r, f = rng.standard_normal((2, 5, 1))
    yield "critic_loss", {"r": r, "f": f}, "value, dr, df"
    yield "generator_loss", {"f": f}, "value, df"
    yield "distance", {"r": r, "f": f}, "estimate"


VALUE, DR = "value = np.mean(f) - np.mean(r)", "dr = np.full_like(r, -1 / len(r))"
DF, G = "df = np.full_like(f, 1 / len(f))", "df = np.full_like(f, -1 / len(f))"
MISTAKES = [
    (
        f"{VALUE}\n    {DR}\n    {DF}",
        "value = np.mean(r) - np.mean(f)\n    dr = np.full_like(r, 1 / len(r))\n"
        "    df = np.full_like(f, -1 / len(f))",
        "the sign is turned around: this is what the critic wants to be large",
    ),
    (VALUE, "value = np.mean(r) - np.mean(f)", "the sign of L_D is wrong: mean of f - mean of r"),
    (DR, "dr = np.full_like(r, 1 / len(r))", "the sign is wrong: L_D falls as r grows"),
    (DF, "df = np.full_like(f, -1 / len(f))", "the sign is wrong: L_D grows as f does"),
    (DR, "dr = -np.ones_like(r)", "the 1/N of the mean is missing"),
    (DF, "df = np.ones_like(f)", "the 1/N of the mean is missing"),
    (DR, "dr = -r / len(r)", "this is the slope of a square; each r counts equally"),
    (G, "df = np.full_like(f, 1 / len(f))", "the sign is wrong: L_G falls as f grows"),
    (G, "df = -np.ones_like(f)", "the 1/N of the mean is missing"),
    ("value = -np.mean(f)", "value = np.mean(f)", "the sign of L_G is wrong: -mean of f"),
    (
        "estimate = np.mean(r) - np.mean(f)",
        "estimate = np.mean(f) - np.mean(r)",
        "this is L_D itself; the estimate is -L_D",
    ),
    ("value = -np.mean(f)", "value = -np.sum(f)", "a sum over the samples; the mean is wanted"),
]
