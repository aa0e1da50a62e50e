"""Times several libraries in turns, each in a process of its own.

Two libraries in one process affect each other: the threads of one wait actively for a while after a
call, on the cores that the other needs. So each has its own process, and only one at a time works.
Turns are short and many, so that other programs on the machine affect all alike. The first quarter
of a turn is not counted: sleeping threads wake up, caches fill, functions are compiled.
"""

import contextlib
import multiprocessing
import os
import statistics
import sys
import time
from unittest import mock

from tqdm import tqdm

PAUSE = 0.1  # seconds between turns, in which waiting threads go to sleep: OpenBLAS spins for 0.03
THREADS = "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"
STRETCH = 0.01  # seconds of work, at least, between two readings of the clock


def _serve(pipe, prepare, arguments):
    """A contender's process. prepare(*arguments) -> (what to report, run(count, *choice))."""
    try:
        report, run = prepare(*arguments)
    except ImportError as error:
        pipe.send(("absent", str(error)))
        return
    except Exception as error:
        pipe.send(("failed", f"{type(error).__name__}: {error}"))
        return
    pipe.send(("ready", report))
    for seconds, choice in iter(pipe.recv, None):
        pipe.send(_turn(lambda count: run(count, *choice), seconds))


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

    Its libraries choose their kernels themselves: OPENBLAS_CORETYPE, which would choose for NumPy,
    is left out of its environment.

    .report is what `prepare` reports; .absent is the reason if its library cannot be imported.
    Raises SystemExit if `prepare` fails otherwise.

    The process imports the module of `prepare` and no other: the script that was started is left
    out (unless `prepare` is in it), since it may import other libraries.
    """

    def __init__(self, threads, prepare, *arguments):
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(there, prepare, arguments), daemon=True
        )
        threads = mock.patch.dict(os.environ, dict.fromkeys(THREADS, str(threads)))
        with threads, contextlib.ExitStack() as hidden:
            os.environ.pop("OPENBLAS_CORETYPE", None)  # until the block ends
            if prepare.__module__ != "__main__":
                script = sys.modules["__main__"]
                hidden.enter_context(mock.patch.object(script, "__spec__", None))
                if hasattr(script, "__file__"):
                    hidden.enter_context(mock.patch.object(script, "__file__"))
                    del script.__file__
            self._process.start()
        there.close()
        state, answer = self._answer()
        if state == "failed":
            raise SystemExit(f"{' '.join(map(str, arguments))}: {answer}")
        self.report, self.absent = (answer, None) if state == "ready" else (None, answer)

    def turn(self, seconds, *choice):
        """Seconds per run(count, *choice), over about so many seconds."""
        time.sleep(PAUSE)
        self._pipe.send((seconds, choice))
        return self._answer()

    def _answer(self):
        try:
            return self._pipe.recv()
        except EOFError:
            self._process.join()
            raise SystemExit(f"a process ended with exit code {self._process.exitcode}") from None

    def stop(self):
        self._pipe.send(None)
        self._process.join()


def measure(contenders, seconds, rounds, *choice):
    """{name: [seconds per run(count, *choice), one for each round]}, in `seconds` for each name."""
    turns = (rounds + 1) * len(contenders)
    times = {name: [] for name in contenders}
    with tqdm(total=turns, unit="turn", disable=None, leave=False, dynamic_ncols=True) as bar:
        for turn in range(rounds + 1):
            for name, contender in contenders.items():
                taken = contender.turn(seconds / rounds, *choice)
                if turn:  # in the first one, functions are compiled
                    times[name].append(taken)
                bar.update()
    return times
