"""What the demos of digits share: the data, a game by name, its training, what came of it.

parser = digits.parser(__doc__, steps=15_000)                 # --loss --penalty --resume ...
args = common.parse(parser)
data = digits.load(args.data, args.seed)
learned = digits.learn(args, data, digits.make(args, "mlp"))
digits.finish(args, data, learned)
"""

import sys
from typing import NamedTuple

import common
import numpy as np
from matplotlib import colormaps

import minigan as mg
from minigan import image_recipes, judge, plots

SHEET = 60  # samples in a sheet
WANTS = 8  # images, of each kind, for which D's gradient is shown
MOMENTS = (0, 0.02, 0.1, 0.3, 1)  # of the training, at which both are taken


class Digits(NamedTuple):
    """Images (n, 28, 28, 1) in [-1, 1] with labels; others, held out; what they are."""

    images: np.ndarray
    labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray
    name: str


class Learned(NamedTuple):
    """A game, and what was kept on the way."""

    game: image_recipes.Game
    history: mg.History
    sheets: list  # [(step, samples (60, 28, 28, 1))]
    wants: list  # [(step, (4, 8, 28, 28, 1))]: real, dD/dpixel there, fake, dD/dpixel there


def parser(description, *, steps):
    """The arguments of a demo that learns digits."""
    arguments = common.parser(
        description,
        steps=steps,
        data=("folder of MNIST's files, or glyphs (default: MINIGAN_DATA, cache, download)", None),
        resumes=True,
    )
    for option, known in (("loss", image_recipes.LOSSES), ("penalty", image_recipes.PENALTIES)):
        default = next(iter(known))
        arguments.add_argument(
            f"--{option}", choices=list(known), default=default, help=f"default: {default}"
        )
    return arguments


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
                sys.exit(f"--data: {error}")
            print(f"{error}\nLearning glyphs, digits drawn from fonts, instead.\n")
        except ValueError as error:
            sys.exit(f"--data: {error}")
    images, labels = mg.data.glyphs(70_000, rng=seed)
    return Digits(images[10_000:], labels[10_000:], images[:10_000], labels[:10_000], "glyphs")


def make(args, model):
    """The game that the command line names, and who plays it, in words."""
    game = image_recipes.game(model, loss=args.loss, penalty=args.penalty, rng=args.seed)
    print(f"{args.loss} loss, penalty: {args.penalty}")
    for name, player in (("G", game.gan.generator), ("D", game.gan.discriminator)):
        print(f"{name}  {player.theta.size:,} parameters\n   {player}")
    return game


def learn(args, data, game):
    """Trains, keeping at a few moments samples of the same noise, and what D wants of pixels."""
    gan, average = game.gan, game.average.network
    noise, real = gan.draw_noise(SHEET), data.images[:WANTS]
    moments = {max(1, round(args.steps * share)) for share in MOMENTS}
    sheets = common.Snapshots(args.out / "samples", resume=args.resume)
    wants = common.Snapshots(args.out / "wants", resume=args.resume)

    def keep(step, *_):
        if step in moments:
            samples, _ = average.forward(noise, training=False)
            sheets.add(step, samples)
            fake = samples[:WANTS]
            slopes = [slope(gan.discriminator, images) for images in (real, fake)]
            wants.add(step, np.stack([real, slopes[0], fake, slopes[1]]))

    history = image_recipes.learn(
        game, data.images, steps=args.steps, rng=args.seed, watch=keep, **common.checkpointed(args)
    )
    last = slice(-len(moments), None)
    return Learned(game, history, sheets.all()[last], wants.all()[last])


def slope(discriminator, images):
    """dD/dpixel at each image: where more ink would make its logit rise, and where fall."""
    logits, cache = discriminator.forward(images, training=False)
    return discriminator.backward_input(np.ones_like(logits), cache)


def finish(args, data, learned):
    """Pictures and scores; says what they mean."""
    results = common.Results(args.out)
    sheets_over_training(learned.sheets, data).savefig(
        results.path("digits.png", "samples of the same noise over training, and the data")
    )
    what_d_wants(learned.wants).savefig(
        results.path("what_d_wants.png", "where D wants ink, in real digits and in fakes")
    )
    plots.training_curves(learned.history, loss=learned.game.loss).savefig(
        results.path("training.png", "both losses and both gradient norms, every step and smoothed")
    )
    print("\nAsking the judge, a classifier of digits (trained once, a minute or two) ...")
    judged = judge.hire(data.images, data.labels)
    accuracy = judged.accuracy(data.held_out, data.held_out_labels)
    real = judged.look(data.images[: len(data.held_out)])
    fake = judge.score(judged.look(learned.game.sample(len(data.held_out))), real)
    held_out = judge.score(judged.look(data.held_out), real)
    results.finish(
        {
            "data": data.name,
            "judge_accuracy": accuracy,
            "samples": fake.scalars() | {"shares": fake.shares},
            "held_out": held_out.scalars(),
            "final": {label: column[-1] for label, column in learned.history.columns.items()},
        },
        [
            f"The judge is right about {accuracy:.2%} of the held-out {data.name}. It says of",
            f"  {fake.samples:,} samples   {fake}",
            f"  held-out images  {held_out}",
            "The nearer the two lines, the better. Confident: the class has a probability above "
            "0.9.",
        ],
    )


# -- pictures --------------------------------------------------------------------------------------


def sheets_over_training(sheets, data):
    """A figure: a panel for each moment, and one of the data."""
    panels = [(f"step {step:,}", sheet) for step, sheet in sheets]
    panels += [(data.name, data.images[:SHEET])]
    figure, axes = plots.figure(2, 3, size=(4.2, 2.7))
    for panel, (title, sheet) in zip(axes.flat, panels):
        plots.image_grid(panel, sheet, columns=10)
        panel.set_title(title)
    for panel in axes.flat[len(panels) :]:
        panel.set_axis_off()
    return figure


def what_d_wants(wants):
    """A figure of dD/dpixel over training: real digits and fakes, their gradients below each.

    Red where more ink would raise the logit ("more real"), blue where less would; each row of
    gradients has a scale of its own, its largest value printed beside it.
    """
    figure, axes = plots.figure(len(wants), 2, size=(4.6, 1.25), squeeze=False)
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
    figure.supxlabel(
        "dD/dpixel: red, more ink here would raise D's logit; blue, less would", size=9
    )
    return figure
