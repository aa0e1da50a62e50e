"""Losses of logits: targets, signs, sigmoids, and the gradient of another loss.

`logits` : the logits that the gradient belongs to; `other_logits` : those of the other minibatch
"""

from collections.abc import Iterator

import numpy as np

from .added import deviations
from .case import Candidate, Case
from .written_formulas import sigmoid

LOSSES = "Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"


def labels(case: Case) -> Iterator[Candidate]:
    """d = (s - t) / N with s = sigmoid(logit) or s = logit: t is another target."""
    logits = case.array("logits")
    if logits is None or logits.shape != case.found.shape:
        return
    n = len(logits)
    for words, s in (("sigmoid(logit)", sigmoid(logits)), ("logit", logits)):
        right = next((t for t in (0.0, 1.0) if case.is_right((s - t) / n)), None)
        if right is None:
            continue
        for target in (1 - right, -1.0, 0.5, 0.9, 0.1):
            says = (
                f"has the target {target:g} in {words} - target, where {right:g} is right: the "
                "label of the other minibatch"
                if target == 1 - right
                else f"has the target {target:g} in {words} - target, where {right:g} is right"
            )
            yield Candidate((s - target) / n, says)
            yield Candidate(-(s - target) / n, f"{says}, and the wrong sign")
        p = sigmoid(logits)
        yield Candidate(
            (p - right) * p * (1 - p) / n,
            "is that of a loss on sigmoid(logit), where the loss is one of logits",
        )
        yield Candidate((sigmoid(p) - right) / n, "takes the sigmoid of the logit twice")
        for other, value in (
            ("the logit where its sigmoid belongs", (logits - right) / n),
            ("sigmoid(logit) where the logit belongs", (p - right) / n),
        ):
            yield Candidate(value, f"has {other}")
        terms = {f"{words}": s / n, "the target": np.full(s.shape, -right / n)}
        if right and (said := deviations(case, terms)) is not None:
            yield said
        return


def through_the_sigmoid(case: Case) -> Iterator[Candidate]:
    """The sigmoid's derivative, p (1 - p), once too often or not at all."""
    logits = case.array("logits")
    if logits is None or logits.shape != case.found.shape:
        return
    p = sigmoid(logits)
    yield Candidate(
        case.expected * p * (1 - p),
        "goes through the sigmoid's derivative, p (1 - p), "
        "once too often: the loss is one of logits",
    )
    with np.errstate(all="ignore"):
        yield Candidate(
            case.expected / (p * (1 - p)),
            "is the gradient for the probability p, not "
            "for the logit: the sigmoid's derivative, p (1 - p), is left out",
        )
        for eps in (1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1):
            for inside in (p, 1 - p):
                yield Candidate(
                    case.expected * inside / (inside + eps),
                    f"is that of a logarithm with {eps:g} added inside: it vanishes where it is "
                    "needed most",
                )
        yield Candidate(case.expected * p, "is multiplied by p = sigmoid(logit)")
        yield Candidate(case.expected * (1 - p), "is multiplied by 1 - p, p = sigmoid(logit)")


def margins(case: Case) -> Iterator[Candidate]:
    """A hinge: 1 / N where the margin is not reached, else 0."""
    logits = case.array("logits")
    if logits is None or logits.shape != case.found.shape:
        return
    for sign in (1, -1):
        inside = sign * logits < 1
        if not case.is_right(-sign * inside / len(logits)):
            continue
        full = np.full(logits.shape, -sign / len(logits))
        yield Candidate(full, "has no mask: beyond the margin the loss is flat, and its gradient 0")
        yield Candidate(
            np.where(inside, 0, full),
            "has its mask inverted: it is that of the other side of the margin",
        )
        yield Candidate(
            np.where(-sign * logits < 1, full, 0), "has the mask of the other minibatch's margin"
        )
        for margin in (0.0, -1.0, 0.5, 2.0):
            says = f"has its margin at {sign * margin:g}, not at {sign}"
            yield Candidate(np.where(sign * logits < margin, full, 0), says)


def pairs(case: Case) -> Iterator[Candidate]:
    """A relativistic loss: sigmoid of a difference of two logits."""
    a, b = case.array("logits"), case.array("other_logits")
    if a is None or b is None or a.shape != b.shape or a.shape != case.found.shape:
        return
    n = len(a)
    for outer in (1, -1):
        if not case.is_right(outer * sigmoid(outer * (a - b)) / n):
            continue
        yield Candidate(
            outer * sigmoid(-outer * (a - b)) / n,
            "has the difference of the two logits the other way round, inside the sigmoid",
        )
        yield Candidate(
            -outer * sigmoid(-outer * (a - b)) / n,
            "has the difference of the two logits the other way round",
        )
        for average in (a - b.mean(), a.mean() - b):
            yield Candidate(
                outer * sigmoid(outer * average) / n,
                "subtracts a mean over the minibatch, where the loss pairs the logits",
            )
        yield Candidate(outer * sigmoid(outer * a) / n, "does not subtract the other logit")
        for moved in (np.roll(b, 1, axis=0), np.roll(b, -1, axis=0), b[::-1]):
            yield Candidate(
                outer * sigmoid(outer * (a - moved)) / n, "pairs the logits of different rows"
            )


def averages(case: Case) -> Iterator[Candidate]:
    """A relativistic average loss, of a_i = r_i - mean(f) and b_j = f_j - mean(r): both are in the
    gradient of each logit.

    mean softplus(-a) + mean softplus(b):  dr_i = -sigmoid(-a_i) / N - mean(sigmoid(b)) / N
    """
    logits, other = case.array("logits"), case.array("other_logits")
    if logits is None or other is None or logits.shape != case.found.shape:
        return
    n = len(logits)
    own, others = logits - other.mean(), other - logits.mean()
    for sign in (1, -1):  # -1: a logit that should rise
        direct = sign * sigmoid(sign * own) / n
        through = np.full(logits.shape, sign * sigmoid(-sign * others).mean() / n)
        if not case.is_right(direct + through):
            continue
        terms = {"the direct path": direct, "the path through the other minibatch's mean": through}
        if (said := deviations(case, terms)) is not None:
            yield said
        if logits.shape == other.shape:
            yield Candidate(
                sign * sigmoid(sign * (logits - other)) / n,
                "compares the logits in pairs, where each is compared with a mean",
            )


def other_losses(case: Case) -> Iterator[Candidate]:
    """The gradient that another loss, or the other player, would have here."""
    from .... import losses

    logits, other = case.array("logits"), case.array("other_logits")
    which, right = case.context.get("which"), case.context.get("loss")
    if logits is None or other is None or which not in ("d_real", "d_fake"):
        return
    real, fake = (logits, other) if which == "d_real" else (other, logits)
    yield from _of_other_logits(case, real, fake, 1 if which == "d_real" else 2)
    for name in LOSSES:
        for player, letter in (("discriminator", "L_D"), ("generator", "L_G")):
            try:
                _, d_real, d_fake = getattr(getattr(losses, name)(), player)(real, fake)
            except ValueError:
                continue
            for gradient, of in ((d_real, "d_real"), (d_fake, "d_fake")):
                if gradient.shape == case.found.shape:
                    own = name == right
                    yield Candidate(
                        gradient,
                        f"is {of} of {letter}{'' if own else f' of {name}'}, "
                        "another gradient than this one",
                    )


def _of_other_logits(case, real, fake, which):
    """The right formula, with the other minibatch's logits in it."""
    from .... import losses

    for name in LOSSES:
        for player in ("discriminator", "generator"):
            play = getattr(getattr(losses, name)(), player)
            try:
                right, swapped = play(real, fake)[which], play(fake, real)[which]
            except ValueError:
                continue
            if case.is_right(right) and not case.agree(right, swapped):
                yield Candidate(swapped, "is computed from the logits of the other minibatch")


def squared_error(case: Case) -> Iterator[Candidate]:
    """Where d = 2 (prediction - target) / N is right, N the batch size or the number of values."""
    p, t = case.array("prediction"), case.array("target")
    p = case.array("y") if p is None else p
    if p is None or t is None or not p.shape == t.shape == case.found.shape:
        return
    for scale in (2 / p.size, 2 / len(p), 2.0, 1 / p.size, 1 / len(p), 1.0):
        if not case.is_right(scale * (p - t)):
            continue
        yield Candidate(scale * p, "lacks the target")
        yield Candidate(scale * (p + t), "has the target with the wrong sign")
        yield Candidate(scale * np.sign(p - t), "is that of |prediction - target|, its sign alone")
        yield Candidate(scale * (p - t) ** 2, "contains the difference squared: the loss itself")
        for factor in (2, 0.5):
            yield Candidate(factor * scale * np.sign(p - t), "is that of |prediction - target|")
            yield Candidate(factor * scale * (p - t) ** 2, "contains the difference squared")
        return
