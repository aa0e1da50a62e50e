"""Exercise 17: batch norm, in evaluation

When G makes samples for use, a sample must not depend on the others that are
made with it. So in training, running means of the batches' statistics are
kept, and in evaluation they stand in for the batch's own:

    running_mean = (1 - momentum) running_mean + momentum mean
    running_var  = (1 - momentum) running_var  + momentum var N / (N - 1)

(N / (N - 1), because the variance within a batch of N is a little too small.)

    y  = gamma (x - running_mean) / sqrt(running_var + eps) + beta
    dx = dy gamma / sqrt(running_var + eps)

In evaluation the statistics are constants: x moves its own y alone, and the
two subtracted parts of exercise 16 are gone.

Wanted: the new running statistics, as new arrays; y; and dx.

Shapes:
    x, y, dy, dx (N, C)    gamma, beta, running_mean, running_var (C,)

By hand, with momentum 0.1, running_mean 0, running_var 1, and the batch
x = [1, 5] with mean 3 and var 4:

    running_mean = 0.9 * 0 + 0.1 * 3 = 0.3
    running_var  = 0.9 * 1 + 0.1 * 4 * 2/1 = 1.7

    >>> update_running(np.zeros(1), np.ones(1), np.array([[1.0], [5.0]]), 0.1)
    (array([0.3]), array([1.7]))
    >>> one, four = np.ones(1), np.array([4.0])
    >>> evaluate(np.array([[7.0]]), one, one, one, running_var=four, eps=0)
    array([[4.]])

Why it matters: a gradient by the batch's formula, through statistics that are
frozen, is the gradient of another function; two public projects shipped it.
"""

import numpy as np


def update_running(running_mean, running_var, x, momentum=0.1):
    """The statistics (C,), and a batch x (N, C) -> the new statistics (C,)"""
    # GAP new_mean, new_var
    # HINT x.mean(axis=0) and x.var(axis=0), then the two formulas as they stand.
    n = len(x)
    new_mean = (1 - momentum) * running_mean + momentum * x.mean(axis=0)
    new_var = (1 - momentum) * running_var + momentum * x.var(axis=0) * n / (n - 1)
    # END
    return new_mean, new_var


def evaluate(x, gamma, beta, running_mean, running_var, eps=1e-5):
    """x (N, C) -> y (N, C); the statistics of this x are not looked at"""
    # GAP y
    # HINT Exercise 15, with the running statistics in the place of mean and var.
    y = gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta
    # END
    return y


def evaluate_backward(dy, gamma, running_var, eps=1e-5):
    """dy (N, C) -> dx (N, C)"""
    # GAP dx
    # HINT y is linear in x here. What is multiplied with x?
    dx = dy * gamma / np.sqrt(running_var + eps)
    # END
    return dx


# == for the checker ===========================================================


def cases(rng):
    x, dy = 2 + 3 * rng.standard_normal((2, 5, 3))
    mean, gamma, beta = rng.standard_normal((3, 3))
    var = 1 + mean**2
    yield (
        "update_running",
        {"running_mean": mean, "running_var": var, "x": x, "momentum": 0.2},
        "running_mean, running_var",
        "N = 5, momentum = 0.2",
    )
    arguments = {"gamma": gamma, "running_var": var, "eps": 0.1}
    yield "evaluate", {"x": x, "beta": beta, "running_mean": mean, **arguments}, "y", "eps = 0.1"
    alone = {"x": x[:1], "beta": beta, "running_mean": mean, **arguments}
    yield "evaluate", alone, "y", "a single sample"
    yield "evaluate_backward", {"dy": dy, **arguments}, "dx", "eps = 0.1"


MEAN = "new_mean = (1 - momentum) * running_mean + momentum * x.mean(axis=0)"
VAR = "new_var = (1 - momentum) * running_var + momentum * x.var(axis=0) * n / (n - 1)"
Y = "y = gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta"
DX = "dx = dy * gamma / np.sqrt(running_var + eps)"
MISTAKES = [
    (
        f"{MEAN}\n    {VAR}",
        "momentum = 1 - momentum\n    " + f"{MEAN}\n    {VAR}",
        "momentum and 1 - momentum are exchanged: the batch has the small share",
    ),
    (VAR, VAR.replace(" * n / (n - 1)", ""), "the factor N / (N - 1) is missing"),
    (VAR, VAR.replace(" * n / (n - 1)", " * (n - 1) / n"), "the factor must be N / (N - 1)"),
    (VAR, VAR.replace("x.var", "x.std"), "the standard deviation stands for the variance"),
    (
        Y,
        "y = gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta",
        "the batch's own statistics are used; use the running ones",
    ),
    (Y, Y.replace("np.sqrt(running_var + eps)", "(running_var + eps)"), "the root is missing in y"),
    (Y, Y.replace(" + beta", ""), "the shift beta is missing"),
    (DX, "dx = dy / np.sqrt(running_var + eps)", "the factor gamma is missing"),
    (DX, "dx = dy * gamma / (running_var + eps)", "the root is missing in dx"),
    (
        DX,
        "g = dy * gamma\n    dx = (g - g.mean(axis=0)) / np.sqrt(running_var + eps)",
        "the part through the mean is subtracted; in evaluation the mean is a constant",
    ),
    (Y, Y.replace("(x - running_mean)", "x"), "the running mean is not subtracted"),
    (DX, DX.replace(" + eps", ""), "eps is missing in dx"),
    (Y, Y.replace(" + eps", ""), "eps is missing in y"),
]
