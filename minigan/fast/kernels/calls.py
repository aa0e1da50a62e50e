"""MINIGAN_DEBUG=1: every compiled call with its shapes and time, and where a step's time goes.

    linear_forward                       0.062 ms   134.3 GFLOP/s  256x128 128x128 128 -> 256x128

GFLOP/s is the number of multiplications and additions in the matrix products of a call, divided by
its time. (Some convolutions do fewer than their formula has: see `winograd`.) A call without
products shows GB/s, the bytes of its arrays divided by its time. When the next step begins (see
`buffers`), a summary of the last one follows. All of this goes to standard error.

The variable is read once, at import. Without it, nothing is wrapped and nothing is measured.
"""

import functools
import os
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

ON = os.environ.get("MINIGAN_DEBUG", "0") not in ("", "0")


class _Log(threading.local):
    """What this thread has measured since its step began."""

    def __init__(self) -> None:
        self.inside = False  # whether a call is running: calls within it are part of it
        self.flops = 0  # of the running call
        self.began = time.perf_counter()
        self.calls: dict[str, list[float]] = {}  # name -> [number, seconds, flops]


_log = _Log()


def compiled_call(function: Callable) -> Callable:
    """Decorates a function that runs kernels: with MINIGAN_DEBUG, its calls are printed."""
    return _printed(function) if ON else function


def _printed(function):
    @functools.wraps(function)
    def run(*arguments, **options):
        if _log.inside:
            return function(*arguments, **options)
        _log.inside, _log.flops = True, 0
        start = time.perf_counter()
        try:
            result = function(*arguments, **options)
        finally:
            seconds = time.perf_counter() - start
            _log.inside = False
        arrays, results = list(_arrays((*arguments, *options.values()))), list(_arrays(result))
        speed = _speed(_log.flops, sum(a.nbytes for a in arrays + results), seconds)
        shapes = " ".join(map(_shape, arrays)) + " -> " * bool(results)
        shapes += " ".join(map(_shape, results))
        line = f"{function.__name__:32} {1e3 * seconds:9.3f} ms  {speed:15} {shapes}"
        print(line, file=sys.stderr)
        total = _log.calls.setdefault(function.__name__, [0, 0.0, 0])
        for i, value in enumerate((1, seconds, _log.flops)):
            total[i] += value
        return result

    return run


def count_product(rows: int, depth: int, columns: int) -> None:
    """Counts a matrix product for the running call."""
    _log.flops += 2 * rows * depth * columns


def step_begins() -> None:
    """Prints the summary of the step that has ended, and starts a new one."""
    now = time.perf_counter()
    if _log.calls:
        print(summary(_log.calls, now - _log.began), file=sys.stderr)
    _log.began, _log.calls = now, {}


def summary(calls: dict[str, list[float]], seconds: float) -> str:
    """A table of a step: its calls by name, the longest first, and the rest of its time."""
    outside = seconds - sum(taken for _, taken, _ in calls.values())
    rows = sorted(calls.items(), key=lambda item: -item[1][1])
    flops = sum(counted for _, _, counted in calls.values())
    lines = [f"step: {1e3 * seconds:.2f} ms, {flops / 1e9:.4g} GFLOP, {_gflops(flops, seconds)}"]
    for name, (number, taken, counted) in rows:
        share = f"{taken / seconds:6.1%}  {number:4} calls"
        lines.append(f"  {name:32} {1e3 * taken:9.3f} ms {share}  {_gflops(counted, taken)}")
    lines.append(f"  {'between the calls':32} {1e3 * outside:9.3f} ms {outside / seconds:6.1%}")
    return "\n".join(line.rstrip() for line in lines)


def _speed(flops, size, seconds):
    return _gflops(flops, seconds) if flops else f"{size / max(seconds, 1e-9) / 1e9:6.1f} GB/s"


def _gflops(flops, seconds):
    return f"{flops / max(seconds, 1e-9) / 1e9:6.1f} GFLOP/s" if flops else ""


def _arrays(values):
    """Yields the arrays among the values, also those in tuples."""
    if isinstance(values, np.ndarray):
        yield values
    elif isinstance(values, tuple):
        for value in values:
            yield from _arrays(value)


def _shape(array):
    return "x".join(map(str, array.shape)) or "1"
