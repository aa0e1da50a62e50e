"""Trainings made to fail on purpose, healthy ones, and what `minigan.diagnose` finds in each.

Each patient is a small GAN in the plane. Seven are made ill by one bad choice (two of them with the
same illness); the five healthy ones differ in loss, penalty and data. The diagnosis uses only the
vital signs that were measured during training.
"""

# %% The patients: which illness is provoked, and by which choice
import numpy as np
from helpers import common, progress
from matplotlib.colors import LinearSegmentedColormap

import minigan as mg
from minigan import plots
from minigan.observe.diagnosis import SIGNS

parser = common.parser(__doc__, steps=1500)
parser.add_argument("--seeds", type=common.whole(1), default=1, help="trainings of each patient")
args = common.parse(parser)
results = common.Results(args.out)
adam, sgd, layers, losses, penalties = (
    mg.optim.Adam, mg.optim.SGD, mg.layers, mg.losses, mg.penalties
)  # fmt: skip
FADING = mg.schedules.linear(start=0.3, final=0.01)
ring, moons = mg.data.gaussian_ring(std=0.05), mg.data.two_moons(std=0.08)
faraway = ring.sample(20_000, 0) + np.array([12, 0], np.float32)
R1_R2 = [penalties.R1(0.05), penalties.R2(0.05)]


def sigmoids(seed):
    """A generator of eight linear layers with sigmoids between them."""
    sizes = [2] + [32] * 7
    inside = [
        layer for a, b in zip(sizes, sizes[1:]) for layer in (layers.Linear(a, b), layers.Sigmoid())
    ]
    return mg.Sequential([*inside, layers.Linear(32, 2)], rng=seed)


# name: (illness or None, data, loss, {other choices})
PATIENTS = {
    "lr = 0.5": ("learning rate too high", ring, losses.NonSaturating(),
                 {"lr_d": 0.5, "lr_g": 0.5, "schedule": None}),
    "D's lr = 0.1": ("learning rate too high", ring, losses.NonSaturating(),
                     {"lr_d": 0.1, "schedule": None}),
    "minimax, data far away": ("generator starved", faraway, losses.Minimax(), {"lr_g": 1e-5}),
    "G stands still": ("discriminator saturated", faraway, losses.NonSaturating(), {"lr_g": 1e-6}),
    "critic without a bound": ("divergence", ring, losses.Wasserstein(),
                               {"optimizer": sgd, "lr_d": 1.0, "lr_g": 1.0, "schedule": None}),
    "eight sigmoids in G": ("gradients out of balance", ring, losses.NonSaturating(),
                            {"generator": sigmoids}),
    "G 100 times as fast as D": ("mode collapse", ring, losses.NonSaturating(),
                                 {"lr_d": 1e-4, "lr_g": 1e-2, "schedule": None}),
    "non-saturating, R1": (None, ring, losses.NonSaturating(), {"penalties": R1_R2[:1]}),
    "relativistic, R1 + R2": (None, ring, losses.Relativistic(), {"penalties": R1_R2}),
    "hinge": (None, moons, losses.Hinge(), {}),
    "least squares": (None, moons, losses.LeastSquares(), {}),
    "WGAN-GP": (None, moons, losses.Wasserstein(),
                {"penalties": [penalties.GradientPenalty(1.0)], "critic_steps": 3}),
}  # fmt: skip


def visit(
    data, loss, seed, *, optimizer=adam, lr_d=1e-3, lr_g=1e-3, schedule=FADING, penalties=(),
    generator=None, critic_steps=1,
):  # fmt: skip
    """(the diagnosis, samples) after training one patient."""
    make = generator or (lambda seed: mg.models.mlp_generator(2, (2,), hidden=(64, 64), rng=seed))
    gan = mg.GAN(
        make(seed),
        mg.models.mlp_discriminator((2,), hidden=(64, 64), rng=seed + 1),
        latent_dim=2,
        loss=loss,
        penalties=penalties,
        generator_optimizer=optimizer(lr=lr_g),
        discriminator_optimizer=optimizer(lr=lr_d),
        rng=seed,
    )
    vitals = mg.watch.Vitals(gan, data, rng=seed)
    try:
        mg.train(
            gan, data, steps=args.steps, batch_size=128, critic_steps=critic_steps,
            schedule=schedule, callback=vitals, progress=False, rng=seed,
        )  # fmt: skip
    except FloatingPointError as error:
        ended.append(error)
    return mg.diagnose(vitals), gan.sample(600)


# %% Train them all. Ctrl-C ends this; the patients that are complete are reported
found, samples, ended = {}, {}, []
rounds = [(name, args.seed + i) for name in PATIENTS for i in range(args.seeds)]
with common.interruptible() as interrupted:
    for name, seed in progress.each(rounds, "training", "patient"):
        _, data, loss, choices = PATIENTS[name]
        found[name, seed], samples[name, seed] = visit(data, loss, seed, **choices)
PATIENTS = {
    name: patient
    for name, patient in PATIENTS.items()
    if all((name, args.seed + i) in found for i in range(args.seeds))
}
if not PATIENTS:
    raise KeyboardInterrupt
for error in ended:
    print(common.wrapped(f"training ended: {error}"))

# %% Each training of the first seed in full, then one line for each patient
for name, (illness, *_) in PATIENTS.items():
    print(f"\n== {name}: {illness or 'healthy'} ==\n{found[name, args.seed]}")
right = {
    name: [
        illness in diagnosis.names if illness else diagnosis.healthy
        for (patient, _), diagnosis in found.items()
        if patient == name
    ]
    for name, (illness, *_) in PATIENTS.items()
}
first = {
    name: sum(found[name, args.seed + i].names[:1] == [illness] for i in range(args.seeds))
    for name, (illness, *_) in PATIENTS.items()
    if illness
}
print(f"\n{'patient':27}{'provoked':26}{'right':8}found")
for name, (illness, *_) in PATIENTS.items():
    words = {", ".join(d.names) or "clean bill" for (p, _), d in found.items() if p == name}
    score = f"{sum(right[name])}/{args.seeds}"
    print(f"{name:27}{illness or 'nothing':26}{score:8}{'; '.join(sorted(words))}")

# %% What the patients look like: samples over the data
figure, axes = plots.figure(3, 4, size=(2.75, 2.95))
for panel in axes.flat[len(PATIENTS) :]:
    panel.set_axis_off()
for panel, (name, (illness, data, *_)) in zip(axes.flat, PATIENTS.items()):
    real = data.sample(600, 0) if hasattr(data, "sample") else data[:600]
    shown = samples[name, args.seed]
    shown = shown[np.isfinite(shown).all(axis=1)]
    plots.points(panel, real, colour=plots.REAL, size=4, label="data")
    plots.points(panel, shown, size=4, label="samples")
    if not len(shown):
        panel.text(
            0.5, 0.5, "the samples\nhave overflowed", transform=panel.transAxes,
            ha="center", va="center", color=plots.FAKE,
        )  # fmt: skip
    panel.set(title=name, xticks=[], yticks=[], aspect="equal", adjustable="datalim")
    panel.set_xlabel(illness or "healthy", color="#b3261e" if illness else "#2c7a4b")
figure.legend(
    *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, markerscale=3
)
figure.savefig(results.path("patients.png", "the samples of each patient, and what was provoked"))


# %% The vital signs of the patients, as multiples of the thresholds that mark an illness
def in_few_letters(value):
    return f"{value:,.0f}" if 100 <= value < 1e6 else f"{value:.2g}"


excess = np.array([
    [
        np.clip((-1 if r.sign.low else 1) * np.log10(max(r.value, 1e-9) / r.sign.threshold), -2, 2)
        for r in found[name, args.seed].readings
    ]
    for name in PATIENTS
])  # fmt: skip
SHADES = LinearSegmentedColormap.from_list(
    "signs", ["#b9d3ea", "#dce9f4", "white", "#f2a08c", "#b3261e"]
)
figure, panel = plots.figure(size=(10.4, 5.0))
shade = panel.imshow(excess, cmap=SHADES, vmin=-2, vmax=2, aspect="auto")
for row, name in enumerate(PATIENTS):
    for column, reading in enumerate(found[name, args.seed].readings):
        panel.text(
            column, row, in_few_letters(reading.value), ha="center", va="center", fontsize=8.5,
            weight="bold" if reading.ill else "normal",
            color="white" if excess[row, column] > 1.4 else "black",
        )  # fmt: skip
short = {"discriminator": "D's", "generator": "G's", "players_ratio": "D : G,\ngradient"}
labels = []
for sign in SIGNS:
    label = sign.column
    for long, brief in short.items():
        label = label.replace(long, brief)
    bound = f"{'≥' if sign.low else '≤'} {sign.threshold:g}"
    labels.append(label.replace("_", "\n", 1).replace("_", " ") + f"\n{bound}")
panel.set_xticks(range(len(SIGNS)), labels, fontsize=8.5)
panel.set_yticks(range(len(PATIENTS)), PATIENTS, fontsize=9)
panel.tick_params(length=0)
panel.xaxis.tick_top()
for spine in panel.spines.values():
    spine.set_visible(False)
bar = figure.colorbar(shade, ax=panel, ticks=[-2, 0, 2], shrink=0.6)
bar.ax.set_yticklabels(["well clear", "threshold", "far beyond"])
bar.outline.set_visible(False)
figure.savefig(results.path("signs.png", "the vital signs of the patients, and their thresholds"))

# %% In numbers
ill = [ok for name, oks in right.items() if PATIENTS[name][0] for ok in oks]
well = [ok for name, oks in right.items() if not PATIENTS[name][0] for ok in oks]
results.finish(
    {
        "right": {name: sum(oks) for name, oks in right.items()},
        "named_first": first,
        "seeds": args.seeds,
        "visits": {f"{name}, seed {seed}": d.scalars() for (name, seed), d in found.items()},
    },
    [
        f"Provoked illnesses named: {sum(ill)} of {len(ill)}, {sum(first.values())} of them first. "
        f"Clean bills for healthy trainings: {sum(well)} of {len(well)}.",
        "One illness often causes another: treat the first one named first.",
        f"Interrupted: only {len(PATIENTS)} patients." if interrupted else "",
    ],
)
