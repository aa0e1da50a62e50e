"""Times complete GAN training steps of minigan and of other frameworks, in one run.

The same shapes, first parameters, non-saturating loss, Adam(2e-4, .5, .999) and number of threads.
Each contender has a process of its own; they take turns of several steps, so that other programs on
the machine affect them alike. Before the timing, each takes three steps with the same data and
noise, and the losses must be equal: the work that is timed is the same.

A step is: generate; D's loss for real and fake, and its update; D's output for the fakes again, and
G's update. The contenders are in `contenders.py`; those that are not installed are named.

"of peak" is the share of the machine's multiply-add peak that the matrix products of a step alone
would need, with a convolution's as its formula has them. minigan does some convolutions with half
as many multiplications (`minigan/fast/kernels/winograd.py`), so the machine does less than that
share says. Beside it stand two bounds: the time of these products at the peak, and that of reading
and writing all parameters, gradients and moments from memory (a large cache may hold some).
"""

import common
import numpy as np
from contenders import CONTENDERS
from peak import memory_bandwidth, multiply_add_peak
from steps import STEPS
from turns import Contender, measure

from minigan import plots

REPORTED = 3  # steps whose losses are compared
TOLERANCE = 2e-3  # float32, three steps of Adam apart


def prepare(name, step, threads):
    """In the contender's own process: (losses of the first steps, run)."""
    player = CONTENDERS[name](step, threads)
    return player.losses(step.examples(REPORTED)), player.run


def start(step, threads, names):
    """{name: Contender} of those that are installed, after their losses were compared."""
    started = {name: Contender(threads, prepare, name, step, threads) for name in names}
    for name in [name for name, contender in started.items() if contender.absent]:
        print(f"  {name}: not installed ({started.pop(name).absent})")
    reference = np.array(started["minigan"].report)
    for name, contender in started.items():
        seen = np.array(contender.report)
        if not np.allclose(seen, reference, rtol=TOLERANCE, atol=TOLERANCE):
            raise SystemExit(f"{step.name}: {name} gives other losses: {seen} vs {reference}")
    print(f"  losses of the first {REPORTED} steps agree: {np.round(reference, 4).tolist()}")
    return started


def main():
    args = common.arguments(
        __doc__,
        "train_step",
        threads=(2, "threads of each contender"),
        seconds=(6.0, "time for each contender on each step"),
        rounds=(15, "turns that the time is cut into"),
        only=("", "names of steps and contenders to run, by commas; all if empty"),
    )
    facts = common.machine()
    print(f"{common.in_words(facts)}; {args.threads} threads each")
    peak, memory = 1e9 * multiply_add_peak(threads=args.threads), memory_bandwidth()
    print(f"peak: {peak / 1e9:.0f} GFLOP/s; memory: {memory / 1e9:.1f} GB/s\n")
    wanted = set(common.listed("only", args.only, [*CONTENDERS, *(s.name for s in STEPS)]))
    names = [n for n in CONTENDERS if not wanted & set(CONTENDERS) or n in wanted | {"minigan"}]
    steps = [s for s in STEPS if not wanted & {s.name for s in STEPS} or s.name in wanted]
    results = {}
    for step in steps:
        print(f"{step.name}: {step.description}")
        contenders = start(step, args.threads, names)
        times = measure(contenders, args.seconds, args.rounds)
        for contender in contenders.values():
            contender.stop()
        ours = np.array(times["minigan"])
        arithmetic, traffic = 1e3 * step.flops() / peak, 1e3 * step.bytes() / memory
        print(f"  at least {arithmetic:.2f} ms of arithmetic, {traffic:.2f} ms of memory traffic")
        results[step.name] = {}
        for name, taken in times.items():
            median, low, high = (1e3 * value for value in common.spread(taken))
            ratio = float(np.median(np.array(taken) / ours))  # turn by turn: noise cancels
            share = arithmetic / median
            results[step.name][name] = {
                "ms": median, "low": low, "high": high, "ratio": ratio, "share": share,
            }  # fmt: skip
            print(
                f"  {name:24} {median:8.3f} ms  [{low:.3f}, {high:.3f}]  {ratio:6.2f} x minigan"
                f"  {share:5.0%} of peak"
            )
    common.write_json(
        args.out / "train_step.json",
        {
            "machine": facts,
            "threads": args.threads,
            "peak_gflops": peak / 1e9,
            "memory_gb_per_s": memory / 1e9,
            "steps": results,
        },  # fmt: skip
    )
    picture(results, args.out / "train_step.png", facts)


def picture(results, path, facts):
    """Bars: the time of a step of each contender, in units of minigan's."""
    figure, panels = plots.figure(1, len(results), size=(2.9, 3.0), squeeze=False)
    for axes, (step, contenders) in zip(panels[0], results.items()):
        names = list(contenders)[::-1]
        ratios = [contenders[name]["ratio"] for name in names]
        colours = [plots.FAKE if name == "minigan" else "#b9bfc8" for name in names]
        axes.barh(names, ratios, color=colours)
        for place, name in enumerate(names):
            text = f" {contenders[name]['ms']:.2f} ms"
            axes.text(ratios[place], place, text, va="center", fontsize=8)
        axes.set(title=step, xlabel="time, in units of minigan's", xlim=(0, 1.45 * max(ratios)))
        if axes is not panels[0][0]:
            axes.set_yticklabels([])
    figure.suptitle(f"one training step, {facts['cores']} cores, {facts['cpu']}", fontsize=9)
    figure.savefig(path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
