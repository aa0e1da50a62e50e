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

Result, relativistic + R1 + R2, 20,000 steps: 1,000 modes on seeds 0, 1 and 2, KL .037, .044 and
.039 (real images .025), 24 minutes of one processor alone (AMD EPYC, Zen 4; 30 and 38 minutes
beside other programs). After 7,500 steps KL is .046 and .048 on seeds 0 and 2, from 12,500 on .035
to .040. Seed 1 was run by a script of the same game, whose first weights are others for a seed.

Log. One game of six, relativistic + R1 + R2, seed 0; first with 15,000 steps on one thread of a
busy AMD EPYC (Zen 4), where it took 81 minutes; real images: 1,000 modes, KL .025.

    step     1,875    3,750    5,625    7,500    9,375   11,250   13,125   15,000
    modes      614      193      153      123      131      110       98       86
    KL        1.41     2.38     2.51     2.61     2.56     2.62     2.60     2.66

It fails, and gets worse with training. The likely cause was the recipe's noise: 64 of its 128
values became one choice among 64 (`categories` of `models.dcgan_generator`). That is enough for ten
digits, but as training went on each choice seems to have ended as one triple: 64 triples of equal
share have a KL of log(1000 / 64) = 2.75. Without categories, seed 0, 8,000 steps, else the same:

    step     1,000    2,000    3,000    4,000    5,000    6,000    7,000    8,000
    modes      813      982      995      992      999      998      999      999
    KL         .92      .46      .33      .25      .20      .18      .17      .16

So images of several channels get none now. What was tried next, seed 0, modes and KL; minutes are
those of one processor alone. The runs but for the first and the one of 16,000 steps without larger
layers were stopped early, being no better:

    of a run of 8,000 steps            step  1,000       2,000       3,000   minutes for 1,000
    as above                               813   .92   982   .46   995   .33   1.4
      three choices among 16 categories,
        which make 4,096 combinations      778   .93   968   .49               1.4
      gamma falling from 1 to .1           740  1.18   974   .52               1.4
      gamma falling to .3, rates 2e-3      257  2.81                           1.5
        rates 5e-4                         689  1.31                           1.5
      64 channels, linear layers of 512,
        512 in G and 512, 256 in D         676  1.13                           4.8
    of a run of 16,000 steps
    gamma falling to .3                    777  1.00               994   .34   1.5
      linear layers of 512, 512, 512 in G
        and 1,024, 512, 256 in D           698  1.25               992   .39   2.3

The line without larger layers, to its end, 24 minutes; "single" is the part of the KL that lies in
the shares of the digits of each channel by itself, "unsure" the share of digits to which the judge
gives no probability above .9:

    step     1,000    3,000    5,000    7,000    9,000   11,000   13,000   15,000   16,000
    modes      777      994      999      999      998    1,000      999    1,000      998
    KL        1.00      .34      .21      .18      .16      .15      .14      .14      .14
    single     .60      .17      .06      .04      .03      .03      .03      .03      .02
    unsure     68%      38%      27%      22%      20%      20%      19%      19%      19%

So from the middle on the KL is that of channels that depend on each other (.11; .019 of it are due
to the number of samples), although the digits of each are evenly spread. It is hardly the judge's
error: of 76,800 samples at the end, the dependence is .10 among all, but .17 among those in which
it is sure of all three digits. Pairs of channels make up .036 of it, the rest is between all three.
Triples of one digit thrice are 1.3 times as frequent as they should be, the rarest triples are
at .04 of their share. D's loss is .28 then: D can tell the samples apart, G does not follow.

Two guesses at the remedy, seed 0, gamma falling to .3, of runs of 16,000 steps that were stopped
early. One is a larger G alone: 64 channels and linear layers of 512 and 512. The other is packing
(Lin et al. 2018): D judges two images at once, either side by side as six channels, or each by the
convolutions and only then both by the linear layers. "joint" is the dependence between channels:

    step                        1,000                    3,000                    5,000
                         modes   KL joint unsure  modes   KL joint unsure  modes   KL joint unsure
    as above               777 1.00   .40    68%    994  .34   .17    38%    999  .21   .15    27%
    larger G               791  .94   .58    58%    994  .33   .20    32%    998  .22   .16    24%
    packed images          917  .81   .19    58%    962  .73   .08    55%
      with a gamma from 1.2
        to .08             913  .81   .16    56%    967  .65   .10    53%
    packed features        616 1.42   .70    75%    976  .49   .21    44%

(1.5, 2.4, 2.6, 2.7 and 2.5 minutes for 1,000 steps. Of the packs of two images one in 64 held a
real one and a fake.) So a larger G draws better digits and covers them no better. Packed images
halve the dependence, which nothing else did, but the digits themselves hardly improve from step
1,000 on. A larger D, which now has to see six digits, was not tried with them.

What helped is a rate of G that is half of D's, so that D follows the shares of G's modes. It
begins more slowly (10 modes after 500 steps), has as many modes as the run above after 3,000, and
improves for longer. Seed 0, gamma falling to .3, a run of 32,000 steps, 43 minutes of one thread:

    step     1,000    5,000    9,000   13,000   17,000   21,000   25,000   29,000   32,000
    modes      597      999      999    1,000    1,000    1,000    1,000    1,000    1,000
    KL        1.42      .20      .14      .12     .092     .084     .086     .086     .086
    joint      .61      .12      .10     .092     .076     .070     .066     .067     .067
    unsure     67%      30%      21%      18%      17%      16%      15%      15%      15%

A rate of 2e-3 for D beside 1e-3 for G had 9 modes after 500 steps and was stopped. Averaging over
5,000 steps, not 1,000, changed nothing at the end (.087).

Then a guess was that batch norm in G couples the samples of a batch, so it was left out. What
helped was something else that had changed with it: G's first weights. The DCGAN paper's are from
N(0, .02^2); He's, the layers' own, are some four times as wide. A layer before batch norm does not
depend on the scale of its weights, but Adam's steps have one size, so wider weights turn more
slowly: G keeps behind D at first, and its modes do not collapse. Seed 0, G's rate half of D's,
gamma falling to .3, 128 normal values; runs of 32,000 steps, stopped at the end of their lines.
Each pair is modes and KL; a KL by itself stands beside 1,000 modes:

    step                           500     1,000     2,000     3,000     4,000     8,000    12,000
    as above                   10 modes   597 1.42
    He's weights, batch norm   931  .71   957  .72   999  .29  1000  .14  1000  .10            .045
      not in linear layers     908  .72   951  .74   996  .33  1000  .14  1000  .10      .075  .066
        paper's weights in
          convolutions           1 mode   145 3.42
      nowhere, 64 normal
        values, 3 times a
        choice of 64           384 2.86   937  .74   981  .54   994  .39   994  .32      .11
      D's layers 512 and 256   873  .94   957  .68   996  .33
    paper's, batch norm, 64
      normal values, 3 times
      a choice of 64                      691 1.28   972  .44   998  .28   997  .22

The dependence between channels is .03 to .04 in the second line from step 6,000 on, of which .019
are due to the number of samples. So images of several channels now have He's weights in G, and runs
have 20,000 steps.

The ablation, begun: all six games, seed 0, runs of 2,000 steps, with the paper's weights, equal
rates and gamma falling to 1; two minutes each:

                            none              R1              R1 + R2
    relativistic         8 modes, 6.16    912 modes, .76    926 modes, .65
    non-saturating       1 mode,  6.91    906 modes, .74    958 modes, .56

The same with the recipe as it is now:

    relativistic        15 modes, 5.35    953 modes, .71    982 modes, .59
    non-saturating       1 mode,  6.91    978 modes, .56    981 modes, .54

So each game without penalties collapses, and R1 + R2 is better than R1 alone, as published. Unlike
there, R1 alone does not fail, and the non-saturating loss is not behind the relativistic one; this
is early in training, and one seed.

Not tried: coins (`DiscreteNoise`), larger batches, a still lower rate of G, packing with He's
weights.
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
