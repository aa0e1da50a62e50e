"""Recording a step: the two updates of `GAN.train_step`, observed layer by layer.

A float64 copy of the GAN takes the step, and the ledger shows the values and gradients of its
layers: see `observed_step`. `Ledger.stepped` compares them with a plain `train_step` of another
copy: the losses that it returns and the gradients that its optimizers are given.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._checks import checked, refuse
from ...gan import GAN
from ...losses import sees_real
from ..gradcheck.layer_check import by_parameter
from . import formulas, sums
from .draws import in_float64
from .leaves import leaves
from .ledger import Ledger, LedgerRow
from .observed_step import JoinedPass, ObservedStep
from .rows import Penalties, Section, parameters_of


@checked
@np.errstate(under="ignore")
def record(gan: GAN, real: ArrayLike) -> Ledger:
    """The Ledger of `gan.train_step(real)`, in float64, with the numbers that the step would draw.
    The gan itself is left alone.

    real : a minibatch (N, ...), as for `train_step`; raises what that raises

    Raises also TypeError for a GAN with a `train_step` of its own. The ledger of a tiny GAN is
    compared with central differences at once; that of a larger one when `Ledger.check` is called,
    since this takes a few forward passes for each entry.
    """
    if type(gan).train_step is not GAN.train_step:
        refuse(TypeError, "record", "gan", "a GAN whose train_step is that of GAN", gan)
    before, stepped, twin = (in_float64(gan) for _ in range(3))
    real = twin.check_real(real)
    figures = stepped.train_step(real)
    step = ObservedStep(twin, real)

    tiny = sums.is_tiny((twin.generator, twin.discriminator), twin.loss, 2 * len(real))
    rows = _discriminator_update(step, tiny)
    rows += _generator_update(step, tiny)

    values = {row.symbol: row.value for row in rows if row.kind == "loss"}
    reported = figures["discriminator_loss"] + figures["penalty"], figures["generator_loss"]
    beside = [
        ("L_D", values["L_D"], reported[0]),
        ("L_G", values["L_G"], reported[1]),
        ("dL_D/dtheta_D", step.players["D"].grad, stepped.discriminator.grad),
        ("dL_G/dtheta_G", step.players["G"].grad, stepped.generator.grad),
    ]
    n = len(real)
    title = f"one training step: {type(gan.loss).__name__}, {n} real samples, {n} fakes"
    weights = [(symbol, value) for symbol, value, _ in named_tensors(twin.discriminator)]
    ledger = Ledger(title, rows, weights, beside, (before, real))
    if tiny:
        ledger.check()
    return ledger


def _discriminator_update(step, tiny):
    """The rows of L_D: steps 4 and 5 of `minigan.gan`."""
    network, loss, n = step.players["D"], step.gan.loss, len(step.real)
    in_two = network.mixes_samples
    passes = step.judged if in_two else [JoinedPass(step.judged)]
    value = step.figures["discriminator_loss"]
    slopes = np.concatenate([judged.gradients[-1] for judged in passes])
    penalties = _penalties(step) if step.penalties else None
    total = value + (penalties.value if penalties else 0.0)

    def play(outputs):
        logits = np.concatenate(outputs)
        return loss.discriminator(logits[:n], logits[n:])

    section = Section(
        "L_D", "D", passes,
        ends=[("real", "r"), ("fake", "f")] if in_two else [("x", "logits")],
        made_of=["data", "G(z)"] if in_two else ["[real; fake]"],
        loss_of=lambda outputs: play(outputs)[0],
        tiny=tiny,
    )  # fmt: skip
    in_words, *rules = formulas.loss_in_words(loss, "D")
    if not in_two:
        rules = ["[dr; df], dr = {}, df = {}".format(*rules)]
    loss_sums, slope_sums, extra_row = (), (), []
    if tiny:
        r, f = np.split(passes[0].output, 2)
        extra = penalties and penalties.value
        loss_sums = sums.loss_value(loss, "D", r, f, total, extra)
        slope_sums = sums.discriminator_slopes(loss, "dlogits", r, f, slopes)
    if penalties:
        in_words += " + R"
        what = " + ".join(map(repr, step.gan.penalties))
        extra_row = [
            section.scalar("R", "penalty", "", what, penalties.value, lambda moved: value + moved)
        ]
    rows = section.rows(rules, slope_sums, penalties=penalties)
    for row in rows[-len(passes) :]:
        row.rule += ", not used: D holds x"
    name = type(loss).__name__
    loss_row = section.scalar("L_D", "loss", name, in_words, total, float, loss_sums)
    return [loss_row, *extra_row, *rows]


def _generator_update(step, tiny):
    """The rows of L_G, through D as its update left it and through G: step 6 of `minigan.gan`."""
    loss, generated = step.gan.loss, step.generated
    judged, *seen = step.judged_again
    real_logits = seen[0].output if sees_real(loss) else judged.output
    value, d_fake = step.figures["generator_loss"], judged.gradients[-1]
    _, d_real, _ = loss.generator(real_logits, judged.output)

    def loss_of_logits(outputs):
        return loss.generator(real_logits, outputs[0])[0]

    def loss_of_samples(outputs):
        return loss_of_logits([judged.output_from(0, outputs[0])])

    through_d = Section("L_G", "D", [judged], [("fake", "f")], ["G(z)"], loss_of_logits, tiny=tiny)
    through_g = Section(
        "L_G", "G", [generated], [("z", "fake")], ["noise, N(0, 1)"], loss_of_samples, tiny=tiny
    )
    in_words, d_real_in_words, d_fake_in_words = formulas.loss_in_words(loss, "G")
    loss_sums, slope_sums, real_row = (), (), []
    if tiny:
        loss_sums = sums.loss_value(loss, "G", real_logits, judged.output, value)
        slope_sums = sums.generator_slopes(loss, "df", real_logits, judged.output, d_fake)
    if sees_real(loss):
        real_row = [_real_logits(through_d, loss, real_logits, d_real, d_real_in_words, tiny)]
    *rows, boundary = through_d.rows([d_fake_in_words], slope_sums, trained=False)
    return [
        through_d.scalar("L_G", "loss", type(loss).__name__, in_words, value, float, loss_sums),
        *real_row,
        *rows,
        *through_g.rows([f"{boundary.rule}, of D"], boundary.gradient_sums),
    ]


def _real_logits(section, loss, real_logits, d_real, rule, tiny):
    """The row of the real logits, for a loss of G that looks at them."""
    fake_logits = section.passes[0].output
    d_sums = sums.generator_slopes(loss, "dr", real_logits, fake_logits, d_real) if tiny else []
    return LedgerRow(
        "L_G", "D", "r", "", len(section.layers), "value", "D(real)", f"{rule}, not used",
        real_logits, d_real, lambda moved: loss.generator(moved, fake_logits)[0], [], d_sums,
    )  # fmt: skip


def named_tensors(network: Any) -> list[tuple[Any, ...]]:
    """[(symbol, value, gradient)] of a network's parameters."""
    layers = [layer for _, layer in leaves(network)]
    of_layers = formulas.parameters(layers)
    return [
        (symbols[name], value, gradient)
        for layer, symbols in zip(layers, of_layers)
        for name, value, gradient in parameters_of(layer)
    ]


def _penalties(step):
    """The Penalties of the step: what they added, and how to compute them again."""
    network = step.players["D"]
    by_name = zip(network.named_parameters(), by_parameter(network, step.loss_gradient))
    added = {name: grad - before for (name, _, grad), (_, before) in by_name}

    def value():  # not what `accumulate` says: `stepped` compares the two
        return sum(replay() for replay in step.penalties)

    return Penalties(value(), added, value)
