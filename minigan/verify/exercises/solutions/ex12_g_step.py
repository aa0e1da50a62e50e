"""Exercise 12: G's gradient, through D

    forward     fake = G(z)    f = D(fake)            two networks, two caches
    loss        L_G, df                               (exercise 5)
    backward    dfake = df sent back through D        (exercise 10)
                dL_G/dtheta = dfake sent back through G

The two networks together are one long chain, from the noise z to the loss.
D's weights are constants here.

Wanted: L_G, and its gradient by each of G's weights.

Shapes:
    z (N, latent)    fake, dfake (N, d)    G, D [(W, b), ...]
    grads [(dW, db), ...], of G

By hand, with N = 1, G(z) = v z with v = 3, D(x) = w x with w = 2, and z = 0.5:

    fake = 1.5     f = 3     df = -sigmoid(-3) = -0.047426
    dfake = df * w = -0.094852
    dv = dfake * z = -0.047426       (and the gradient of G's bias is dfake)

    >>> one = lambda w: [(np.array([[w]]), np.zeros(1))]
    >>> z = np.array([[0.5]])
    >>> value, grads = generator_gradient(z, G=one(3.0), D=one(2.0))
    >>> grads[0][0].round(6)
    array([[-0.047426]])
    >>> grads[0][1].round(6)
    array([-0.094852])

Why it matters: this is the line that makes it a GAN. A public NumPy GAN
shipped without it; its generator got a gradient of zero.
"""

import numpy as np
from ex05_cross_entropy import generator_loss
from ex09_network import network_backward, network_forward
from ex10_through_d import network_backward_input


def generator_gradient(z, G, D):
    """z (N, latent), both players' params -> L_G, grads of G"""
    # GAP value, grads
    # HINT Forward through G, then through D; then the loss; then back the same way.
    # HINT Through D: network_backward_input. Through G: network_backward.
    # HINT fake_gradient of exercise 10 does all of D's part at once.
    fake, G_cache = network_forward(z, G)
    f, D_cache = network_forward(fake, D)
    value, df = generator_loss(f)
    dfake = network_backward_input(df, D_cache, D)
    _, grads = network_backward(dfake, G_cache, G)
    # END
    return value, grads


# == for the checker ===========================================================

from minigan.verify.exercises.networks import network


def cases(rng):
    for G, D in ((3, 5, 5, 2), (2, 5, 5, 1)), ((3, 2), (2, 1)), ((1, 4, 1), (1, 4, 1)):
        z = rng.standard_normal((6, G[0]))
        arguments = {"z": z, "G": network(rng, *G), "D": network(rng, *D)}
        yield "generator_gradient", arguments, "value, grads"


LOSS, BACK = "value, df = generator_loss(f)", "_, grads = network_backward(dfake, G_cache, G)"
MISTAKES = [
    (
        BACK,
        "_, grads = network_backward(df, D_cache, D)",
        "these are the gradients of D's weights; those of G's are wanted",
    ),
    (
        "dfake = network_backward_input(df, D_cache, D)",
        "dfake = df * np.ones_like(fake)",
        "the way through D is missing: df is handed to G as it is",
    ),
    (
        LOSS,
        f"{LOSS}\n    _, df = generator_loss(-f)\n    df = -df",
        "this is the gradient of D's loss of the fakes: G would learn to look fake",
    ),
    (
        LOSS,
        f"{LOSS}\n    df = df - 1 / len(f) - 2 * df",
        "this is the gradient of the minimax loss, -softplus(f)",
    ),
    (LOSS, f"{LOSS}\n    df = df * len(f)", "the 1/N is missing: dL_G/df has it, once"),
    (LOSS, f"{LOSS}\n    df = df / len(f)", "divided by N twice: the 1/N is in df already"),
    (BACK, f"{BACK}\n    grads = [(0 * W, 0 * b) for W, b in G]", "zero: G would never learn"),
    (LOSS, f"{LOSS}\n    df = np.ones_like(f)", "this is the slope of D; df must be dL_G/df"),
    (LOSS, f"{LOSS}\n    df = -df", "the sign is wrong: G would learn to look fake"),
]
