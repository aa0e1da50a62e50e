"""Exercise 16: batch norm, backward

Forward, from exercise 15:

    x_hat = (x - mean) * inv_std        y = gamma x_hat + beta

One x moves its own x_hat, and the mean and the variance as well, and with
them the x_hat of all other samples. So dx has three parts. With

    g = dL/dx_hat = dy gamma

and all means over the batch, per channel:

    dx = inv_std * (g  -  mean(g)  -  x_hat mean(g x_hat))
                    |        |               |
                directly   through       through the
                          the mean        variance

    dgamma = sum of dy x_hat        dbeta = sum of dy        (over the batch)

Wanted: dx, dgamma and dbeta.

Shapes:
    dy, x_hat, dx (N, C)    inv_std, gamma, dgamma, dbeta (C,)

By hand, with x_hat = [-1, 1] (exercise 15), inv_std = 1/2, gamma = 2 and
dy = [3, 0]: g = [6, 0], mean(g) = 3, mean(g x_hat) = -3, and

    dx = 1/2 ([6, 0] - 3 - [-1, 1] * -3) = 1/2 [6 - 3 - 3, 0 - 3 + 3] = [0, 0]

Two samples always become -1 and 1, whatever they are: so x cannot matter.

    >>> x_hat, dy = np.array([[-1.0], [1.0]]), np.array([[3.0], [0.0]])
    >>> inv_std, gamma = np.array([0.5]), np.array([2.0])
    >>> dx, dgamma, dbeta = batch_norm_backward(dy, x_hat, inv_std, gamma)
    >>> dx.tolist(), dgamma, dbeta
    ([[0.0], [0.0]], array([-3.]), array([3.]))

Why it matters: without the two subtracted parts training still runs, and G
is taught to change what batch norm takes away again.
"""

import numpy as np


def batch_norm_backward(dy, x_hat, inv_std, gamma):
    """dy, x_hat (N, C), inv_std, gamma (C,) -> dx, dgamma, dbeta"""
    # GAP dx, dgamma, dbeta
    # HINT First g. Its mean over the batch is g.mean(axis=0), of shape (C,).
    # HINT mean(g x_hat) is (g * x_hat).mean(axis=0).
    g = dy * gamma
    dx = inv_std * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0))
    dgamma = (dy * x_hat).sum(axis=0)
    dbeta = dy.sum(axis=0)
    # END
    return dx, dgamma, dbeta


# == for the checker ===========================================================


def cases(rng):
    for n, c in (4, 4), (6, 3):
        x = 2 + 3 * rng.standard_normal((n, c))
        inv_std = 1 / np.sqrt(x.var(axis=0) + 0.5)
        arguments = {
            "dy": rng.standard_normal((n, c)),
            "x_hat": (x - x.mean(axis=0)) * inv_std,
            "inv_std": inv_std,
            "gamma": rng.standard_normal(c),
        }
        yield "batch_norm_backward", arguments, "dx, dgamma, dbeta", f"N = {n}, C = {c}"


DX = "dx = inv_std * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0))"
MISTAKES = [
    (
        DX,
        "dx = inv_std * (g - x_hat * (g * x_hat).mean(axis=0))",
        "the part through the mean is missing: - mean(g)",
    ),
    (
        DX,
        "dx = inv_std * (g - g.mean(axis=0))",
        "the part through the variance is missing: - x_hat mean(g x_hat)",
    ),
    (DX, "dx = inv_std * g", "both subtracted parts are missing; this is the one of evaluation"),
    (DX, DX.replace(".mean(axis=0)", ".sum(axis=0)"), "sums over the batch, where means belong"),
    (DX, DX.replace(".mean(axis=0)", ".mean(axis=1, keepdims=True)"), "means over the channels"),
    (DX, DX.replace(" - x_hat", " + x_hat"), "the part through the variance is subtracted too"),
    (DX, DX.replace("inv_std * ", ""), "the factor inv_std is missing"),
    (DX, DX.replace("inv_std * ", "1 / inv_std * "), "divided by inv_std; multiply by it"),
    ("g = dy * gamma", "g = dy", "the factor gamma is missing: g = dy gamma"),
    ("dgamma = (dy * x_hat).sum(axis=0)", "dgamma = dy.sum(axis=0)", "the factor x_hat is missing"),
    (
        "dgamma = (dy * x_hat).sum(axis=0)",
        "dgamma = (g * x_hat).sum(axis=0)",
        "g stands for dy: gamma is in it already",
    ),
    ("dbeta = dy.sum(axis=0)", "dbeta = g.sum(axis=0)", "g stands for dy; beta has no factor"),
    ("dbeta = dy.sum(axis=0)", "dbeta = dy.mean(axis=0)", "a mean over the samples; sum them"),
    (
        "dgamma = (dy * x_hat).sum(axis=0)",
        "dgamma = (dy * x_hat).sum(axis=1)",
        "summed over the channels; the sum over the samples is wanted",
    ),
    (
        "dgamma = (dy * x_hat).sum(axis=0)",
        "dgamma = (dy * x_hat).mean(axis=0)",
        "a mean over the samples; sum them",
    ),
]
