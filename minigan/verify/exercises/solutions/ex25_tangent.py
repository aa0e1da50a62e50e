"""Exercise 25: the tangent

Backward asks: how does the loss move with everything? The tangent asks the
other way round: when x moves in a direction x_dot, how does y move? It goes
forward, layer by layer, with the cache of a forward pass:

    z_dot = x_dot W                        the bias does not move
    y_dot = z_dot, times LeakyReLU's slope at z
            (in the last layer, z_dot itself)

(A leading d is a gradient, as in dx; a trailing _dot is a movement.)

The two must agree: for any direction x_dot and any dy,

    sum of y_dot dy = sum of x_dot dx        (dx from dy, as in exercise 9)

Wanted: y_dot, for the networks of exercise 9.

Shapes:
    x_dot (N, in)    y_dot (N, out)    cache [(x, z), ...]

By hand, with the network of exercise 9 (W1 = 2, W2 = 3, slope 0.2), at x = -1,
where z1 = -2. When x moves by 10:

    z1 moves by 20    leaky: by 0.2 * 20 = 4    y by 3 * 4 = 12

    >>> one = lambda w: (np.array([[w]]), np.ones(1))
    >>> params = [one(2.0), one(3.0)]
    >>> z1 = np.array([[-2.0]])
    >>> cache = [(None, z1), (None, None)]     # the others are not needed
    >>> network_tangent(np.array([[10.0]]), cache, params)
    array([[12.]])

Why it matters: it is half of a second derivative. A gradient penalty on a
critic is a tangent, followed by a backward pass: exercise 26.
"""

import numpy as np
from ex07_leaky_relu import leaky_backward


def network_tangent(x_dot, cache, params):
    """x_dot (N, in), the cache of a forward pass -> y_dot (N, out)"""
    for number, ((_x, z), (W, _b)) in enumerate(zip(cache, params)):
        is_last = number == len(params) - 1
        # GAP x_dot
        # HINT x_dot of the next layer is this layer's y_dot.
        # HINT LeakyReLU's slope at z: leaky_backward(z_dot, z) multiplies by just that.
        z_dot = x_dot @ W
        x_dot = z_dot if is_last else leaky_backward(z_dot, z)
        # END
    return x_dot


# == for the checker ===========================================================

from minigan.verify.exercises.networks import cache_of, network


def cases(rng):
    for sizes in (3, 4, 4, 2), (3, 2):
        params = network(rng, *sizes)
        cache = cache_of(rng.standard_normal((6, 3)), params)
        arguments = {"x_dot": rng.standard_normal((6, 3)), "cache": cache, "params": params}
        yield "network_tangent", arguments, "y_dot", f"sizes {', '.join(map(str, sizes))}"


Z, X = "z_dot = x_dot @ W\n", "x_dot = z_dot if is_last else leaky_backward(z_dot, z)"
MISTAKES = [
    (Z, "z_dot = x_dot @ W + _b\n", "the bias is added; it does not move with x"),
    (X, "x_dot = z_dot", "LeakyReLU's slope is missing"),
    (
        X,
        "x_dot = z_dot if is_last else np.where(z_dot > 0, z_dot, 0.2 * z_dot)",
        "the mask is taken from z_dot; the slope is the one at z",
    ),
    (
        X,
        "x_dot = leaky_backward(z_dot, z)",
        "the slope is applied in the last layer, which has none",
    ),
    (
        X,
        "x_dot = z_dot if is_last else np.where(z > 0, z_dot, 0)",
        "the slope is lost: 0 instead of s",
    ),
    (Z, "z_dot = x_dot @ W + z - _x @ W\n", "the bias is added; it does not move with x"),
    (X, "x_dot = z_dot if is_last else z_dot * z", "z_dot is multiplied by z; by the slope at z"),
]
