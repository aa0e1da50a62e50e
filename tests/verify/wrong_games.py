"""Wrong losses, penalties and training steps, written from lists of published bugs before the
hypotheses of `gradcheck.explain`, and without sight of them.

`says`: a pattern that an explanation must contain to count as right.
"""

import numpy as np

import minigan as mg
from minigan import losses
from minigan.layers.activations import sigmoid
from minigan.layers.cross_entropy import softmax_cross_entropy

N = 6


def wrong_loss(base, player, formula):
    """A loss of a class of its own: the value as in `base`, (d_real, d_fake) by the formula."""

    def play(self, real, fake):
        value, *_ = getattr(base, player)(self, real, fake)
        return value, *formula(np.asarray(real), np.asarray(fake))

    return type("Learners" + base.__name__, (base,), {player: play})()


# (name, loss, the player, the tensor in which it shows, what must be said)
LOSSES = [
    ("a sum for a mean", losses.NonSaturating, "generator", "d_fake", "batch size",
     lambda r, f: (0 * r, -sigmoid(-f))),
    ("the critic's sign", losses.Wasserstein, "generator", "d_fake", "sign",
     lambda r, f: (0 * r, np.full_like(f, 1 / N))),
    ("minimax for non-saturating", losses.NonSaturating, "generator", "d_fake",
     "minimax|Minimax|sign|saturat", lambda r, f: (0 * r, -sigmoid(f) / N)),
    ("two of the square kept", losses.LeastSquares, "discriminator", "d_real",
     "twice|times 2|by 2|2 times", lambda r, f: (2 * (r - 1) / N, f / N)),
    ("hinge without its margin", losses.Hinge, "discriminator", "d_real", "mask|margin|left out",
     lambda r, f: (np.full_like(r, -1 / N), (f > -1) / N)),
    ("hinge on the wrong side", losses.Hinge, "discriminator", "d_real", "side|mask|margin",
     lambda r, f: (-1.0 * (r > 1) / N, (f > -1) / N)),
    ("labels exchanged", losses.NonSaturating, "discriminator", "d_real", "label|target",
     lambda r, f: (sigmoid(r) / N, sigmoid(f) / N)),
    ("over both batches", losses.NonSaturating, "discriminator", "d_real", "half|1/2|divided by 2",
     lambda r, f: (-sigmoid(-r) / 2 / N, sigmoid(f) / 2 / N)),
    ("through no sigmoid", losses.NonSaturating, "discriminator", "d_real", "sigmoid|derivative",
     lambda r, f: (-1 / sigmoid(r) / N, sigmoid(f) / N)),
    ("through the sigmoid twice", losses.NonSaturating, "discriminator", "d_fake",
     "sigmoid|derivative",
     lambda r, f: (-sigmoid(-r) / N, sigmoid(f) * sigmoid(f) * sigmoid(-f) / N)),
    ("real and fake exchanged", losses.NonSaturating, "discriminator", "d_real",
     "exchang|d_fake|fake", lambda r, f: (sigmoid(f) / N, -sigmoid(-r) / N)),
    ("the fake half forgotten", losses.Relativistic, "discriminator", "d_fake", "zero",
     lambda r, f: (-sigmoid(f - r) / N, 0 * f)),
    ("one sign for both halves", losses.Relativistic, "discriminator", "d_fake", "sign",
     lambda r, f: (-sigmoid(f - r) / N, -sigmoid(f - r) / N)),
    ("the pair the other way round", losses.Relativistic, "discriminator", "d_real",
     "exchang|sign|other way", lambda r, f: (-sigmoid(r - f) / N, sigmoid(f - r) / N)),
    ("the target left out", losses.LeastSquares, "generator", "d_fake", "target|label",
     lambda r, f: (0 * r, f / N)),
    ("the sign of the square", losses.LeastSquares, "generator", "d_fake", "sign",
     lambda r, f: (0 * r, (1 - f) / N)),
    ("divided by N squared", losses.Minimax, "discriminator", "d_fake", "batch size",
     lambda r, f: (-sigmoid(-r) / N, sigmoid(f) / N**2)),
]  # fmt: skip

CLASSES = 5


def cross_entropy():
    """Yields (name, found, expected, context, what must be said) of softmax cross-entropy."""
    rng = np.random.default_rng(3)
    logits, labels = rng.standard_normal((8, CLASSES)), rng.integers(CLASSES, size=8)
    _, expected = softmax_cross_entropy(logits, labels)
    onehot = np.eye(CLASSES)[labels]
    p = expected * 8 + onehot
    context = {"x": logits, "labels": labels, "batch_size": 8}
    for name, found, says in (
        ("the mean forgotten", p - onehot, "batch size"),
        ("the label forgotten", p / 8, "label|target"),
        ("the sign", (onehot - p) / 8, "sign"),
        ("through the softmax twice", p * (1 - p) * (p - onehot) / 8, "softmax|derivative"),
        ("divided by the classes", (p - onehot) / 8 / CLASSES, "class|5"),
        ("logits for probabilities", (logits - onehot) / 8, "softmax|logits"),
    ):
        yield name, found, expected, context, says


class PlainPenalty(mg.penalties.GradientPenalty):
    """WGAN-GP at the real samples, so that nothing is drawn."""

    def points(self, real, fake, rng):
        return np.asarray(real)


def wrong_penalty(base, measure):
    """A penalty of a class of its own: the value as in `base`, v = dR/dg by the formula."""
    methods = {"measure": lambda self, g: (base.measure(self, g)[0], measure(g))}
    return type("Learners" + base.__name__, (base,), methods)(2.0)


def lengths(g):
    return np.sqrt((g**2).sum(axis=1, keepdims=True))


# gamma = weight = 2
PENALTIES = [
    ("the square's two", mg.penalties.R1, "twice|times 2|by 2|2 times", lambda g: 4 / len(g) * g),
    ("summed over the batch", mg.penalties.R1, "batch size", lambda g: 2 * g),
    ("value alone", mg.penalties.R1, "zero", lambda g: 0 * g),
    ("the sign of the penalty", mg.penalties.R1, "sign", lambda g: -2 / len(g) * g),
    ("the unit vector forgotten", PlainPenalty, r"unit|\|g\||length",
     lambda g: 4 / len(g) * (lengths(g) - 1) * g),
    ("the target forgotten", PlainPenalty, "target", lambda g: 4 / len(g) * g),
    ("gp halved", PlainPenalty, "half|1/2|divided by 2",
     lambda g: 2 / len(g) * (1 - 1 / lengths(g)) * g),
]  # fmt: skip


class WithoutPenalty(mg.GAN):
    def judge(self, real, fake):
        D, (_, penalty, *rest) = self.discriminator, super().judge(real, fake)
        kept, D.grad[...] = self.penalties, 0
        self.penalties = ()
        loss, *_ = super().judge(real, fake)
        self.penalties = kept
        return loss, penalty, *rest


class WithoutFakes(mg.GAN):
    def judge(self, real, fake):
        D = self.discriminator
        real_logits, on_real = D.forward(real)
        fake_logits, _ = D.forward(fake)
        loss, d_real, _ = self.loss.discriminator(real_logits, fake_logits)
        D.backward_params(d_real, on_real)
        return loss, 0.0, real_logits, fake_logits


class FakesCountAsReal(mg.GAN):
    def judge(self, real, fake):
        D = self.discriminator
        real_logits, on_real = D.forward(real)
        fake_logits, on_fake = D.forward(fake)
        loss, d_real, d_fake = self.loss.discriminator(real_logits, fake_logits)
        D.backward_params(d_real, on_real)
        D.backward_params(-d_fake, on_fake)
        return loss, 0.0, real_logits, fake_logits


class NotCleared(mg.GAN):
    """D's gradient still holds what a step before has left there."""

    def judge(self, real, fake):
        self.discriminator.grad += self.earlier
        return super().judge(real, fake)


class Detached(mg.GAN):
    def generator_gradient(self, real, fake, generated):
        figures = super().generator_gradient(real, fake, generated)
        self.generator.zero_grad()
        return figures


class UpTheLoss(mg.GAN):
    """G follows the gradient of D's loss."""

    def generator_gradient(self, real, fake, generated):
        G, D = self.generator, self.discriminator
        figures = super().generator_gradient(real, fake, generated)
        fake_logits, judged = D.forward(fake)
        real_logits, _ = D.forward(real)
        _, _, d_fake = self.loss.discriminator(real_logits, fake_logits)
        G.zero_grad()
        G.backward_params(D.backward_input(d_fake, judged), generated)
        return figures


class CriticAscends(mg.GAN):
    def judge(self, real, fake):
        result = super().judge(real, fake)
        self.discriminator.grad *= -1
        return result


class GeneratorAveraged(mg.GAN):
    def generator_gradient(self, real, fake, generated):
        figures = super().generator_gradient(real, fake, generated)
        self.generator.grad /= len(fake)
        return figures


# (name, class of GAN, "D" or "G": whose gradient it spoils, with R1?, what must be said)
STEPS = [
    ("the penalty's gradient missing", WithoutPenalty, "D", True, "penalt"),
    ("the fake minibatch missing", WithoutFakes, "D", False, "fake"),
    ("fakes count as real", FakesCountAsReal, "D", False, "fake"),
    ("D's gradient not cleared", NotCleared, "D", False, "earlier|clear|zero_grad"),
    ("nothing reaches G", Detached, "G", False, "zero"),
    ("G on D's loss", UpTheLoss, "G", False, "loss of D|D's loss|L_D|discriminator"),
    ("D up its loss", CriticAscends, "D", False, "sign"),
    ("G's gradient divided by N", GeneratorAveraged, "G", False, "batch size"),
]
