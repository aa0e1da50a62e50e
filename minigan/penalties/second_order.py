"""The gradient of a gradient, by hand.

A penalty is R = sum_i r(g_i), with g_i = grad_x D(x_i) and x_i held. What is dR/dtheta?

1. Hold the outside. By the chain rule dR/dtheta = d/dtheta sum_i <v_i, g_i>, where v_i = dR/dg_i is
   computed and then held. For R1, r = gamma / (2 N) |g|^2 and v_i = (gamma / N) g_i.

2. Exchange the order. <v, grad_x D> is the slope of D as x moves along v, and derivatives commute:

       dR/dtheta = d/dtheta  d/de D(x + e v)  =  d/de  dD/dtheta (x + e v)        at e = 0.

   The last form says: take the ordinary backward pass of D, seed 1 at every logit, and ask how the
   weight gradients that it gives *move* as x moves along v (Pearlmutter 1994). So nothing new has
   to be invented: write the backward pass down, line by line, and differentiate each line along v.

3. A dot is a derivative along v. x_dot = v enters the first layer. For each layer y = f(x), with
   dy = dD/dy and dx = dD/dx its signals in the backward pass:

       forward     y  = f(x)               y_dot  = J x_dot                      layer.tangent
       backward    dx = J' dy              dx_dot = J' dy_dot + J_dot' dy
                   dW = x' dy (say)        dW_dot = x' dy_dot + x_dot' dy

   Each line of the backward pass is linear in dy, so the terms with dy_dot are `layer.backward`
   itself, applied to dy_dot. Those with dy are `layer.curvature(dy, cache, x_dot)`, a few lines for
   each kind of layer:

       y = x W + b         adds dW_dot = x_dot' dy; no x in dx = dy W' or in db = sum dy: dx_dot = 0
       y = phi(x)          dx = phi'(x) dy, so dx_dot = phi''(x) x_dot dy
       pooling, reshape    linear and without weights: nothing
       W / sigma           as W; then dW_dot is chained to W like any gradient of W / sigma
       layer norm, and     the product rule: see LayerNorm
       Fourier features    and FourierFeatures

   The seed 1 does not move, so dy_dot = 0 at the logits, and a second signal exists only below an
   activation that curves. With ReLU or LeakyReLU there is none: biases get exactly zero, and R's
   gradient is one product x_dot' dy per layer. None stands for zero, so no work is done on zeros.

The whole is four sweeps: forward; backward (seed 1), which gives g and the dy of each layer
(`slopes`); forward with the tangents; backward with dy_dot, adding into the gradients
(`Sequential.curvature_along`).
"""

import numpy as np

from ..layers.base import Array, Layer
from ..layers.composite import walk
from ..layers.memory import read_only
from ..network import Caches, Sequential


def check_critic(name: str, discriminator: Sequential) -> None:
    """Raises TypeError unless D is a network, ValueError, naming the layer, for one that cannot be
    penalised: it mixes samples (then one sample's logit has a slope in the others' pixels, and
    "its gradient" is not what the penalty says), or its second derivative is not written down."""
    if not isinstance(discriminator, Sequential):
        raise TypeError(f"{name}: discriminator must be a Sequential, got {discriminator!r}")
    for _, layer in walk(discriminator):
        inside = layer.children.values()
        if layer.mixes_samples and not any(child.mixes_samples for child in inside):
            raise ValueError(
                f"{name}: {layer} mixes the samples of a minibatch, so a penalised discriminator "
                "cannot contain it; LayerNorm and SpectralNorm treat each sample by itself"
            )
        if type(layer).curvature is Layer.curvature:
            raise ValueError(
                f"{name}: {layer} has no second derivative, so a penalised discriminator "
                "cannot contain it"
            )


def slopes(discriminator: Sequential, x: Array) -> tuple[list[Array], Caches]:
    """(signals, caches): a forward pass over x (N, ...) in training mode, D's buffers left alone,
    and a backward pass from 1 at every logit. signals[0] is grad_x D, (N, ...)."""
    with discriminator.held_buffers():
        logits, caches = discriminator.forward(read_only(x))
    if logits.ndim != 2 or not logits.shape[1]:
        raise ValueError(
            f"a penalised discriminator must give rows that begin with a logit, shape ({len(x)}, "
            f"1) or wider; it gave {logits.shape}"
        )
    seed = np.zeros_like(logits)
    seed[:, 0] = 1
    return discriminator.signals(seed, caches), caches
