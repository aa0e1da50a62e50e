"""Programs: sequences of tasks, written down once and run by one compiled call.

A program has *phases*, each a parallel loop: it begins when all threads have ended the one before.
A phase is a list of tasks (see `workers`); each thread does its part of each of them in turn, and
must not read what another thread writes in the same phase.

A program knows the shapes of its arrays but not their addresses, which change from pass to pass.
So each word of a task is relative to one of the arrays of the pass, or to nothing (FIXED).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from . import gemm
from .views import address_of, space
from .workers import COUNT, LENGTH, WORD, run_parts

OWNER = (
    gemm.WORDS
)  # the last word of a task (see `workers`), after those of the longest kind of task
FIXED = 0  # the base of a word that is a constant: run_program adds 0 to it


class Program(NamedTuple):
    """Flat arrays of words and of what each is relative to, and where each phase starts."""

    words: np.ndarray
    relative_to: np.ndarray
    starts: np.ndarray


def program_of(regions: Sequence[Sequence[np.ndarray]]) -> Program:
    """A program of parallel regions, each a list of tasks made by `task_of`."""
    lists = [_list_of(region) for region in regions]
    starts = np.cumsum([0] + [words.shape[1] for words in lists[:-1]], dtype=np.int64)
    words, relative_to = np.concatenate(lists, axis=1)
    return Program(words, relative_to, starts)


def task_of(worker, words):
    """A task in two rows, its words and what each is relative to, from the worker's address and a
    dict of column -> number, or (array, bytes from its start)."""
    task = np.zeros((2, OWNER + 1), np.int64)
    task[0, gemm.WORKER] = worker
    for index, word in words.items():
        base, number = word if isinstance(word, tuple) else (FIXED, word)
        task[:, index] = number, base
    return task


def _list_of(tasks):
    """A list for `workers.follow`: the number of tasks and their length, then the tasks."""
    head = np.zeros((2, OWNER + 1), np.int64)
    head[0, COUNT], head[0, LENGTH] = len(tasks), OWNER + 1
    return np.concatenate([head, *tasks], axis=1)


@njit(inline="always")
def run_program(worker, parts, words, relative_to, starts, base):
    """Runs a program on the arrays whose addresses are in `base`; `worker` is that of `follow`."""
    absolute = space(words.size, words)
    for i in range(words.size):
        absolute[i] = words[i] + base[relative_to[i]]
    for start in starts:
        run_parts(worker, parts, address_of(absolute) + start * WORD)
    return absolute[COUNT]  # so the words live until here


def address(array):
    return array.ctypes.data


def bits(number):
    """The bits of a float64 as an integer."""
    return int(np.float64(number).view(np.int64))
