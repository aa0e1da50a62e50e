"""Exercise 27: WGAN-GP, also where the gradient is zero

WGAN-GP asks the critic for the slope 1, on the way between real and fake:

    x_i = e_i real_i + (1 - e_i) fake_i        one e_i in [0, 1) per sample
    R   = weight * mean over i of (|g_i| - 1)^2        g_i = grad_x D(x_i)

|g_i| is the length of g_i, a square root of the sum of squares. Its slope is
g_i / |g_i|, the direction of g_i, so that

    v_i = dR/dg_i = 2 weight / N * (|g_i| - 1) * g_i / |g_i|

Where g_i = 0 there is no direction: 0/0 is NaN, and one NaN ends the training
of all weights. There, v_i is set to 0. (From v on, R is differentiated by D's
weights as R1 was: sweep 3 of exercise 26.)

Wanted: the points x_i; R; and v, with v_i = 0 where g_i = 0, no warning given.

Shapes:
    real, fake, x, g, v (N, d)    e (N, 1): the same for all of a sample

By hand, with N = 2, weight = 5, g = [[3, 4], [0, 0]]:

    lengths = [5, 0]     R = 5 * (4^2 + (-1)^2) / 2 = 42.5
    v = [2 * 5 / 2 * 4 * [0.6, 0.8], 0] = [[12, 16], [0, 0]]

    >>> R, v = gradient_penalty(np.array([[3.0, 4.0], [0.0, 0.0]]), 5.0)
    >>> R, v[0]
    (42.5, array([12., 16.]))
    >>> real, fake = np.array([[1.0, 2.0]]), np.array([[5.0, 6.0]])
    >>> mix(real, fake, e=np.array([[0.75]]))
    array([[2., 3.]])

Why it matters: a critic with dead units, or one just begun, has such points;
and with e drawn per pixel the points are on no line between two images.
"""

import numpy as np


def mix(real, fake, e):
    """real (N, d), fake (N, d), e (N, 1) -> the points in between (N, d)"""
    # GAP x
    # HINT NumPy applies (N, 1) to every column of (N, d): each sample keeps one e.
    x = e * real + (1 - e) * fake
    # END
    return x


def gradient_penalty(g, weight):
    """g (N, d) -> R, v = dR/dg (N, d)"""
    # GAP value, v
    # HINT The lengths: the root of np.sum(g**2, axis=1, keepdims=True), (N, 1).
    # HINT Divide by np.where(lengths == 0, 1, lengths): then 0/0 becomes 0/1.
    lengths = np.sqrt(np.sum(g**2, axis=1, keepdims=True))
    value = weight * np.mean((lengths - 1) ** 2)
    direction = g / np.where(lengths == 0, 1, lengths)
    v = 2 * weight / len(g) * (lengths - 1) * direction
    # END
    return float(value), v


# == for the checker ===========================================================


def cases(rng):
    real, fake = rng.standard_normal((2, 4, 4))
    e = rng.random((4, 1))
    yield "mix", {"real": real, "fake": fake, "e": e}, "x"
    g = rng.standard_normal((5, 3))
    yield "gradient_penalty", {"g": g, "weight": 2.0}, "value, v"
    g = np.concatenate([g, np.zeros((1, 3))])
    yield "gradient_penalty", {"g": g, "weight": 2.0}, "value, v", "one g_i is zero"


LENGTHS = "lengths = np.sqrt(np.sum(g**2, axis=1, keepdims=True))"
VALUE, UNIT = (
    "value = weight * np.mean((lengths - 1) ** 2)",
    "direction = g / np.where(lengths == 0, 1, lengths)",
)
V = "v = 2 * weight / len(g) * (lengths - 1) * direction"
MISTAKES = [
    (
        "x = e * real + (1 - e) * fake",
        "x = (1 - e) * real + e * fake",
        "real and fake are exchanged: e belongs to real",
    ),
    (
        "x = e * real + (1 - e) * fake",
        "x = e[0] * real + (1 - e[0]) * fake",
        "one e for the whole batch; each sample has its own",
    ),
    (
        "x = e * real + (1 - e) * fake",
        "x = e.T * real + (1 - e.T) * fake",
        "e varies along a sample; it is one number per sample",
    ),
    ("x = e * real + (1 - e) * fake", "x = real", "nothing is mixed"),
    (
        UNIT,
        "direction = g / lengths",
        "0/0 at a zero gradient: divide by np.where(lengths == 0, 1, lengths)",
    ),
    (
        UNIT,
        "direction = g / (lengths + 1e-8)",
        "a number is added to the length, so v is not quite right; use np.where",
    ),
    (UNIT, "direction = g", "the division by the length is missing: g_i / |g_i|"),
    (
        LENGTHS,
        "lengths = np.sqrt(np.sum(g**2))",
        "one length for the whole batch; each sample has its own",
    ),
    (LENGTHS, "lengths = np.abs(g)", "a length per coordinate; it is one per sample"),
    (LENGTHS, "lengths = np.sum(g**2, axis=1, keepdims=True)", "the square root is missing in |g|"),
    (
        LENGTHS,
        "lengths = np.sqrt(np.sum(g**2, axis=1, keepdims=True) + 1e-12)",
        "a number is added below the root, which moves R; use np.where",
    ),
    (
        VALUE,
        "value = weight * np.sum((lengths - 1) ** 2)",
        "a sum over the samples in R; the mean is wanted",
    ),
    (VALUE, "value = weight * np.mean(lengths**2)", "the target 1 is missing in R: (|g| - 1)^2"),
    (V, V.replace("2 * ", ""), "the 2 of the square is missing in v"),
    (V, V.replace(" / len(g)", ""), "the 1/N is missing in v"),
    (V, V.replace("(lengths - 1)", "lengths"), "the target 1 is missing in v"),
]
