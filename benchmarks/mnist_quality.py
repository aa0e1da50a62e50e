"""How good are the digits? Games on MNIST's 60,000, scored by one judge over the whole of training.

    python benchmarks/mnist_quality.py --data FOLDER --methods recipe,pytorch --seeds 0-4

A method is a game of `minigan.image_recipes`; "pytorch" is the recipe with its networks, loss,
penalties, optimizers and averaging in PyTorch, without the learned prior; "longer" is the recipe
with three times its steps. The final averaged generator is scored, no checkpoint is chosen, no seed
is left out. 10,000 samples beside 10,000 images of the training set, in the features of
`minigan.judge`; the test images are scored alike. The seconds are those of training alone.

How the recipe was found, and what was tried in vain: `docs/digits_log.rst`.
"""

import functools
import importlib.util
import json
import time

import by_seed
import common
import numpy as np
from matplotlib.ticker import LogFormatter

import minigan as mg
from minigan import image_recipes, judge, plots
from minigan._jobs import outcomes

METHODS = {
    "recipe": {},
    "pytorch": {},
    "longer": {},
    "residual": {"model": "residual"},
    "mlp": {"model": "mlp"},
    "dcgan": {"loss": "non-saturating", "penalty": "none"},
    "lsgan": {"loss": "least-squares", "penalty": "none"},
    "wgan": {"loss": "wasserstein", "penalty": "clipping"},
    "wgan-gp": {"loss": "wasserstein", "penalty": "gradient"},
    "hinge-spectral": {"loss": "hinge", "penalty": "spectral"},
}
SCORED, MOMENTS = 10_000, 8  # samples; times at which they are drawn, the last one at the end
SHOWN = {"frechet": "Frechet distance", "total_variation": "total variation of the classes",
         "confident": "share of confident samples"}  # fmt: skip


class Diary:
    """Scores samples at some steps of one training; the time this takes is not counted."""

    def __init__(self, judged, real, steps):
        self.judged, self.real = judged, real
        self.moments = {round(steps * (i + 1) / MOMENTS) for i in range(MOMENTS)}
        self.rows, self.sheet, self.paused = [], None, 0.0
        self.begin = time.perf_counter()

    def __call__(self, step, sample):
        """sample : n -> images"""
        if step not in self.moments:
            return
        now = time.perf_counter()
        images = sample(SCORED)
        scores = judge.score(self.judged.classify(images), self.real)
        seconds = now - self.begin - self.paused
        self.rows.append({"step": step, "seconds": seconds, **scores.scalars()})
        self.rows[-1]["least_share"] = float(scores.shares.min())
        self.sheet = images[:100]
        self.paused += time.perf_counter() - now


@functools.cache
def scoring(folder):
    """(training images, the judge, what it sees in them): once for each process."""
    images, labels = mg.data.mnist(folder=folder)
    judged = judge.load_or_train(images, labels, progress=False)
    return images, judged, judged.classify(images[:SCORED])


def run(method, seed, steps, folder):
    """One training: (rows of the table, a hundred samples of the end)."""
    images, judged, real = scoring(folder)
    diary = Diary(judged, real, steps)
    game = image_recipes.game(**METHODS[method], rng=seed)
    if method == "pytorch":
        import torch_game

        fade = image_recipes.annealing(game, steps)

        def after_step(step, sample):
            fade(step, game.gan, None)
            diary(step, sample)

        torch_game.train(
            game.gan, images, steps=steps, batch_size=image_recipes.BATCH, rng=seed,
            schedule=game.course.rates, decay=game.average.decay, callback=after_step,
        )  # fmt: skip
    else:
        image_recipes.train(
            game, images, steps=steps, rng=seed, progress=False,
            callback=lambda step, gan, figures: diary(step, game.sample),
        )  # fmt: skip
    return diary.rows, diary.sheet


def in_words(row):
    """A row of the table, for people."""
    return (
        f"{row['covered']:2} classes, least share {row['least_share']:5.1%}, total variation "
        f"{row['total_variation']:.3f}, confident {row['confident']:.1%}, Frechet "
        f"{row['frechet']:6.2f}, kernel {row['kernel']:7.4f}, precision {row['precision']:.3f}, "
        f"recall {row['recall']:.3f}, density {row['density']:.3f}, coverage {row['coverage']:.3f}"
    )


def curves(runs, held_out, path):
    """The whole of training: one line a run, one colour a method; dashed: held-out real images."""
    figure, axes = plots.figure(1, len(SHOWN), size=(4.2, 3.4))
    for panel, (name, title) in zip(axes, SHOWN.items()):
        for i, (method, seeds) in enumerate(runs.items()):
            for j, rows in enumerate(seeds.values()):
                steps, values = zip(*[(row["step"], row[name]) for row in rows])
                label = method if j == 0 else None
                panel.plot(steps, values, color=f"C{i}", alpha=0.8, linewidth=1.3, label=label)
        panel.axhline(held_out[name], color=plots.MUTED, linestyle="--", linewidth=1)
        panel.set(title=title, xlabel="training step")
    axes[0].set_yscale("log")
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_formatter(LogFormatter())  # labels those that there is room for
    axes[0].legend(fontsize=8)
    figure.savefig(path)
    print(f"wrote {path}")


def sheets(drawn, real, path):
    """A hundred samples of the first seed of each method, and the data."""
    panels = [*drawn.items(), ("held-out real images", real)]
    columns = min(4, len(panels))
    figure, axes = plots.figure(-(-len(panels) // columns), columns, size=(3.0, 3.2), squeeze=False)
    for panel in axes.flat:
        panel.set_axis_off()
    for panel, (title, images) in zip(axes.flat, panels):
        plots.image_grid(panel, images, columns=10)
        panel.set_title(title)
    figure.savefig(path)
    print(f"wrote {path}")


def main():
    import mnist_quality  # this file, under the name by which other processes import it

    args = common.arguments(
        __doc__,
        "mnist_quality",
        data=("", "folder of MNIST's files; empty: wherever they are found"),
        methods=("recipe", f"by commas, of {', '.join(METHODS)}"),
        seeds=("0-4", "first-last"),
        steps=(image_recipes.STEPS, "training steps of every run, save the longer ones"),
        jobs=(1, "runs at a time"),
    )
    methods = common.listed("methods", args.methods, METHODS)
    seeds = common.seeds("seeds", args.seeds)
    if "pytorch" in methods and importlib.util.find_spec("torch") is None:
        common.refuse("--methods pytorch: PyTorch is not installed")
    facts = common.machine()
    print(f"{common.in_words(facts)}; {args.steps} steps of {image_recipes.BATCH} images")
    folder = args.data or None
    try:
        images, judged, real = mnist_quality.scoring(folder)
        test_images, test_labels = mg.data.mnist("test", folder=folder)
    except (OSError, ValueError) as error:
        common.refuse(f"--data: {error}")
    accuracy = judged.accuracy(test_images, test_labels)
    held_out = judge.score(judged.classify(test_images[:SCORED]), real)
    held_out = {**held_out.scalars(), "least_share": float(held_out.shares.min())}
    print(f"the judge: {accuracy:.2%} of the test images; {'held-out':14}  {in_words(held_out)}")
    tasks = [
        (method, seed, args.steps * (3 if method == "longer" else 1), folder)
        for method in methods
        for seed in seeds
    ]
    runs, drawn = {method: {} for method in methods}, {}
    done = outcomes(mnist_quality.run, tasks, jobs=args.jobs, label="mnist quality")
    for method, seed, rows, sheet in by_seed.collect(done, runs, drawn):
        np.save(args.out / f"{method}-{seed}.npy", sheet)
        final = rows[-1]
        print(f"{method:14} seed {seed}  {in_words(final)}, {final['seconds']:.0f} s", flush=True)
        content = {"machine": facts, "judge": accuracy, "held_out": held_out, "runs": runs}
        (args.out / "mnist_quality.json").write_text(json.dumps(content, indent=2) + "\n")
    curves(runs, held_out, args.out / "curves.png")
    sheets(drawn, test_images[:100], args.out / "samples.png")


if __name__ == "__main__":
    main()
