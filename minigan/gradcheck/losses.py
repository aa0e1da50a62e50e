"""The check of a loss: both players' gradients, the mean, and the far ends of the logits."""

import numpy as np

from .. import checks
from ..losses import width
from .differences import central_differences
from .report import Report


def check_loss(loss, n=6, *, rng=0):
    """Checks both players' gradients of `loss` for n random real and n random fake logits.

    The rows, for each player:
        d_real, d_fake : beside central differences of the value, every logit
        mean           : doubling the batch by repeating it leaves the value alone and halves
                         each gradient: the mean was taken once
        +-1000         : values and gradients stay finite, with floating-point errors raised
    Returns a Report.
    """
    loss, n = checks.loss("check_loss", loss), checks.count("n", n)
    rng = checks.generator("rng", rng)
    real, fake = 2 * rng.standard_normal((2, n, width(loss)))
    far = 1000.0 * np.outer([1, 1, -1, -1], (-1) ** np.arange(width(loss)))
    report = Report(f"check of {type(loss).__name__}")
    for player in ("discriminator", "generator"):
        play = getattr(loss, player)
        value, d_real, d_fake = play(real, fake)
        for name, logits, found in (("d_real", real, d_real), ("d_fake", fake, d_fake)):
            difference, kinks = central_differences(lambda: play(real, fake)[0], logits)
            report.compare_difference(player, name, found, difference, kinks)

        twice = play(np.concatenate([real, real]), np.concatenate([fake, fake]))
        report.compare(player, "mean: value of the batch twice", twice[0], value)
        for name, found, expected in zip(("d_real", "d_fake"), twice[1:], (d_real, d_fake)):
            halved = np.concatenate([expected, expected]) / 2
            report.compare(player, f"mean: {name} of the batch twice", found, halved)

        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                finite = [bool(np.isfinite(part).all()) for part in play(far, far[::-1].copy())]
        except FloatingPointError:
            finite = [False] * 3
        report.compare(player, "+-1000: finite", finite, [True] * 3, tolerance=0)
    return report
