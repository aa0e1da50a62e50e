"""The time of a training step alone, and beside other busy processes, for several ways of waiting.

Numba's threads wait for each other at the end of each parallel loop. A thread that spins is quick
to go on, but takes a core from whatever else is running. GOMP_SPINCOUNT says how often a waiting
thread tries before it sleeps, OMP_WAIT_POLICY=passive lets it sleep at once. Both are read when
OpenMP is loaded, so each setting has a process of its own; the settings are timed in turns.
"""

import contextlib
import multiprocessing
import os
from unittest import mock

import common
import numpy as np
from steps import STEPS
from tqdm import tqdm
from turns import Contender

SETTINGS = {
    "as minigan chooses": {},
    **{f"GOMP_SPINCOUNT={n}": {"GOMP_SPINCOUNT": str(n)} for n in (0, 1000, 20_000, 300_000)},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "one thread": {},
}
BUSY = 0, 1, 2


def prepare(step, threads):
    """In the process that is timed: (nothing to report, run)."""
    from minigan_contenders import Minigan

    return None, Minigan(step, threads).run


def spin():
    """A process that computes without end."""
    while True:
        pass


@contextlib.contextmanager
def busy(count):
    """`count` busy processes, within a `with` block."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=spin, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def start(setting, step, threads):
    """The process of one setting; what the caller's environment says about waiting is left out."""
    left = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    threads = 1 if setting == "one thread" else threads
    with mock.patch.dict(os.environ, left | SETTINGS[setting], clear=True):
        return Contender(threads, prepare, step, threads)


def main():
    args = common.arguments(
        __doc__,
        "busy",
        threads=(2, "threads of each process that is timed"),
        seconds=(0.5, "time for each turn"),
        rounds=(7, "turns of each setting"),
        steps=(",".join(step.name for step in STEPS), "which training steps, by commas"),
        settings=(",".join(SETTINGS), "which ways of waiting, by commas"),
    )
    names = common.listed("steps", args.steps, [step.name for step in STEPS])
    settings = common.listed("settings", args.settings, SETTINGS)
    facts = common.machine()
    print(f"{common.in_words(facts)}; {args.threads} threads\n")
    results = {}
    for step in (step for step in STEPS if step.name in names):
        processes = {setting: start(setting, step, args.threads) for setting in settings}
        for process in processes.values():
            process.turn(args.seconds)  # in this one, functions are compiled
        times = {(setting, count): [] for setting in settings for count in BUSY}
        for _ in tqdm(range(args.rounds), unit="round", disable=None, leave=False):
            for count in BUSY:
                with busy(count):
                    for setting, process in processes.items():
                        times[setting, count].append(1e3 * process.turn(args.seconds))
        for process in processes.values():
            process.stop()
        print(f"{step.name}: {step.description}; medians in ms")
        print(f"  {'':26}" + "".join(f"{f'beside {count}':>11}" for count in BUSY))
        results[step.name] = {}
        for setting in settings:
            medians = [float(np.median(times[setting, count])) for count in BUSY]
            results[step.name][setting] = dict(zip(BUSY, medians))
            print(f"  {setting:26}" + "".join(f"{median:11.2f}" for median in medians))
    common.write_json(
        args.out / "busy.json", {"machine": facts, "threads": args.threads, "ms": results}
    )


if __name__ == "__main__":
    main()
