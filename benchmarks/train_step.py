"""Complete GAN training steps, side by side with the frameworks, in one run.

The same shapes, the same first parameters, the same non-saturating loss, the same Adam(2e-4, .5,
.999), the same number of threads. Each contender lives in a process of its own; they take turns,
a slice of steps each, so that a noisy neighbour disturbs them alike. Before any timing, all of them
are given the same real data and the same noise for three steps, and must report the same losses:
what is timed is the same work.

A step is: generate, judge real and fake, update D, judge the fakes anew, update G. The contenders
are in `contenders.py`; those that are not installed are left out and named.
"""

import multiprocessing
import os
import time

import common
import numpy as np
from contenders import CONTENDERS
from steps import STEPS

from minigan import plots

REPORTED = 3  # steps whose losses are compared
TOLERANCE = 2e-3  # float32, three steps of Adam apart


def work(pipe, contender, step, threads):
    """A contender's process: builds its GAN, then does what the pipe says."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    try:
        player = CONTENDERS[contender](step, threads)
    except ImportError as error:
        pipe.send(("absent", str(error)))
        return
    pipe.send(("ready", player.losses(step.examples(REPORTED))))
    player.run(20)
    for count in iter(pipe.recv, None):
        begin = time.perf_counter()
        player.run(count)
        pipe.send((time.perf_counter() - begin) / count)


def start(step, threads, names):
    """{contender: (process, pipe)} of those that are installed, after their losses were compared."""
    context = multiprocessing.get_context("spawn")
    running, losses = {}, {}
    for name in names:
        here, there = context.Pipe()
        process = context.Process(target=work, args=(there, name, step, threads), daemon=True)
        process.start()
        there.close()
        state, answer = here.recv()
        if state == "absent":
            print(f"  {name}: not installed ({answer})")
            continue
        running[name], losses[name] = (process, here), np.array(answer)
    reference = losses["minigan"]
    for name, seen in losses.items():
        if not np.allclose(seen, reference, rtol=TOLERANCE, atol=TOLERANCE):
            raise SystemExit(f"{step.name}: {name} does other work: losses {seen} vs {reference}")
    print(f"  losses of the first {REPORTED} steps agree: {np.round(reference, 4).tolist()}")
    return running


def measure(step, threads, seconds, rounds, names):
    """{contender: [seconds per step, one for each round]}."""
    running = start(step, threads, names)
    times = {name: [] for name in running}
    counts = {}
    for turn in range(rounds + 1):
        for name, (_, pipe) in running.items():
            pipe.send(counts.get(name, 20))
            taken = pipe.recv()
            if turn == 0:  # the first turn says how many steps fill a slice
                counts[name] = max(5, round(seconds / rounds / taken))
            else:
                times[name].append(taken)
    for process, pipe in running.values():
        pipe.send(None)
        process.join()
    return times


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
    print(f"{common.in_words(facts)}; {args.threads} threads each\n")
    wanted = {word for word in args.only.split(",") if word}
    names = [n for n in CONTENDERS if not wanted & set(CONTENDERS) or n in wanted | {"minigan"}]
    steps = [s for s in STEPS if not wanted & {s.name for s in STEPS} or s.name in wanted]
    results = {}
    for step in steps:
        print(f"{step.name}: {step.description}")
        times = measure(step, args.threads, args.seconds, args.rounds, names)
        ours = np.array(times["minigan"])
        results[step.name] = {}
        for name, taken in times.items():
            median, low, high = (1e3 * value for value in common.spread(taken))
            ratio = float(np.median(np.array(taken) / ours))  # turn by turn: noise cancels
            results[step.name][name] = {"ms": median, "low": low, "high": high, "ratio": ratio}
            print(f"  {name:24} {median:8.3f} ms  [{low:.3f}, {high:.3f}]  {ratio:6.2f} x minigan")
    common.write_json(
        args.out / "train_step.json", {"machine": facts, "threads": args.threads, "steps": results}
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
