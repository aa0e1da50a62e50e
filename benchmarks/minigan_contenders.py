"""minigan in `train_step.py`, on both backends; and the networks that all contenders start from."""

import numpy as np

import minigan as mg

SLOPE, RATE, BETA1, BETA2, EPS = 0.2, 2e-4, 0.5, 0.999, 1e-8


def networks(step):
    """(generator, discriminator) in minigan, whose first parameters every contender starts from."""
    layer = {
        "linear": mg.layers.Linear,
        "conv": lambda i, o: mg.layers.Conv2d(i, o, 4, stride=2, padding=1),
        "transpose": lambda i, o: mg.layers.ConvTranspose2d(i, o, 4, stride=2, padding=1),
        "norm": mg.layers.BatchNorm,
        "leaky": lambda: mg.layers.LeakyReLU(SLOPE),
        "relu": mg.layers.ReLU,
        "tanh": mg.layers.Tanh,
        "images": lambda side, channels: mg.layers.Reshape((side, side, channels)),
        "flat": mg.layers.Flatten,
    }
    return [
        mg.Sequential([layer[kind](*sizes) for kind, *sizes in network], rng=seed)
        for seed, network in enumerate((step.generator, step.discriminator))
    ]


class Minigan:
    """This library, on its Numba kernels."""

    backend = "numba"

    def __init__(self, step, threads):
        mg.kernels.use_backend(self.backend)
        generator, discriminator = networks(step)
        self.gan = mg.GAN(
            generator,
            discriminator,
            latent_dim=step.latent_dim,
            loss=mg.losses.NonSaturating(),
            generator_optimizer=mg.optim.Adam(RATE, BETA1, BETA2, EPS),
            discriminator_optimizer=mg.optim.Adam(RATE, BETA1, BETA2, EPS),
        )
        self.real = step.real(np.random.default_rng(1))

    def losses(self, examples):
        fresh, found = self.gan.draw_noise, []
        for real, noise in examples:
            self.gan.draw_noise = lambda n, noise=noise: noise
            figures = self.gan.train_step(real)
            found.append((figures["discriminator_loss"], figures["generator_loss"]))
        self.gan.draw_noise = fresh
        return found

    def run(self, count):
        for _ in range(count):
            self.gan.train_step(self.real)


class MiniganNumpy(Minigan):
    """This library, on its NumPy backend."""

    backend = "numpy"
