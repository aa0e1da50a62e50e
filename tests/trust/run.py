"""A small run with every feature of a run: to be interrupted, killed and resumed.

python run.py CHECKPOINT [--resume]     prints "ready", trains, prints a digest of the end
"""

import hashlib
import json
import sys

import numpy as np

import minigan as mg
from minigan import layers as L

STEPS = 150
DATA = np.random.default_rng(0).standard_normal((50, 2))


class Parts:
    """A GAN with running statistics, spectral vectors, frequencies, dropout, penalties that draw;
    an average; a plateau that is measured and not reached."""

    def __init__(self):
        generator = mg.Sequential(
            [L.Linear(2, 16), L.BatchNorm(16), L.ReLU(), L.Linear(16, 2)], rng=1
        )
        discriminator = mg.Sequential(
            [
                L.FourierFeatures(2, 4), L.SpectralNorm(L.Linear(8, 16)), L.LeakyReLU(),
                L.Dropout(0.2), L.Linear(16, 1),
            ],
            rng=2,
        )  # fmt: skip
        self.gan = mg.GAN(
            generator, discriminator, latent_dim=2, penalties=[mg.penalties.GradientPenalty(1.0)],
            discriminator_optimizer=mg.optim.RMSProp(1e-3), rng=3,
        )  # fmt: skip
        self.average = mg.Average(generator, 0.9)
        self.stop = mg.Plateau(
            lambda gan: float(np.abs(gan.generator.theta).sum()), every=9, patience=10**6
        )

    def train(self, steps, **options):
        """Trains to `steps`; returns a digest of all that is left at the end."""
        history = mg.train(
            self.gan, DATA, steps=steps, batch_size=8, critic_steps=2, average=self.average,
            stop=self.stop, schedule=mg.schedules.linear(final=0.0), progress=False, rng=4,
            **options,
        )  # fmt: skip
        return self.digest(history)

    def digest(self, history):
        gan, content = self.gan, hashlib.sha256()
        for network in (gan.generator, gan.discriminator, self.average.network):
            for array in (network.theta, *(value for _, value in network.named_buffers())):
                content.update(array.tobytes())
            content.update(json.dumps(network.rng.bit_generator.state).encode())
        for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
            for moment in optimizer.moments:
                content.update(getattr(optimizer, moment).tobytes())
        rest = [
            gan.rng.bit_generator.state, gan.generator_optimizer.steps, gan.generator_optimizer.lr,
            self.average.steps, self.stop.values, self.stop.best, self.stop.waited,
            {name: list(column) for name, column in history.columns.items()},
        ]  # fmt: skip
        content.update(json.dumps(rest).encode())
        return content.hexdigest()


if __name__ == "__main__":
    print("ready", flush=True)
    resume = "--resume" in sys.argv
    print(Parts().train(STEPS, checkpoint=sys.argv[1], checkpoint_every=3, resume=resume))
