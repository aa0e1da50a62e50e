"""The check of a whole training step: what the optimizers were given, beside what the losses say.

A copy of the GAN takes one real step, `GAN.train_step`, with its optimizers replaced by recorders
that note what they are handed before they pass it on. The gradients noted are then compared with
central differences of the two losses, computed from forward passes alone. Nothing about the order
of the passes, the caches, the reuse of activations or the division by N is taken on trust.
"""

import numpy as np

from ..chance import Bookmark
from ..checks import instance
from ..gan import GAN
from ..losses import sees_real
from ..penalties.second_order import InputGradient
from ..penalties.shared_pass import measure_shared, split_by_pass
from .differences import central_differences
from .layers import compare_parameters
from .report import Report


def check_step(gan, real):
    """Checks one `gan.train_step(real)` in float64, over every parameter of both players.

    gan itself is left alone: a float64 copy takes the step. The rows:
        D update : dL_D/dtheta_D, penalties included, each parameter beside central differences of
                   L_D; the loss it reports; theta and grad of G to the last bit as they were
        G update : dL_G/dtheta_G, through the updated D, likewise; theta, grad and buffers of D to
                   the last bit as they were
    Returns a Report. The cost is about four forward passes per parameter: meant for small networks
    and small batches.
    """
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

    # -- the discriminator's update, replayed from the same noise
    before.restore()
    generator, discriminator = twin.generator, twin.discriminator
    with generator.held_buffers(), discriminator.held_buffers():
        fake, _ = generator.forward(twin.draw_noise(len(real)))
        judging = Bookmark(*twin.rngs)
        _set_buffers(discriminator, d_record.buffers)  # spectral vectors, as the step used them

        along, apart = split_by_pass(twin.penalties, discriminator)

        def discriminator_loss():
            judging.restore()
            real_logits, fake_logits, judged = twin._judge(real, fake)
            value, *_ = twin.loss.discriminator(real_logits, fake_logits)
            if along:  # at the very samples that were judged, instance noise included
                shape = 2 * len(real), real_logits.shape[1]
                g = InputGradient(discriminator, judged[0], shape).g
                value += measure_shared(along, g, len(real))[0]
            return value + sum(p.value(discriminator, real, fake, twin.rng) for p in apart)

        report.compare(
            "D update", "L_D reported", figures["discriminator_loss"] + figures["penalty"],
            discriminator_loss(),
        )  # fmt: skip
        difference, kinks = central_differences(discriminator_loss, discriminator.theta)
    compare_parameters(report, "D update", discriminator, d_record.grad, difference, kinks)
    report.compare("D update", "theta_G unchanged", d_record.other_theta, before.theta_g, 0)
    report.compare("D update", "grad_G unchanged", d_record.other_grad, before.grad_g, 0)

    # -- the generator's, with the discriminator as its own update left it
    discriminator.theta[...] = g_record.other_theta
    with generator.held_buffers(), discriminator.held_buffers():
        _set_buffers(discriminator, g_record.other_buffers)

        def generator_loss():
            before.random.restore()
            fake, _ = generator.forward(twin.draw_noise(len(real)))
            d_record.random.restore()
            fake_logits, _ = discriminator.forward(fake)
            real_logits = fake_logits
            if sees_real(twin.loss):
                real_logits, _ = discriminator.forward(real)
            return twin.loss.generator(real_logits, fake_logits)[0]

        report.compare("G update", "L_G reported", figures["generator_loss"], generator_loss())
        difference, kinks = central_differences(generator_loss, generator.theta)
    compare_parameters(report, "G update", generator, g_record.grad, difference, kinks)
    report.compare("G update", "theta_D unchanged", after.theta_d, g_record.other_theta, 0)
    report.compare("G update", "grad_D unchanged", after.grad_d, d_record.grad, 0)
    for (name, value), kept in zip(after.buffers_d, d_record.buffers):
        report.compare("G update", f"buffer {name} of D unchanged", value, kept[1], 0)
    report.compare("both", "real minibatch unchanged", real, real_before, 0)
    return report


class _Recorder:
    """Stands in for an optimizer: notes what it is given, then lets the optimizer work."""

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
        self.random = Bookmark(*self.gan.rngs)
        self.optimizer.step(theta, grad)


class _Snapshot:
    """Both players' vectors and buffers, and the state of every random generator."""

    def __init__(self, gan):
        self.gan = gan
        self.theta_g, self.grad_g = gan.generator.theta.copy(), gan.generator.grad.copy()
        self.theta_d, self.grad_d = gan.discriminator.theta.copy(), gan.discriminator.grad.copy()
        self.buffers_g, self.buffers_d = _buffers(gan.generator), _buffers(gan.discriminator)
        self.random = Bookmark(*gan.rngs)

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
