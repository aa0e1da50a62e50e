"""Exercise 14: Adam, with its t

Adam divides each weight's step by the size that its gradient usually has, so
that all weights move about equally fast. It keeps two running means,

    m = beta1 m + (1 - beta1) g          of the gradient g
    v = beta2 v + (1 - beta2) g^2        of its square

Both start from 0, so in the first steps they are too small; the number of the
step, t = 1, 2, ..., corrects them:

    theta = theta - lr * m_hat / (sqrt(v_hat) + eps)
            m_hat = m / (1 - beta1^t)        v_hat = v / (1 - beta2^t)

Only m and v are kept for the next step, m_hat and v_hat are not.

Wanted: the new theta, m and v, as new arrays.

Shapes: theta, g, m and v all have the same shape, any shape. t is an integer.

By hand, the first step (t = 1) from m = v = 0, with g = 3, lr = 0.1:

    m = 0.5 * 3 = 1.5           m_hat = 1.5 / 0.5 = 3
    v = 0.001 * 9 = 0.009       v_hat = 0.009 / 0.001 = 9
    theta = theta - 0.1 * 3 / 3: a first step is always lr long

    >>> zero = np.zeros(1)
    >>> theta, m, v = adam_step(zero, np.array([3.0]), zero, zero, t=1, lr=0.1)
    >>> theta.round(6), m, v.round(6)
    (array([-0.1]), array([1.5]), array([0.009]))

Why it matters: nearly all GANs are trained with it, with beta1 = 0.5 or 0
instead of the usual 0.9: the opponent moves, so old gradients mislead.
"""

import numpy as np


def adam_step(theta, g, m, v, t, lr, beta1=0.5, beta2=0.999, eps=1e-8):
    """theta, its gradient g, the means, the step's number t -> theta, m, v"""
    # GAP theta, m, v
    # HINT Four lines: m, v, then m_hat and v_hat, then theta.
    # HINT A power is ** in Python: beta1**t.
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + eps)
    # END
    return theta, m, v


# == for the checker ===========================================================


def three_steps(page, theta, g, lr, eps):
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t in 1, 2, 3:
        theta, m, v = page.adam_step(theta, g[t - 1], m, v, t, lr, eps=eps)
    return theta, m, v


def cases(rng):
    theta, g, m = rng.standard_normal((3, 2, 3))
    arguments = {
        "theta": theta, "g": g, "m": m, "v": m**2 + 0.5, "t": 3, "lr": 0.1,
        "beta1": 0.6, "beta2": 0.9, "eps": 0.1,
    }  # fmt: skip
    yield "adam_step", arguments, "theta, m, v", "t = 3, beta1 = 0.6, beta2 = 0.9, eps = 0.1"
    g = rng.standard_normal((3, 2, 3))
    arguments = {"theta": theta, "g": g, "lr": 0.1, "eps": 1e-8}
    yield three_steps, arguments, "theta, m, v", "after three steps"


M, V = "m = beta1 * m + (1 - beta1) * g\n", "v = beta2 * v + (1 - beta2) * g**2\n"
MH, VH = "m_hat = m / (1 - beta1**t)", "v_hat = v / (1 - beta2**t)"
STEP = "theta = theta - lr * m_hat / (np.sqrt(v_hat) + eps)"
MISTAKES = [
    (
        f"{MH}\n    {VH}",
        "m_hat = m / (1 - beta1)\n    v_hat = v / (1 - beta2)",
        "the power t is missing in the corrections: 1 - beta^t, not 1 - beta",
    ),
    (f"{MH}\n    {VH}", "m_hat = m\n    v_hat = v", "the corrections by 1 - beta^t are missing"),
    (MH, "m_hat = m", "m is not corrected: divide it by 1 - beta1^t"),
    (VH, "v_hat = v", "v is not corrected: divide it by 1 - beta2^t"),
    (
        f"{MH}\n    {VH}",
        "m_hat = m / (1 - beta1 * t)\n    v_hat = v / (1 - beta2 * t)",
        "beta * t stands for the power beta**t",
    ),
    (
        f"{MH}\n    {VH}",
        "m = m_hat = m / (1 - beta1**t)\n    v = v_hat = v / (1 - beta2**t)",
        "the corrected one is returned; the next step needs the one before the correction",
    ),
    (V, "v = beta2 * v + (1 - beta2) * g\n", "g is not squared in v"),
    (STEP, STEP.replace("(np.sqrt(v_hat) + eps)", "(v_hat + eps)"), "the square root is missing"),
    (STEP, STEP.replace("np.sqrt(v_hat) + eps", "np.sqrt(v_hat + eps)"), "eps is in the root"),
    (STEP, STEP.replace("- lr", "+ lr"), "moves up the gradient: subtract the step"),
    (M, "m = (1 - beta1) * m + beta1 * g\n", "beta1 and 1 - beta1 are exchanged"),
    (V, "v = (1 - beta2) * v + beta2 * g**2\n", "beta2 and 1 - beta2 are exchanged"),
    (STEP, STEP.replace("m_hat /", "g /"), "g is used in the step, and its mean m_hat is not"),
    (VH, "v_hat = v / (1 - beta1**t)", "v is corrected with beta1; its own is beta2"),
    (
        f"{MH}\n    {VH}",
        "m_hat = m / (1 - beta1 ** (t + 1))\n    v_hat = v / (1 - beta2 ** (t + 1))",
        "t + 1 stands for t: the first step has t = 1",
    ),
    (
        f"{MH}\n    {VH}",
        "m_hat = m / (1 - beta1 ** (t - 1))\n    v_hat = v / (1 - beta2 ** (t - 1))",
        "t - 1 stands for t: the first step has t = 1",
    ),
]
