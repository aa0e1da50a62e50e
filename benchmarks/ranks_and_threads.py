"""The time of a step on 1 and 2 threads of one process, and shared by 1 and 2 ranks of MPI.

    python benchmarks/ranks_and_threads.py --only ring,mnist-256,dcgan-32

Each way has processes of its own, started again in every round, so that what else the machine does
in the meantime affects all of them. A rank has one thread. The minibatch is that of all ranks
together. Printed is the median over the rounds of each process's median step, the least and the
greatest.
"""

import os
import subprocess
import sys
import time

import common
import numpy as np

import minigan as mg
from minigan._jobs import THREADS

WAYS = {"1 thread": (0, 1), "2 threads": (0, 2), "1 rank": (1, 1), "2 ranks": (2, 1)}
CHILD = "--time"  # the first argument of the processes that are timed
WARM, FEWEST = 10, 5  # steps that are not timed; steps that are, at least


def time_steps(name, seconds, shared):
    """Prints the median milliseconds of a step, once."""
    from minigan_contenders import Minigan
    from steps import STEPS

    player = Minigan(next(step for step in STEPS if step.name == name), None)
    gan, times = player.gan, []
    if shared:
        gan = mg.parallel.across_ranks(gan)
    for _ in range(WARM):
        gan.train_step(player.real)
    ranks = gan.ranks if shared else None
    end = time.perf_counter() + seconds
    while True:
        go_on = time.perf_counter() < end or len(times) < FEWEST
        if shared:
            go_on = ranks.bcast(go_on)  # all ranks stop at the same step
        if not go_on:
            break
        begin = time.perf_counter()
        gan.train_step(player.real)
        times.append(time.perf_counter() - begin)
    if not shared or ranks.rank == 0:
        print(1e3 * np.median(times))


def started(name, seconds, ranks, threads):
    """The milliseconds that a fresh process, or a fresh group of ranks, prints."""
    command = [__file__, CHILD, name, str(seconds), "shared" if ranks else ""]
    if ranks:
        command = ["-m", "minigan.parallel", "-n", str(ranks), *command]
    environment = os.environ | dict.fromkeys(THREADS, str(threads))
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip()}")
    return float(done.stdout)


def main():
    args = common.arguments(
        __doc__,
        "ranks_and_threads",
        only=("ring,mnist-256,dcgan-32", "names of steps, by commas"),
        seconds=(1.0, "time for each process"),
        rounds=(5, "processes of each kind"),
    )
    facts = common.machine()
    print(common.in_words(facts), "\n")
    print(f"{'ms, median (range)':22}" + "".join(f"{way:>22}" for way in WAYS))
    results = {}
    for name in args.only.split(","):
        found = {way: [] for way in WAYS}
        for _ in range(args.rounds):
            for way, (ranks, threads) in WAYS.items():
                found[way].append(started(name, args.seconds, ranks, threads))
        results[name] = found
        cells = (
            f"{np.median(times):.1f} ({min(times):.1f} to {max(times):.1f})"
            for times in found.values()
        )
        print(f"{name:22}" + "".join(f"{cell:>22}" for cell in cells), flush=True)
    common.write_json(args.out / "ranks_and_threads.json", {"machine": facts, "ms": results})


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        time_steps(sys.argv[2], float(sys.argv[3]), bool(sys.argv[4]))
    else:
        main()
