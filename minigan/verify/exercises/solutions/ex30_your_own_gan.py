"""Exercise 30: your own GAN

All of its parts are yours: the layers and their gradients (2, 3, 4, 7, 9, 10),
the losses (5), both players' gradients (11, 12), Adam (14), R1 (26), and the
data (29). Nothing else is in it, apart from NumPy's arrays and random numbers.

What is left is to put them together. One step, with z and a batch of real
samples given:

    1. fake = G(z)
    2. D's gradient, of L_D + R1 at the real samples: the sum of the two
    3. Adam moves D
    4. G's gradient, through D, which has moved
    5. Adam moves G

Each player has its own memory for Adam: a pair (m, v) for each W and each b.

Wanted: Adam for a whole player, and the step. Training and sampling are
written below, and the checker runs them: it trains your GAN on a ring of eight
modes, counts how many of them G makes, and draws a picture of it.

Shapes:
    real (N, 2)    z (N, LATENT)    G, D [(W, b), ...]
    memory [(mW, vW, mb, vb), ...]: mW, vW like W, mb, vb like b

By hand: Adam's first step is lr long, whatever the gradient's size (14).

    >>> G = [(np.array([[5.0]]), np.array([5.0]))]
    >>> grads = [(np.array([[0.3]]), np.array([-70.0]))]
    >>> G, memory = adam_all(G, grads, new_memory(G), t=1, lr=0.1)
    >>> G[0][0].round(6), G[0][1].round(6)
    (array([[4.9]]), array([5.1]))

Why it matters: this is a GAN, whole, and you can derive each line of it. Then
change it, and watch what happens: GAMMA = 0, another loss, one layer less.
"""

import numpy as np
from ex09_network import network_forward
from ex11_d_step import add, discriminator_gradient
from ex12_g_step import generator_gradient
from ex14_adam import adam_step
from ex26_r1 import r1_gradient
from ex29_ring import ring_centres, ring_samples

MODES, RADIUS, STD = 8, 1.0, 0.1  # the ring
LATENT, WIDTH = 2, 32  # noise values per sample, neurons per hidden layer
STEPS, BATCH, LR, GAMMA = 3000, 64, 2e-3, 0.1


def adam_all(params, grads, memory, t, lr):
    """Adam's step t for each W and b of a player -> params, memory"""
    moved, new = [], []
    for (W, b), (dW, db), (mW, vW, mb, vb) in zip(params, grads, memory):
        # GAP W, mW, vW, b, mb, vb
        # HINT adam_step returns theta, m, v. Call it once for W and once for b.
        W, mW, vW = adam_step(W, dW, mW, vW, t, lr)
        b, mb, vb = adam_step(b, db, mb, vb, t, lr)
        # END
        moved.append((W, b))
        new.append((mW, vW, mb, vb))
    return moved, new


def gan_step(real, z, G, D, G_memory, D_memory, t, lr):
    """Step t of training -> G, D, G_memory, D_memory, all of them moved"""
    # GAP G, D, G_memory, D_memory
    # HINT As train_step of exercise 13, with adam_all for descend, and with R1.
    # HINT discriminator_gradient and r1_gradient return a value and grads.
    # HINT add(grads, others) of exercise 11 adds two lists of gradients.
    fake, _ = network_forward(z, G)
    _, D_grads = discriminator_gradient(real, fake, D)
    _, R1_grads = r1_gradient(real, D, GAMMA)
    D, D_memory = adam_all(D, add(D_grads, R1_grads), D_memory, t, lr)
    _, G_grads = generator_gradient(z, G, D)
    G, G_memory = adam_all(G, G_grads, G_memory, t, lr)
    # END
    return G, D, G_memory, D_memory


def new_network(sizes, rng):
    """Random weights of a suitable size (He et al. 2015), and biases of 0"""
    return [
        (rng.standard_normal((n, m)) * np.sqrt(2 / n), np.zeros(m))
        for n, m in zip(sizes, sizes[1:])
    ]


def new_memory(params):
    """Adam's means before the first step: zeros"""
    return [(0 * W, 0 * W, 0 * b, 0 * b) for W, b in params]


def train(seed=0, steps=STEPS):
    """G and D after training on the ring"""
    rng = np.random.default_rng(seed)
    centres = ring_centres(MODES, RADIUS)
    G = new_network([LATENT, WIDTH, WIDTH, 2], rng)
    D = new_network([2, WIDTH, WIDTH, 1], rng)
    state = G, D, new_memory(G), new_memory(D)
    for t in range(1, steps + 1):
        lr = LR * min(1, 2 - 2 * t / steps)  # constant, then falling to 0
        j = rng.integers(MODES, size=BATCH)
        noise = rng.standard_normal((BATCH, 2))
        real = ring_samples(j, noise, centres, STD)
        z = rng.standard_normal((BATCH, LATENT))
        state = gan_step(real, z, *state, t, lr)
    return state[:2]


def sample(G, n, seed=1):
    """n samples of G, (n, 2)"""
    z = np.random.default_rng(seed).standard_normal((n, LATENT))
    return network_forward(z, G)[0]


# == for the checker ===========================================================

from minigan.verify.exercises.networks import network

SECONDS = 240


def cases(rng):
    G, D = network(rng, 2, 4, 2), network(rng, 2, 4, 1)
    memories = [
        [tuple(1 + rng.random(p.shape) for p in (W, W, b, b)) for W, b in player]
        for player in (G, D)
    ]
    arguments = {
        "params": G,
        "grads": [(b + W, b) for W, b in G],
        "memory": memories[0],
        "t": 2,
        "lr": 0.1,
    }
    yield "adam_all", arguments, "params, memory", "t = 2"
    arguments = {
        "real": rng.standard_normal((6, 2)),
        "z": rng.standard_normal((6, 2)),
        "G": G,
        "D": D,
        "G_memory": memories[0],
        "D_memory": memories[1],
        "t": 2,
        "lr": 0.1,
    }
    yield "gan_step", arguments, "G, D, G_memory, D_memory", "t = 2"


def judge(page, folder):
    from minigan.verify.exercises.ring_picture import judged

    yield from judged(page, folder)


MOVE_D = "    D, D_memory = adam_all(D, add(D_grads, R1_grads), D_memory, t, lr)\n"
G_GRADS, MOVE_G = (
    "    _, G_grads = generator_gradient(z, G, D)\n",
    "    G, G_memory = adam_all(G, G_grads, G_memory, t, lr)\n",
)
MISTAKES = [
    (
        MOVE_D,
        MOVE_D.replace("add(D_grads, R1_grads)", "D_grads"),
        "R1's gradient is not added to D's",
    ),
    (
        MOVE_D,
        MOVE_D.replace("add(D_grads, R1_grads)", "R1_grads"),
        "D goes down R1 alone; add its loss's gradient",
    ),
    (
        MOVE_D,
        MOVE_D.replace("add(D_grads, R1_grads)", "add(add(D_grads, R1_grads), R1_grads)"),
        "R1's gradient is added twice",
    ),
    (
        "r1_gradient(real, D, GAMMA)",
        "r1_gradient(fake, D, GAMMA)",
        "R1 is taken at the fakes; that is R2. Take it at the real samples",
    ),
    (MOVE_D + G_GRADS, G_GRADS + MOVE_D, "G learns from D as it was before; move D first"),
    (MOVE_G, "", "G does not move"),
    (MOVE_D, "", "D does not move"),
    (
        MOVE_G,
        MOVE_G.replace("G, G_memory =", "G, _ =").replace("G_memory, t", "G_memory, t"),
        "G's memory is not handed on to the next step",
    ),
    (MOVE_D, MOVE_D.replace(", t, lr", ", 1, lr"), "Adam's t is stuck at 1 for D"),
    (MOVE_G, MOVE_G.replace(", t, lr", ", 1, lr"), "Adam's t is stuck at 1 for G"),
    ("b, mb, vb = adam_step(b, db, mb, vb, t, lr)", "b = b", "the biases do not move"),
    (
        "b, mb, vb = adam_step(b, db, mb, vb, t, lr)",
        "b, _, _ = adam_step(b, db, mb, vb, t, lr)",
        "the memory of b is not kept",
    ),
    (
        "W, mW, vW = adam_step(W, dW, mW, vW, t, lr)",
        "W, _, _ = adam_step(W, dW, mW, vW, t, lr)",
        "the memory of W is not kept",
    ),
    (
        MOVE_G,
        MOVE_G.replace("G_memory, t", "new_memory(G), t"),
        "G's memory is begun anew in each step",
    ),
    (
        MOVE_D,
        MOVE_D.replace("D_memory, t", "new_memory(D), t"),
        "D's memory is begun anew in each step",
    ),
    (MOVE_G, MOVE_G.replace("lr", "-lr"), "G moves up its gradient"),
    (MOVE_D, MOVE_D.replace("lr", "-lr"), "D moves up its gradient"),
]
