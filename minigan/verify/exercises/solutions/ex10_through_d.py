"""Exercise 10: backward through D, to the fakes

G learns from one thing: which way each of its samples should move so that D
takes it for real. That is dL_G/dfake, and it comes back through D:

    forward     f, cache = D(fake)
    loss        df = dL_G/df                      (exercise 5)
    backward    dfake = df sent back through D

On the way through D only each layer's dx is needed. D's own weight gradients
belong to another loss, L_D, so here they are not even computed. (Frameworks
with autograd need a `detach`, or a second `zero_grad`, for this.)

Wanted: a backward pass that returns dx alone; and with it dL_G/dfake.

Shapes:
    fake, dfake (N, in)    f, df (N, 1)    D [(W1, b1), (W2, b2), ...]

By hand, with N = 1, D one linear layer with the weights [2, -1], and a fake
on which its logit is 0:

    df = -sigmoid(-0) / 1 = -1/2       dfake = -1/2 * [2, -1] = [-1, 0.5]

Down this gradient is the direction [1, -0.5], in which the logit grows.

    >>> D = [(np.array([[2.0], [-1.0]]), np.zeros(1))]
    >>> fake_gradient(np.array([[1.0, 2.0]]), D)[1]
    array([[-1. ,  0.5]])

Why it matters: this arrow at each sample is all that D ever tells G.
"""

import numpy as np
from ex05_cross_entropy import generator_loss
from ex07_leaky_relu import leaky_backward
from ex09_network import network_forward


def network_backward_input(dy, cache, params):
    """dy (N, out), the cache of the forward pass -> dx (N, in)"""
    is_last = True
    for (_x, z), (W, _b) in zip(reversed(cache), reversed(params)):
        # GAP dy
        # HINT First dz as in exercise 9: with LeakyReLU's slope, except in the last layer.
        # HINT Then dx of a linear layer, from exercise 3: dz @ ...
        dz = dy if is_last else leaky_backward(dy, z)
        dy = dz @ W.T
        # END
        is_last = False
    return dy


def fake_gradient(fake, D):
    """fake (N, in), D's params -> L_G, dL_G/dfake (N, in)"""
    # GAP value, dfake
    # HINT Three lines: network_forward, generator_loss, network_backward_input.
    f, cache = network_forward(fake, D)
    value, df = generator_loss(f)
    dfake = network_backward_input(df, cache, D)
    # END
    return value, dfake


# == for the checker ===========================================================

from minigan.verify.exercises.networks import cache_of, network


def cases(rng):
    for sizes in (3, 4, 4, 2), (3, 2):
        params, x = network(rng, *sizes), rng.standard_normal((6, 3))
        cache = cache_of(x, params)
        dy = rng.standard_normal(cache[-1][1].shape)
        arguments = {"dy": dy, "cache": cache, "params": params}
        yield "network_backward_input", arguments, "dx", f"sizes {', '.join(map(str, sizes))}"
    D, fake = network(rng, 2, 5, 5, 1), rng.standard_normal((6, 2))
    yield "fake_gradient", {"fake": fake, "D": D}, "value, dfake"


DZ, LOSS = "dz = dy if is_last else leaky_backward(dy, z)", "value, df = generator_loss(f)"
MISTAKES = [
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
    (
        DZ,
        "dz = dy if is_last else leaky_backward(dy, dy)",
        "the mask is taken from dy; it must be z > 0",
    ),
    (
        LOSS,
        "value, df = generator_loss(f)\n    value, df = generator_loss(-f)[0], -df",
        "this is D's loss of the fakes: G would learn to look fake",
    ),
    (LOSS, f"{LOSS}\n    df = df * len(f)", "the 1/N is missing: dL_G/df has it, once"),
    (LOSS, f"{LOSS}\n    df = df / len(f)", "divided by N twice: the 1/N is in df already"),
    (LOSS, f"{LOSS}\n    df = np.ones_like(f)", "this is the slope of D; multiply it by dL_G/df"),
    (LOSS, f"{LOSS}\n    df = np.ones_like(f) / len(f)", "the slope of the mean logit, not of L_G"),
]
