"""Mode coverage on PacGAN's ring and grid: the recipe, the plain GAN, and the recipe's ablations.

All methods have the same networks, steps, batches and averaging; the final averaged generator is
scored, no checkpoint is chosen, no seed is left out. A run succeeds if every mode has at least 20%
of its share of 10,000 samples and HQ is at least 95% (a perfect sampler: 98.9%). It has the right
shape if, besides, HQ is at least 97.5%, every mode has at least 80% of its share, its standard
deviation along every axis is within 20% of the truth, and the sliced Wasserstein distance to real
samples is at most 1.5 times that between two sets of real samples. Both are means: over SETS real
sets, and over all pairs of them. With only four sets the result depends too much on which sets
they are (see the log).

How the recipe was found, and what was tried in vain: `docs/plane_log.rst`.
"""

import itertools
import json
import time
from dataclasses import replace
from functools import cache

import common
import numpy as np

import minigan as mg
from minigan import plots
from minigan._jobs import Failed, outcomes
from minigan.models.recipes import PLAIN, RECIPE, train

METHODS = {
    "recipe": RECIPE,
    "plain": PLAIN,
    "no-blur": replace(RECIPE, blurred=False),
    "no-penalty": replace(RECIPE, penalised=False),
    "no-coins": replace(RECIPE, signs=0),
    "no-fourier": replace(RECIPE, frequencies=0),
    "non-saturating": replace(RECIPE, loss=mg.losses.NonSaturating),
}
DATA = {"ring": mg.data.gaussian_ring(), "grid": mg.data.gaussian_grid()}
BAR = 0.95
SHAPE = {"hq": 0.975, "share": 0.8, "width": 0.2, "wasserstein": 1.5}
SAMPLES, SETS = 10_000, 20  # sets of real samples


def run(method, name, seed, steps):
    """One training, scored: a row of the table."""
    data, recipe = DATA[name], replace(METHODS[method], steps=steps)
    start = time.perf_counter()
    learned = train(data, recipe=recipe, rng=seed, progress=False)
    seconds = time.perf_counter() - start
    return {"seed": seed, "seconds": seconds, **scored(learned.sample(SAMPLES), data)}


def scored(samples, data):
    """How well the samples cover the modes, and whether each mode has the right shape."""
    score = mg.metrics.mode_coverage(samples, data.modes, data.std)
    row = {**score.scalars(), "wasserstein": times_real(samples, data)}
    row["success"] = bool(score.covered == score.modes and score.hq >= BAR)
    row["right_shape"] = bool(
        score.hq >= SHAPE["hq"]
        and score.worst_share >= SHAPE["share"]
        and 1 - SHAPE["width"] <= score.narrowest
        and score.widest <= 1 + SHAPE["width"]
        and row["wasserstein"] <= SHAPE["wasserstein"]
    )
    return row


def times_real(samples, data):
    """The samples' sliced Wasserstein distance to real ones, over that between real ones."""
    reals, between = real_sets(data, len(samples))
    distances = [mg.metrics.sliced_wasserstein(samples, real, rng=0) for real in reals]
    return float(np.mean(distances) / between)


@cache
def real_sets(data, size):
    """(SETS real sets of this size, the mean sliced Wasserstein distance between two of them)."""
    reals = [data.sample(size, np.random.default_rng(i)) for i in range(SETS)]
    pairs = itertools.combinations(reals, 2)
    return reals, np.mean([mg.metrics.sliced_wasserstein(x, y, rng=0) for x, y in pairs])


def in_words(row):
    """A row of the table, for people."""
    if "failed" in row:
        return f"seed {row['seed']:3}  {row['failed']}"
    return (
        f"seed {row['seed']:3}  captured {row['captured']:2}  covered {row['covered']:2} "
        f"of {row['modes']:2}  HQ {row['hq']:6.1%}  worst mode {row['worst_share']:4.0%}  "
        f"widths {row['narrowest']:.2f} to {row['widest']:.2f}  "
        f"Wasserstein {row['wasserstein']:.2f} x real  "
        f"reverse KL {row['reverse_kl']:.3f}  {row['seconds']:.0f} s"
    )


def summary(rows):
    """What a method did over its seeds, the worst of them in front."""
    done = [row for row in rows if "failed" not in row]
    return {
        "runs": len(rows),
        "successes": sum(row["success"] for row in rows),
        "worst_hq": min((row["hq"] for row in done), default=0.0),
        "mean_hq": float(np.mean([row["hq"] for row in done])) if done else 0.0,
        "least_covered": min((row["covered"] for row in done), default=0),
        "mean_covered": float(np.mean([row["covered"] for row in done])) if done else 0.0,
        "worst_share": min((row["worst_share"] for row in done), default=0.0),
        "right_shapes": sum(row["right_shape"] for row in done),
        "narrowest": min((row["narrowest"] for row in done), default=None),
        "widest": max((row["widest"] for row in done), default=None),
        "worst_wasserstein": max((row["wasserstein"] for row in done), default=None),
        "seconds": float(np.median([row["seconds"] for row in done])) if done else None,
    }


def picture(results, path):
    """HQ of each method, each run a dot, hollow where modes are missing; one panel per data set."""
    figure, axes = plots.figure(1, len(DATA), size=(4.6, 3.6), squeeze=False)
    for panel, (name, data) in zip(axes[0], DATA.items()):
        panel.axhspan(BAR, 1, color="#e8f1e4", zorder=0)
        for i, tables in enumerate(results.values()):
            rows = [row for row in tables.get(name, ()) if "failed" not in row]
            spread = np.linspace(-0.25, 0.25, len(rows)) if len(rows) > 1 else [0.0]
            hollow = [not (row["covered"] == row["modes"]) for row in rows]
            for kind, fill in ((False, plots.FAKE), (True, "white")):
                shown = [j for j, h in enumerate(hollow) if h is kind]
                panel.scatter(
                    [i + spread[j] for j in shown], [rows[j]["hq"] for j in shown],
                    s=26, c=fill, edgecolors=plots.FAKE, linewidths=1, zorder=2,
                )  # fmt: skip
        panel.set_xticks(range(len(results)), list(results), rotation=35, ha="right")
        panel.set(ylim=(0, 1.02), title=f"{name}, {len(data.modes)} modes")
    axes[0][0].set_ylabel("HQ: share of samples at a mode")
    figure.supxlabel(
        "one dot a seed; hollow: some mode has less than 20% of its share; green: the bar", size=9
    )
    figure.savefig(path)
    print(f"wrote {path}")


def write(folder, results, lines, facts, steps):
    """The table as text and as JSON, written after each run in case the next is interrupted."""
    totals = {m: {d: summary(rows) for d, rows in t.items()} for m, t in results.items()}
    text = [*lines, ""]
    for method, tables in totals.items():
        for name, total in tables.items():
            text.append(
                f"{method:15} {name:5} {total['successes']} of {total['runs']} runs succeed; "
                f"worst HQ {total['worst_hq']:.1%}, mean {total['mean_hq']:.1%}; modes covered: "
                f"least {total['least_covered']}, mean {total['mean_covered']:.1f}; "
                f"least share {total['worst_share']:.0%}"
            )
            if total["widest"] is not None:
                text.append(
                    f"{'':21} {total['right_shapes']} of {total['runs']} have the right shape; "
                    f"widths {total['narrowest']:.2f} to {total['widest']:.2f}; Wasserstein at "
                    f"most {total['worst_wasserstein']:.2f} x real"
                )
    (folder / "mode_coverage.txt").write_text("\n".join(text) + "\n")
    content = {"machine": facts, "steps": steps, "summary": totals, "runs": results}
    (folder / "mode_coverage.json").write_text(json.dumps(content, indent=2) + "\n")
    return text[len(lines) + 1 :]


def main():
    import mode_coverage  # this file, under the name by which other processes import it

    args = common.arguments(
        __doc__,
        "mode_coverage",
        seeds=("10-19", "seeds of the recipe and of the plain GAN, first-last"),
        ablation_seeds=("10-12", "seeds of the ablations"),
        methods=(",".join(METHODS), "which methods, by commas"),
        data=(",".join(DATA), "which data, by commas"),
        steps=(RECIPE.steps, "training steps of every run"),
        jobs=(1, "runs at a time"),
    )
    facts = common.machine()
    lines = [f"{common.in_words(facts)}; {args.steps} steps of {RECIPE.batch_size} samples"]
    print(lines[0])
    wanted = {"seeds": common.seeds("seeds", args.seeds)}
    wanted["ablation_seeds"] = common.seeds("ablation_seeds", args.ablation_seeds)
    data = common.listed("data", args.data, DATA)
    methods = common.listed("methods", args.methods, METHODS)
    tasks = [
        (method, name, seed, args.steps)
        for method in methods
        for seed in wanted["seeds" if method in ("recipe", "plain") else "ablation_seeds"]
        for name in data
    ]
    results = {method: {name: [] for name in data} for method in methods}
    for (method, name, seed, _), row in outcomes(
        mode_coverage.run, tasks, jobs=args.jobs, label="mode coverage"
    ):
        if isinstance(row, Failed):
            row = {"seed": seed, "success": False, "failed": row.reason}
        results[method][name] = sorted([*results[method][name], row], key=lambda r: r["seed"])
        lines.append(f"{method:15} {name:5} {in_words(row)}")
        print(lines[-1], flush=True)
        totals = write(args.out, results, lines, facts, args.steps)
    print("\n".join(["", *totals]))
    picture(results, args.out / "mode_coverage.png")


if __name__ == "__main__":
    main()
