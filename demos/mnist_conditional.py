"""A GAN that is asked for a digit and draws that one; or that finds the ten digits by itself.

    python demos/mnist_conditional.py                          # D has a logit for each class
    python demos/mnist_conditional.py --model concatenation    # D sees the class as more channels
    python demos/mnist_conditional.py --model acgan            # D has to name the class
    python demos/mnist_conditional.py --model infogan          # no labels: D has to name G's code

Without MNIST at hand (and no network to fetch it) it learns `glyphs`, digits drawn from fonts and
bent at random.
"""

# %% The digits, each as a row: 784 pixels in [-1, 1], then its class (or, for InfoGAN, nothing)
import common
import conditional_pictures as pictures
import digits
import numpy as np

import minigan as mg
from minigan import auxiliary, conditional, image_recipes, judge, models, plots

CLASSES, LATENT = 10, 64
HIDDEN = (256,)  # of G and D: told the class, G has less to work out than in `image_recipes`
WEIGHT = 0.1  # of what D says beside its logit; with 1, InfoGAN gives digits up for it

parser = common.parser(
    __doc__,
    steps=2000,
    data=("folder of MNIST's files, or glyphs (default: MINIGAN_DATA, cache, download)", None),
    resumes=True,
)
known = ["projection", "concatenation", "acgan", "infogan"]
parser.add_argument("--model", choices=known, default=known[0], help="default: %(default)s")
args = common.parse(parser)
data = digits.load(args.data, args.seed)
infogan = args.model == "infogan"
continuous = 2 if infogan else 0  # codes beside the ten categories
code = continuous + CLASSES
if infogan:
    rows = conditional.blank(data.images, code)
else:
    rows = conditional.label(data.images, data.labels, CLASSES)

# %% The two players, see `minigan.models.conditional`, and their loss, see `minigan.auxiliary`
# Otherwise the game is the recipe of `minigan.image_recipes`, with fewer layers.
loss, penalties = mg.losses.Relativistic(), (mg.penalties.R1(5.0), mg.penalties.R2(5.0))
if infogan:
    loss = auxiliary.Information(loss, CLASSES, continuous, weight=WEIGHT)
elif args.model == "acgan":
    loss = auxiliary.AuxiliaryClassifier(loss, CLASSES, weight=WEIGHT)
make = {
    "projection": models.projection_discriminator,
    "concatenation": models.concatenation_discriminator,
}.get(args.model, models.auxiliary_discriminator)
generator = models.conditional_generator(
    LATENT,
    CLASSES,
    continuous=continuous,
    channels=image_recipes.CHANNELS,
    hidden=HIDDEN,
    rng=(args.seed, 0),
)
discriminator = make(
    code,
    channels=image_recipes.CHANNELS,
    hidden=HIDDEN,
    batch_norm=False,
    rng=(args.seed, 1),
)
gan = mg.GAN(
    generator,
    discriminator,
    latent_dim=LATENT + code,
    loss=loss,
    penalties=penalties,
    generator_optimizer=mg.optim.Adam(lr=1e-3, beta1=0.0, beta2=0.99),
    discriminator_optimizer=mg.optim.Adam(lr=1e-3, beta1=0.0, beta2=0.99),
    rng=(args.seed, 2),
)
print(f"{args.model}: {type(loss).__name__}")
for name, player in (("G", generator), ("D", discriminator)):
    print(f"{name}  {player.theta.size:,} parameters\n   {player}")

# %% Train
average = mg.Average(generator, 0.999)
history = mg.train(
    gan,
    rows,
    steps=args.steps,
    batch_size=64,
    average=average,
    schedule=mg.schedules.cosine(final=0.1),
    callback=mg.stabilisers.Annealing(None, penalties, coarse=5.0, fine=1.0, steps=args.steps),
    rng=(args.seed, 3),
    **common.checkpointed(args),
)

# %% Ask for every digit a thousand times, and have a classifier of digits read what comes
print("\nAsking the judge, a classifier of digits (trained once, a minute or two) ...")
judged = judge.hire(data.images, data.labels)
accuracy = judged.accuracy(data.held_out, data.held_out_labels)
pen = pictures.Pen(average.network)
asked = np.arange(len(data.held_out)) % CLASSES
seen = judged.look(pen.draw(gan.draw_noise(len(asked)), asked))
table = np.zeros((CLASSES, CLASSES), int)  # asked for, read as
np.add.at(table, (asked, seen.probabilities.argmax(axis=1)), 1)
# A category of InfoGAN means what it came to mean: here, as the best one-to-one matching has it.
meaning = pictures.best_matching(table) if infogan else list(range(CLASSES))
right = table[range(CLASSES), meaning] / table.sum(axis=1)
real = judged.look(data.images[: len(data.held_out)])
scores = judge.score(seen, real), judge.score(judged.look(data.held_out), real)

# %% Pictures
results = common.Results(args.out)
noise = gan.draw_noise(10)
pictures.asked(pen, noise, meaning, infogan).savefig(
    results.path("asked.png", "a row for each digit, a column for each z")
)
pictures.between(pen, gan.draw_noise(20), meaning).savefig(
    results.path("between.png", "between two samples of a digit, and between digits")
)
pictures.arithmetic(pen, gan.draw_noise(2000), noise, meaning).savefig(
    results.path("arithmetic.png", "bold - thin, and right - left, added to other digits")
)
if infogan:
    pictures.codes(pen, noise, meaning, continuous).savefig(
        results.path("codes.png", "what each continuous code does, from -2 to 2")
    )
plots.training_curves(history, loss=gan.loss).savefig(
    results.path("training.png", "both losses and both gradient norms, every step and smoothed")
)

# %% In numbers
worst = int(right.argmin())
results.finish(
    {
        "data": data.name,
        "model": args.model,
        "judge_accuracy": accuracy,
        "as_asked": right.mean(),
        "as_asked_by_class": dict(zip(meaning, right)),
        "samples": scores[0].scalars(),
        "held_out": scores[1].scalars(),
        "final": {label: column[-1] for label, column in history.columns.items()},
    },
    [
        (
            f"No label was shown. {right.mean():.1%} of the samples are read as the digit that "
            "their category has come to mean,"
            if infogan
            else f"{right.mean():.1%} of the samples are read as the digit that was asked for,"
        ),
        f"the worst is {meaning[worst]} with {right[worst]:.1%}; the judge reads "
        f"{accuracy:.1%} of the held-out {data.name} right. It says of",
        f"  {len(asked):,} samples   {scores[0]}",
        f"  held-out images  {scores[1]}",
        "The nearer the two lines, the better. More --steps make more careful digits.",
    ],
)
