"""Diagnosis of a training: measured symptoms, their likely cause, what to try.

    vitals = mg.watch.Vitals(gan, data)
    mg.train(gan, data, steps=2000, callback=vitals)    # prints the diagnosis at the end, or
    print(mg.diagnose(vitals))                          # whenever it is asked for

A reading is the median of one vital sign over the second half of the training, unless stated
otherwise, together with the threshold that separates a symptom from what is normal. Where theory
gives the threshold, its reason says so; the others are rules of thumb.

No reading can tell that G has learned the data. Measure that: `minigan.metrics` has mode coverage
and distances between samples and data.
"""

from dataclasses import dataclass

import numpy as np

from .._checks import checked
from ..layers import Sigmoid, Tanh
from ..network import Sequential
from .watch import Vitals

NEAR = 0.05  # energy distance, in spreads of the data; below it no further fall is expected
NO_SYMPTOM = (
    "No symptom found in the vital signs. They cannot tell whether G has learned the data; measure "
    "that (mode coverage, distances: minigan.metrics)."
)


@dataclass(frozen=True)
class Illness:
    """A failure of training: its name, likely cause and remedy."""

    name: str
    cause: str
    remedy: str


RATE = Illness(
    "learning rate too high",
    "A single step moves the network so far that the gradient at its start says little about its "
    "end: the network jumps over the values where it should settle.",
    "Divide that player's learning rate by 10; let it fall during training (mg.schedules).",
)
STARVED = Illness(
    "generator starved",
    "The discriminator is sure that the fakes are fake, and the generator's loss is flat there: it "
    "gets almost no gradient to learn from.",
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
    "lower learning rates. Start again with new networks: these rarely recover.",
)
BALANCE = Illness(
    "gradients out of balance",
    "The gradient shrinks or grows from layer to layer, or one player's is far larger than the "
    "other's: one learning rate cannot suit both.",
    "Data scaled to about [-1, 1]; LeakyReLU rather than sigmoid or tanh inside; fewer layers, or "
    "normalisation between them; Adam, which scales each parameter by itself.",
)
BOUNDED = Illness(
    "bounded discriminator",
    "D's outputs cannot leave an interval, as after a Sigmoid or a Tanh. The losses expect logits: "
    "any real number. L_D cannot come near 0, and G's gradient is multiplied by the slope of the "
    "bounding function.",
    "Remove the Sigmoid or Tanh at the end of D; the losses apply the sigmoid themselves.",
)
UNFINISHED = Illness(
    "too little training",
    "The training ended before it could settle: it had few steps, or the samples were still coming "
    "closer to the data at its end.",
    "More steps. With a checkpoint, resume=True and a larger `steps` continue the run.",
)
COLLAPSE = Illness(
    "mode collapse",
    "The generator makes a few kinds of samples and leaves most of the data out: it moves to "
    "wherever the discriminator's output is highest at the moment.",
    "R1 and R2; the Relativistic loss; MinibatchStdDev in the discriminator; a slower generator or "
    "more discriminator steps; an average of the generator.",
)


@dataclass(frozen=True)
class Sign:
    """One vital sign, and the threshold beyond which it is a symptom of an illness."""

    illness: Illness
    column: str
    words: str
    threshold: float
    reason: str
    low: bool = False  # a symptom below the threshold, rather than above

    def is_symptom(self, value: float) -> bool:
        """Whether the value is a symptom; NaN counts as one."""
        return not (value >= self.threshold if self.low else value <= self.threshold)


SIGNS = (  # causes before their consequences: the first illness found is the one to treat first
    Sign(BOUNDED, "logits_bounded", "1 if D's outputs cannot leave an interval", 0.5,
         "all within (0, 1), or D ends in Sigmoid or Tanh"),
    Sign(RATE, "discriminator_step", "D's logits move in a step by", 0.3,
         "relative to max(spread, 1); about 0.1 is still normal"),
    Sign(RATE, "generator_step", "G's samples move in a step by", 0.3,
         "relative to the data's spread; about 0.1 is still normal"),
    Sign(DIVERGED, "departure", "samples' distance from the data's mean", 3.0,
         "in spreads of the data (or the first distance, if larger); 1 if G = data"),
    Sign(STARVED, "generator_signal", "gradient that L_G gives", 0.05,
         "relative to logits of 0; sigmoid(f) = 1/40 instead of 1/2", low=True),
    Sign(SATURATED, "discriminator_signal", "gradient that L_D gives", 0.05,
         "relative to logits of 0 (L_D = 2 log 2); D errs by 1/40", low=True),
    Sign(BALANCE, "discriminator_layer_ratio", "largest / smallest gradient, D's layers", 100.0,
         "sigmoid' <= 1/4, so four in a row lose a factor of 256"),
    Sign(BALANCE, "generator_layer_ratio", "largest / smallest gradient, G's layers", 100.0,
         "as for D"),
    Sign(BALANCE, "players_ratio", "larger / smaller gradient of the players", 100.0,
         "below 10 where the game is in balance"),
    Sign(UNFINISHED, "steps", "training steps", 200.0,
         "rule of thumb; a GAN of two numbers needs as many", low=True),
    Sign(UNFINISHED, "falling", "distance to the data, third over last quarter", 1.5,
         "energy distance; 1 if it no longer falls, or is below 0.05 spreads"),
    Sign(COLLAPSE, "width", "samples' own spread, over the data's", 0.3,
         "1 if G = data; a single mode has only its own width", low=True),
    Sign(COLLAPSE, "variety", "regions reached, over the data's", 0.4,
         "effective number of regions; 1 if G = data, 1/8 for one of 8 modes", low=True),
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """The value of one vital sign in a training."""

    sign: Sign
    value: float

    @property
    def is_symptom(self) -> bool:
        return self.sign.is_symptom(self.value)


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The result of `diagnose`; str() is a report with each value and its threshold.

    Attributes
    ----------
    illnesses : list of Illness
        The one to treat first comes first; empty without symptoms.
    names : list of str
        Their names.
    healthy : bool
        True without symptoms. G may still have learned little: see the module.
    readings : tuple of Reading
        One for each vital sign, symptom or not.
    """

    readings: tuple[Reading, ...]

    @property
    def illnesses(self) -> list[Illness]:
        return list(dict.fromkeys(r.sign.illness for r in self.readings if r.is_symptom))

    @property
    def names(self) -> list[str]:
        return [illness.name for illness in self.illnesses]

    @property
    def healthy(self) -> bool:
        return not self.illnesses

    def scalars(self) -> dict[str, list[str] | float]:
        """The illnesses' names, and the value of each vital sign."""
        return {
            "illnesses": self.names,
            **{reading.sign.column: reading.value for reading in self.readings},
        }

    def __repr__(self) -> str:
        return f"<Diagnosis: {', '.join(self.names) or 'no symptom'}>"

    def __str__(self) -> str:
        lines = [f"{'':6}{'vital sign':46}{'measured':>10}   normal"]
        for reading in self.readings:
            sign, mark = reading.sign, "ILL" if reading.is_symptom else "ok"
            bound = f"{'>=' if sign.low else '<='} {sign.threshold:g}"
            lines.append(f"{mark:6}{sign.words:46}{reading.value:10.3g}   {bound:9}{sign.reason}")
        for illness in self.illnesses:
            lines += ["", illness.name.upper(), illness.cause, f"Try: {illness.remedy}"]
        return "\n".join(lines if self.illnesses else [*lines, "", NO_SYMPTOM])


@checked
def diagnose(vitals: Vitals) -> Diagnosis:
    """Diagnoses a training from the vital signs measured during it.

    It can also be called after a FloatingPointError has ended the training.

    Parameters
    ----------
    vitals : minigan.watch.Vitals
        Passed to `minigan.train` as callback.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError
        If `vitals` is something else.
    ValueError
        If nothing was measured.
    """
    if not vitals.steps:
        raise ValueError("diagnose: nothing was measured; pass the Vitals as train's callback")
    columns = {name: np.array(column, float) for name, column in vitals.columns.items()}
    d, g = (columns[f"{player}_gradient_norm"] for player in ("discriminator", "generator"))
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["players_ratio"] = np.maximum(d / g, g / d)
    columns["departure"] = columns["distance"] / max(1.0, vitals.first_distance)
    if not all(np.isfinite(network.theta).all() for network in vitals.players().values()):
        # overflowed after the last measurement
        columns["departure"] = np.full(len(vitals.steps), np.inf)
    late = slice(len(vitals.steps) // 2, None)
    values = {name: _median(column[late]) for name, column in columns.items()}
    values["logits_bounded"] = float(_bounded(vitals, columns))
    values["steps"] = float(max(vitals.steps[-1], vitals.watched))  # not all are measured
    values["falling"] = _falling(columns["energy"])
    return Diagnosis(tuple(Reading(sign, values[sign.column]) for sign in SIGNS))


def _bounded(vitals, columns):
    """Whether D ends in a bounded activation, or all measured outputs lie in (0, 1), and so
    do those at samples 1,000 times as large."""
    if isinstance(_last_layer(vitals.players()["discriminator"]), Sigmoid | Tanh):
        return True
    if columns["logit_low"].min() < 0 or columns["logit_high"].max() > 1:
        return False
    with np.errstate(all="ignore"):
        large = vitals.real * vitals.real.dtype.type(1000)
        logits, _ = vitals.gan.discriminator.forward(np.concatenate([large, -large]), False)
    return bool(np.all((logits[:, 0] >= 0) & (logits[:, 0] <= 1)))


def _last_layer(network):
    while isinstance(network, Sequential):
        network = network.layers[-1]
    return network


def _falling(distances):
    """The median distance in the third quarter over that in the last quarter.

    It is 1 if the last is below `NEAR`, or with fewer than 8 measurements.
    """
    if len(distances) < 8 or not np.isfinite(distances).all():
        return 1.0
    third, last = (np.median(part) for part in np.array_split(distances, 4)[2:])
    return float(third / last) if last > NEAR else 1.0


def _median(values):
    return float(np.median(values)) if np.isfinite(values).all() else float("inf")
