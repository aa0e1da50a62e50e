"""The check of a whole training step: what the optimizers were given, and what the losses say.

A copy of the GAN takes one real step, `GAN.train_step`, with its optimizers replaced by recorders
that note the gradients they are given and pass them on. These gradients are then compared with
central differences of the two losses. The order of the passes, the caches, the reuse of activations
and the division by N are all part of what is checked.

The losses are computed from forward passes alone, with one exception: a gradient penalty contains
grad_x D, which a backward pass of D gives. That backward pass is itself compared with differences
of D over its input, from forward passes alone, where the samples are small: see `input_gradient`.
"""

import numpy as np

from ..._old_checks import flag, instance
from ..._random import RandomStates
from ...gan import GAN
from ...losses import sees_real
from .check_progress import progress_bar
from .differences import measure
from .input_gradient import check_input_gradients
from .layer_check import compare_parameters
from .report import Report


def check_step(gan, real, *, progress=True):
    """Checks one `gan.train_step(real)` in float64, over every parameter of both players.

    real     : a minibatch (N, ...)
    progress : show a progress bar if it takes more than two seconds

    gan itself is not changed: a float64 copy takes the step. The rows:
        D update : dL_D/dtheta_D, penalties included, each parameter compared with central
                   differences of L_D; the loss it reports; theta and grad of G, unchanged to the
                   last bit
        grad_x D : with penalties, and samples of up to 1024 values: what the backward pass gives,
                   compared with differences of D over its input; and the penalty's value, with its
                   value at those differences
        G update : dL_G/dtheta_G, through the updated D, likewise; theta, grad and buffers of D,
                   unchanged to the last bit
    Returns a Report. The cost is about four forward passes per parameter: meant for small networks
    and small batches.
    """
    progress = flag("check_step", "progress", progress)
    twin = instance("check_step", "gan", gan, GAN).copy("float64")
    real = np.array(twin.check_real(real))
    real_before = real.copy()
    d_record, g_record = _Recorder(twin, twin.discriminator), _Recorder(twin, twin.generator)
    d_record.takes_over("discriminator_optimizer")
    g_record.takes_over("generator_optimizer")

    before = _Snapshot(twin)
    figures = twin.train_step(real)
    after = _Snapshot(twin)
    report = Report(f"check of one training step, {type(gan.loss).__name__}, batch {len(real)}")
    entries = twin.discriminator.theta.size + twin.generator.theta.size
    with progress_bar(entries, progress) as bar:
        before.restore()
        _check_discriminator(report, twin, real, figures, before, d_record, bar.update)
        _check_generator(report, twin, real, figures, before, d_record, g_record, bar.update)
    report.compare("G update", "theta_D unchanged", after.theta_d, g_record.other_theta, 0)
    report.compare("G update", "grad_D unchanged", after.grad_d, d_record.grad, 0)
    for (name, value), kept in zip(after.buffers_d, d_record.buffers):
        report.compare("G update", f"buffer {name} of D unchanged", value, kept[1], 0)
    report.compare("both", "real minibatch unchanged", real, real_before, 0)
    return report


def _check_discriminator(report, twin, real, figures, before, record, tick):
    """D's update, replayed from the same noise. `twin` is as it was before the step."""
    generator, discriminator = twin.generator, twin.discriminator
    with generator.held_buffers(), discriminator.held_buffers():
        fake, _ = generator.forward(twin.draw_noise(len(real)))
        judging = RandomStates(*twin.rngs)
        _set_buffers(discriminator, record.buffers)  # spectral vectors, as the step used them

        def loss():
            judging.restore()
            real_logits, _ = discriminator.forward(real)
            fake_logits, _ = discriminator.forward(fake)
            value, *_ = twin.loss.discriminator(real_logits, fake_logits)
            return value + sum(p.value(discriminator, real, fake, twin.rng) for p in twin.penalties)

        reported = figures["discriminator_loss"] + figures["penalty"]
        report.compare("D update", "L_D reported", reported, loss())
        differences = measure(loss, discriminator.theta, tick=tick)
        compare_parameters(report, "D update", discriminator, record.grad, differences)
        check_input_gradients(report, twin.penalties, discriminator, real, fake, twin.rng)
    report.compare("D update", "theta_G unchanged", record.other_theta, before.theta_g, 0)
    report.compare("D update", "grad_G unchanged", record.other_grad, before.grad_g, 0)


def _check_generator(report, twin, real, figures, before, d_record, g_record, tick):
    """G's update, from the noise before the step and the discriminator that D's update left."""
    generator, discriminator = twin.generator, twin.discriminator
    discriminator.theta[...] = g_record.other_theta
    with generator.held_buffers(), discriminator.held_buffers():
        _set_buffers(discriminator, g_record.other_buffers)

        def loss():
            before.random.restore()
            fake, _ = generator.forward(twin.draw_noise(len(real)))
            d_record.random.restore()
            fake_logits, _ = discriminator.forward(fake)
            real_logits = fake_logits
            if sees_real(twin.loss):
                real_logits, _ = discriminator.forward(real)
            return twin.loss.generator(real_logits, fake_logits)[0]

        report.compare("G update", "L_G reported", figures["generator_loss"], loss())
        differences = measure(loss, generator.theta, tick=tick)
    compare_parameters(report, "G update", generator, g_record.grad, differences)


class _Recorder:
    """Takes the place of an optimizer: notes what it is given, then calls the optimizer."""

    def __init__(self, gan, network):
        self.gan, self.network = gan, network
        self.other = gan.generator if network is gan.discriminator else gan.discriminator

    def takes_over(self, attribute):
        self.optimizer = getattr(self.gan, attribute)
        setattr(self.gan, attribute, self)

    def step(self, theta, grad):
        self.grad = grad.copy()
        self.buffers = _buffers(self.network)
        self.other_theta, self.other_grad = self.other.theta.copy(), self.other.grad.copy()
        self.other_buffers = _buffers(self.other)
        self.random = RandomStates(*self.gan.rngs)
        self.optimizer.step(theta, grad)


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
