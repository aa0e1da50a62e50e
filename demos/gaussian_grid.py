"""Data with a known density: count the modes that are reached; compare D with the optimal D.

Mode collapse is usually counted on a ring of 8 Gaussians and on a 5 x 5 grid (PacGAN). One recipe
(`minigan.recipes`) learns both, and curves, the pinwheel and pictures too:

    discrete noise     ten of the fourteen noise values are +1 or -1: G may jump between modes, and
                       need not place samples between them
    R1 and R2          at each step, with a decreasing gamma: training does not oscillate
    Fourier features   D sees details as small as a mode; it also sees the plain coordinates
    blur               the features are those of blurred samples, blurred less and less

`docs/plane_log.rst` has the tables of what each of them does.

The optimal D is known. With p and q the densities of data and samples, it is D* = p / (p + q). D's
features are blurred, so p and q are blurred here too: each is a mean of Gaussians around 200,000
samples (a kernel density estimate, its bandwidth that of D's features, or the width of the small
cells in which the samples are counted, if that is more). D sees the plain coordinates as well, so
this is what it can tell apart easily, not a limit of what it might. The loss is relativistic: only
differences of logits matter, so one constant c is fitted, and D = sigmoid(logit - c) is compared
with D*.

During training D stays far from D*: the penalties keep it flat, which makes training converge, and
G follows the slope that is left. So a copy of D is also trained alone, with G fixed and without
penalties: it comes as close to D* as its network allows.
"""

# %% What to learn
from dataclasses import replace

import numpy as np
from helpers import common, progress
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

import minigan as mg
from minigan import plots, recipes


def letters(path):
    """Writes a picture of the word GAN, to be learned; returns its path."""
    figure = Figure(figsize=(4, 1.8), dpi=60)
    figure.text(0.5, 0.45, "GAN", size=96, weight="bold", ha="center", va="center")
    figure.savefig(path, pad_inches=0)
    return path


DATA = {
    "ring": mg.data.gaussian_ring,
    "grid": mg.data.gaussian_grid,
    "swiss_roll": mg.data.swiss_roll,
    "moons": mg.data.two_moons,
    "pinwheel": mg.data.pinwheel,
    "picture": None,
}
parser = common.parser(
    __doc__,
    steps=recipes.RECIPE.steps,
    data=(f"one of {', '.join(DATA)}, or a PNG or JPEG", "grid"),
    resumes=True,
)
args = common.parse(parser)
results = common.Results(args.out)
if args.data == "picture":
    data = mg.data.from_picture(letters(results.path("picture.png", "the picture to learn")))
elif args.data in DATA:
    data = DATA[args.data]()
else:
    try:
        data = mg.data.from_picture(args.data)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
recipe = replace(recipes.RECIPE, steps=args.steps)

# %% Train, and record both networks at three steps
MOMENTS = {max(1, round(t * args.steps)) for t in (0.02, 0.3, 1.0)}
snapshots = common.Snapshots(
    results, "snapshots", "both networks' parameters at these steps", resume=args.resume
)


def moment(gan):
    """The blur and the parameters of both networks, as one vector."""
    blur = gan.discriminator.layers[0].inner.std
    return np.concatenate([[blur], gan.generator.theta, gan.discriminator.theta])


def keep(step, gan, figures):
    if step in MOMENTS:
        snapshots.add(step, moment(gan))


learned = recipes.train(
    data, recipe=recipe, rng=args.seed, callback=keep, **common.checkpointed(args, results)
)
common.save_model(results, learned)
unit, gan = learned.unit, learned.gan
kept = []
kept_steps = snapshots.all()[-len(MOMENTS) :]
if not kept_steps or kept_steps[-1][0] != len(learned.history):  # interrupted between two of them
    kept_steps.append((len(learned.history), moment(gan)))
for step, (blur, *thetas) in kept_steps:
    players = gan.generator.copy(), gan.discriminator.copy()
    for player, theta in zip(players, np.split(np.array(thetas), [players[0].theta.size])):
        player.theta[...] = theta
    players[1].layers[0].inner.std = blur  # that of D's features at that step
    kept.append((step, blur, *players))

# %% The blurred densities, and the best discriminator between them
CELLS, MANY = 400, 200_000
left, right, bottom, top = np.array(data.extent)
half = 0.56 * max(right - left, top - bottom)
middle = np.array([(left + right) / 2, (bottom + top) / 2])
edges = np.linspace(-half, half, CELLS + 1)
centres = (edges[1:] + edges[:-1]) / 2
box = (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)
plane = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2) + middle


def blurred(samples, blur):
    """The density of samples + N(0, blur^2 I) on the plane's cells, (y, x)."""
    x, y = (samples - middle).T
    counts, _, _ = np.histogram2d(y, x, bins=(edges, edges))
    kernel = np.exp(-((centres[:, None] - centres) ** 2) / (2 * blur**2))
    kernel /= kernel.sum(axis=0).max()  # mass blurred past the edge is lost
    return kernel @ counts @ kernel.T / len(samples) / (edges[1] - edges[0]) ** 2


def draw(generator, n):
    samples, _ = generator.forward(gan.draw_noise(n), training=False)
    return samples * unit


def opinion_of(discriminator, ratio, weight):
    """sigmoid(logit - c) on the plane; c makes the logits fit log p / q in the mean over weight."""
    logits, _ = discriminator.forward((plane / unit).astype(np.float32), training=False)
    logits = logits.reshape(CELLS, CELLS).astype(float)
    if recipe.loss.generator_sees_real:
        logits -= np.sum(weight * (logits - ratio))
    return 1 / (1 + np.exp(-logits))


def taught_alone(generator, discriminator, steps):
    """A copy of D after `steps` more steps without penalties, with G fixed."""
    game = mg.GAN(
        generator,
        discriminator.copy(),
        latent_dim=recipe.latent_dim,
        loss=recipe.loss(),
        discriminator_optimizer=mg.optim.Adam(*recipe.adam),
        rng=args.seed,
    )
    rate, rng = mg.schedules.cosine(), np.random.default_rng(args.seed)
    for step in range(steps):
        game.discriminator_optimizer.lr = recipe.adam[0] * rate(step / steps)
        game.discriminator_step(data.sample(2 * recipe.batch_size, rng) / unit)
    return game.discriminator


real = data.sample(MANY, args.seed + 1)
alone = min(1500, args.steps)
comparisons = []
for step, blur, generator, discriminator in progress.each(kept, "comparing D with D*", "moment"):
    width = max(blur * unit, edges[1] - edges[0])
    p = blurred(real, width)
    q = blurred(np.concatenate([draw(generator, MANY // 8) for _ in range(8)]), width)
    weight = (p + q) / (p + q).sum()  # where the minibatches are
    known = weight > 1e-4 * weight.max()
    ratio = np.clip(np.log(np.maximum(p, 1e-12) / np.maximum(q, 1e-12)), -5, 5)
    best = p / np.maximum(p + q, 1e-12)
    taught = taught_alone(generator, discriminator, alone)
    maps = [opinion_of(player, ratio, weight) for player in (discriminator, taught)]
    in_game, after, one_half = (float(np.sum(weight * abs(d - best))) for d in (*maps, 0.5))
    comparisons.append(
        {
            "step": step,
            "blur": blur * unit,
            "distance_in_the_game": in_game,
            "distance_taught_alone": after,
            "distance_of_one_half": one_half,
            "maps": [np.where(known, field, np.nan) for field in (*maps, best)],
            "samples": draw(generator, 3000),
        }
    )

# %% A picture of both networks at the three steps
opinion = LinearSegmentedColormap.from_list("opinion", [plots.FAKE, "#f7f7f7", plots.REAL])
opinion.set_bad("#ffffff")
figure, axes = plots.figure(len(comparisons), 4, size=(3.0, 3.2), squeeze=False)
TITLES = "D in training", f"D trained alone, {alone:,} steps", "optimal, D* = p / (p + q)"
NAMES = "in_the_game", "taught_alone", "of_one_half"
for row, moment in zip(axes, comparisons):
    plots.points(row[0], real[:3000], colour=plots.REAL, alpha=0.25)
    plots.points(row[0], moment["samples"], alpha=0.35)
    plots.frame(row[0], box, margin=0)
    row[0].set_title(f"step {moment['step']:,}")
    row[0].set_xlabel(f"data, samples; D's blur: {moment['blur']:.2g}")
    for panel, field, title, name in zip(row[1:], moment["maps"], TITLES, NAMES):
        shade = panel.imshow(field, origin="lower", extent=box, cmap=opinion, vmin=0, vmax=1)
        plots.frame(panel, box, margin=0)
        panel.set_title(title)
        which = "1/2" if name == "of_one_half" else "D"
        panel.set_xlabel(f"mean |{which} - D*| {moment['distance_' + name]:.3f}")
bar = figure.colorbar(shade, ax=axes[:, 1:], location="right", shrink=0.4, ticks=[0, 0.5, 1])
bar.ax.set_yticklabels(["fake", "1/2", "real"])
figure.savefig(results.path("discriminator.png", "D and the optimal D*, at three steps"))

# %% The averaged generator's samples, in the usual measures
samples = learned.sample(10_000)
held_out = data.sample(10_000, args.seed + 2)
others = data.sample(50_000, args.seed + 3).reshape(5, 10_000, 2)
bandwidths = unit * 2.0 ** -np.arange(6)
transport = mg.metrics.beside_real(mg.metrics.sliced_wasserstein, held_out, samples, others)
discrepancy = mg.metrics.beside_real(
    mg.metrics.mmd, held_out[:2000], samples[:2000], others[:, :2000], bandwidths=bandwidths
)
scores = {
    "sliced_wasserstein": transport.fake,
    "sliced_wasserstein_of_real": transport.held_out.mean,
    "sliced_wasserstein_of_real_deviation": transport.held_out.deviation,
    "mmd": discrepancy.fake,
    "mmd_of_real": discrepancy.held_out.mean,
    "mmd_of_real_deviation": discrepancy.held_out.deviation,
}
coverage = None
if hasattr(data, "modes"):
    coverage = mg.metrics.mode_coverage(samples, data.modes, data.std)
    print(f"\n{coverage}\n\n{coverage.legend()}")

# %% A picture of the samples and the data
figure, axes = plots.figure(1, 3 if coverage else 2, size=(4.2, 4.4))
for panel, shown, colour, title in (
    (axes[0], held_out, plots.REAL, "data"),
    (axes[1], samples, plots.FAKE, "samples of the averaged generator"),
):
    plots.points(panel, shown, colour=colour, size=2, alpha=0.35)
    plots.frame(panel, box, margin=0)
    panel.set_title(title)
if coverage:
    relative = coverage.shares * coverage.modes / coverage.hq_perfect
    x, y = data.modes[coverage.worst_mode]
    axes[1].annotate(
        "worst mode", (x, y), xytext=(0, -24 if y > 0 else 16), ha="center",
        textcoords="offset points", arrowprops={"arrowstyle": "-", "color": plots.MUTED},
    )  # fmt: skip
    axes[2].bar(np.arange(coverage.modes), np.sort(relative), color=plots.FAKE, width=0.8)
    for height, words in ((1, "right share"), (coverage.min_share, "counts as covered")):
        axes[2].axhline(height, color=plots.MUTED, linewidth=1, linestyle="--")
        axes[2].text(
            0, height, words, size=8, va="center", bbox={"color": "white", "pad": 1.5, "alpha": 0.9}
        )
    axes[2].set(title="share of each mode, 1 is right", xlabel="modes, sorted", xticks=[])
figure.savefig(results.path("samples.png", "10,000 samples, and the data"))
plots.training_curves(learned.history, loss=learned.gan.loss).savefig(
    results.path("training.png", "both losses and both gradient norms, every step and smoothed")
)

# %% In numbers
words = []
if coverage:
    x, y = data.modes[coverage.worst_mode].round(2) + 0.0  # no -0.00
    words += [
        f"Modes: {coverage.captured} of {coverage.modes} captured, {coverage.covered} with at "
        f"least {coverage.min_share:.0%} of their share; {coverage.hq:.1%} of the samples lie "
        f"within three standard deviations of one (a perfect sampler: {coverage.hq_perfect:.1%}).",
        f"The worst mode, at ({x:.2f}, {y:.2f}), has {coverage.worst_share:.0%} of its share.",
        "Captured: at least one sample within three standard deviations. HQ: the share of all "
        "samples that are within three of some mode.",
    ]
words += [
    f"Sliced Wasserstein distance to held-out data: {transport.fake:.4f}; of {len(others)} other "
    f"draws of the data: {transport.held_out}.",
    f"MMD^2 (unbiased, so it may be negative): {discrepancy.fake:.1e}; of {len(others)} other "
    f"draws of the data: {discrepancy.held_out}.",
    "Mean |D - D*| where the samples are, at steps "
    + ", ".join(f"{moment['step']:,}" for moment in comparisons)
    + "".join(
        f"; {label} " + ", ".join(f"{moment['distance_' + name]:.3f}" for moment in comparisons)
        for label, name in zip(("D in training", "D trained alone", "1/2 everywhere"), NAMES)
    )
    + ".",
    "Once samples and data agree, D* is 1/2. During training the penalties keep D close to 1/2.",
]
results.finish(
    {
        "data": args.data,
        "mode_coverage": coverage.scalars() if coverage else None,
        **scores,
        "discriminator": [
            {"step": m["step"], "blur": m["blur"], **{n: m["distance_" + n] for n in NAMES}}
            for m in comparisons
        ],
        "final": {name: column[-1] for name, column in learned.history.columns.items()},
    },
    words,
    common.where_stopped(learned.history),
)
