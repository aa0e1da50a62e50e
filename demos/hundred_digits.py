"""A hundred digits, with and without augmentation: does G draw, or does it copy?

With ten examples of each digit D soon knows all hundred by heart, and teaches G to reproduce them.
DiffAugment shows D moved, cut and brightened images only, real and fake alike, and brings the
gradient back to G through the transpose of the very map it drew (Zhao et al. 2020). The judge
compares 5,000 samples with as many held-out digits; the memorisation panel looks for copies.
"""

# %% Ten of each digit
import numpy as np
from helpers import common, digits, memorisation

from minigan import image_recipes, judge, plots

parser = common.parser(__doc__, steps=6000, data=digits.DATA)
parser.add_argument("--seeds", type=common.whole(1, 20), default=1, help="default: %(default)s")
args = common.parse(parser)
results = common.Results(args.out)
data = digits.load(args.data, args.seed)
chosen = np.concatenate([np.flatnonzero(data.labels == digit)[:10] for digit in range(10)])
hundred = data.images[chosen]

# %% Both ways, from the same seeds
# Without the recipe's 64 categories, each of which would become one of the hundred digits.
WAYS = {"without": False, "with DiffAugment": True}
games = {}
for seed in range(args.seed, args.seed + args.seeds):
    for name, augment in WAYS.items():
        print(f"{name}, seed {seed}")
        games[name, seed] = image_recipes.game(categories=False, augment=augment, rng=seed)
        image_recipes.train(games[name, seed], hundred, steps=args.steps, rng=seed)
common.save_model(results, games["with DiffAugment", args.seed])

# %% What the judge says, beside what the hundred themselves score
print("\nThe judge, a classifier of digits, is trained once and kept ...")
judged = judge.load_or_train(data.images, data.labels)
count = min(5000, len(data.held_out))
real = judged.classify(data.held_out[:count])
drawn = {key: game.sample(count) for key, game in games.items()}
scores = {key: judge.score(judged.classify(images), real) for key, images in drawn.items()}
repeated = judge.score(judged.classify(np.resize(hundred, (count, 28, 28, 1))), real)
print(f"\n{'':24}{'Frechet':>9}{'recall':>9}{'confident':>11}")
print(f"{'the hundred, repeated':24}{repeated.frechet:9.2f}{repeated.recall:9.3f}"
      f"{repeated.confident:11.1%}")  # fmt: skip
for (name, seed), score in scores.items():
    print(f"{f'{name}, seed {seed}':24}{score.frechet:9.2f}{score.recall:9.3f}"
          f"{score.confident:11.1%}")  # fmt: skip

# %% Samples of both, and the hundred
figure, axes = plots.figure(1, 3, size=(4.2, 4.4))
sheets = {"the hundred": hundred} | {name: drawn[name, args.seed][:100] for name in WAYS}
for panel, (name, sheet) in zip(axes, sheets.items()):
    plots.image_grid(panel, sheet, columns=10)
    panel.set_title(name)
figure.savefig(results.path("samples.png", "the hundred digits, and samples learned from them"))

# %% The memorisation panel of each
panels, words = {}, []
for name in WAYS:
    panels[name] = memorisation.Panel(drawn[name, args.seed], hundred, data.held_out, judged)
    file = f"memorisation_{name.split()[0]}.png"
    panels[name].picture().savefig(
        results.path(file, f"{name}: samples beside the nearest of the hundred")
    )
    words += [f"{name}:", *(f"  {line}" for line in panels[name].lines)]

# %% In numbers
seeds = range(args.seed, args.seed + args.seeds)
better = sum(
    scores["with DiffAugment", seed].frechet < scores["without", seed].frechet for seed in seeds
)
results.finish(
    {
        "data": data.name,
        "hundred": repeated.scalars(),
        "scores": {f"{name}, seed {seed}": s.scalars() for (name, seed), s in scores.items()},
        "memorisation": {name: panel.scalars() for name, panel in panels.items()},
    },
    [
        f"DiffAugment has the smaller Frechet distance on {better} of {args.seeds} seeds.",
        "Frechet: distance of the samples from held-out digits in the judge's features, 0 is best. "
        "Recall: how many of the held-out digits have a sample like them.",
        *words,
    ],
)
