"""Schedules: a factor for the learning rates, as a function of progress t in [0, 1].

minigan.train(gan, data, steps=10_000, schedule=minigan.schedules.linear(final=0.1))
"""

import math
from collections.abc import Callable

from .. import _checks as checks
from .._checks import Decay, NotNegative, Positive, checked

Schedule = Callable[[float], float]


def constant() -> Schedule:
    """1 throughout."""
    return lambda t: 1.0


@checked
def linear(*, start: Decay = 0.0, final: NotNegative = 0.0) -> Schedule:
    """1 until t = start, then linear to `final` >= 0 at t = 1; 0 <= start < 1."""
    return lambda t: 1 + (final - 1) * max(0.0, _progress(t) - start) / (1 - start)


@checked
def cosine(*, final: NotNegative = 0.0) -> Schedule:
    """final + (1 - final) (1 + cos(pi t)) / 2, final >= 0 (Loshchilov and Hutter 2017)."""
    return lambda t: final + (1 - final) * (1 + math.cos(math.pi * _progress(t))) / 2


@checked
def exponential(*, final: Positive = 0.01) -> Schedule:
    """final^t, final > 0: the same ratio from each step to the next."""
    return lambda t: final ** _progress(t)


def rate_factor(schedule: Schedule, t: float) -> float:
    """schedule(t), which must be a finite number >= 0."""
    return checks.not_negative("train", "schedule(t)", schedule(t))


def _progress(t: float) -> float:
    """t, checked to be in [0, 1]: outside, a formula may give a negative or a rising factor."""
    return checks.share("schedule", "t", t)
