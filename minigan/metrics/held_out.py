"""A score means little until it stands beside what real data score against real data."""

from typing import Any, NamedTuple

from minigan.metrics import _checks


class BesideReal(NamedTuple):
    """What `beside_real` found: the samples' score, and the score held-out real data get."""

    fake: Any
    held_out: Any

    def __str__(self):
        scores = (f"{score:.4g}" if isinstance(score, float) else str(score) for score in self)
        return "{} (held-out real data: {})".format(*scores)


def beside_real(metric, real, fake, held_out, **options):
    """metric(real, fake) and metric(real, held_out): what was reached, and what perfect means.

    Most metrics change with the number of samples, so `fake` and `held_out` must have the same;
    `options` go to both calls. Give an `rng` as a seed, not a Generator, which would move on
    between the two; give `mmd` its bandwidths.

    metric: any function of two sets, such as `frechet_distance`. real: (n, d); fake, held_out:
    (m, d), with no row of `real` in `held_out`. Returns a `BesideReal` of two scores.
    Raises ValueError or TypeError, naming the argument.
    """
    metric = _checks.function("beside_real", "metric", metric)
    real, fake = _checks.two_sets("real", real, "fake", fake)
    real, held_out = _checks.two_sets("real", real, "held_out", held_out)
    if len(fake) != len(held_out):
        raise ValueError(
            f"held_out: expected {len(fake)} samples, as many as fake, got {len(held_out)}"
        )
    return BesideReal(metric(real, fake, **options), metric(real, held_out, **options))
