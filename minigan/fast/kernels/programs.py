"""Programs: sequences of tasks, prepared once and then run by one compiled call.

A program is a sequence of *parallel regions* with a barrier between them: a region begins when all
threads have finished the one before. A region is a list of tasks (see `workers`). Each thread does
its part of each task in turn, and must not read what another thread writes in the same region.

A program knows the shapes of its arrays but not their addresses, which change from pass to pass.
So a word of a task is an offset in bytes from one of the arrays of the pass, or a constant (FIXED).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from . import gemm
from .views import address_of, space
from .workers import COUNT, LENGTH, WORD, run_parts

OWNER = gemm.WORDS  # the last word of a task (see `workers`), after those of the longest kind
FIXED = 0  # the base of a word that is a constant: run_program adds 0 to it


class Program(NamedTuple):
    """The tasks of all regions, as flat arrays of int64."""

    words: np.ndarray
    relative_to: np.ndarray  # for each word, the number of the array that it is relative to
    starts: np.ndarray  # the index of the first word of each region


def program_of(regions: Sequence[Sequence[np.ndarray]]) -> Program:
    """A program of parallel regions, each a list of tasks made by `task_of`."""
    lists = [_list_of(region) for region in regions]
    starts = np.cumsum([0] + [words.shape[1] for words in lists[:-1]], dtype=np.int64)
    words, relative_to = np.concatenate(lists, axis=1)
    return Program(words, relative_to, starts)


def task_of(worker, words):
    """A task as an array (2, OWNER + 1): its words, and what each is relative to.

    Parameters
    ----------
    worker : the address of the worker, as `worker_address` gives it
    words : dict from the index of a word to a constant, or to a place (array, bytes from its start)
    """
    task = np.zeros((2, OWNER + 1), np.int64)
    task[0, gemm.WORKER] = worker
    for index, word in words.items():
        base, number = word if isinstance(word, tuple) else (FIXED, word)
        task[:, index] = number, base
    return task


def _list_of(tasks):
    """The tasks for `workers.run_tasks`: their number and the length of each, then the tasks."""
    head = np.zeros((2, OWNER + 1), np.int64)
    head[0, COUNT], head[0, LENGTH] = len(tasks), OWNER + 1
    return np.concatenate([head, *tasks], axis=1)


@njit(inline="always")
def run_program(worker, parts, words, relative_to, starts, base):
    """Runs a program on the arrays whose addresses are in `base`; `worker` is the address of
    `run_tasks`."""
    absolute = space(words.size, words)
    for i in range(words.size):
        absolute[i] = words[i] + base[relative_to[i]]
    for start in starts:
        run_parts(worker, parts, address_of(absolute) + start * WORD)
    return absolute[COUNT]  # a use of the words, so that Numba does not free them earlier


def address(array):
    """The address of a NumPy array's first number."""
    return array.ctypes.data


def bits(number):
    """The bits of a float64 as an integer."""
    return int(np.float64(number).view(np.int64))
