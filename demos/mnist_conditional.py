"""A GAN that draws the digit it is asked for; or that finds ten categories by itself.

    python demos/mnist_conditional.py                          # D has a logit for each class
    python demos/mnist_conditional.py --model concatenation    # D sees the class as more channels
    python demos/mnist_conditional.py --model acgan            # D also classifies
    python demos/mnist_conditional.py --class-norm             # G's batch norms know the class too
    python demos/mnist_conditional.py --model infogan          # no labels: D also reads G's code

Where MNIST is neither on disk nor can be downloaded it learns `glyphs`: digits drawn from fonts and
distorted at random.
"""

# %% The digits, each as a row: 784 pixels in [-1, 1], then its class (or, for InfoGAN, nothing)
import numpy as np
from helpers import common, digits
from helpers import conditional_pictures as pictures

import minigan as mg
from minigan import auxiliary, conditional, image_recipes, models, plots

CLASSES, LATENT = 10, 64
HIDDEN = (256,)  # sizes of the linear layers: G is given the class, so fewer than `image_recipes`
WEIGHT = 0.1  # of the term for the class or code; with 1, InfoGAN's samples are no longer digits

parser = common.parser(__doc__, steps=2000, data=digits.DATA, resumes=True)
digits.add_judge(parser)
known = ["projection", "concatenation", "acgan", "infogan"]
parser.add_argument("--model", choices=known, default=known[0], help="default: %(default)s")
parser.add_argument(
    "--class-norm", action="store_true", help="a scale and a shift for each class in G's batch norm"
)
args = common.parse(parser)
if args.class_norm and args.model == "infogan":
    parser.error("--class-norm: infogan has no labels; use it with another --model")
results = common.Results(args.out)
data = digits.load(args.data, args.seed)
infogan = args.model == "infogan"
continuous = 2 if infogan else 0  # continuous codes, and ten categories
code = continuous + CLASSES
if infogan:
    rows = conditional.blank(data.images, code)
else:
    rows = conditional.label(data.images, data.labels, CLASSES)

# %% The two networks, see `minigan.conditional`, and their loss, see `minigan.auxiliary`
# The rest is the recipe of `minigan.image_recipes`, with fewer layers, and as for a short training:
# G as fast as D, and a last gamma of 1.
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
    class_norm=args.class_norm,
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
digits.describe(gan)

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
    **common.checkpointed(args, results),
)
common.save_model(results, gan, average=average)

# %% Ask for every digit a thousand times, and have a classifier of digits read the answers
pen = pictures.Pen(average.network)


def ask(n):
    """n images: digits 0 to 9 in turn."""
    return pen.draw(gan.draw_noise(n), np.arange(n) % CLASSES)


verdict, words = digits.ask_judge(args, data, history, ask)
meaning, scores = list(range(CLASSES)), {}
if verdict:
    read = verdict.seen.probabilities.argmax(axis=1)
    table = np.zeros((CLASSES, CLASSES), int)  # asked for, read as
    np.add.at(table, (np.arange(len(read)) % CLASSES, read), 1)
    # InfoGAN's categories have no given meaning: they get the digits of the best 1:1 matching.
    meaning = pictures.best_matching(table) if infogan else meaning
    right = table[range(CLASSES), meaning] / table.sum(axis=1)
    worst = int(right.argmin())
    scores = verdict.scalars() | {
        "as_asked": right.mean(),
        "as_asked_by_class": dict(zip(meaning, right)),
    }
    words = [
        "No label was shown. Each category is named after the digit that it mostly draws."
        if infogan
        else "Each sample was asked for by its digit.",
        f"The judge reads {right.mean():.1%} of the samples as that digit (the worst is "
        f"{meaning[worst]}: {right[worst]:.1%}), and {verdict.accuracy:.1%} of the held-out "
        f"{data.name} as their label.",
        *verdict.lines(),
        "More --steps give better digits.",
    ]

# %% Pictures
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
        results.path("codes.png", "the effect of each continuous code, from -2 to 2")
    )
plots.training_curves(history, loss=gan.loss).savefig(
    results.path("training.png", "both losses and both gradient norms, every step and smoothed")
)

# %% In numbers
results.finish(
    {
        "data": data.name,
        "model": args.model,
        "final": {label: column[-1] for label, column in history.columns.items()},
        **scores,
    },
    words,
    digits.where_stopped(history, words),
)
