"""Where a training step went bad: the first of its tensors that is not finite, by name.

A NaN in a loss does not say where it comes from. The step is computed once more, layer by layer, in
the same order, until the first number that is not finite:

    parameters and buffers -> G's outputs -> D's outputs, on real and fake -> the losses
    -> D's gradients, from the last layer to the first -> the gradient through D -> G's gradients
"""

import numpy as np

from ..network import walk

PARAMETER = "something wrote it from outside, or the learning rate is so high that it overflowed"
ACTIVATION = "the values outgrew their dtype: the learning rate may be too high"
GRADIENT = "the learning rate may be too high, or a penalty too strong"


def first_not_finite(gan, real):
    """(what, likely cause) in words; ("", GRADIENT) if all tensors of such a step are finite.

    To draw the same noise again, gan's random generators must be in the state in which the step
    began. The networks' buffers are left as they are; their gradients are overwritten.
    """
    with (
        np.errstate(all="ignore"),
        gan.generator.held_buffers(),
        gan.discriminator.held_buffers(),
    ):
        return next(_findings(gan, gan.check_real(real)), ("", GRADIENT))


def _findings(gan, real):
    """Yields (what, cause) of every tensor that is not finite, in the order of the computation."""
    generator, discriminator = gan.generator, gan.discriminator
    for player, network in (("generator", generator), ("discriminator", discriminator)):
        for name, value, _ in network.named_parameters():
            yield from _check(f"the {player}'s parameter {name}", value, PARAMETER)
        for name, value in network.named_buffers():
            yield from _check(f"the {player}'s buffer {name}", value, ACTIVATION)

    fake, generated = yield from _forward(generator, "generator", gan.draw_noise(len(real)))
    real_logits, on_real = yield from _forward(discriminator, "discriminator", real)
    fake_logits, on_fake = yield from _forward(discriminator, "discriminator", fake)

    value, d_real, d_fake = gan.loss.discriminator(real_logits, fake_logits)
    yield from _check("the discriminator's loss", value, ACTIVATION)
    discriminator.zero_grad()
    for signal, caches in ((d_real, on_real), (d_fake, on_fake)):
        yield from _backward("discriminator", signal, caches)
    for penalty in gan.penalties:
        penalty.accumulate(discriminator, real, fake, gan.rng)
        for name, _, grad in discriminator.named_parameters():
            yield from _check(f"{penalty}'s gradient of {name}", grad, GRADIENT)

    value, _, d_fake = gan.loss.generator(real_logits, fake_logits)
    yield from _check("the generator's loss", value, ACTIVATION)
    d_samples = d_fake
    for layer, cache in reversed(on_fake):
        d_samples = layer.backward_input(d_samples, cache)
    yield from _check("the gradient that reaches the samples", d_samples, GRADIENT)
    generator.zero_grad()
    yield from _backward("generator", d_samples, generated)


def _forward(network, player, x):
    """The forward pass, each layer's output looked at; returns (y, caches)."""
    caches = []
    for index, layer in enumerate(network.layers):
        x, cache = layer.forward(x, training=True)
        caches.append((layer, cache))
        yield from _check(f"the output of the {player}'s layer {index}, {layer}", x, ACTIVATION)
    return x, caches


def _backward(player, dy, caches):
    """The backward pass, each layer's gradients looked at."""
    for index, (layer, cache) in reversed(list(enumerate(caches))):
        dx = layer.backward(dy, cache)
        for inside, inner in walk(layer, f"{index}."):
            for name, grad in inner.grads.items():
                yield from _check(f"the {player}'s gradient of {inside}{name}", grad, GRADIENT)
        if dx is not None:
            what = f"the gradient that leaves the {player}'s layer {index}, {layer}"
            yield from _check(what, dx, GRADIENT)
        dy = dx


def _check(what, values, cause):
    if not np.isfinite(values).all():
        yield what, cause
