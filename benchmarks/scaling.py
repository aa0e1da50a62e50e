"""The time of a training step against the batch size, the width, and the size of the images.

With each time it prints the rate of the arithmetic that the step needs (two operations for each
multiplication in a matrix product), in GFLOP/s: constant where arithmetic determines the time, and
lower where something else does.
"""

import time

import common
import numpy as np

import minigan as mg
from minigan import plots


def mlp(width, batch):
    """A ring GAN with three hidden layers of `width`."""
    hidden = (width,) * 3
    gan = mg.GAN(
        mg.models.mlp_generator(2, (2,), hidden=hidden),
        mg.models.mlp_discriminator((2,), hidden=hidden),
        latent_dim=2,
    )
    generator = 2 * width + 2 * width**2 + width * 2
    discriminator = 2 * width + 2 * width**2 + width
    return gan, batch, flops(generator, 2 * width, discriminator, 2 * width, batch)


def flops(generator, generator_first, discriminator, discriminator_first, batch):
    """2 x the multiplications of one step, from those of one sample through G and through D.

    G: forward, and backward to the weights and to the inputs, save to the noise. D's update: two
    samples per noise forward and backward, save to the data. G's: one forward and back to the data.
    """
    d_update = 2 * (3 * discriminator - discriminator_first)
    g_update = 2 * discriminator + 3 * generator - generator_first
    return 2 * batch * (d_update + g_update)


def images(side, batch, channels=32):
    """A DCGAN for `side` x `side` images: two strided layers in each network."""
    L, quarter = mg.layers, side // 4
    generator = mg.Sequential(
        [
            L.Linear(64, quarter**2 * 2 * channels), L.LeakyReLU(),
            L.Reshape((quarter, quarter, 2 * channels)),
            L.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1), L.LeakyReLU(),
            L.ConvTranspose2d(channels, 1, 4, stride=2, padding=1), L.Tanh(),
        ]
    )  # fmt: skip
    discriminator = mg.Sequential(
        [
            L.Conv2d(1, channels, 4, stride=2, padding=1), L.LeakyReLU(),
            L.Conv2d(channels, 2 * channels, 4, stride=2, padding=1), L.LeakyReLU(),
            L.Flatten(), L.Linear(quarter**2 * 2 * channels, 1),
        ]
    )  # fmt: skip
    gan = mg.GAN(generator, discriminator, latent_dim=64)
    first, second = quarter**2 * 4 * 16 * channels, quarter**2 * 16 * channels * 2 * channels
    dense = quarter**2 * 2 * channels
    work = flops(64 * dense + second + first, 64 * dense, first + second + dense, first, batch)
    return gan, batch, work


def time_step(gan, batch, seconds):
    """The median time of a training step, in seconds."""
    rng = np.random.default_rng(0)
    real = np.tanh(rng.standard_normal((batch, *gan.sample_shape))).astype(np.float32)
    gan.train_step(real)
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        begin = time.perf_counter()
        gan.train_step(real)
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


SWEEPS = {
    "batch (width 128)": [(2**n, lambda n: mlp(128, n)) for n in range(5, 13)],
    "width (batch 256)": [(n, lambda n: mlp(n, 256)) for n in (16, 32, 64, 128, 256, 512)],
    "image side (batch 32)": [(n, lambda n: images(n, 32)) for n in (8, 16, 28, 40, 56)],
}  # fmt: skip


def main():
    args = common.arguments(__doc__, "scaling", seconds=(1.0, "time for each point"))
    facts = common.machine()
    print(common.in_words(facts), "\n")
    results = {}
    figure, panels = plots.figure(1, len(SWEEPS), size=(3.6, 3.2))
    for axes, (name, sweep) in zip(panels, SWEEPS.items()):
        rows = []
        print(f"{name:24}      time     useful work")
        for size, make in sweep:
            gan, batch, work = make(size)
            taken = time_step(gan, batch, args.seconds)
            rows.append({"size": size, "ms": 1e3 * taken, "gflops": work / taken / 1e9})
            print(f"{size:24} {1e3 * taken:9.3f} ms {rows[-1]['gflops']:7.1f} GFLOP/s")
        results[name] = rows
        sizes = [row["size"] for row in rows]
        axes.loglog(sizes, [row["ms"] for row in rows], "o-", color=plots.FAKE)
        axes.set(title=name, xlabel=name.split(" (")[0], ylabel="ms per training step")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        rate = axes.twinx()
        rate.plot(sizes, [row["gflops"] for row in rows], "s--", color=plots.REAL, alpha=0.8)
        rate.set_ylim(0)
        rate.set_ylabel("useful GFLOP/s", color=plots.REAL)
    figure.savefig(args.out / "scaling.png")
    common.write_json(args.out / "scaling.json", {"machine": facts, "sweeps": results})


if __name__ == "__main__":
    main()
