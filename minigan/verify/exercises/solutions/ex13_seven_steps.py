"""Exercise 13: the seven steps

One step of training a GAN:

    1. take a batch of real samples            (given)
    2. draw noise z                            (given)
    3. generate: fake = G(z)
    4. judge both with D; L_D and its gradient (exercise 11)
    5. move D down its gradient
    6. L_G and its gradient through D, which has moved (exercise 12);
       move G down it
    7. repeat

Each player moves down the gradient of its own loss, by the learning rate:

    theta = theta - lr * gradient

Wanted: `descend`, which moves all weights of one player; and the step.
Both return new lists and leave the old ones as they are.

Shapes:
    real (N, d)    z (N, latent)    G, D [(W, b), ...]    grads [(dW, db), ...]

By hand: a weight 5 with the gradient 3, and lr = 0.1, becomes 5 - 0.3 = 4.7.
If D has the weight w = 0 (exercise 11: dw = -1 for real = 3, fake = 1), it
becomes 0 + 0.1 = 0.1; only now does D have a slope from which G can learn.
The new f is 0.1, and for G(z) = v z, v = 1, z = 1: dv = -sigmoid(-0.1) * 0.1.

    >>> one = lambda w: [(np.array([[w]]), np.zeros(1))]
    >>> descend(one(5.0), one(3.0), lr=0.1)[0][0]
    array([[4.7]])
    >>> real, z = np.array([[3.0]]), np.array([[1.0]])
    >>> G, D = train_step(real, z, one(1.0), one(0.0), lr=0.1)
    >>> D[0][0]
    array([[0.1]])
    >>> G[0][0].round(6)
    array([[1.00475]])

Why it matters: the order. If G learned from D as it was before, both would
move at the same time, which makes a GAN circle its solution, or leave it.
"""

import numpy as np
from ex09_network import network_forward
from ex11_d_step import discriminator_gradient
from ex12_g_step import generator_gradient


def descend(params, grads, lr):
    """params [(W, b), ...], grads [(dW, db), ...] -> the moved params"""
    moved = []
    for (W, b), (dW, db) in zip(params, grads):
        # GAP new_W, new_b
        # HINT theta = theta - lr * gradient, for W and for b.
        new_W = W - lr * dW
        new_b = b - lr * db
        # END
        moved.append((new_W, new_b))
    return moved


def train_step(real, z, G, D, lr):
    """One step on a batch, with the noise z -> the moved G, the moved D"""
    # GAP G, D
    # HINT The fakes: network_forward(z, G) returns them, and a cache that D does not need.
    # HINT D = descend(D, ...) comes before generator_gradient is called.
    fake, _ = network_forward(z, G)
    _, D_grads = discriminator_gradient(real, fake, D)
    D = descend(D, D_grads, lr)
    _, G_grads = generator_gradient(z, G, D)
    G = descend(G, G_grads, lr)
    # END
    return G, D


# == for the checker ===========================================================

from minigan.verify.exercises.networks import network


def three_steps(page, real, z, G, D, lr):
    for i in range(3):
        G, D = page.train_step(real[i], z[i], G, D, lr)
    return G, D


def cases(rng):
    params, grads = network(rng, 3, 4, 2), network(rng, 3, 4, 2)
    yield "descend", {"params": params, "grads": grads, "lr": 0.3}, "params"
    arguments = {
        "real": rng.standard_normal((6, 2)),
        "z": rng.standard_normal((6, 3)),
        "G": network(rng, 3, 5, 2),
        "D": network(rng, 2, 5, 1),
        "lr": 0.5,
    }
    yield "train_step", arguments, "G, D"
    arguments = arguments | {
        "real": rng.standard_normal((3, 6, 2)),
        "z": rng.standard_normal((3, 6, 3)),
    }
    yield three_steps, arguments, "G, D", "three steps"


OF_D = (
    "    fake, _ = network_forward(z, G)\n"
    "    _, D_grads = discriminator_gradient(real, fake, D)\n"
    "    D = descend(D, D_grads, lr)\n"
)
OF_G = "    _, G_grads = generator_gradient(z, G, D)\n    G = descend(G, G_grads, lr)\n"
JUDGE, MOVE_D = OF_D.splitlines(keepends=True)[1:]
GRADIENT, MOVE_G = OF_G.splitlines(keepends=True)
MISTAKES = [
    ("new_W = W - lr * dW", "new_W = W + lr * dW", "moves up the gradient: subtract it"),
    ("new_b = b - lr * db", "new_b = b + lr * db", "moves up the gradient: subtract it"),
    ("new_b = b - lr * db", "new_b = b", "the biases b must move too"),
    ("new_W = W - lr * dW", "new_W = W - dW", "the learning rate lr is missing"),
    (MOVE_D + GRADIENT, GRADIENT + MOVE_D, "G learns from D as it was before; move D first"),
    (MOVE_D, "", "D does not move: step 5 is missing"),
    (MOVE_G, "", "G does not move: the end of step 6 is missing"),
    (OF_D + OF_G, OF_G + OF_D, "G moves before D; D moves first"),
    (MOVE_D, MOVE_D + JUDGE + MOVE_D, "D moves twice in one step"),
    (MOVE_D, MOVE_D.replace("lr", "-lr"), "D moves up its gradient"),
    (MOVE_G, MOVE_G.replace("lr", "-lr"), "G moves up its gradient"),
]
