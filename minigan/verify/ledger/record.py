"""Recording a step: the two updates of `minigan.gan`, walked layer by layer.

The record is made beside the real thing. One float64 copy of the GAN takes a plain `train_step`;
another, with the same weights and the same random numbers, goes through it layer by layer and keeps
every value and every gradient. The losses of the first one, and the gradients that its optimizers
were handed, must be what the second one recorded: `Ledger.stepped` holds both.
"""

import numpy as np

from ..._old_checks import instance
from ..._random import RandomStates
from ...gan import GAN
from ...losses import sees_real
from . import formulas, sums
from .ledger import Ledger, LedgerRow
from .passes import Pass, leaves
from .rows import Penalties, Section, parameters_of


@np.errstate(under="ignore")
def record(gan, real):
    """The Ledger of `gan.train_step(real)`, in float64. The gan itself is left alone.

    real : a minibatch (N, ...), as for `train_step`; raises what that raises

    A tiny GAN's ledger is checked against central differences at once; that of any other when
    `Ledger.check` is called, since it takes a few forward passes for each entry.
    """
    instance("record", "gan", gan, GAN)
    before = gan.copy("float64")
    stepped, twin = gan.copy("float64"), gan.copy("float64")
    real = twin.check_real(real)
    figures = stepped.train_step(real)

    tiny = sums.is_tiny((twin.generator, twin.discriminator), twin.loss, 2 * len(real))
    generated = Pass(twin.generator, twin.draw_noise(len(real)))
    rows = _discriminator_update(twin, real, generated.output, tiny)
    moved = twin.discriminator.copy()
    moved.theta[...] = stepped.discriminator.theta
    rows += _generator_update(twin, moved, real, generated, tiny)

    values = {row.symbol: row.value for row in rows if row.kind == "loss"}
    reported = figures["discriminator_loss"] + figures["penalty"], figures["generator_loss"]
    beside = [
        ("L_D", values["L_D"], reported[0]),
        ("L_G", values["L_G"], reported[1]),
        ("dL_D/dtheta_D", twin.discriminator.grad, stepped.discriminator.grad),
        ("dL_G/dtheta_G", twin.generator.grad, stepped.generator.grad),
    ]
    n = len(real)
    title = f"one training step: {type(gan.loss).__name__}, {n} real samples, {n} fakes"
    ledger = Ledger(title, rows, _named(moved), beside, (before, real))
    if tiny:
        ledger.check()
    return ledger


def _discriminator_update(twin, real, fake, tiny):
    """The rows of L_D: steps 4 and 5 of `minigan.gan`."""
    network, loss, n = twin.discriminator, twin.loss, len(real)
    apart = network.mixes_samples
    passes = [Pass(network, x) for x in ([real, fake] if apart else [np.concatenate([real, fake])])]

    def play(outputs):
        logits = np.concatenate(outputs)
        return loss.discriminator(logits[:n], logits[n:])

    value, d_real, d_fake = play([judged.output for judged in passes])
    slopes = np.concatenate([d_real, d_fake])
    network.zero_grad()
    for judged, dy in zip(passes, np.split(slopes, len(passes))):
        judged.backward(dy)
    penalties = _add_penalties(twin, real, fake) if twin.penalties else None
    total = value + (penalties.value if penalties else 0.0)

    section = Section(
        "L_D", "D", passes,
        ends=[("real", "r"), ("fake", "f")] if apart else [("x", "logits")],
        made_of=["data", "G(z)"] if apart else ["[real; fake]"],
        loss_of=lambda outputs: play(outputs)[0],
        tiny=tiny,
    )  # fmt: skip
    in_words, *rules = formulas.discriminator_loss(loss)
    if not apart:
        rules = ["[dr; df], dr = {}, df = {}".format(*rules)]
    loss_sums, slope_sums, extra_row = (), (), []
    if tiny:
        r, f = np.split(passes[0].output, 2)
        extra = penalties and penalties.value
        loss_sums = sums.discriminator_loss(loss, "L_D", r, f, total, extra)
        slope_sums = sums.discriminator_slopes(loss, "dlogits", r, f, slopes)
    if penalties:
        in_words += " + R"
        what = " + ".join(map(repr, twin.penalties))
        extra_row = [
            section.scalar("R", "penalty", "", what, penalties.value, lambda moved: value + moved)
        ]
    rows = section.rows(rules, slope_sums, penalties=penalties)
    for row in rows[-len(passes) :]:
        row.rule += ", not used: D holds x"
    name = type(loss).__name__
    loss_row = section.scalar("L_D", "loss", name, in_words, total, float, loss_sums)
    return [loss_row, *extra_row, *rows]


def _generator_update(twin, moved, real, generated, tiny):
    """The rows of L_G, through D as its update left it and through G: step 6 of `minigan.gan`."""
    loss, fake = twin.loss, generated.output
    with moved.held_buffers():
        judged = Pass(moved, fake)
        real_logits = Pass(moved, real).output if sees_real(loss) else judged.output
    value, d_real, d_fake = loss.generator(real_logits, judged.output)
    judged.backward(d_fake, held=True)
    twin.generator.zero_grad()
    generated.backward(judged.gradients[0])

    def loss_of_logits(outputs):
        return loss.generator(real_logits, outputs[0])[0]

    def loss_of_samples(outputs):
        return loss_of_logits([judged.output_from(0, outputs[0])])

    through_d = Section("L_G", "D", [judged], [("fake", "f")], ["G(z)"], loss_of_logits, tiny=tiny)
    through_g = Section(
        "L_G", "G", [generated], [("z", "fake")], ["noise, N(0, 1)"], loss_of_samples, tiny=tiny
    )
    in_words, d_real_in_words, d_fake_in_words = formulas.generator_loss(loss)
    loss_sums, slope_sums, real_row = (), (), []
    if tiny:
        loss_sums = sums.generator_loss(loss, "L_G", real_logits, judged.output, value)
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


def _named(network):
    """[(symbol, value)] of a network's parameters."""
    layers = [layer for _, layer in leaves(network)]
    of_layers = formulas.parameters(layers)
    return [
        (symbols[name], value)
        for layer, symbols in zip(layers, of_layers)
        for name, value, _ in parameters_of(layer)
    ]


def _add_penalties(twin, real, fake):
    """Adds their gradients into D's, as the step does; returns the Penalties."""
    network = twin.discriminator
    before = {name: grad.copy() for name, _, grad in network.named_parameters()}
    replays, value = [], 0.0
    for penalty in twin.penalties:
        replays.append(_replay(penalty, twin, real, fake))
        penalty.accumulate(network, real, fake, twin.rng)
        value += float(replays[-1]())  # not what `accumulate` says: `stepped` compares the two
    added = {name: grad - before[name] for name, _, grad in network.named_parameters()}
    return Penalties(value, added, lambda: sum(replay() for replay in replays))


def _replay(penalty, twin, real, fake):
    """() -> the penalty's value, with the random numbers that it is about to draw."""
    drawing = RandomStates(twin.rng, twin.discriminator.rng)

    def value():
        drawing.restore()
        return penalty.value(twin.discriminator, real, fake, twin.rng)

    return value
