"""Scores of samples beside the scores of held-out real data."""

from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from .._checks import Draws, OtherPoints, Points, checked, shown


class Spread(NamedTuple):
    """The scores of several draws of real data: each a float, or the metric's named tuple."""

    draws: int
    mean: Any
    deviation: Any  # standard deviation, denominator draws - 1
    least: Any
    greatest: Any

    def __str__(self):
        parts = (_shown(part) for part in self[1:])
        return "mean {}, standard deviation {}, from {} to {}".format(*parts)


class BesideReal(NamedTuple):
    """What `beside_real` found: the samples' score, and what held-out real data score.

    held_out: the score of one draw, or a `Spread` over several.
    """

    fake: Any
    held_out: Any

    def __str__(self):
        draws = f"{self.held_out.draws} draws of " if isinstance(self.held_out, Spread) else ""
        return f"{_shown(self.fake)} ({draws}held-out real data: {_shown(self.held_out)})"


@checked
def beside_real(
    metric: Callable[..., Any], real: Points, fake: OtherPoints, held_out: Draws, **options: Any
) -> BesideReal:
    """metric(real, fake) and metric(real, held_out): the score, and that of a perfect generator.

    The score of one held-out draw is itself a random number. Give several draws, and their mean
    and spread tell whether the samples' score could be that of real data.

    Most metrics change with the number of samples, so each draw must have as many as `fake`;
    `options` go to all calls. Give an `rng` as a seed, not a Generator, which would move on
    between the calls; give `mmd` its bandwidths.

    metric: any function of two sets that returns a float or a named tuple of floats, such as
    `frechet_distance`. real: (n, d); fake: (m, d); held_out: one draw (m, d), or several
    (draws, m, d), with no row of `real` in them. Returns a `BesideReal`.
    Raises ValueError or TypeError, naming the argument.
    """
    several = held_out.ndim == 3
    score = metric(real, fake, **options)
    for part in score if isinstance(score, tuple) else (score,):
        if not isinstance(part, Real):
            words = "must return a float or a named tuple of floats"
            raise TypeError(f"beside_real: metric {words}, got {shown(score)}")
    scores = [metric(real, draw, **options) for draw in (held_out if several else [held_out])]
    return BesideReal(score, _spread(scores) if several else scores[0])


def _spread(scores):
    """The `Spread` of a list of floats, or of named tuples of floats, field by field."""
    made_of = type(scores[0])

    def alike(values):
        return float(values) if np.ndim(values) == 0 else made_of(*map(float, values))

    values = np.array(scores, dtype=np.float64)
    deviation = values.std(axis=0, ddof=1) if len(scores) > 1 else np.full_like(values[0], np.nan)
    measures = values.mean(axis=0), deviation, values.min(axis=0), values.max(axis=0)
    return Spread(len(scores), *map(alike, measures))


def _shown(score):
    return f"{score:.4g}" if isinstance(score, float) else str(score)
