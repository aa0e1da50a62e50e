"""Exercise 9: a network, forward and backward

Linear layers in a row, with a LeakyReLU after each of them but the last:

    x -> z1 = x W1 + b1 -> leaky -> z2 = (...) W2 + b2 -> leaky -> ... -> y

A network is a list of its layers' weights: params = [(W1, b1), (W2, b2), ...].

Forward, each layer writes down what it will need on the way back: its input x
and its z. These notes are the cache, one (x, z) per layer. The network does
not keep it: it is returned, so that D can run on real and on fake samples,
and each backward pass uses the notes of its own forward pass.

Backward goes through the layers from the last to the first. What comes out of
one as dx is the dy of the one before:

    dz = dy                                  in the last layer
       = dy, times LeakyReLU's slope at z    in all others (exercise 7)
    dx, dW, db                               from dz, as in exercise 3

Wanted: in the forward loop, z and y of one layer; in the backward loop, the
next dy (which is this layer's dx), dW and db.

Shapes, of a layer with `in` inputs and `out` outputs:
    x (N, in)    z, y, dy (N, out)    grads = [(dW1, db1), (dW2, db2), ...]

By hand, with one number everywhere, W1 = 2, W2 = 3, no biases, and slope 0.2:

    x = 1:     z1 = 2     leaky: 2       y = 6       dx = 3 * 1 * 2 = 6
    x = -1:    z1 = -2    leaky: -0.4    y = -1.2    dx = 3 * 0.2 * 2 = 1.2

    >>> one = lambda w: (np.array([[w]]), np.zeros(1))
    >>> params = [one(2.0), one(3.0)]
    >>> y, cache = network_forward(np.array([[1.0], [-1.0]]), params)
    >>> y
    array([[ 6. ],
           [-1.2]])
    >>> network_backward(np.ones((2, 1)), cache, params)[0]
    array([[6. ],
           [1.2]])

Why it matters: G and D are both such networks. A cache that is kept inside D,
and overwritten by its second batch, is the commonest bug of GANs by hand.
"""

import numpy as np
from ex02_linear_forward import linear_forward
from ex03_linear_backward import linear_backward
from ex07_leaky_relu import leaky_backward, leaky_forward


def network_forward(x, params):
    """x (N, in), params [(W, b), ...] -> y (N, out), cache [(x, z), ...]"""
    cache = []
    for W, b in params:
        is_last = len(cache) == len(params) - 1
        # GAP z, y
        # HINT z is linear_forward of x; y is leaky_forward of z, or z itself.
        # HINT y = z if is_last else ...
        z = linear_forward(x, W, b)
        y = z if is_last else leaky_forward(z)
        # END
        cache.append((x, z))
        x = y  # the input of the next layer
    return x, cache


def network_backward(dy, cache, params):
    """dy (N, out), the cache of the forward pass -> dx (N, in), grads"""
    grads = []
    for (x, z), (W, _b) in zip(reversed(cache), reversed(params)):
        is_last = len(grads) == 0  # the last layer comes first here
        # GAP dy, dW, db
        # HINT First dz, from dy and z, as above; then one call of linear_backward.
        # HINT The last layer has no LeakyReLU behind it: there dz is dy.
        dz = dy if is_last else leaky_backward(dy, z)
        dy, dW, db = linear_backward(dz, x, W)
        # END
        grads.insert(0, (dW, db))  # in the order of params
    return dy, grads


# == for the checker ===========================================================

from minigan.verify.exercises.networks import cache_of, network


def cases(rng):
    for sizes in (3, 4, 4, 2), (3, 4, 1), (3, 2):
        params, x = network(rng, *sizes), rng.standard_normal((6, 3))
        note = f"sizes {', '.join(map(str, sizes))}"
        yield "network_forward", {"x": x, "params": params}, "y, cache", note
        cache = cache_of(x, params)
        dy = rng.standard_normal(cache[-1][1].shape)
        arguments = {"dy": dy, "cache": cache, "params": params}
        yield "network_backward", arguments, "dx, grads", note


Y, DZ = "y = z if is_last else leaky_forward(z)", "dz = dy if is_last else leaky_backward(dy, z)"
BACK = "dy, dW, db = linear_backward(dz, x, W)"
MISTAKES = [
    (Y, "y = leaky_forward(z)", "LeakyReLU after the last layer too; logits stay as they are"),
    (Y, "y = z", "LeakyReLU is missing: without it all layers together are one linear layer"),
    (Y, "y = leaky_forward(z) if is_last else z", "the last layer and the others are exchanged"),
    (DZ, "dz = dy", "LeakyReLU's slope is missing on the way back"),
    (
        DZ,
        "dz = leaky_backward(dy, z)",
        "the slope is applied in the last layer too, which has none",
    ),
    (
        DZ,
        "dz = dy if is_last else np.where(z > 0, dy, 0)",
        "LeakyReLU's slope is lost: 0 instead of s where z <= 0",
    ),
    (BACK, f"{BACK}\n        dy = dz", "dz is passed on; the layer before needs this layer's dx"),
    (
        BACK,
        "dy, dW, db = linear_backward(dy, x, W)",
        "LeakyReLU's slope is missing on the way back",
    ),
    (
        DZ,
        "dz = dy if is_last else leaky_backward(dy, dy)",
        "the mask is taken from dy; it must be z > 0",
    ),
    ("grads.insert(0, (dW, db))", "grads.append((dW, db))", "grads are in the reverse order"),
]
