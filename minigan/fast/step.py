"""D's gradient in fewer passes: real and fake in one batch, R1 and R2 along the same pass.

R1 looks at D's slope at the real samples and R2 at the fakes: the very points that the adversarial
loss judges. So D's whole gradient needs one forward pass, one backward sweep with seed 1, and one
sweep with the tangents in which each layer's weight gradient, adversarial and penalties together,
is one product (see `sweeps`).
"""

import numpy as np

from ..layers import (
    AvgPool2d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    FourierFeatures,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Reshape,
    Residual,
    Sigmoid,
    SiLU,
    Softplus,
    SpectralNorm,
    Tanh,
    Upsample2d,
)
from ..layers.composite import walk
from ..layers.conditional import LabelPlanes, OneHot, Projection, WithCode
from ..layers.input_layers import InstanceNoise, WithInput
from ..layers.residual import Identity
from ..network import Sequential, read_only
from ..penalties.gradient import R1, R2
from .sweeps import sweep_row

# They treat each sample by itself and draw nothing, so one batch gives what two would. By exact
# type: of a layer that is not listed, nothing is known.
ONE_BY_ONE = {
    AvgPool2d, WithCode, Conv2d, ConvTranspose2d, Flatten, FourierFeatures, Identity, LabelPlanes,
    LayerNorm, LeakyReLU, Linear, OneHot, Projection, ReLU, Reshape, Residual, Sequential, Sigmoid,
    SiLU, Softplus, SpectralNorm, Tanh, Upsample2d, WithInput,
}  # fmt: skip


def step(gan):
    """judge(real, fake), to be used in the place of `GAN.judge`, or None where it would compute
    other numbers: where D mixes samples, draws random numbers or has layers of the user's own."""
    kinds = [type(layer) for _, layer in walk(gan.discriminator)]
    noisy = _begins_with_noise(gan.discriminator)
    if not set(kinds) - ({InstanceNoise} if noisy else set()) <= ONE_BY_ONE:
        return None
    return lambda real, fake: _judge(gan, real, fake, noisy)


def _begins_with_noise(network):
    """Whether the first layer is the only one that draws: then a batch of both draws, row by row,
    what a batch of each would."""
    kinds = [type(layer) for _, layer in walk(network)]
    return type(network.layers[0]) is InstanceNoise and kinds.count(InstanceNoise) == 1


def _judge(gan, real, fake, noisy):
    """(loss, penalty, real logits, fake logits); adds dL_D/dtheta_D into D's grad."""
    D = gan.discriminator
    logits, caches = D.forward(read_only(np.concatenate([real, fake])))
    r, f = np.split(logits, [len(real)])
    value, d_real, d_fake = gan.loss.discriminator(r, f)
    slopes = np.concatenate([d_real, d_fake])
    shared = [] if noisy else [p for p in gan.penalties if type(p) in (R1, R2)]
    apart = [p for p in gan.penalties if p not in shared]
    penalty = 0.0
    if shared:
        penalty = _shared_pass(shared, D, caches, slopes, len(real))
    else:
        D.backward_params(slopes, caches)
    penalty += sum(p.accumulate(D, real, fake, gan.rng) for p in apart)
    return value, penalty, r, f


def _shared_pass(penalties, D, caches, slopes, n_real):
    """Adds the gradients of the loss and of the penalties; returns the penalties' value."""
    seed = np.zeros_like(slopes)
    seed[:, 0] = 1  # of a D that gives more than its logit, the penalties look at the logit alone
    g, sweep = sweep_row(caches, seed)
    value, v = measure(penalties, g, n_real)
    straight = all(part.straight for part in sweep.parts[sweep.bottom :])
    if straight and slopes.shape[1] == 1:
        sweep.merge(v, slopes)
    else:
        sweep.forward(v)
        sweep.backward(slopes, wanted=False)
    return value


def measure(penalties, g, n_real):
    """(value, v): the penalties and their gradient in g = grad_x D at the real samples, then at
    the fakes."""
    rows = {R1: slice(None, n_real), R2: slice(n_real, None)}
    v, total = np.zeros_like(g), 0.0
    for penalty in penalties:
        part = rows[type(penalty)]
        value, direction = penalty.measure(g[part])
        v[part] += direction
        total += value
    return total, v
