"""The doctor: is the training working? Measured symptoms, their cause in plain words, what to try.

    vitals = mg.watch.Vitals(gan, data)
    mg.train(gan, data, steps=2000, callback=vitals)    # prints the diagnosis at the end, or
    print(mg.diagnose(vitals))                          # whenever it is asked for

Each reading is the median of one vital sign over the second half of the training, beside the
threshold that it should keep. Where a theory gives the threshold, its reason says so; the others
are rules of thumb that stand well clear of what healthy trainings of this library measure.
"""

from dataclasses import dataclass

import numpy as np

from .checks import instance
from .watch import Vitals


@dataclass(frozen=True)
class Illness:
    """What can be wrong: its name, its cause in plain words, and what to try."""

    name: str
    cause: str
    remedy: str


RATE = Illness(
    "learning rate too high",
    "A single step moves the network so far that the gradient it followed no longer holds there: "
    "it jumps over what it should settle on.",
    "Divide that player's learning rate by 10; let it fall during training (mg.schedules).",
)
STARVED = Illness(
    "generator starved",
    "The discriminator is sure of the fakes, and there the generator's loss is flat: almost no "
    "gradient comes back to learn from.",
    "A loss that does not saturate (NonSaturating, Relativistic, Hinge); a gradient penalty; a "
    "slower discriminator.",
)
SATURATED = Illness(
    "discriminator saturated",
    "The discriminator is sure of nearly every sample, real or fake. It has stopped learning, and "
    "what it tells the generator has little to do with the data.",
    "R1 and R2, or another gradient penalty; a lower learning rate for the discriminator, a higher "
    "one for the generator; noise on the samples.",
)
DIVERGED = Illness(
    "divergence",
    "The players drive each other outward, or a number has overflowed: the samples have left the "
    "region where the data are.",
    "A gradient penalty (R1 pulls the game inward; a Wasserstein critic needs one or clipping); "
    "lower learning rates. Start again: this network will not come back.",
)
BALANCE = Illness(
    "gradients out of balance",
    "The gradient fades or grows from layer to layer, or one player's drowns the other's: one "
    "learning rate cannot suit both ends.",
    "Data scaled to about [-1, 1]; LeakyReLU rather than sigmoid or tanh inside; fewer layers, or "
    "normalisation between them; Adam, which scales each parameter by itself.",
)
COLLAPSE = Illness(
    "mode collapse",
    "The generator makes a few kinds of samples and leaves most of the data out: it follows the "
    "discriminator's favourite of the moment.",
    "R1 and R2; the Relativistic loss; MinibatchStdDev in the discriminator; a slower generator or "
    "more discriminator steps; an average of the generator.",
)


@dataclass(frozen=True)
class Sign:
    """One vital sign, and where it becomes a symptom of an illness."""

    illness: Illness
    column: str
    words: str
    threshold: float
    reason: str
    low: bool = False  # ill below the threshold, rather than above

    def ill(self, value):
        """A value that is not a number is ill: it compares as neither."""
        return not (value >= self.threshold if self.low else value <= self.threshold)


SIGNS = (  # causes before their consequences: the first illness found is the one to treat first
    Sign(RATE, "discriminator_step", "D's logits move in a step by", 0.3,
         "of their spread, or of 1 if that is more; 0.1 is lively"),
    Sign(RATE, "generator_step", "G's samples move in a step by", 0.3,
         "of the data's spread; 0.1 is lively"),
    Sign(DIVERGED, "departure", "samples' distance from the data's mean", 3.0,
         "of the data's spread, or of where they began; 1/9 of data at most lie beyond 3"),
    Sign(STARVED, "generator_signal", "gradient that L_G gives", 0.05,
         "of what logits of 0 give; sigmoid(f) = 1/40 in place of 1/2", low=True),
    Sign(SATURATED, "discriminator_signal", "gradient that L_D gives", 0.05,
         "of what logits of 0 give (L_D = 2 log 2); D errs by 1/40", low=True),
    Sign(BALANCE, "discriminator_layer_ratio", "largest / smallest gradient, D's layers", 100.0,
         "sigmoid' <= 1/4, so four in a row lose a factor of 256"),
    Sign(BALANCE, "generator_layer_ratio", "largest / smallest gradient, G's layers", 100.0,
         "the same"),
    Sign(BALANCE, "players_ratio", "larger / smaller gradient of the players", 100.0,
         "below 10 where the game is in balance"),
    Sign(COLLAPSE, "width", "samples' own spread, over the data's", 0.3,
         "a perfect sampler 1; one mode is left with no more than its own width", low=True),
    Sign(COLLAPSE, "variety", "regions reached, over the data's", 0.4,
         "effective number; a perfect sampler 1, one of eight equal modes 1/8", low=True),
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """A sign's value in this training."""

    sign: Sign
    value: float

    @property
    def ill(self):
        return self.sign.ill(self.value)


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found. str() is the visit in words, with every number and its threshold.

    .illnesses : of type Illness, the one to treat first in front; empty for a clean bill
    .names     : their names
    .healthy   : True for a clean bill
    .readings  : every Reading, ill or not
    """

    readings: tuple

    @property
    def illnesses(self):
        return list(dict.fromkeys(r.sign.illness for r in self.readings if r.ill))

    @property
    def names(self):
        return [illness.name for illness in self.illnesses]

    @property
    def healthy(self):
        return not self.illnesses

    def scalars(self):
        """The names and the values, for a program."""
        return {
            "illnesses": self.names,
            **{reading.sign.column: reading.value for reading in self.readings},
        }

    def __str__(self):
        lines = [f"{'':6}{'vital sign':42}{'measured':>10}   healthy"]
        for reading in self.readings:
            sign, mark = reading.sign, "ILL" if reading.ill else "ok"
            bound = f"{'>=' if sign.low else '<='} {sign.threshold:g}"
            lines.append(f"{mark:6}{sign.words:42}{reading.value:10.3g}   {bound:9}{sign.reason}")
        for illness in self.illnesses:
            lines += ["", illness.name.upper(), illness.cause, f"Try: {illness.remedy}"]
        return "\n".join(lines if self.illnesses else [*lines, "", "A clean bill of health."])


def diagnose(vitals):
    """The Diagnosis of a training that `vitals`, a `minigan.watch.Vitals`, has watched.

    Works after a FloatingPointError ended the training, too. Raises TypeError for something else,
    ValueError for Vitals without a measurement.
    """
    instance("diagnose", "vitals", vitals, Vitals)
    if not vitals.steps:
        raise ValueError("diagnose: nothing was measured; pass the Vitals as train's callback")
    columns = {name: np.array(column, float) for name, column in vitals.columns.items()}
    d, g = (columns[f"{player}_gradient_norm"] for player in ("discriminator", "generator"))
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["players_ratio"] = np.maximum(d / g, g / d)
    columns["departure"] = columns["distance"] / max(1.0, vitals.first_distance)
    if not all(np.isfinite(network.theta).all() for network in vitals.players().values()):
        columns["departure"] = np.full(len(vitals.steps), np.inf)  # it has overflowed since
    late = slice(len(vitals.steps) // 2, None)
    return Diagnosis(tuple(Reading(sign, _median(columns[sign.column][late])) for sign in SIGNS))


def _median(values):
    return float(np.median(values)) if np.isfinite(values).all() else float("inf")
