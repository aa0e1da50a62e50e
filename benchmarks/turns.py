"""Contenders take turns, each in a process of its own.

Two libraries in one process disturb each other: the threads of one go on spinning for a while after
a call, on the cores that the other needs. So each contender has a process, and one at a time is
asked to work. Turns are short and many, so that a noisy neighbour disturbs all alike.
"""

import multiprocessing
import os
import time

PAUSE = 0.03  # seconds between turns: spinning threads go to sleep


def _serve(pipe, threads, prepare, arguments):
    """A contender's process. prepare(*arguments) -> (what to report, run(count))."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    try:
        report, run = prepare(*arguments)
    except ImportError as error:
        pipe.send(("absent", str(error)))
        return
    pipe.send(("ready", report))
    for count in iter(pipe.recv, None):
        run(max(1, count // 10))  # wakes the threads up
        begin = time.perf_counter()
        run(count)
        pipe.send((time.perf_counter() - begin) / count)


class Contender:
    """A process that runs prepare(*arguments)'s `run` when it is its turn.

    .report is what `prepare` had to report, and .absent why there is nothing, if there is not.
    """

    def __init__(self, threads, prepare, *arguments):
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(there, threads, prepare, arguments), daemon=True
        )
        self._process.start()
        there.close()
        state, answer = self._pipe.recv()
        self.report, self.absent = (answer, None) if state == "ready" else (None, answer)

    def turn(self, count):
        """Seconds per run, over `count` runs in a row."""
        time.sleep(PAUSE)
        self._pipe.send(count)
        return self._pipe.recv()

    def stop(self):
        self._pipe.send(None)
        self._process.join()


def measure(contenders, seconds, rounds):
    """{name: [seconds per run, one for each round]}, in about `seconds` for each contender."""
    counts = {}
    for name, contender in contenders.items():  # a first turn says how many runs fill a slice
        taken = contender.turn(5)
        counts[name] = max(3, round(seconds / rounds / taken))
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            times[name].append(contender.turn(counts[name]))
    return times
