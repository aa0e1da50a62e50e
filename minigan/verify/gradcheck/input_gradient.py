"""A yardstick for penalties that no hand-written backward pass is part of.

A penalty is a function of g = grad_x D(x), and minigan computes g with D's own backward pass: for
the penalty's value as well as for its gradient. A wrong `backward_input` therefore gives a wrong
penalty whose value and gradient agree with each other. So g itself is compared with central
differences of D over its input, which need forward passes alone, and the penalty's value with its
value at the measured g.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._random import RandomStates
from ...network import Sequential
from ...penalties.clipping import WeightClipping
from ...penalties.second_order import slopes
from .differences import measure
from .directions import AlongDirections
from .museum_cases import each_exhibit
from .report import Report

LARGEST = 1024  # values of the samples that are measured; each takes at least four forward passes


def check_input_gradients(
    report: Report,
    penalties: Sequence[Any],
    discriminator: Sequential,
    real: np.ndarray,
    fake: np.ndarray,
    rng: np.random.Generator,
    *,
    directions: int | None = None,
    draw: np.random.Generator | None = None,
) -> None:
    """Adds the rows of each penalty, at the parameters as they are and at others near them.

    grad_x D : at the points where the penalty is taken, every value of every sample
    value    : what `penalty.value` returns, compared with the penalty at the measured g

    The second set of parameters is there because the initial ones are special (gamma = 1, bias = 0)
    and can hide a mistake. Of minibatches with more than 1024 values only the first samples are
    measured, and no value is compared; samples of more than 1024 values each are not measured. A
    note in the report says so, as it does for a penalty that has no `points` and `measure`.
    With `directions`, drawn from `draw`, g is compared along so many of them instead: of all
    samples, however large, and no value is compared.
    D's parameters, D's buffers and all random states are left as they were.
    """
    theta, start = discriminator.theta.copy(), RandomStates(rng, discriminator.rng)
    displaced = theta + 0.1 * np.random.default_rng(0).standard_normal(theta.shape)
    for penalty in penalties:
        if isinstance(penalty, WeightClipping):  # adds nothing to the loss
            continue
        if not (hasattr(penalty, "points") and hasattr(penalty, "measure")):
            report.notes.append(
                f"{penalty}: its value is taken as right, since it has no `points` and `measure` "
                "by which to check it"
            )
            continue
        for where, parameters in (("", theta), (", parameters moved", displaced)):
            discriminator.theta[...] = parameters
            start.restore()
            name = f"{penalty}{where}"
            if directions:
                _check_along(
                    report, penalty, name, discriminator, real, fake, rng, directions, draw
                )
            else:
                _check_one(report, penalty, name, discriminator, real, fake, rng)
            start.restore()
    discriminator.theta[...] = theta


def _check_along(report, penalty, name, discriminator, real, fake, rng, directions, draw):
    points, logits = _points_and_logits(penalty, discriminator, real, fake, rng)
    (g, *_), _ = slopes(discriminator, points)
    with discriminator.held_buffers():
        AlongDirections(logits, directions, draw).compare(report, "grad_x D", name, points, g)


def _context(penalty, discriminator, real, fake, start, points):
    """() -> what the exhibits of the museum give for grad_x D at these points."""
    network = discriminator.copy()

    def run(copied):
        start.restore()
        signals, _ = copied(penalty)._slopes(copied(network), real, fake, start.rngs[0])
        return {"dx": signals[0][: len(points)]}

    exhibits = each_exhibit((penalty, network), run)
    return lambda: {"tensor": "dx", "exhibits": exhibits("dx"), "batch_size": len(points)}


def _points_and_logits(penalty, discriminator, real, fake, rng):
    """The points where a penalty is taken, and () -> the sum of D's logits there as they stand."""
    points = np.array(penalty.points(real, fake, rng), np.float64, order="C")
    after = RandomStates(rng, discriminator.rng)

    def logits():
        after.restore()
        return float(np.sum(discriminator.forward(points)[0][:, 0]))

    return points, logits


def _check_one(report, penalty, name, discriminator, real, fake, rng):
    start = RandomStates(rng, discriminator.rng)
    value = penalty.value(discriminator, real, fake, rng)
    start.restore()
    points = np.array(penalty.points(real, fake, rng), np.float64, order="C")
    after = RandomStates(rng, discriminator.rng)
    everything = len(points)
    points = points[: LARGEST // points[0].size]
    if len(points) < everything:
        note = (
            f"{penalty}: grad_x D was compared with differences of D at {len(points)} of "
            f"{everything} samples: {LARGEST} values at most"
        )
        if note not in report.notes:
            report.notes.append(note)
    if not len(points):
        return
    (g, *_), _ = slopes(discriminator, points)

    def logits():
        after.restore()
        return float(np.sum(discriminator.forward(points)[0][:, 0]))

    with discriminator.held_buffers():
        differences = measure(logits, points)
    context = _context(penalty, discriminator, real, fake, start, points)
    report.compare_difference("grad_x D", name, g, differences, context=context)
    if len(points) == everything:
        on_kinks = np.isnan(differences.gradient)
        measured, _ = penalty.measure(np.where(on_kinks, g, differences.gradient))
        report.compare("value", f"{name}, measured", value, measured, tolerance=1e-6)
