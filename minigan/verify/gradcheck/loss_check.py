"""The check of a loss: both players' gradients, the mean, and extreme logits."""

import numpy as np

from ... import losses
from ..._checks import Count, LossLike, Seed, checked, shown
from ..._random import random_generator
from ...losses import sees_real, width
from .check_progress import progress_bar
from .contract import SINGLE_PRECISION
from .differences import Differences, measure, not_deterministic
from .museum_cases import each_exhibit
from .report import IN_FLOAT32, Report

FINITE = "+-1000: finite"


@checked
def check_loss(loss: LossLike, n: Count = 6, *, rng: Seed = 0, progress: bool = True) -> Report:
    """Checks both players' gradients of `loss` for n random real and n random fake logits.

    progress : show a progress bar if it takes more than two seconds
    The rows, for each player:
        d_real, d_fake : compared with central differences of the value, every logit
        mean           : doubling the batch by repeating it leaves the value as it is and halves
                         each gradient: the mean was taken once
        one            : a batch of one real and one fake logit, compared with differences
        float32        : the value and the gradients of the same logits in float32
        +-1000         : values and gradients stay finite, with floating-point errors raised
        logits         : are not changed
        declared       : L_G depends on the real logits only if generator_sees_real is True;
                         training gives it the fake ones in their place otherwise
    Returns a Report. Raises TypeError for an object that is not a loss, and for a player's function
    that does not return (value, d_real, d_fake): a number and two arrays.
    """
    rng = random_generator(rng)
    real, fake = 2 * rng.standard_normal((2, n, width(loss)))
    report = Report(f"check of {type(loss).__name__}")
    with progress_bar(2 * (real.size + fake.size), progress) as bar:
        for player in ("discriminator", "generator"):
            _check_player(report, loss, player, real, fake, bar.update)
    return report


def _check_player(report, loss, player, real, fake, tick):
    def play(real, fake):
        return _returned(loss, player, getattr(loss, player)(real, fake))

    columns = real.shape[1]

    def played(copied):
        """What the loss gives for these logits, by the names of the rows."""
        _, d_real, d_fake = getattr(copied(loss), player)(real, fake)
        return {
            "d_real": d_real,
            "d_fake": d_fake,
            FINITE: _finite(getattr(copied(loss), player), columns),
        }

    exhibits = each_exhibit((loss,), played)
    before = np.stack([real, fake])
    value, d_real, d_fake = play(real, fake)
    problem = not_deterministic(value, play(real, fake)[0])
    for name, logits, other, found in (
        ("d_real", real, fake, d_real), ("d_fake", fake, real, d_fake),
    ):  # fmt: skip
        if problem:
            differences = Differences.none(logits.shape, problem)
        else:
            differences = measure(lambda: play(real, fake)[0], logits, tick=tick)
        report.compare_difference(
            player, name, found, differences,
            context=lambda: {
                "which": name, "loss": _known_name(loss), "batch_size": len(logits),
                "logits": logits.copy(), "other_logits": other.copy(), "exhibits": exhibits(name),
            },
        )  # fmt: skip

    twice = play(np.concatenate([real, real]), np.concatenate([fake, fake]))
    report.compare(player, "mean: value of the batch twice", twice[0], value)
    for name, found, expected in zip(("d_real", "d_fake"), twice[1:], (d_real, d_fake)):
        halved = np.concatenate([expected, expected]) / 2
        report.compare(player, f"mean: {name} of the batch twice", found, halved)

    report.compare(player, "logits unchanged", np.stack([real, fake]), before, tolerance=0)
    if player == "generator" and not sees_real(loss):
        other, *_, d_other = play(-real, fake)
        report.compare(player, "declared generator_sees_real: L_G", other, value)
        report.compare(player, "declared generator_sees_real: d_fake", d_other, d_fake)

    _check_one(report, player, play, real[:1].copy(), fake[:1].copy(), problem)
    single = play(real.astype(np.float32), fake.astype(np.float32))
    check = f"{player}{IN_FLOAT32}"
    report.compare(check, "value", single[0], value, SINGLE_PRECISION)
    for name, found, expected in zip(("d_real", "d_fake"), single[1:], (d_real, d_fake)):
        report.compare(check, name, found, expected, SINGLE_PRECISION)

    report.compare(
        player, FINITE, _finite(play, columns), [True] * 3, tolerance=0,
        context=lambda: {"exhibits": exhibits(FINITE)},
    )  # fmt: skip


def _check_one(report, player, play, real, fake, problem):
    """Both gradients for a batch of one, beside differences."""
    _, *found = play(real, fake)
    for name, logits, gradient in zip(("d_real", "d_fake"), (real, fake), found):
        if problem:
            differences = Differences.none(logits.shape, problem)
        else:
            differences = measure(lambda: play(real, fake)[0], logits)
        report.compare_difference(player, f"one: {name}", gradient, differences)


def _finite(play, columns):
    """Whether the value and both gradients are finite at logits of +-1000."""
    far = 1000.0 * np.outer([1, 1, -1, -1], (-1) ** np.arange(columns))
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            return np.array([np.isfinite(part).all() for part in play(far, far[::-1].copy())])
    except FloatingPointError:
        return np.zeros(3, bool)


def _known_name(loss):
    """The name of the class in `minigan.losses` that a loss is of, itself or by inheritance."""
    names = [kind.__name__ for kind in type(loss).__mro__ if kind.__module__ == losses.__name__]
    return names[0] if names else None


def _returned(loss, player, returned):
    """(value, d_real, d_fake), as the player's function returned it: a number and two arrays."""
    name = f"check_loss: {type(loss).__name__}.{player}"
    if not isinstance(returned, tuple) or len(returned) != 3:
        raise TypeError(f"{name} must return (value, d_real, d_fake), got {shown(returned)}")
    value, *gradients = returned
    if np.ndim(value) or np.asarray(value).dtype.kind not in "fiub":
        raise TypeError(f"{name} must return a number as its value, got {shown(value)}")
    for which, gradient in zip(("d_real", "d_fake"), gradients):
        if not isinstance(gradient, np.ndarray) or gradient.dtype.kind not in "fiub":
            raise TypeError(
                f"{name} must return {which}, an array of real numbers, got {shown(gradient)}"
            )
    return returned
