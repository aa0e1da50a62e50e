"""The bug museum: gradient bugs, most of them of public projects, each put into minigan's code.

Prints the catalogue (the wrong line and the right one, where it was seen, why it was not noticed,
which check finds it here), the table of which check finds which bug, and draws the effect of each
bug on training, compared with a healthy run. The bugs change the NumPy code of the layers, so
healthy runs use the NumPy backend too, and --backend has no effect.
"""

# %% The catalogue: each bug is switched on, and each check is run
import contextlib
import os
import textwrap

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy loads: threads do not pay for 64 x 64

import numpy as np
from helpers import common, progress
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch

import minigan as mg
from minigan import layers, plots

args = common.arguments(__doc__, steps=1000)
results = common.Results(args.out)
mg.kernels.use_backend("numpy")
examination = mg.bugs.examine(seed=args.seed, progress=True)
for bug in mg.bugs.REGISTRY.values():
    said = examination.complaints[bug.name][bug.caught_by] or "NOT CAUGHT"
    print(f"\n{bug}: {textwrap.shorten(said, 80)}")
print(f"\n{examination}\n")

# %% Six settings in which the bugs are tried, each with the code that its bugs are in
ring = mg.data.gaussian_ring(std=0.05)
held_out = ring.sample(4000, rng=1)
glyphs, _ = mg.data.glyphs(3000, rng=0)
digits = glyphs.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4))  # 14 x 14 pixels


def adversaries(generator, discriminator, seed, *, rate=3e-3, **options):
    networks = [
        mg.Sequential(net, rng=seed + i) for i, net in enumerate((generator, discriminator))
    ]
    return mg.GAN(
        *networks,
        latent_dim=networks[0].layers[0].in_features,
        generator_optimizer=mg.optim.Adam(rate),
        discriminator_optimizer=mg.optim.Adam(rate),
        rng=seed,
        **options,
    )


def mlp(inputs, outputs, activation, *, width=64):
    return [
        layers.Linear(inputs, width), activation(),
        layers.Linear(width, width), activation(),
        layers.Linear(width, outputs),
    ]  # fmt: skip


def the_game(seed):
    """Non-saturating loss and R1."""
    generator, discriminator = mlp(2, 2, layers.ReLU), mlp(2, 1, layers.LeakyReLU)
    return adversaries(generator, discriminator, seed, penalties=[mg.penalties.R1(0.1)])


def layers_and_optimizer(seed):
    """The same with dropout in D, and no penalty."""
    discriminator = mlp(2, 1, layers.LeakyReLU)
    discriminator.insert(4, layers.Dropout(0.3))
    return adversaries(mlp(2, 2, layers.ReLU), discriminator, seed)


def normalisation(seed):
    """Batch norm in both players, spectral norm in D."""

    def batch_norm():
        try:
            return layers.BatchNorm(64, 0.8)  # as if by position: healthy code refuses it
        except TypeError:
            return layers.BatchNorm(64)

    generator = [
        layers.Linear(2, 64), batch_norm(), layers.ReLU(),
        layers.Linear(64, 64), batch_norm(), layers.ReLU(), layers.Linear(64, 2),
    ]  # fmt: skip
    discriminator = [
        layers.SpectralNorm(layers.Linear(2, 64)), layers.LeakyReLU(),
        layers.Linear(64, 64), layers.BatchNorm(64), layers.LeakyReLU(), layers.Linear(64, 1),
    ]  # fmt: skip
    return adversaries(generator, discriminator, seed, rate=2e-3)


def gradient_penalty(seed):
    """WGAN-GP: a critic with tanh and layer norm, flat at first."""
    critic = mlp(2, 1, layers.Tanh, width=48)
    critic.insert(1, layers.LayerNorm(48))
    gan = adversaries(
        mlp(2, 2, layers.ReLU, width=48), critic, seed,
        loss=mg.losses.Wasserstein(), penalties=[mg.penalties.GradientPenalty(0.3)],
    )  # fmt: skip
    gan.discriminator.layers[-1].params["weight"][...] = 0
    return gan


def late_start(seed):
    """No penalty. D is trained alone for 50 steps; G starts 85 away, so D is sure of its fakes."""
    gan = adversaries(mlp(2, 2, layers.ReLU), mlp(2, 1, layers.LeakyReLU), seed)
    gan.generator.layers[-1].params["bias"][...] = 60
    gan.discriminator_optimizer.lr = 1e-2
    for step in range(50):
        gan.discriminator_step(ring.sample(64, rng=step))
    gan.discriminator_optimizer.lr = 3e-3
    return gan


def images(seed):
    """Convolutions, upsampling, batch norm and a gradient penalty: digits of 14 x 14 pixels."""
    generator = [
        layers.Linear(8, 7 * 7 * 8), layers.Reshape((7, 7, 8)), layers.BatchNorm(8), layers.ReLU(),
        layers.Conv2d(8, 8, 3, padding=1), layers.BatchNorm(8), layers.ReLU(),
        layers.Upsample2d(2), layers.Conv2d(8, 1, 3, padding=1), layers.Tanh(),
    ]  # fmt: skip
    discriminator = [
        layers.Conv2d(1, 8, 4, stride=2, padding=1), layers.LeakyReLU(),
        layers.Conv2d(8, 8, 3, stride=2, padding=1), layers.LeakyReLU(),
        layers.Flatten(), layers.Linear(4 * 4 * 8, 1),
    ]  # fmt: skip
    penalty = mg.penalties.GradientPenalty(0.1)
    return adversaries(generator, discriminator, seed, rate=2e-3, penalties=[penalty])


# %% Train: the healthy code on three seeds, each bug on the first of them
def train(setting, seed):
    """The samples after training, or what stopped it."""
    if setting is images:
        data, options = digits[:-500], {"steps": 1 + args.steps * 3 // 8, "batch_size": 32}
    else:
        data, options = mg.data.gaussian_ring(std=0.05).sample(8000, rng=0), {"steps": args.steps}
        angle = np.arctan2(data[:, 1], data[:, 0])
        data = data[np.argsort(angle)]  # sorted, as files often are
    if setting is gradient_penalty:
        options = {"steps": 1 + args.steps // 2, "critic_steps": 3}
    schedule = mg.schedules.linear(start=0.5, final=0.05)
    try:
        gan = setting(seed)  # late_start already trains D
        mg.train(gan, data, schedule=schedule, progress=False, rng=seed, **options)
    except FloatingPointError as error:
        return str(error).split(";")[0]
    return gan.sample(500 if setting is images else 4000)


def score(samples):
    """(W, modes): the distance to held-out data, and the Gaussians with a fifth of their share."""
    if isinstance(samples, str):
        return np.inf, 0
    if samples.ndim > 2:
        flat = samples.reshape(len(samples), -1), digits[-500:].reshape(500, -1)
        return mg.metrics.sliced_wasserstein(*flat, p=1), None
    modes = mg.metrics.mode_coverage(samples, ring.modes, ring.std).covered
    return mg.metrics.sliced_wasserstein(samples, held_out, p=1), modes


def is_damaged(setting, bug):
    """Whether the samples are 1.5 times worse than those of the worst healthy seed."""
    (distance, modes), healthy = scores[setting, bug], [scores[setting, seed] for seed in seeds]
    if distance > 1.5 * max(w for w, _ in healthy):
        return True
    return modes is not None and 1.5 * modes < min(m for _, m in healthy)


settings = {
    the_game: (
        "generator_gradient_zero", "discriminator_bypassed", "cache_clobber", "stale_activations",
        "factor_of_two", "sum_for_mean", "first_minibatches", "closed_ring",
        "arguments_of_discriminator", "generator_detached", "penalty_not_added",
        "penalty_value_alone", "penalty_on_probability",
    ),
    layers_and_optimizer: (
        "slope_lost", "mask_from_output", "dropout_unscaled", "mask_in_place", "mean_twice",
        "adam_without_t",
    ),
    normalisation: (
        "frozen_batch_norm", "statistics_held", "variance_held", "dgamma_unscaled", "sigma_held",
        "positional_eps",
    ),
    gradient_penalty: (
        "wasserstein_sign", "root_at_zero", "not_mixed", "mixed_per_value", "curvature_missing",
        "second_std_held",
    ),
    images: (
        "upsample_strided", "weight_elementwise", "bias_overwritten", "batch_norm_per_pixel",
        "norm_per_pixel",
    ),
    late_start: ("log_epsilon", "softplus_overflow"),
}  # fmt: skip
seeds = range(args.seed, args.seed + 3)
runs = [(setting, run) for setting, bugs in settings.items() for run in (*seeds, *bugs)]
outcomes, scores = {}, {}
for setting, run in progress.each(runs, "training", "run"):
    broken = mg.bugs.REGISTRY[run]() if run in mg.bugs.REGISTRY else contextlib.nullcontext()
    with broken, np.errstate(all="ignore"):
        outcomes[setting, run] = train(setting, args.seed if run in mg.bugs.REGISTRY else run)
    scores[setting, run] = score(outcomes[setting, run])
damaged = {run for setting, run in runs if run in mg.bugs.REGISTRY and is_damaged(setting, run)}

# %% The picture: a row for each setting, the healthy run first
HARM, GOOD, HIDDEN = "#b02418", "#00838f", "#b9bec6"  # red and teal: told apart by all readers
WIDTHS = {HARM: 3.0, GOOD: 1.6, HIDDEN: 1.2}  # of the frames


def panel(axes, setting, run):
    """The samples of one run: points over the data's Gaussians, or a sheet of digits."""
    samples, (distance, modes) = outcomes[setting, run], scores[setting, run]
    healthy = np.median([scores[setting, seed][0] for seed in seeds])
    colour = GOOD if run == args.seed else HARM if run in damaged else HIDDEN
    ratio = distance / healthy
    caption = f"W {distance:.3f}" if run == args.seed else f"W {ratio:.{1 if ratio < 10 else 0}f}x"
    if isinstance(samples, str):
        plots.frame(axes, (-1, 1, -1, 1))
        step, _, reason = samples.rpartition(": ")
        words(axes, f"{textwrap.fill(reason, 22)}\nat {step or 'the start'}")
        caption = "stopped"
    elif setting is images:
        plots.image_grid(axes, samples[:25], columns=5)
    else:
        for mode in ring.modes:
            axes.add_patch(Circle(mode, 3 * ring.std, color=plots.REAL, alpha=0.25, linewidth=0))
        plots.points(axes, samples[:1500], size=2.5)
        plots.frame(axes, (-1.5, 1.5, -1.5, 1.5))
        if np.abs(samples).max(axis=1).min() > 1.7:
            away = np.linalg.norm(samples, axis=1).mean()
            words(axes, f"all samples far out,\nat a distance of {away:,.0f}")
        caption = f"{modes} of 8 modes" + (f", {caption}" if ratio < 100 else "")
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=WIDTHS[colour])
    title = "healthy" if run == args.seed else run.replace("_", " ")
    axes.set_title(title, fontsize=9, color="black" if colour == HIDDEN else colour)
    axes.set_xlabel(caption, fontsize=9)


def words(axes, text):
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=HARM,
        fontsize=9, bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )  # fmt: skip


cells = {
    setting: [(setting, run) for run in (args.seed, *settings[setting])] for setting in settings
}
rows = [
    cells[the_game][:7],
    cells[the_game][7:],
    cells[layers_and_optimizer],
    cells[normalisation],
    cells[gradient_penalty],
    [*cells[images], None],
    [*cells[late_start], None, None, None, None],
]
figure, grid = plots.figure(len(rows), 7, size=(2.0, 2.4))
figure.get_layout_engine().set(h_pad=0.06)
for axes, cell in zip(grid.flat, sum(rows, [])):
    if cell is None:
        axes.set_axis_off()
    else:
        panel(axes, *cell)
for axes, row in zip(grid[:, 0], rows):
    axes.set_ylabel(row[0][0].__name__.replace("_", " "), fontweight="bold", fontsize=11)
frames = {
    "healthy": GOOD,
    "damaged: 1.5 times worse than\nthe worst of 3 healthy seeds": HARM,
    "as good as healthy": HIDDEN,
}
handles = [
    plots.points(grid[-1, 4], np.full((1, 2), np.nan), size=30, alpha=1, label="samples"),
    Patch(color=plots.REAL, alpha=0.25, linewidth=0, label="the data: 8 Gaussians, 3 std"),
    *(
        Patch(fill=False, edgecolor=c, linewidth=WIDTHS[c], label=label)
        for label, c in frames.items()
    ),
    Line2D(
        [], [], linestyle="", label="W: sliced Wasserstein distance to\nthe data (x: healthy's)"
    ),
]
legend = grid[-1, 4].legend(handles=handles, loc="center left", fontsize=10, labelspacing=0.8)
legend.set_in_layout(False)  # it may reach over the next, empty, cells
hidden = len(mg.bugs.REGISTRY) - len(damaged)
figure.suptitle(
    f"{len(mg.bugs.REGISTRY)} bugs, each a line or two of minigan changed: "
    f"{hidden} of them leave samples as good as the healthy ones",
    fontsize=14,
    fontweight="bold",
)
figure.savefig(results.path("museum.png", "the effect of each bug on training, and healthy runs"))

# %% In numbers
caught = {bug: examination.caught(bug) for bug in examination.bugs if examination.caught(bug)}
general = examination.caught_by_general()
results.finish(
    {
        "bugs": len(examination.bugs),
        "caught": len(caught),
        "caught_by_the_general_checker": len(general),
        "caught_by": {bug: examination.caught(bug) for bug in examination.bugs},
        "missed_by_weak_checks": {name: examination.missed_by(name) for name in mg.bugs.WEAK},
        "false_alarms": [
            name for name, said in examination.complaints["(healthy code)"].items() if said
        ],
        "damaged": sorted(damaged),
        "scores": {f"{setting.__name__}: {run}": scores[setting, run] for setting, run in runs},
    },
    [
        f"Caught: {len(caught)} of {len(examination.bugs)} bugs: {len(general)} by the gradient "
        f"checker that is used for any network, {len(caught) - len(general)} by a test of their "
        "own. By weaker checks alone: "
        + ", ".join(
            f"{name} {len(examination.bugs) - len(examination.missed_by(name))}"
            for name in mg.bugs.WEAK
        )
        + ".",
        f"Visible in the samples: {len(damaged)}. With the other {hidden} they are not 1.5 times "
        "worse than those of the worst of three healthy seeds.",
        "In the picture: W is the sliced Wasserstein distance between samples and held-out data; "
        "with an x, as a multiple of the healthy run's. A mode counts if it has a fifth of its "
        "share of samples within three standard deviations.",
        "In the table: a column for each check; a mark where it finds the bug of that row.",
    ],
)
