"""The same function for many seeds, several at a time, each in a process of its own.

    for (name, seed), outcome in outcomes(run, [("ring", 0), ("ring", 1)], jobs=2, label="runs"):
        ...                                   # what run("ring", 0) returned, or a Failed

Outcomes come as they are ready, with one progress bar; a caller that keeps them by task has the
same numbers for any number of jobs. A run that raises an error, or whose process is killed, gives a
Failed with the reason, and the others go on.
"""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple
from unittest import mock

from ._progress import Bar

THREADS = "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"
Task = tuple[Any, ...]


class Failed(NamedTuple):
    """Why a run has no outcome, in one line."""

    reason: str


def outcomes(
    function: Callable[..., Any], tasks: Iterable[Task], *, jobs: int, label: str
) -> Iterator[tuple[Task, Any]]:
    """Yields (task, function(*task)) of every task, or (task, Failed).

    jobs : how many run at a time, on an equal share of the cores each. With more than one, the
        function and its results have to be picklable, and its module is imported by each process,
        but not the script that was started
    """
    tasks = list(tasks)
    one_by_one = ((task, _attempt(function, task)) for task in tasks)
    with Bar(len(tasks), desc=f"{label}: ", unit="run") as bar:
        for pair in one_by_one if jobs == 1 else _apart(function, tasks, jobs):
            bar.update()
            yield pair


def _attempt(function, task):
    try:
        return function(*task)
    except Exception as error:
        return Failed(" ".join(f"{type(error).__name__}: {error}".split()))


def _apart(function, tasks, jobs):
    """A thread waits for each process, so that a process that dies ends one run alone."""
    with _as_children_see_it(jobs), ThreadPoolExecutor(jobs) as waiting:
        futures = {waiting.submit(_in_a_process, function, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            waiting.shutdown(cancel_futures=True)


def _in_a_process(function, task):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        try:
            return process.submit(_attempt, function, task).result()
        except BrokenProcessPool:
            return Failed("its process died: it was killed, or memory ran out")
        except KeyboardInterrupt:  # a Ctrl-C goes to every process
            return Failed("interrupted")


def threads_of_each(processes: int) -> dict[str, str]:
    """The variables of the environment that give each of some processes its share of the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return dict.fromkeys(THREADS, str(max(1, (cores or 1) // processes)))


@contextlib.contextmanager
def _as_children_see_it(jobs):
    """New processes get their share of the cores, and do not run the script that was started."""
    script = sys.modules["__main__"]
    with contextlib.ExitStack() as changed:
        changed.enter_context(mock.patch.dict(os.environ, threads_of_each(jobs)))
        changed.enter_context(mock.patch.object(script, "__spec__", None))
        if hasattr(script, "__file__"):
            changed.enter_context(mock.patch.object(script, "__file__"))
            del script.__file__
        yield
