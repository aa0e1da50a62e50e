"""Contenders take turns, each in a process of its own.

Two libraries in one process disturb each other: the threads of one go on spinning for a while after
a call, on the cores that the other needs. So each contender has a process, and one at a time is
asked to work. Turns are short and many, so that a noisy neighbour disturbs all alike. The first
quarter of a turn is not counted: threads that have slept wake up, caches fill, and what compiles at
its first call has done so.
"""

import multiprocessing
import os
import statistics
import time

PAUSE = 0.03  # seconds between turns: spinning threads go to sleep
STRETCH = 0.01  # seconds of work, at least, between two looks at the clock


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
    for seconds in iter(pipe.recv, None):
        pipe.send(_turn(run, seconds))


def _turn(run, seconds):
    """Seconds per run: the median over stretches of several, within about so many seconds."""
    begin, count, taken = time.perf_counter(), 1, 0.0
    while time.perf_counter() < begin + seconds / 4:
        count *= 2 if taken < STRETCH else 1
        taken = _seconds(run, count)
    times = []
    while not times or time.perf_counter() < begin + seconds:
        times.append(_seconds(run, count) / count)
    return statistics.median(times)


def _seconds(run, count):
    begin = time.perf_counter()
    run(count)
    return time.perf_counter() - begin


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

    def turn(self, seconds):
        """Seconds per run, over about so many seconds."""
        time.sleep(PAUSE)
        self._pipe.send(seconds)
        return self._pipe.recv()

    def stop(self):
        self._pipe.send(None)
        self._process.join()


def measure(contenders, seconds, rounds):
    """{name: [seconds per run, one for each round]}, in about `seconds` for each contender."""
    for contender in contenders.values():  # a first turn, in which things compile
        contender.turn(seconds / rounds)
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            times[name].append(contender.turn(seconds / rounds))
    return times
