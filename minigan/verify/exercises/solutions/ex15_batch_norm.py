"""Exercise 15: batch norm, forward

In training, each channel (column of x) is given the mean 0 and the variance 1
over the batch, and then a scale and a shift that are learned:

    x_hat = (x - mean) / sqrt(var + eps)
    y     = gamma x_hat + beta

mean and var are over the samples, one of each per channel. var is the mean of
(x - mean)^2; eps keeps a channel that is constant from a division by 0.

Wanted: y, and what the backward pass will need: x_hat and the factor
inv_std = 1 / sqrt(var + eps).

Shapes:
    x, y, x_hat (N, C)    gamma, beta, mean, var, inv_std (C,)

By hand, with two samples of one channel, eps = 0, gamma = 10 and beta = 5:

    x = [1, 5]    mean = 3    var = ((-2)^2 + 2^2) / 2 = 4    inv_std = 1/2
    x_hat = [-1, 1]           y = [-5, 15]

    >>> x = np.array([[1.0], [5.0]])
    >>> gamma, beta = np.array([10.0]), np.array([5.0])
    >>> y, x_hat, inv_std = batch_norm_forward(x, gamma, beta, eps=0)
    >>> y
    array([[-5.],
           [15.]])
    >>> inv_std
    array([0.5])

Why it matters: DCGAN's deep generator trains with it. But it mixes the samples
of a batch, so a critic with a gradient penalty must do without.
"""

import numpy as np


def batch_norm_forward(x, gamma, beta, eps=1e-5):
    """x (N, C), gamma and beta (C,) -> y, x_hat (N, C), inv_std (C,)"""
    # GAP y, x_hat, inv_std
    # HINT The mean of each column is x.mean(axis=...), its variance x.var(axis=...).
    # HINT NumPy applies a vector (C,) to each row of a matrix (N, C).
    mean, var = x.mean(axis=0), x.var(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    y = gamma * x_hat + beta
    # END
    return y, x_hat, inv_std


# == for the checker ===========================================================


def cases(rng):
    for n, c in (4, 4), (6, 3):
        arguments = {
            "x": 2 + 3 * rng.standard_normal((n, c)),
            "gamma": rng.standard_normal(c),
            "beta": rng.standard_normal(c),
            "eps": 0.1,
        }
        yield "batch_norm_forward", arguments, "y, x_hat, inv_std", f"N = {n}, C = {c}, eps = 0.1"
    arguments = {"x": np.ones((3, 2)), "gamma": np.ones(2), "beta": np.zeros(2), "eps": 1e-5}
    yield "batch_norm_forward", arguments, "y, x_hat, inv_std", "a constant channel"


MEAN, STD = "mean, var = x.mean(axis=0), x.var(axis=0)", "inv_std = 1 / np.sqrt(var + eps)"
Y = "y = gamma * x_hat + beta"
MISTAKES = [
    (MEAN, MEAN.replace("axis=0", "axis=1"), "over the channels of a sample; that is layer norm"),
    (MEAN, "mean, var = x.mean(), x.var()", "over everything at once; each channel has its own"),
    (
        MEAN,
        "mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)",
        "var divides by N - 1 instead of N",
    ),
    (
        MEAN,
        "mean, var = x.mean(axis=0), (x**2).mean(axis=0)",
        "var is the mean of x^2, not centred",
    ),
    (MEAN, "mean, var = x.mean(axis=0), x.std(axis=0)", "the standard deviation stands for var"),
    (STD, "inv_std = 1 / (np.sqrt(var) + eps)", "eps is added to the root; it belongs inside"),
    (STD, "inv_std = 1 / np.sqrt(var)", "eps is missing"),
    (STD, "inv_std = 1 / (var + eps)", "the square root is missing"),
    (STD, "inv_std = np.sqrt(var + eps)", "this is the standard deviation, not 1 over it"),
    ("x_hat = (x - mean) * inv_std", "x_hat = x * inv_std", "the mean is not subtracted"),
    (Y, "y = gamma * x_hat", "the shift beta is missing"),
    (Y, "y = x_hat", "gamma and beta are missing"),
    (Y, "y = beta * x_hat + gamma", "gamma and beta are exchanged"),
    (
        MEAN,
        "mean, var = x.mean(axis=0), len(x) * x.var(axis=0)",
        "var is a sum over the samples; it is their mean",
    ),
    (Y, "y = gamma * (x_hat + beta)", "beta is multiplied by gamma too; it is added last"),
]
