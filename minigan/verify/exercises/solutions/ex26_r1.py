"""Exercise 26: R1, the gradient of a gradient

R1 asks D to be flat where the real samples are. With g_i = grad_x D(x_i), the
arrow of exercise 10 before the loss comes in, at each of N real samples,

    R = gamma / 2 * mean over i of |g_i|^2

D is to go down this too, so R must be differentiated by D's weights: it is a
gradient that is differentiated once more. Four sweeps through D do it:

    1. forward, for the cache
    2. backward from dy = 1 at every logit. It gives g, and in each layer its
       own dz, the slope of the logit by that layer's z
    3. R and its slope by g:   v = dR/dg = gamma / N * g
    4. forward again, with the tangent of exercise 25, from x_dot = v.
       In each layer, x_dot being what enters it,

           dW = x_dot' dz        db = 0

Why: R moves as g does, along v; and the sum of v g is the slope of D along v,
which sweep 4 computes. Its z_dot = x_dot W is linear in W, and dz says how the
logit moves with it. The bias moves nothing there: db = 0. (Where an activation
curves, a last sweep backward adds more. LeakyReLU is straight, so it adds
nothing.)

Wanted: sweep 2, and the sweep with the tangent.

Shapes:
    x, g, v (N, in)    in each layer: dz, z_dot (N, out), x_dot (N, in)

By hand, with D(x) = w x: g = w, R = gamma / 2 w^2, so dR/dw = gamma w. With
gamma = 3, w = 2: R = 6 and dw = 6. By the sweeps, with N = 1: dz = 1, g = 2,
v = 3 * 2 = 6, dw = v * dz = 6.

    >>> D = [(np.array([[2.0]]), np.array([7.0]))]
    >>> r1_gradient(np.array([[5.0]]), D, gamma=3.0)
    (6.0, [(array([[6.]]), array([0.]))])

Why it matters: with R1 a GAN settles where without it it circles; of all
penalties it is the one to try first.
"""

import numpy as np
from ex07_leaky_relu import leaky_backward
from ex09_network import network_forward


def slopes(x, D):
    """Sweeps 1 and 2: x (N, in), D's params -> g (N, in), cache, [dz, ...]"""
    y, cache = network_forward(x, D)
    dy, signals = np.ones_like(y), []
    for (_x, z), (W, _b) in zip(reversed(cache), reversed(D)):
        is_last = len(signals) == 0  # the last layer comes first here
        # GAP dz, dy
        # HINT As in exercise 10; dy is the one for the layer before.
        dz = dy if is_last else leaky_backward(dy, z)
        dy = dz @ W.T
        # END
        signals.insert(0, dz)
    return dy, cache, signals


def r1_gradient(x, D, gamma):
    """x (N, in), D's params -> R, its gradients [(dW, db), ...]"""
    g, cache, signals = slopes(x, D)
    # GAP value, x_dot
    # HINT |g_i|^2 is a sum over the coordinates; the mean is over the N samples.
    # HINT x_dot begins as v.
    value = gamma / 2 * np.sum(g**2) / len(x)
    x_dot = gamma / len(x) * g
    # END
    grads = []
    for (_x, z), dz, (W, b) in zip(cache, signals, D):
        # GAP dW, db, x_dot
        # HINT dW comes first: it needs the x_dot that enters this layer.
        # HINT Then x_dot of the next layer, by the tangent. After the last, no one uses it.
        dW, db = x_dot.T @ dz, np.zeros_like(b)
        x_dot = leaky_backward(x_dot @ W, z)
        # END
        grads.append((dW, db))
    return float(value), grads


# == for the checker ===========================================================

from minigan.verify.exercises.networks import network


def cases(rng):
    for sizes in (2, 5, 5, 1), (2, 1):
        D = network(rng, *sizes)
        note = f"sizes {', '.join(map(str, sizes))}"
        x = rng.standard_normal((6, 2))
        yield "slopes", {"x": x, "D": D}, "g, cache, signals", note
        yield "r1_gradient", {"x": x, "D": D, "gamma": 5.0}, "value, grads", note


DZ, VALUE = (
    "dz = dy if is_last else leaky_backward(dy, z)",
    "value = gamma / 2 * np.sum(g**2) / len(x)",
)
V, DW = "x_dot = gamma / len(x) * g", "dW, db = x_dot.T @ dz, np.zeros_like(b)"
NEXT = "x_dot = leaky_backward(x_dot @ W, z)"
MISTAKES = [
    (DZ, "dz = dy", "LeakyReLU's slope is missing in sweep 2"),
    (
        "dy, signals = np.ones_like(y), []",
        "dy, signals = np.ones_like(y) / len(y), []",
        "the seed must be 1 at every logit; the 1/N comes with v",
    ),
    (VALUE, "value = gamma * np.sum(g**2) / len(x)", "gamma stands for gamma / 2 in R"),
    (VALUE, "value = gamma / 2 * np.sum(g**2)", "the mean over the samples is missing in R"),
    (
        VALUE,
        "value = gamma / 2 * np.mean(g**2)",
        "a mean over the coordinates too: |g_i|^2 is their sum",
    ),
    (V, "x_dot = g", "v is gamma / N * g, and not g itself"),
    (V, "x_dot = gamma * g", "the 1/N is missing in v"),
    (V, "x_dot = gamma / 2 / len(x) * g", "half of v: the 2 of the square cancels the 1/2"),
    (V, "x_dot = 2 * gamma / len(x) * g", "twice v: the 2 of the square cancels the 1/2"),
    (
        DW,
        "dW, db = x_dot.T @ dz, dz.sum(axis=0)",
        "db must be 0: the bias does not enter the tangent",
    ),
    (
        DW,
        "dW, db = x_dot.T @ dz, (gamma / len(x) * dz).sum(axis=0)",
        "db must be 0: the bias does not enter the tangent",
    ),
    (
        DW,
        "dW, db = _x.T @ dz, np.zeros_like(b)",
        "x stands for x_dot: this is the gradient of D, not of R",
    ),
    (NEXT, "x_dot = x_dot @ W", "LeakyReLU's slope is missing in the tangent"),
    (
        NEXT,
        "x_dot = leaky_backward(x_dot @ W + b, z)",
        "the bias is in the tangent; it does not move with x",
    ),
]
