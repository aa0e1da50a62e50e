"""Trainings made to fail on purpose, healthy ones, and what `minigan.diagnose` finds in each.

Each patient is a small GAN in the plane. Seven are made ill by one bad choice (two of them with the
same illness); the five healthy ones differ in loss, penalty and data. The diagnosis uses only the
vital signs that were measured during training.
"""

# %% The patients: see `helpers/patients.py`
import numpy as np
from helpers import common
from helpers.patients import PATIENTS, visit
from matplotlib.colors import LinearSegmentedColormap

from minigan import plots
from minigan._jobs import Failed, outcomes
from minigan.observe.diagnosis import SIGNS

parser = common.parser(__doc__, steps=1500)
parser.add_argument("--seeds", type=common.whole(1), default=1, help="trainings of each patient")
parser.add_argument("--jobs", type=common.whole(1), default=1, help="trainings at a time")
args = common.parse(parser)
results = common.Results(args.out)
# %% Train them all. Ctrl-C ends this; the patients that are complete are reported
rounds = [(name, args.seed + i) for name in PATIENTS for i in range(args.seeds)]
tasks = [(*each, args.steps, args.backend) for each in rounds]
visits = {}
with common.interruptible() as interrupted:
    for (name, seed, *_), outcome in outcomes(visit, tasks, jobs=args.jobs, label="training"):
        if isinstance(outcome, Failed):
            print(common.wrapped(f"{name}, seed {seed}: {outcome.reason}"))
        else:
            visits[name, seed] = outcome
found = {each: visits[each][0] for each in rounds if each in visits}
samples = {each: visits[each][1] for each in found}
ended = [visits[each][2] for each in found if visits[each][2]]
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
            weight="bold" if reading.is_symptom else "normal",
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
    ],
    f"after {len(PATIENTS)} patients" if interrupted else "",
)
