"""A thousand modes: stacked MNIST, three random digits as the three channels of one image.

    python benchmarks/stacked_mnist.py --data FOLDER --seeds 0-2
    python benchmarks/stacked_mnist.py --data glyphs --steps 20 --samples 500 --seeds 0-0

A mode is a triple of digits, 0 to 999, as the judge (`minigan.judge`, trained on single digits)
reads the three channels. Scored are 25,600 samples of the averaged generator: how many modes there
are, and the reverse KL divergence of their shares from the uniform distribution. So few samples
have a KL of about 999 / 51,200 = .0195 even if they are perfect; as many real images are scored
beside them. Protocols differ: 25,600 samples here and in most papers, 26,000 in VEEGAN and PacGAN;
images are of 28 x 28 here, of 32 x 32 there. No checkpoint is chosen, no seed left out.

The ablation: the recipe of `minigan.image_recipes`, its networks and optimizers unchanged, with two
losses and three sets of penalties. Huang et al. (2024) report for their R3GAN, with other networks:
relativistic + R1 + R2 1,000 modes, KL .078 (.029 for the whole of their recipe); non-saturating +
R1 + R2 693, 3.24; R1 alone failed with either loss. Others: WGAN-GP 959, .73; PacDCGAN2 1,000, .06.

What it reaches, and how the recipe was found: `docs/digits_log.rst`.
"""

import functools
import json
import time

import by_seed
import common
import numpy as np

import minigan as mg
from minigan import image_recipes, judge, plots
from minigan._jobs import outcomes

PENALTIES = {"none": (), "r1": (mg.penalties.R1,), "r1-r2": (mg.penalties.R1, mg.penalties.R2)}
LOSSES = ("relativistic", "non-saturating")
GAMES = {f"{loss}+{penalty}": (loss, penalty) for loss in LOSSES for penalty in PENALTIES}
PUBLISHED = {  # modes, reverse KL: Huang et al. 2024, with other networks; None: training failed
    "relativistic+r1-r2": (1000, 0.078),
    "non-saturating+r1-r2": (693, 3.24),
    "relativistic+r1": None,
    "non-saturating+r1": None,
}
MOMENTS = 8  # times at which samples are scored, the last one at the end


class Stacked:
    """Three images, drawn independently, as the channels of one: a distribution to learn from."""

    def __init__(self, images):
        self.images = images[..., 0]

    def sample(self, n, rng):
        """n images (n, 28, 28, 3)."""
        return np.moveaxis(self.images[rng.integers(len(self.images), size=(n, 3))], 1, -1)


def modes_of(judged, images):
    """The mode of each image, 0 to 999: the three digits, as the judge reads its channels."""
    digits = [
        judged.classify(images[..., channel : channel + 1]).probabilities.argmax(axis=1)
        for channel in range(3)
    ]
    return 100 * digits[0] + 10 * digits[1] + digits[2]


def score(modes):
    """{"modes", "kl", "single"}: how many there are, and the reverse KL of their shares from the
    uniform distribution; "single" is the sum over the three channels of that of the shares of the
    ten digits. kl - single is the mutual information between the channels, here 0 in the data."""
    shares = np.bincount(modes, minlength=1000).reshape(10, 10, 10) / len(modes)
    single = sum(from_uniform(shares.sum(axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    return {
        "modes": int((shares > 0).sum()),
        "kl": from_uniform(shares.ravel()),
        "single": single,
    }


def from_uniform(shares):
    """The reverse KL of these shares from the uniform distribution, in nats."""
    return float(mg.metrics.reverse_kl(shares, np.full(len(shares), 1 / len(shares))))


def game(name, seed):
    """The recipe with that loss, and the penalties of the name alone."""
    loss, penalty = GAMES[name]
    made = image_recipes.game(loss=loss, shape=(28, 28, 3), rng=seed)
    kept = PENALTIES[penalty]
    made.gan.penalties = tuple(p for p in made.gan.penalties if isinstance(p, kept))
    return made


@functools.cache
def scoring(source):
    """(training images, test images, the judge): once for each process."""
    images, labels, test = load(source)
    return images, test, judge.load_or_train(images, labels, progress=False)


def run(name, seed, steps, samples, source):
    """The rows of one training: step, minutes (of training alone), modes, kl; and a few samples."""
    images, _, judged = scoring(source)
    made, rows, paused, begin = game(name, seed), [], 0.0, time.perf_counter()
    moments = {max(1, round(steps * (i + 1) / MOMENTS)) for i in range(MOMENTS)}

    def note(step, gan, figures):
        nonlocal paused
        if step in moments:
            now = time.perf_counter()
            found = score(modes_of(judged, made.sample(samples)))
            rows.append({"step": step, "minutes": (now - begin - paused) / 60, **found})
            paused += time.perf_counter() - now

    try:
        image_recipes.train(
            made, Stacked(images), steps=steps, callback=note, progress=False, rng=seed
        )
    except FloatingPointError as error:  # some of these games diverge: that is a result
        failed = {"modes": 0, "kl": np.nan, "single": np.nan}
        rows.append({"step": len(rows), "minutes": 0.0, **failed})
        print(f"{name} seed {seed}: {error}")
    return rows, made.sample(64)


def ranking(runs):
    """Lines: the games by their mean KL at the end, each beside what was published."""
    final = {
        name: (np.mean([rows[-1]["modes"] for rows in seeds.values()]),
               np.mean([rows[-1]["kl"] for rows in seeds.values()]))
        for name, seeds in runs.items()
    }  # fmt: skip
    ours = sorted(final, key=lambda name: (np.isnan(final[name][1]), final[name][1]))
    lines = []
    for name in ours:
        published = PUBLISHED.get(name, "not reported")
        if isinstance(published, tuple):
            published = f"{published[0]:,} modes, KL {published[1]:.3g}"
        modes, kl = final[name]
        lines.append(f"{name:24} {modes:7.1f} modes, KL {kl:.3f}   published: "
                     f"{published or 'failed'}")  # fmt: skip
    theirs = sorted((n for n in ours if PUBLISHED.get(n)), key=lambda name: PUBLISHED[name][1])
    if len(theirs) > 1:
        agree = [name for name in ours if name in theirs] == theirs
        verdict = "agrees" if agree else "differs"
        lines.append(f"ranking of those with published figures: {verdict}")
    return lines


def load(source):
    """(images, labels, test images): MNIST, or glyphs, each with its 28 x 28 pixels."""
    if source == "glyphs":
        images, labels = mg.data.glyphs(4000, rng=0)
        return images[:3000], labels[:3000], images[3000:]
    try:
        images, labels = mg.data.mnist(folder=source or None)
        return images, labels, mg.data.mnist("test", folder=source or None)[0]
    except (OSError, ValueError) as error:
        common.refuse(f"--data: {error}")


def pictures(runs, drawn, reference, folder):
    """The whole trajectory of every run, and 64 samples of the first seed of each game."""
    figure, axes = plots.figure(1, 2, size=(4.7, 3.6))
    for panel, key in zip(axes, ("modes", "kl")):
        for i, (name, seeds) in enumerate(runs.items()):
            for j, rows in enumerate(seeds.values()):
                steps, values = zip(*[(row["step"], row[key]) for row in rows])
                label = name if j == 0 else None
                panel.plot(steps, values, ".-", color=f"C{i}", linewidth=1.2, label=label)
        panel.axhline(reference[key], color=plots.MUTED, linestyle="--", label="real images")
        panel.set(title=key, xlabel="training step")
    axes[1].set_yscale("log")
    axes[0].legend(fontsize=8)
    figure.savefig(folder / "trajectory.png")
    figure, axes = plots.figure(1, len(drawn), size=(3.2, 3.4), squeeze=False)
    for panel, (name, images) in zip(axes[0], drawn.items()):
        plots.image_grid(panel, -images, columns=8)
        panel.set_title(name)
    figure.savefig(folder / "samples.png")


def main():
    import stacked_mnist  # this file, under the name by which other processes import it

    args = common.arguments(
        __doc__,
        "stacked_mnist",
        data=("", "folder of MNIST's files, or glyphs; empty: wherever they are found"),
        games=(",".join(GAMES), "by commas"),
        seeds=("0-2", "first-last"),
        steps=(20_000, "training steps of every run"),
        samples=(25_600, "samples that are scored"),
        jobs=(1, "runs at a time"),
    )
    names = common.listed("games", args.games, GAMES)
    seeds, facts = common.seeds("seeds", args.seeds), common.machine()
    print(f"{common.in_words(facts)}; {args.steps} steps of {image_recipes.BATCH} images")
    _, test, judged = stacked_mnist.scoring(args.data)
    real = Stacked(test).sample(args.samples, np.random.default_rng(0))
    reference = score(modes_of(judged, real))
    print(f"{'real images':24} {reference['modes']:7} modes, KL {reference['kl']:.3f}")
    tasks = [(name, seed, args.steps, args.samples, args.data) for name in names for seed in seeds]
    runs, drawn = {name: {} for name in names}, {}
    done = outcomes(stacked_mnist.run, tasks, jobs=args.jobs, label="stacked mnist")
    for name, seed, rows, _ in by_seed.collect(done, runs, drawn):
        last = rows[-1]
        print(f"{name:24} {last['modes']:7} modes, KL {last['kl']:.3f} "
              f"({last['single']:.3f} of single digits), seed {seed}, "
              f"{last['minutes']:.1f} minutes", flush=True)  # fmt: skip
        content = {"machine": facts, "real": reference, "runs": runs}
        (args.out / "stacked_mnist.json").write_text(json.dumps(content, indent=2) + "\n")
    runs = {name: seeds for name, seeds in runs.items() if seeds}
    if runs:
        print("\n" + "\n".join(ranking(runs)))
        pictures(runs, {name: drawn[name] for name in runs}, reference, args.out)


if __name__ == "__main__":
    main()
