"""D's gradient in fewer passes: real and fake in one batch, together with R1 and R2.

R1 needs g = grad_x D at the real samples and R2 at the fakes, and these are the samples of the
adversarial loss. So D's whole gradient takes three passes: forward; backward from dy = 1, which
gives g; and a second-order sweep. If D is piecewise linear, the sweep computes the gradient of each
weight, for the loss and the penalties together, as one product (see `sweeps`).
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..gan import GAN
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
    SelfAttention,
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
from ..layers.memory import read_only
from ..layers.residual import Identity
from ..network import Sequential
from ..penalties import second_order
from ..penalties.gradient import R1, R2
from .as_written import PASSES, as_written, method_of, remember
from .edited import edited
from .stages import stages_of
from .sweeps import sweep_sequence

# These layers do not mix samples and draw no random numbers, so the results for a sample are the
# same in any batch.
PER_SAMPLE = {
    AvgPool2d, WithCode, Conv2d, ConvTranspose2d, Flatten, FourierFeatures, Identity, LabelPlanes,
    LayerNorm, LeakyReLU, Linear, OneHot, Projection, ReLU, Reshape, Residual, SelfAttention,
    Sequential, Sigmoid, SiLU, Softplus, SpectralNorm, Tanh, Upsample2d, WithInput,
}  # fmt: skip
remember(PER_SAMPLE | {InstanceNoise}, *PASSES)
remember([Sequential], *PASSES, "signals", "curvature_along")
remember([R1, R2], "accumulate", "points")
_JUDGE = method_of(GAN, "judge")


def step(gan: Any) -> Callable[..., Any] | None:
    """judge(real, fake), a replacement for `GAN.judge` with the same results. None if they could
    differ: if D mixes samples, draws random numbers after its first layer or has layers that are
    not listed here, or if a method was replaced."""
    if type(gan).judge is not _JUDGE or "judge" in vars(gan) or edited(GAN.__module__):
        return None
    D = gan.discriminator
    found = stages_of(D)
    if found.one_batch is None:
        found.one_batch = _may_take_one_batch(D)
    return functools.partial(_judge, gan) if found.one_batch and as_written(D) else None


def _may_take_one_batch(network):
    """Whether D gives the same logits for real and fake in one batch as in two. A first layer may
    draw noise: it draws the same numbers for one batch as for two in turn."""
    layers = [layer for _, layer in walk(network)]
    kinds = [type(layer) for layer in layers]
    noisy = type(network.layers[0]) is InstanceNoise and kinds.count(InstanceNoise) == 1
    known = set(kinds) - ({InstanceNoise} if noisy else set()) <= PER_SAMPLE
    return known and all(map(as_written, layers))


def _judge(gan, real, fake):
    """(loss, penalty, real logits, fake logits); adds dL_D/dtheta_D to D.grad."""
    D = gan.discriminator
    logits, caches = D.forward(read_only(np.concatenate([real, fake])))
    r, f = logits[: len(real)], logits[len(real) :]
    value, d_real, d_fake = gan.loss.discriminator(r, f)
    slopes = np.concatenate([d_real, d_fake])
    # with instance noise, a penalty's own forward pass draws other noise than that of the loss
    differ = type(D.layers[0]) is InstanceNoise or edited(second_order.__name__)
    shared = [] if differ else [p for p in gan.penalties if type(p) in (R1, R2) and as_written(p)]
    separate = [p for p in gan.penalties if p not in shared]
    penalty = 0.0
    if shared:
        penalty = _shared_pass(shared, D, caches, slopes, len(real))
    else:
        D.backward_params(slopes, caches)
    penalty += sum(p.accumulate(D, real, fake, gan.rng) for p in separate)
    return value, penalty, r, f


def _shared_pass(penalties, D, caches, slopes, n_real):
    """Adds the gradients of the loss and of the penalties to D.grad; returns the penalties' value.

    slopes (N, outputs) = dL_D/dlogits, of the real samples and then of the fakes.
    """
    seed = np.zeros_like(slopes)
    seed[:, 0] = 1  # if D has more outputs than its logit, penalties use the logit alone
    g, sweep = sweep_sequence(caches, seed)
    value, v = measure(penalties, g, n_real)
    piecewise_linear = all(part.piecewise_linear for part in sweep.parts[sweep.first_trained :])
    merges = piecewise_linear and slopes.shape[1] == 1
    with D.settled(caches if merges else ()):
        if merges:
            sweep.merge(v, slopes)
        else:
            sweep.forward(v)
            sweep.backward(slopes, wanted=False)
    return value


def measure(penalties: Sequence[Any], g: np.ndarray, n_real: int) -> tuple[float, np.ndarray]:
    """(value, v): the sum of the penalties and its gradient v with respect to g = grad_x D.

    g and v (N, ...) have the real samples first, then the fakes.
    """
    rows = {R1: slice(None, n_real), R2: slice(n_real, None)}
    v, total = np.zeros_like(g), 0.0
    for penalty in penalties:
        part = rows[type(penalty)]
        value, direction = penalty.measure(g[part])
        v[part] += direction
        total += value
    return total, v
