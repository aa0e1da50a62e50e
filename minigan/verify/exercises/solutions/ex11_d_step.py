"""Exercise 11: D's gradient

D learns from both kinds of sample at once:

    forward     r = D(real)    f = D(fake)        two passes, two caches
    loss        L_D, dr, df                       (exercise 5)
    backward    dr through the pass over the real samples,
                df through the pass over the fakes
    dL_D/dtheta = the sum of the two gradients    (theta: all of D's weights)

The fakes are constants here: nothing goes on into G.

Wanted: L_D, and the gradients by D's weights on the real samples and on the
fakes. (`add`, at the end of the page, makes their sum.)

Shapes:
    real, fake (N, in)    D [(W1, b1), ...]    grads [(dW1, db1), ...]

By hand, with N = 1 and D one linear layer, w = 0 and b = 0: both logits are 0,
so dr = -1/2 and df = 1/2. With real = 3 and fake = 1:

    dw = -1/2 * 3 + 1/2 * 1 = -1        db = -1/2 + 1/2 = 0

    >>> D = [(np.zeros((1, 1)), np.zeros(1))]
    >>> discriminator_gradient(np.array([[3.0]]), np.array([[1.0]]), D)[1]
    [(array([[-1.]]), array([0.]))]

Why it matters: each half by itself is a discriminator that says "real" (or
"fake") to everything. Only their sum tells one from the other.
"""

import numpy as np
from ex05_cross_entropy import discriminator_loss
from ex09_network import network_backward, network_forward


def discriminator_gradient(real, fake, D):
    """real (N, in), fake (N, in), D's params -> L_D, grads [(dW, db), ...]"""
    # GAP value, on_real, on_fake
    # HINT on_real and on_fake are the two lists of gradients that are added below.
    # HINT Keep two caches, one for each forward pass.
    # HINT network_backward returns dx, grads; the second is wanted.
    r, real_cache = network_forward(real, D)
    f, fake_cache = network_forward(fake, D)
    value, dr, df = discriminator_loss(r, f)
    _, on_real = network_backward(dr, real_cache, D)
    _, on_fake = network_backward(df, fake_cache, D)
    # END
    return value, add(on_real, on_fake)


def add(grads, others):
    """The sum of two lists [(dW, db), ...], entry by entry."""
    return [(dW + eW, db + eb) for (dW, db), (eW, eb) in zip(grads, others)]


# == for the checker ===========================================================

from minigan.verify.exercises.networks import network


def cases(rng):
    for sizes in (2, 5, 5, 1), (2, 1):
        D, (real, fake) = network(rng, *sizes), rng.standard_normal((2, 6, 2))
        arguments = {"real": real, "fake": fake, "D": D}
        yield "discriminator_gradient", arguments, "value, grads"


REAL = "_, on_real = network_backward(dr, real_cache, D)"
FAKE = "_, on_fake = network_backward(df, fake_cache, D)"
MISTAKES = [
    (REAL, REAL.replace("real_cache", "fake_cache"), "dr goes through the cache of the fakes"),
    (
        FAKE,
        FAKE.replace("fake_cache", "real_cache"),
        "df goes through the cache of the real samples",
    ),
    (FAKE, "on_fake = [(0 * W, 0 * b) for W, b in D]", "the part of the fakes is missing"),
    (REAL, "on_real = [(0 * W, 0 * b) for W, b in D]", "the part of the real samples is missing"),
    (
        FAKE,
        "on_fake = on_real",
        "the part of the real samples is counted twice, and the fakes' not",
    ),
    (FAKE, FAKE.replace("(df", "(-df"), "the sign of df is wrong: L_D grows when f grows"),
    (
        "discriminator_loss(r, f)",
        "discriminator_loss(f, r)",
        "real and fake are exchanged in the loss",
    ),
    (REAL, REAL.replace("(dr", "(-dr"), "the sign of dr is wrong: L_D falls when r grows"),
    (
        "value, dr, df = discriminator_loss(r, f)",
        "value, df, dr = discriminator_loss(r, f)",
        "dr and df are exchanged",
    ),
]
