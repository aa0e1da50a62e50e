"""How good are the digits? Games on MNIST's 60,000, scored by one judge over the whole of training.

    python benchmarks/mnist_quality.py --data FOLDER --methods recipe,pytorch --seeds 0-4

A method is a game of `minigan.image_recipes`; "pytorch" is the recipe with its networks, loss,
penalties, optimizers and averaging in PyTorch; "longer" is the recipe with three times its steps.
The final averaged generator is scored, no checkpoint is chosen, no seed is left out. 10,000 samples
beside 10,000 images of the training set, in the features of `minigan.judge`; the test images are
scored alike, to say what perfect means. The seconds are those of training alone.

How the recipe was found: seed 0 alone, each line once, 5,000 samples (10,000 below the rule), so
small differences mean nothing. TV: total variation of the class shares; held-out images score .02,
98.1% and 1.1.

    game                                                    steps   TV   confident  Frechet
    DCGAN of 2016 (32 channels), Adam(2e-4, .5)              5,640  .19     66%       128
      rate 5e-4                                              5,000  .18     68%       123
      R1, gamma 1, no batch norm in D                        3,760  .16     56%       156
    relativistic, R1 + R2 of gamma .5, Adam(5e-4, 0, .99),
      and a layer of 256 in D below the logit                5,000  .04     80%        23
      gamma .1                                               1,000  .12     62%       118
      gamma .5, likewise after                               1,000  .12     65%        99
      rate 1e-3, gamma 2                                     5,000  .02     82%        14
      rate 1e-3, gamma 2 falling to .2                       2,000  .05     78%        33
      rate 1e-3, gamma 5 falling to 1, and a layer of 256
        in G above the noise                                 4,000  .03     87%       4.0
        the same at the end of its run                      10,000  .04     90%       3.1
        gamma 15 falling to 1, layers of 256 and 512         2,000  .03     83%        12
        gamma 5 falling to .1                                4,800  .03     88%       4.6
        16 of 64 noise values coins (`DiscreteNoise`)        6,000  .03     88%       3.9
    ------------------------------------------------------------------------------------
    the same, a layer of 256 in each                         2,500  .04     85.8%     4.5
      two: 256, 256 in G and 256, 128 in D                   2,500  .04     86.6%     4.6
                                                             5,000  .03     90.8%     2.1
                                                            10,000  .01     91.6%      .9
      three: 256, 256, 256 and 512, 256, 128                 2,500  .04     88.5%     3.8
                                                             5,000  .02     91.4%     2.5
                                                            12,000  .01     92.7%      .8
      four in G, and gamma 5 falling to .3                   2,500  .09     81.4%      34
      two, batch norm's statistics measured anew for the
        averaged weights                                    10,000  .01     91.6%      .9
    two, and three convolutions, down to 4 x 4              12,000  .02     92.4%      .9
    ---- from here on, runs of 4,000 steps in all --------------------------------------
    three layers, two convolutions                           4,000  .03     88.9%     2.6
      64 of the 100 noise values coins                       4,000  .03     89.0%     2.3
      noise of standard deviation .8, with the same G        4,000  .11     88.1%      15
      Adam's eps 1e-5                                        2,000  .05     84.9%      11
    two layers, three convolutions                           4,000  .02     90.6%     2.0
      64 categories beside 32 normal values                  4,000  .03     93.6%     2.6
      64 beside 100                                          3,000  .02     91.0%     3.0
      32 beside 64                                           3,000  .04     91.3%     3.5
      without either                                         3,000  .03     90.9%     2.4
    ---- later, 10,000 samples, seed 0 --------------------------------------------------
    gamma falling to .3, no categories                      12,000  .01     92.2%     1.3
      64 beside 64                                          12,000  .03     95.4%     1.9
    gamma falling to .3, rates 5e-4 of G and 1e-3 of D,
      in a run of 12,000 steps, no categories                4,500  .03     90.3%     3.2
        in the same run with both rates 1e-3                 4,500  .03     91.0%     4.0
      48 categories beside 80 normal values                 12,000  .02     93.2%     2.7
                                                            24,000  .03     94.8%     1.6
    gamma falling to .3, 64 channels in both, and layers
      of 512 and 256 in D, no categories                     1,500  .47     27.1%     481
    gamma falling to .3, rates 5e-4 of G and 1e-3 of D,
      He's first weights in G, 64 categories beside 64       3,000  .04     92.5%     3.8
                                                             7,500  .04     94.9%     3.1
                                                            12,000  .04     96.3%     2.1
        no categories, 128 normal values                     3,000  .02     85.8%     6.3
                                                             7,500  .02     90.5%     1.8
                                                            10,500  .02     91.4%     1.6
                                                            12,000  .03     91.5%     2.7
        16 categories beside 112                             3,000  .03     87.1%     4.2
                                                            10,500  .03     93.5%     1.7
                                                            12,000  .03     93.5%     1.8
        64 beside 192                                        3,000  .02     90.5%     3.7
                                                            10,500  .02     95.8%     1.6
                                                            12,000  .04     96.1%     2.0
          seed 1                                            10,000  .03     95.6%     1.3
        64 beside 448                                        3,000  .03     85.2%     5.8
        128 beside 384                                       3,000  .03     89.6%     3.3
        256, of the scale of 64, beside 192                  2,000  .08     79.6%    25

Averages longer than .999 are the same up to 9,000 steps, where the average still grows with the
training; at 10,000 a decay of .9998 scored what .999 did.

With deeper networks and longer training too, about one digit in fourteen was none that
the judge gives a probability above 0.9: it looks like a mixture of two digits. Categories in the
noise let G jump from class to class. They reduce the recall (after 4,000 steps .79 with 64 and 32
normal values, .88 without).

With gamma falling to .3, recall was .90 without categories and .86 with 64 of them: categories
gain confidence and lose recall, whatever the gamma. With a rate of G that is half of D's, recall
was .89 after 4,500 steps without categories (.86 with equal rates), but .88 after 24,000 with 48.
With He's first weights, which slow G down further (see `stacked_mnist.py`), it was .88 with 64
categories and .93 without, as that of held-out images.

What costs recall is less the number of categories than their share of the variance in the first
layer's input: a half with 64 beside 64 normal values, a quarter beside 192, an eighth beside 448.
After 3,000 steps recall is .84, .88 and .91, and .91 without categories; after 12,000 it is .88
and .91 for the first two. So the recipe then had 192, He's weights, half the rate for G, gamma to
.3, and 20,000 steps. An average over 2,000 steps was no better (seed 1, Frechet 1.6 where the
usual one had .9). In the lines of the table with He's weights, the first weights of the last layer
were halved; the recipe did not do that, and it is not what helps: with it, seed 0 of the recipe
had 93.0 and 94.9% confident, recall .887 and .876 after 4,000 and 8,000 of 20,000 steps.

What was tried to gain the missing recall: gamma falling to .1, and more normal values, seed 0:

    normal values   step                confident    Frechet     recall   TV
    192              4,000 of 12,000       92.5%        2.6      .889    .03
                     8,000                 96.6%        2.7      .888    .04
                    10,000                 97.1%        1.9      .893    .03
    384              4,000 of 20,000       87.3%        3.6      .905    .02
                     8,000                 91.8%        1.8      .908    .02
    256             20,000                 96.8%        1.29     .907    .02

So D's finer view makes digits more confident, and normal values more varied; together they reach
two bars with room to spare, and miss that of the Frechet distance by .09. D's loss is then .55, not
.69: it is ahead of G.

The Frechet distance depends on the shares of the classes, too: training images, drawn with shares
that are wrong by a total variation of .02 and .035, are at .8 and 2.5 (one draw each).

Then 128 categories beside 512 normal values, so that a class can have a more exact number of
categories, in 20,000 steps. The Frechet distances are those of five averages of G, over 100 to
2,000 steps; confidence and recall are those of the average over 1,000:

    gamma to         step   confident   recall   Frechet, average of 100, 330, 500, 1,000, 2,000
    .2, seed 0       4,000      89.5%     .890     3.4   3.1   3.2   2.8   5.3
                     8,000      93.9%     .891     1.8   1.9   2.1   2.2   3.7
                    12,000      95.3%     .896     1.5   1.4   1.6   1.8   3.3
                    16,000      95.3%     .904     1.4   1.5   1.3   1.6   1.9
                    20,000      95.6%     .908     1.4   1.0   1.3   1.3   1.6
    .1, seed 1       4,000      90.6%     .900     2.9   2.5   2.8   2.7   4.7
                     8,000      93.8%     .895     2.0   1.9   1.8   2.2   4.1
                    12,000      94.8%     .893     2.0   1.4   1.5   1.9   2.5
                    16,000      95.1%     .898     1.4   1.3   1.1   1.2   1.5
                    20,000      95.4%     .897     1.1   1.1   1.0   1.2   1.0

So averages over 1,000 steps and more lag behind G while gamma and the rates fall. One draw of
10,000 samples is not exact. Six draws of each, and one of 40,000:

                      confident   recall           Frechet                     of 40,000
    gamma to .2           95.7%   .902 to .913     1.04 to 1.76, mean 1.34          1.02
    gamma to .1           95.1%   .902 to .906      .89 to 1.33, mean 1.09           .85
    training images       98.3%   .944 to .951      .60 to  .96, mean  .76           .72

After 25,000 steps (gamma to .2, G averaged over 500), seeds 2 and 3: 95.0 and 95.2% confident,
Frechet 1.25 and 1.29, TV .024 and .018, recall .901 and .904, in 34 minutes of one core each. So
128 categories cost confidence and gain little.

The recipe as it stands: 64 categories beside 256 normal values, gamma falling to .2, G averaged
over 500 steps, 20,000 steps. Seed 0 by `demos/mnist_dcgan.py`, and seed 2, on which nothing was
tuned: 95.9 and 96.1% confident, Frechet 1.11 and 1.21, TV .016 and .026, recall .906 and .902
(held-out images: 98.1%, 1.23, .014, .933). Seed 2 after 5,000, 10,000 and 15,000 steps: 93.8, 95.4
and 96.0%, 2.8, 2.2 and 1.6, .893, .889 and .897. The goals are 95%, 1.2 and .90.

The memorisation panel of seed 0: samples are nearer to the training images than held-out ones in
51.4% of pairs, so no copies; a support of about 125,000 images (at least 78,000) where held-out
images have 133,000 (at least 82,000); a classifier tells samples from held-out images in 60.1% of
cases (50%: not at all).

Before that it had 192 normal values beside the categories, gamma falling to .3, and G averaged over
1,000 steps. On seeds 0 and 1 95.4 and 96.1% confident, Frechet 1.15 and 1.09, TV .025 and .033,
recall .897 and .900, and a support of about 83,000 images. A run of 12,000 steps in all, seed 0:
95.8%, 1.66, .028, .891.

And before that the recipe had 64 normal values beside the categories, the paper's first weights,
equal rates, a gamma falling to 1 and 12,000 steps. On seeds 0 to 4: 93.9, 94.2, 93.3, 95.2 and
93.4% confident, Frechet 1.4, 1.2, 1.7, 2.0 and 1.4, TV .026 at most, recall .88 to .89. With three
times the steps, seed 0: 94.6%, 1.1, .017 and .89. In PyTorch, seeds 0 and 1: 94.6 and 92.8%, 1.1
and 1.7, .020 and .035, .89 and .89. Seed 0 again by `demos/mnist_dcgan.py`, with later kernels,
which round differently: 93.1%, 1.65, .023 and .88; a support of about 26,000 images.

The recipe of linear layers (`--methods mlp`), seed 0, 6,000 steps: 68.1% confident, Frechet 88 with
gamma falling to 1; 69.0%, 87 with .3; 61.6%, 134 with .3 and half the rate for G.

Without categories, seed 0, a run of 12,000 steps that was stopped early for want of time: after
1,500, 3,000 and 4,500 steps 86.6, 89.5 and 90.7% confident, Frechet 9.5, 5.0 and 4.0, recall .70,
.84 and .86. D's loss was then .69 = log 2, although samples and digits can be told apart: the
penalties keep D flat, so gamma then fell to .3: the lines "later" of the table.
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
            schedule=image_recipes.RATES, decay=game.average.decay, callback=after_step,
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
