"""What the demos of digits share: the data, a GAN by name, its training, pictures and scores.

parser = digits.parser(__doc__, steps=15_000)                 # --loss --penalty --resume ...
args = common.parse(parser)
results = common.Results(args.out)
game = digits.make(args, "mlp")
data = digits.load(args.data, args.seed)
learned = digits.learn(args, data, game, results)
digits.finish(args, data, learned, results)
"""

from typing import NamedTuple

import numpy as np
from matplotlib import colormaps

import minigan as mg
from helpers import common, memorisation
from minigan import image_recipes, judge, plots

SHEET = 60  # samples in a sheet
WANTS = 8  # images, of each kind, for which D's gradient is shown
MOMENTS = (0, 0.02, 0.1, 0.3, 1)  # shares of the training after which both are recorded
NO_SCORES = "The judge was interrupted: no scores. --resume asks it again."
DATA = ("folder of MNIST's files, or glyphs (default: MINIGAN_DATA, cache, download)", None)


class Digits(NamedTuple):
    """Images (n, 28, 28, 1) in [-1, 1] with labels; others, held out; the name of the data."""

    images: np.ndarray
    labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray
    name: str


class Learned(NamedTuple):
    """A trained GAN, and what was recorded during training."""

    game: image_recipes.ImageGame
    history: mg.History
    sheets: list  # [(step, samples (60, 28, 28, 1))]
    wants: list  # [(step, (4, 8, 28, 28, 1))]: real, dD/dpixel there, fake, dD/dpixel there


class Verdict(NamedTuple):
    """The judge's accuracy on held-out images, and its scores of samples and of those images."""

    accuracy: float
    seen: judge.Predictions
    samples: judge.ImageScores
    held_out: judge.ImageScores

    def scalars(self):
        return {
            "judge_accuracy": self.accuracy,
            "samples": self.samples.scalars(),
            "held_out": self.held_out.scalars(),
        }

    def lines(self):
        return [
            f"{self.samples.samples:,} samples: {self.samples}",
            f"held-out images: {self.held_out}",
            *LEGEND,
        ]


LEGEND = (
    "The closer the two lines, the better. Total variation: half the sum of the differences "
    "between the shares of the ten digits, 0 to 1. Confident: images whose digit has a probability "
    "above 0.9. Frechet and kernel: distances between the judge's features of these images and "
    "those of training images, 0 is best. Precision and density: how many of these images look "
    "like real ones; recall and coverage: how many of the real ones have an image like them; 1 is "
    "best (density may exceed it).",
)


def parser(description, *, steps):
    """The arguments of a demo that learns digits."""
    arguments = common.parser(description, steps=steps, data=DATA, resumes=True)
    add_judge(arguments)
    for option, known in (("loss", image_recipes.LOSSES), ("penalty", image_recipes.PENALTIES)):
        default = next(iter(known))
        arguments.add_argument(
            f"--{option}", choices=list(known), default=default, help=f"default: {default}"
        )
    return arguments


def add_judge(arguments):
    """The option --no-judge."""
    arguments.add_argument(
        "--no-judge", dest="judge", action="store_false", help="do not score the samples"
    )


def load(source, seed):
    """MNIST as `Digits`, from a folder, the cache or a mirror; or glyphs.

    source : a folder, None for wherever `minigan.data.mnist` finds them, or "glyphs"
    """
    if source != "glyphs":
        try:
            train, test = (mg.data.mnist(split, folder=source) for split in ("train", "test"))
            return Digits(*train, *test, "MNIST")
        except FileNotFoundError as error:
            if source is not None:
                common.refuse(f"--data: {error}")
            print(common.wrapped(" ".join(str(error).split())))
            print("Learning glyphs instead: digits drawn from fonts.\n")
        except (OSError, ValueError) as error:
            common.refuse(f"--data: {error}")
    print("Drawing 70,000 digits from fonts ...")
    images, labels = mg.data.glyphs(70_000, rng=seed)
    return Digits(images[10_000:], labels[10_000:], images[:10_000], labels[:10_000], "glyphs")


def make(args, model):
    """The GAN that the command line names; prints its networks."""
    try:
        game = image_recipes.game(model, loss=args.loss, penalty=args.penalty, rng=args.seed)
    except ValueError as error:
        common.refuse(str(error).removeprefix("game: "))
    print(f"{args.loss} loss, penalty: {args.penalty}")
    describe(game.gan)
    return game


def describe(gan):
    """Prints both networks."""
    for name, player in (("G", gan.generator), ("D", gan.discriminator)):
        print(f"{name}  {player.theta.size:,} parameters")
        print(common.wrapped(f"   {player}"))


def learn(args, data, game, results):
    """Trains; records, at a few steps, samples of the same noise and D's gradient at pixels."""
    gan, average = game.gan, game.average.network
    noise, real = gan.draw_noise(SHEET), data.images[:WANTS]
    moments = {max(1, round(args.steps * share)) for share in MOMENTS}
    sheets = common.Snapshots(
        results, "samples", "60 samples of the same noise at each of these steps",
        resume=args.resume,
    )  # fmt: skip
    wants = common.Snapshots(
        results, "wants", "D's gradient with respect to pixels at each of these steps",
        resume=args.resume,
    )  # fmt: skip

    def now():
        samples, _ = average.forward(noise, training=False)
        fake = samples[:WANTS]
        slopes = [slope(gan.discriminator, images) for images in (real, fake)]
        return samples, np.stack([real, slopes[0], fake, slopes[1]])

    def record(step, *_):
        if step in moments:
            for kept, recorded in zip((sheets, wants), now()):
                kept.add(step, recorded)

    history = image_recipes.train(
        game, data.images, steps=args.steps, rng=args.seed, callback=record,
        **common.checkpointed(args, results),
    )  # fmt: skip
    common.save_model(results, game)
    recorded = [kept.all()[-len(moments) :] for kept in (sheets, wants)]
    if not recorded[0] or recorded[0][-1][0] != len(history):  # stopped between two of the steps
        for rows, last in zip(recorded, now()):
            rows.append((len(history), last))
    return Learned(game, history, *recorded)


def slope(discriminator, images):
    """dD/dpixel at each image: where more ink would make its logit rise, and where fall."""
    logits, cache = discriminator.forward(images, training=False)
    return discriminator.backward_input(np.ones_like(logits), cache)


def ask_judge(args, data, history, draw):
    """(the judge's Verdict of draw(n), as many as there are held-out images; nothing to add), or
    (None, why there is none).

    Not asked with --no-judge nor after training was interrupted; Ctrl-C interrupts it.
    """
    if not args.judge:
        return None, ["The samples were not scored (--no-judge)."]
    if common.where_stopped(history):
        return None, ["Training was interrupted, so the samples were not scored."]
    print("\nScoring: the judge, a classifier of digits, is trained once and kept ...")
    with common.interruptible():
        judged = judge.load_or_train(data.images, data.labels)
        accuracy = judged.accuracy(data.held_out, data.held_out_labels)
        print("Comparing its features of samples and of real images ...")
        real = judged.classify(data.images[: len(data.held_out)])
        seen = judged.classify(draw(len(data.held_out)))
        samples = judge.score(seen, real)
        held_out = judge.score(judged.classify(data.held_out), real)
        return Verdict(accuracy, seen, samples, held_out), []
    return None, [NO_SCORES]


def where_stopped(history, words):
    """Where a Ctrl-C ended training or the scoring, for `Results.finish`."""
    return common.where_stopped(history) or ("in the scoring" if NO_SCORES in words else "")


def finish(args, data, learned, results):
    """Pictures, then scores; says what they mean."""
    hundred(learned.game, data).savefig(
        results.path("hundred.png", "a hundred samples, and a hundred held-out images")
    )
    sheets_over_training(learned.sheets, data).savefig(
        results.path("digits.png", "samples of the same noise over training, and the data")
    )
    what_d_wants(learned.wants).savefig(
        results.path("what_d_wants.png", "where D wants ink, in real digits and in fakes")
    )
    plots.training_curves(learned.history, loss=learned.game.gan.loss).savefig(
        results.path("training.png", "both losses and both gradient norms, every step and smoothed")
    )
    verdict, words = ask_judge(args, data, learned.history, learned.game.sample)
    metrics = {
        "data": data.name,
        "final": {label: column[-1] for label, column in learned.history.columns.items()},
    }
    if verdict:
        metrics |= verdict.scalars()
        metrics["samples"]["shares"] = verdict.samples.shares
        words = [
            f"The judge classifies {verdict.accuracy:.2%} of the held-out {data.name} correctly.",
            *verdict.lines(),
        ]
        judged = judge.load_or_train(data.images, data.labels)  # from the cache
        panel = memorisation.Panel(
            learned.game.sample(memorisation.MOST), data.images, data.held_out, judged
        )
        panel.picture().savefig(
            results.path("memorisation.png", "samples beside the training images nearest to them")
        )
        metrics["memorisation"] = panel.scalars()
        words += panel.lines
    results.finish(metrics, words, where_stopped(learned.history, words))


# -- pictures --------------------------------------------------------------------------------------


def hundred(game, data):
    """A figure: a hundred samples and a hundred held-out images, ten of each digit."""
    order = np.argsort(data.held_out_labels[:1000], kind="stable")
    images = data.held_out[order]
    chosen = images[np.linspace(0, len(images) - 1, 100).round().astype(int)]
    made, axes = plots.figure(1, 2, size=(4.2, 4.4))
    for panel, sheet, title in (
        (axes[0], game.sample(100), "samples"),
        (axes[1], chosen, f"held-out {data.name}"),
    ):
        plots.image_grid(panel, sheet, columns=10)
        panel.set_title(title)
    return made


def sheets_over_training(sheets, data):
    """A figure: a panel for each recorded step, and one of the data."""
    panels = [(f"step {step:,}", sheet) for step, sheet in sheets]
    panels += [(data.name, data.images[:SHEET])]
    made, axes = plots.figure(-(-len(panels) // 3), 3, size=(4.2, 2.7), squeeze=False)
    for panel, (title, sheet) in zip(axes.flat, panels):
        plots.image_grid(panel, sheet, columns=10)
        panel.set_title(title)
    for panel in axes.flat[len(panels) :]:
        panel.set_axis_off()
    return made


def what_d_wants(wants):
    """A figure of dD/dpixel over training: real digits and fakes, their gradients below each.

    Red where more ink would raise the logit ("more real"), blue where less would; each row of
    gradients has a scale of its own, its largest value printed above it.
    """
    made, axes = plots.figure(len(wants), 2, size=(4.6, 1.25), squeeze=False)
    for row, (step, (real, d_real, fake, d_fake)) in zip(axes, wants):
        for panel, images, slopes in zip(row, (real, fake), (d_real, d_fake)):
            largest = float(np.abs(slopes).max())
            grey = colormaps["gray_r"]((images[..., 0] + 1) / 2)
            tint = colormaps["RdBu_r"]((slopes[..., 0] / (largest or 1) + 1) / 2)
            panel.imshow(np.concatenate([np.hstack(grey), np.hstack(tint)]))
            panel.set(xticks=[], yticks=[])
            panel.set_title(f"largest {largest:.2g}", size=8, weight="normal", loc="right", pad=2)
            for spine in panel.spines.values():
                spine.set_visible(False)
        row[0].set_ylabel(f"step {step:,}")
    for panel, title in zip(axes[0], ("real digits", "fakes")):
        panel.set_title(title, loc="left")
    made.supxlabel("dD/dpixel: red, more ink here would raise D's logit; blue, less would", size=9)
    return made
