"""The training steps that are timed, in a form that no framework owns.

A network is a list of layers as tuples, from which each contender builds its own:
    ("linear", in, out)  ("conv", in, out)  ("transpose", in, out)   both 4 x 4, stride 2, padding 1
    ("norm", channels)    ("leaky",)  ("relu",)  ("tanh",)    ("images", side, channels)  ("flat",)
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Step:
    """One training step: two networks, the latent size, and the minibatch."""

    name: str
    description: str
    generator: tuple
    discriminator: tuple
    latent_dim: int
    sample_shape: tuple
    batch: int

    def real(self, rng):
        """A minibatch with the shape and range of the data; its values do not matter for time."""
        shape = (self.batch, *self.sample_shape)
        return np.tanh(rng.standard_normal(shape)).astype(np.float32)

    def examples(self, count):
        """[(real, noise)] for `count` steps: the same for every contender."""
        rng = np.random.default_rng(7)
        return [
            (self.real(rng), rng.standard_normal((self.batch, self.latent_dim), np.float32))
            for _ in range(count)
        ]

    def flops(self):
        """The operations of the matrix products of a step, two for each multiply-add.

        G: forward, and backward to the weights and to the inputs, save to the noise. D's update:
        real and fake, forward and backward, save to the data. G's: forward, and back to the data.
        """
        g, d = _multiply_adds(self.generator), _multiply_adds(self.discriminator)
        d_update, g_update = 2 * (3 * sum(d) - d[0]), 2 * sum(d) + 3 * sum(g) - g[0]
        return 2 * self.batch * (d_update + g_update)

    def bytes(self):
        """What a step must read and write of each parameter, if no cache holds them: G's weights
        twice, D's four times, their gradients once, and in Adam's update seven numbers each."""
        return 4 * (10 * _parameters(self.generator) + 12 * _parameters(self.discriminator))


def _multiply_adds(network):
    """Of one sample forward, layer by layer."""
    found, side = [], 28
    for kind, *sizes in network:
        if kind == "images":
            side = sizes[0]
        elif kind == "linear":
            found.append(sizes[0] * sizes[1])
        elif kind == "conv":  # 4 x 4 taps for each pixel of the output
            side //= 2
            found.append(side**2 * 16 * sizes[0] * sizes[1])
        elif kind == "transpose":  # for each pixel of the input
            found.append(side**2 * 16 * sizes[0] * sizes[1])
            side *= 2
    return found


def _parameters(network):
    """The number of weights, biases, scales and shifts."""
    taps = {"linear": 1, "conv": 16, "transpose": 16}
    dense = [(taps[kind], *sizes) for kind, *sizes in network if kind in taps]
    norms = [sizes[0] for kind, *sizes in network if kind == "norm"]
    return sum(tap * i * o + o for tap, i, o in dense) + 2 * sum(norms)


def mlp(*sizes, last=()):
    """Linear layers with LeakyReLU between them."""
    layers = []
    for before, after in zip(sizes, sizes[1:]):
        layers += [("linear", before, after), ("leaky",)]
    return (*layers[:-1], *last)


def dcgan(base, latent_dim=64):
    """(generator, discriminator) for 28 x 28 images, batch norm in G and in D's second layer."""
    generator = (
        ("linear", latent_dim, 7 * 7 * 2 * base), ("images", 7, 2 * base),
        ("norm", 2 * base), ("relu",),
        ("transpose", 2 * base, base), ("norm", base), ("relu",),
        ("transpose", base, 1), ("tanh",),
    )  # fmt: skip
    discriminator = (
        ("conv", 1, base), ("leaky",),
        ("conv", base, 2 * base), ("norm", 2 * base), ("leaky",),
        ("flat",), ("linear", 7 * 7 * 2 * base, 1),
    )  # fmt: skip
    return generator, discriminator


def _mnist(name, generator, batch):
    return Step(
        name,
        f"G {'-'.join(map(str, generator))}, D 784-512-256-1, batch {batch}",
        mlp(*generator, last=(("tanh",),)),
        mlp(784, 512, 256, 1),
        generator[0],
        (784,),
        batch,
    )


def _dcgan(base):
    return Step(
        f"dcgan-{base}",
        f"28 x 28, {base} base channels, batch 64",
        *dcgan(base),
        64,
        (28, 28, 1),
        64,
    )


STEPS = (
    Step(
        "ring",
        "G 2-128-128-128-2, D 2-128-128-128-1, batch 256",
        mlp(2, 128, 128, 128, 2),
        mlp(2, 128, 128, 128, 1),
        2,
        (2,),
        256,
    ),
    _mnist("mnist-64", (100, 128, 256, 512, 1024, 784), 64),
    _mnist("mnist-256", (100, 256, 512, 784), 256),
    _dcgan(32),
    _dcgan(64),
)
