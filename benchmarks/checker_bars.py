"""What minigan's checker promises of itself, counted.

    right   right gradients, each with its own rounding, in checks of layers and losses: every row
            passes, so there is no complaint
    noise   right gradients with random noise added: `explain` knows no mistake
    step    `check_step(directions=2)` of a DCGAN (channels 32, three convolutions, R1 + R2) and a
            batch of 8: seconds
    seeds   each exhibit of the museum that `check_step` finds in one of four small GANs by
            comparing every entry, on each seed: found along two directions, too?

On one thread of an AMD EPYC (Zen 4) all of it takes about 15 minutes, most of them for the seeds.
"""

import time

import common
import numpy as np
from checkers import gans_of_steps

import minigan as mg
from minigan.verify.bugs import REGISTRY
from minigan.verify.gradcheck import check_layer, check_loss, check_step, explain

L = mg.layers


def layers(rng):
    """(layer, shape of an input), both of sizes that are drawn."""
    n, c, o, size = (int(rng.integers(low, 7)) for low in (4, 2, 1, 3))
    flat, image = (n, c), (n, size, size, c)
    attention = L.SelfAttention(8)
    return [
        (L.Linear(c, o), flat),
        (L.LeakyReLU(0.2), flat),
        (L.Tanh(), flat),
        (L.Sigmoid(), flat),
        (L.Softplus(), flat),
        (L.SiLU(), flat),
        (L.Dropout(0.3), flat),
        (L.BatchNorm(c), flat),
        (L.LayerNorm(c), flat),
        (L.BatchNorm(c), image),
        (L.LayerNorm(c), image),
        (L.SpectralNorm(L.Linear(c, o)), flat),
        (L.Conv2d(c, o, 3, stride=2, padding=1), image),
        (L.ConvTranspose2d(c, o, 3, stride=2, padding=1), (n, 2, 3, c)),
        (L.Upsample2d(2), (n, 2, 2, c)),
        (L.AvgPool2d(2), (n, 4, 2, c)),
        (L.MinibatchStdDev(), image),
        (L.FourierFeatures(c, 3), flat),
        (L.Residual(L.Linear(c, c)), flat),
        (attention, (4, 2, 2, 8)),
    ]


LOSSES = "Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"


def reports(rng):
    """Checks of right layers and losses, one after the other, without end."""
    while True:
        for layer, shape in layers(rng):
            yield check_layer(layer, shape, rng=rng, progress=False)
        for name in LOSSES:
            n = int(rng.integers(2, 9))
            yield check_loss(getattr(mg.losses, name)(), n, rng=rng, progress=False)


def gradients(report):
    """The rows of a report that compare a gradient."""
    return [
        row
        for row in report.rows
        if row.entries > 1 and row.check in ("training", "evaluation", "discriminator", "generator")
    ]


def count_right(wanted, rng):
    """(gradients compared, rows that complain)."""
    seen, complaints = 0, []
    for report in reports(rng):
        seen += len(gradients(report))
        complaints += [f"{report.title}: {row}" for row in report.failures]
        if seen >= wanted:
            return seen, complaints


def count_noisy(wanted, rng):
    """(gradients with noise, sentences that explain one). Only a wrong row knows its surroundings,
    so each layer is checked while its backward passes add noise to what they give."""
    seen, named = 0, []
    for layer, shape in layers_without_end(rng):
        size = 10 ** rng.uniform(-3, 0)
        report = check_layer(noisy(layer, size, rng), shape, rng=rng, progress=False)
        rows = [row for row in gradients(report) if not row.ok and row.check == "training"]
        rows = [row for row in rows if row.tensor == "dx" or "." in row.tensor]
        for row in rows:
            seen += 1
            if row.diagnosis is not None:
                named.append(f"{report.title}, {row.tensor}: {row.diagnosis}")
        for _ in range(3):
            right, dy = rng.standard_normal((2, 5, 4))
            seen += 1
            found = right + size * rng.standard_normal(right.shape)
            if (said := explain(found, right, dy=dy, x=rng.standard_normal((5, 4)))) is not None:
                named.append(f"bare arrays: {said}")
        if seen >= wanted:
            return seen, named


def layers_without_end(rng):
    while True:
        yield from layers(rng)


def noisy(layer, size, rng):
    """The layer with backward passes that add noise, the same at each call."""
    seed = int(rng.integers(2**31))

    def add(array):
        noise = np.random.default_rng(seed).standard_normal(array.shape)
        return array + (size * (np.abs(array).max() or 1) * noise).astype(array.dtype)

    class Noisy(type(layer)):
        def backward_input(self, dy, cache):
            return add(super().backward_input(dy, cache))

        def backward_params(self, dy, cache):
            before = {name: grad.copy() for name, grad in self.grads.items()}
            super().backward_params(dy, cache)
            for name, grad in self.grads.items():
                grad[...] = before[name] + add(grad - before[name])

    layer.__class__ = Noisy
    return layer


def time_of_a_step():
    """(seconds, whether all rows pass) for the DCGAN of the README."""
    size = {"channels": 32, "convolutions": 3}
    generator = mg.models.dcgan_generator(32, **size, rng=0)
    discriminator = mg.models.dcgan_discriminator(**size, batch_norm=False, rng=1)
    penalties = [mg.penalties.R1(1.0), mg.penalties.R2(1.0)]
    gan = mg.GAN(generator, discriminator, latent_dim=32, penalties=penalties, rng=2)
    real = np.random.default_rng(0).uniform(-1, 1, (8, 28, 28, 1))
    begin = time.perf_counter()
    report = check_step(gan, real, directions=2, rng=0, progress=False)
    return time.perf_counter() - begin, report.ok


def missed(seeds):
    """(pairs of exhibit and seed that every entry finds, those that directions miss)."""
    pairs, lost = 0, []
    for name, exhibit in REGISTRY.items():
        found_fully = None
        for seed in range(seeds):
            with exhibit(), np.errstate(all="ignore"):
                if found_fully is not False:
                    found_fully = finds(seed, None)
                if not found_fully:
                    break
                pairs += 1
                if not finds(seed, 2):
                    lost.append((name, seed))
        print(
            f"  {name:28} {'not found by every entry' if not found_fully else 'found'}", flush=True
        )
    return pairs, lost


def finds(seed, directions):
    for gan, real in gans_of_steps(seed):
        try:
            report = check_step(gan, real, directions=directions, rng=seed, progress=False)
        except Exception:  # an exhibit that stops the step is found
            return True
        if not report.ok:
            return True
    return False


def main():
    args = common.arguments(
        __doc__, "checker_bars", right=(10_000, "gradients"), noise=(1_000, "gradients"),
        seeds=(50, "seeds"), seed=(1, "of what is drawn"),
    )  # fmt: skip
    facts = common.machine()
    print(common.in_words(facts), "\n")
    rng = np.random.default_rng(args.seed)
    seen, complaints = count_right(args.right, rng)
    print(f"right: {seen} gradients, {len(complaints)} complaints", *complaints[:5], sep="\n  ")
    noised, named = count_noisy(args.noise, rng)
    print(f"noise: {noised} gradients, {len(named)} explained", *named[:5], sep="\n  ")
    seconds, ok = time_of_a_step()
    print(f"step:  {seconds:.1f} s, {'all right' if ok else 'WRONG'}")
    pairs, lost = missed(args.seeds)
    print(f"seeds: {pairs} exhibits and seeds, missed along directions: {lost or 'none'}")
    common.write_json(
        args.out / "checker_bars.json",
        {
            "machine": facts, "right": [seen, complaints], "noise": [noised, named],
            "step": [seconds, ok], "seeds": [pairs, lost],
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
