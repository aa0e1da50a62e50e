"""Exercise 26: R1, the gradient of a gradient

R1 asks D to be flat where the real samples are. With g_i the gradient of D's
logit by x, at the real sample x_i,

    R = gamma / 2 * mean over i of |g_i|^2

D goes down R as well, so R is differentiated by D's weights: a gradient is
differentiated once more. Four sweeps through D do it:

    1. forward                              gives the cache
    2. backward, from 1 at every logit      gives dz in each layer, and g
       (here R, and v = dR/dg = gamma / N * g)
    3. forward with the tangent, from v     gives x_dot and z_dot in each layer
    4. backward once more                   gives dz_dot in each layer

Why: with v held, R moves as the sum of v g does, which is the slope of D along
v. So the question is: how do the weight gradients of sweep 2 move when x moves
along v? In each layer dW = x' dz and db = sum of dz. By the product rule,

    dR/dW = x_dot' dz + x' dz_dot        dR/db = sum of dz_dot over the samples

LeakyReLU is straight: where x moves a little, its slope stays. So dz_dot = 0
in all layers; sweep 4 and the gradients of the biases are gone. A curved
activation changes its slope. Of one neuron D(x) = softplus(w x + b), with
s = sigmoid(w x + b), whose own slope is s (1 - s):

    dz = s        g = s w        dz_dot = s (1 - s) z_dot

Wanted: for a network with LeakyReLU, sweeps 2 and 3 with the gradients; for
the curved neuron, sweep 4 with the gradients.

Shapes:
    x, g, v (N, in)    in each layer: dz, z_dot (N, out), x_dot (N, in)
    curved neuron: x, v, s, z_dot, dz_dot (N,); w, b, R, dw, db are numbers

By hand, straight: D(x) = w x with w = 2 and gamma = 3. g = w, R = 3/2 w^2 = 6,
dR/dw = 3 w = 6. By the sweeps: dz = 1, v = 3 * 2 = 6, dw = v dz = 6.

Curved: w = 2, b = 0, x = 0, gamma = 4. s = 1/2, g = 1, R = 2, v = 4,
z_dot = 4 * 2 = 8, dz_dot = 1/4 * 8 = 2; dw = 4 * 1/2 + 0 * 2 = 2 and db = 2.

    >>> D = [(np.array([[2.0]]), np.array([7.0]))]
    >>> r1_gradient(np.array([[5.0]]), D, gamma=3.0)
    (6.0, [(array([[6.]]), array([0.]))])
    >>> r1_curved(np.array([0.0]), w=2.0, b=0.0, gamma=4.0)
    (2.0, 2.0, 2.0)

Why it matters: with R1 a GAN settles where without it it circles; of all
penalties it is the one to try first.
"""

import numpy as np
from ex04_sigmoid_softplus import sigmoid
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
    # HINT x_dot begins as v, in the first layer.
    value = gamma / 2 * np.sum(g**2) / len(x)
    x_dot = gamma / len(x) * g
    # END
    grads = []
    for (_x, z), dz, (W, b) in zip(cache, signals, D):
        # GAP dW, db, x_dot
        # HINT dW comes first: it needs the x_dot that enters this layer.
        # HINT Then the x_dot of the next layer, as in exercise 25, with LeakyReLU everywhere:
        # HINT nobody looks at what leaves the last layer.
        dW, db = x_dot.T @ dz, np.zeros_like(b)
        x_dot = leaky_backward(x_dot @ W, z)
        # END
        grads.append((dW, db))
    return float(value), grads


def r1_curved(x, w, b, gamma):
    """x (N,), D(x) = softplus(w x + b) -> R, dR/dw, dR/db"""
    s = sigmoid(w * x + b)
    g = s * w
    value = gamma / 2 * np.mean(g**2)
    v = gamma / len(x) * g
    # GAP dw, db
    # HINT First z_dot, from v, then dz_dot, then the two gradients.
    # HINT The products x_dot' dz and x' dz_dot are sums over the samples here.
    z_dot = v * w
    dz_dot = s * (1 - s) * z_dot
    dw = np.sum(v * s) + np.sum(x * dz_dot)
    db = np.sum(dz_dot)
    # END
    return float(value), float(dw), float(db)


# == for the checker ===========================================================

from minigan.verify.exercises.networks import network


def cases(rng):
    for sizes in (2, 5, 5, 1), (2, 1):
        D = network(rng, *sizes)
        note = f"sizes {', '.join(map(str, sizes))}"
        x = rng.standard_normal((6, 2))
        yield "slopes", {"x": x, "D": D}, "g, cache, signals", note
        yield "r1_gradient", {"x": x, "D": D, "gamma": 5.0}, "value, grads", note
    arguments = {"x": rng.standard_normal(6), "w": 1.3, "b": -0.4, "gamma": 5.0}
    yield "r1_curved", arguments, "value, dw, db"


DZ, VALUE = (
    "dz = dy if is_last else leaky_backward(dy, z)",
    "value = gamma / 2 * np.sum(g**2) / len(x)",
)
V, DW = "x_dot = gamma / len(x) * g", "dW, db = x_dot.T @ dz, np.zeros_like(b)"
NEXT = "x_dot = leaky_backward(x_dot @ W, z)"
DW_CURVED = "dw = np.sum(v * s) + np.sum(x * dz_dot)"
DZ_DOT = "dz_dot = s * (1 - s) * z_dot"
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
    (DW_CURVED, "dw = np.sum(v * s)", "the part x' dz_dot is missing: s moves with x"),
    (DW_CURVED, "dw = np.sum(x * dz_dot)", "the part x_dot' dz is missing"),
    (DZ_DOT, "dz_dot = s * z_dot", "the slope of s is s (1 - s), and not s"),
    (
        DZ_DOT,
        "dz_dot = 0 * z_dot",
        "dz_dot is 0 only where an activation is straight; s moves with x",
    ),
    (DZ_DOT, "dz_dot = s * (1 - s)", "the factor z_dot is missing in dz_dot"),
    (DZ_DOT, "dz_dot = s * (1 - s) * v", "v stands for z_dot, which is v w"),
    ("db = np.sum(dz_dot)", "db = 0.0", "the bias is not without effect here: it moves s"),
    (
        VALUE,
        "value = gamma / 2 * np.sum(np.sqrt(np.sum(g**2, axis=1))) / len(x)",
        "|g_i| is not squared in R",
    ),
]
