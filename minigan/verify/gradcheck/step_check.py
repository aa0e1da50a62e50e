"""The check of a whole training step: what the optimizers were given, and what the losses say.

A copy of the GAN takes one real step, `GAN.train_step`, with its optimizers replaced by recorders
that note the gradients they are given and pass them on. These gradients are then compared with
central differences of the two losses. The order of the passes, the caches, the reuse of activations
and the division by N are all part of what is checked.

The losses are computed from forward passes alone, with one exception: a gradient penalty contains
grad_x D, which a backward pass of D gives. That backward pass is itself compared with differences
of D over its input, from forward passes alone, where the samples are small: see `input_gradient`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ..._checks import Count, Seed, checked
from ..._random import RandomStates, random_generator
from ...gan import GAN
from ...training.game_steps import SimultaneousGAN
from ..loss_values import discriminator_loss, generator_loss
from .check_progress import progress_bar
from .differences import measure
from .directions import AlongDirections
from .input_gradient import check_input_gradients
from .layer_check import compare_parameters
from .own_parts import check_returned
from .report import Report
from .step_context import StepContext

OFF_THE_KINKS = 1e-3  # how far parameters are moved that lie exactly on a kink


@checked
def check_step(
    gan: GAN,
    real: ArrayLike,
    *,
    directions: Count | None = None,
    rng: Seed | None = None,
    progress: bool = True,
) -> Report:
    """Checks one `gan.train_step(real)` in float64, over every parameter of both players.

    Parameters
    ----------
    real : a minibatch (N, ...)
    directions : None: every entry of every parameter is compared, about four forward passes for
        each; meant for small networks. A number: each parameter, as a whole tensor, is compared
        along so many random directions, and entry by entry only if it fails; a few passes for each
        tensor, for networks of any size. 2 is enough.
    rng : draws the directions; None: drawn anew each time, and a note says how to repeat it
    progress : show a progress bar if it takes more than two seconds

    gan itself is not changed: a float64 copy takes the step. The rows:
        D update : dL_D/dtheta_D, penalties included, each parameter compared with central
                   differences of L_D; the loss it reports; theta and grad of G, unchanged to the
                   last bit
        grad_x D : with penalties: what the backward pass gives, compared with differences of D over
                   its input; and, where all values of the samples are compared (1024 at most), the
                   penalty's value with its value at those differences
        G update : dL_G/dtheta_G, through the updated D, likewise; theta, grad and buffers of D,
                   unchanged to the last bit; theta of G as its optimizer left it
    What an optimizer makes of its gradient is not part of the check.

    Where a fresh network lies exactly on a kink, as a ReLU with bias 0 does over blank pixels,
    there is no derivative to compare with. Then all parameters are moved by about 0.001 and the
    step is checked there; a note says so.

    Returns
    -------
    A Report. Raises TypeError or ValueError for a layer or a penalty of one's own that returns
    something else than it must, naming it; TypeError for a game of `minigan.game_steps`, in which G
    does not move after D, and for a step of one's own in which the optimizers do not move D once,
    then G once.
    """
    if isinstance(gan, SimultaneousGAN):
        raise TypeError(
            "check_step: gan must move its discriminator before its generator, as GAN does, got "
            f"{type(gan).__name__}; check a GAN of the same networks, loss and penalties"
        )
    note = ""
    if rng is None:
        rng = int(np.random.default_rng().integers(2**31))
        note = f"the directions are those of rng={rng}"
    rng = random_generator(rng)
    start = gan.copy("float64")
    real = np.array(start.check_real(real))
    check_returned(start, real)
    report = _check(start, real, directions, rng, progress)
    if any(row.reason and "exactly on a kink" in row.reason for row in report.rows):
        draw = np.random.default_rng(0)
        for network in (start.generator, start.discriminator):
            network.theta += OFF_THE_KINKS * draw.standard_normal(network.theta.shape)
        report = _check(start, real, directions, rng, progress)
        report.notes.append(
            f"all parameters were moved by about {OFF_THE_KINKS:g}: as they are, some lie exactly "
            "on a kink, where there is no derivative"
        )
    if directions and note:
        report.notes.append(note)
    return report


def _check(start, real, directions, rng, progress):
    """The Report of one step of a GAN that is as `start`."""
    twin, real_before = start.copy(), real.copy()
    moved: list[str] = []
    d_record = _Recorder(twin, "discriminator", moved)
    g_record = _Recorder(twin, "generator", moved)

    before = _Snapshot(twin)
    figures = twin.train_step(real)
    after = _Snapshot(twin)
    if moved != ["discriminator", "generator"]:
        raise TypeError(
            f"check_step: {type(start).__name__}.train_step must move the discriminator once, then "
            f"the generator once, by their optimizers, got {', '.join(moved) or 'no move'}"
        )
    how = f", along {directions} random directions" if directions else ""
    report = Report(
        f"check of one training step, {type(twin.loss).__name__}, batch {len(real)}{how}"
    )
    players = twin.discriminator, twin.generator
    entries = sum(len(p.named_parameters()) if directions else p.theta.size for p in players)
    context = StepContext(start, real)
    with progress_bar(entries, progress) as bar:
        compare = _Comparison(report, directions, rng, bar.update)
        before.restore()
        _check_discriminator(compare, twin, real, figures, before, d_record, context)
        _check_generator(compare, twin, real, figures, before, d_record, g_record, context)
    report.compare("G update", "theta_D unchanged", after.theta_d, g_record.other_theta, 0)
    report.compare("G update", "theta_G as its optimizer left it", after.theta_g, g_record.theta, 0)
    report.compare("G update", "grad_D unchanged", after.grad_d, d_record.grad_left, 0)
    for (name, value), kept in zip(after.buffers_d, d_record.buffers):
        report.compare("G update", f"buffer {name} of D unchanged", value, kept[1], 0)
    report.compare("both", "real minibatch unchanged", real, real_before, 0)
    return report


class _Comparison:
    """Compares the gradients of a network, entry by entry or along directions."""

    def __init__(self, report, directions, rng, tick):
        self.report, self.directions, self.rng, self.tick = report, directions, rng, tick

    def __call__(
        self, check: str, network, gradients: np.ndarray, loss: Callable[[], float], context
    ) -> None:
        if not self.directions:
            differences = measure(loss, network.theta, tick=self.tick)
            compare_parameters(self.report, check, network, gradients, differences, context)
            return
        along = AlongDirections(loss, self.directions, self.rng, tick=self.tick)
        along.compare_parameters(self.report, check, network, gradients, context)


def _check_discriminator(compare, twin, real, figures, before, record, context):
    """D's update, replayed from the same noise. `twin` is as it was before the step."""
    report, discriminator = compare.report, twin.discriminator
    with twin.generator.held_buffers(), discriminator.held_buffers():
        fake, _ = twin.generate(len(real))
        judging = RandomStates(*twin.rngs)
        _set_buffers(discriminator, record.buffers)  # spectral vectors, as the step used them

        def loss():
            judging.restore()
            return discriminator_loss(twin, real, fake)

        reported = figures["discriminator_loss"] + figures["penalty"]
        report.compare(
            "D update", "L_D reported", reported, loss(), context=context.of_figure("L_D reported")
        )
        compare("D update", discriminator, record.grad, loss, context.of("D"))
        check_input_gradients(
            report, twin.penalties, discriminator, real, fake, twin.rng,
            directions=compare.directions, draw=compare.rng,
        )  # fmt: skip
    report.compare("D update", "theta_G unchanged", record.other_theta, before.theta_g, 0)
    report.compare("D update", "grad_G unchanged", record.other_grad, before.grad_g, 0)


def _check_generator(compare, twin, real, figures, before, d_record, g_record, context):
    """G's update, from the noise before the step and the discriminator that D's update left."""
    generator, discriminator = twin.generator, twin.discriminator
    discriminator.theta[...] = g_record.other_theta
    with generator.held_buffers(), discriminator.held_buffers():
        _set_buffers(discriminator, g_record.other_buffers)

        def loss():
            before.random.restore()
            fake, _ = twin.generate(len(real))
            d_record.random.restore()
            return generator_loss(twin, real, fake)

        compare.report.compare(
            "G update", "L_G reported", figures["generator_loss"], loss(),
            context=context.of_figure("L_G reported"),
        )  # fmt: skip
        compare("G update", generator, g_record.grad, loss, context.of("G"))


class _Recorder:
    """Notes what a player's optimizer is given, and what it leaves.

    grad, grad_left : the gradient before and after its step: some optimizers clip it in place
    moved           : the players whose optimizers have made a step, in order
    """

    def __init__(self, gan, player, moved):
        self.gan, self.player, self.moved = gan, player, moved
        self.network = getattr(gan, player)
        self.other = gan.generator if self.network is gan.discriminator else gan.discriminator
        optimizer = getattr(gan, f"{player}_optimizer")
        self.move, optimizer.step = optimizer.step, self.step

    def step(self, theta, grad):
        self.moved.append(self.player)
        self.grad = grad.copy()
        self.buffers = _buffers(self.network)
        self.other_theta, self.other_grad = self.other.theta.copy(), self.other.grad.copy()
        self.other_buffers = _buffers(self.other)
        self.random = RandomStates(*self.gan.rngs)
        returned = self.move(theta, grad)
        self.theta, self.grad_left = theta.copy(), grad.copy()
        return returned


class _Snapshot:
    """Both players' vectors and buffers, and the state of every random generator."""

    def __init__(self, gan):
        self.gan = gan
        self.theta_g, self.grad_g = gan.generator.theta.copy(), gan.generator.grad.copy()
        self.theta_d, self.grad_d = gan.discriminator.theta.copy(), gan.discriminator.grad.copy()
        self.buffers_g, self.buffers_d = _buffers(gan.generator), _buffers(gan.discriminator)
        self.random = RandomStates(*gan.rngs)

    def restore(self):
        self.gan.generator.theta[...] = self.theta_g
        self.gan.discriminator.theta[...] = self.theta_d
        _set_buffers(self.gan.generator, self.buffers_g)
        _set_buffers(self.gan.discriminator, self.buffers_d)
        self.random.restore()


def _buffers(network):
    return [(name, value.copy()) for name, value in network.named_buffers()]


def _set_buffers(network, kept):
    for (_, value), (_, before) in zip(network.named_buffers(), kept):
        value[...] = before
