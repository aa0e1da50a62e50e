"""The gradient of a gradient, by hand.

A penalty is R = sum_i r(g_i), with g_i = grad_x D(x_i) and x_i held. What is dR/dtheta?

1. Hold the outside. By the chain rule dR/dtheta = d/dtheta sum_i <v_i, g_i>, where v_i = dR/dg_i is
   computed and then held. For R1, r = gamma / 2N |g|^2 and v_i = gamma / N g_i.

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

The whole is four sweeps: forward; backward (seed 1), which gives g and every dy; forward with the
tangents; backward with dy_dot, adding into the gradients. `minigan.layers.composite` walks the last
three, through layers in a row and layers side by side.

4. Two gradients for one. Where D's adversarial loss L is judged at the same points, with slopes
   s_i = dL/dlogit_i, its gradient is `backward` from the seed s. The sweep of dy_dot is linear, so
   starting it at s, not at zero, adds both gradients. In a piecewise linear D, dy_dot = s dy at
   every layer, since rows do not mix, and the sweep need not be made. The two products become one:

       dW += x' (s dy) + x_dot' dy = (s x + x_dot)' dy,      db += sum_i s_i dy_i.

   (A D that gives more than its logit, for the losses of `minigan.auxiliary`, has a slope for each
   value, and seed 1 at the logit alone: then s dy is not all of dy_dot, and the sweep is made.)
"""

import numpy as np

from ..layers.base import Layer
from ..layers.composite import walk
from ..network import Sequential, read_only


def check_critic(name, discriminator):
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


class InputGradient:
    """grad_x D along one forward pass, and how to differentiate it.

    g     : (N, ...) grad_x D, like the samples
    sweep : the backward sweep that gave it, a `RowSweep` of D's layers
    """

    def __init__(self, discriminator, caches, shape):
        """shape : (N, width) of what the pass, of which `caches` came, has given"""
        seed = np.zeros(shape, discriminator.dtype)
        seed[:, 0] = 1
        self.width = shape[1]
        self.g, self.sweep = discriminator.sweep(seed, caches)

    @property
    def is_straight(self):
        """Whether D gives one logit and is piecewise linear as far down as there is anything to
        train. (What stands below may curve: Fourier features in front of a LeakyReLU network.)"""
        parts = self.sweep.parts[self.sweep.bottom :]
        return self.width == 1 and all(part.straight for part in parts)

    def accumulate(self, v, slopes=None):
        """Adds d/dtheta <v, g> into D's grad; given slopes s, d/dtheta <s, D(x)> too.

        v : like g;  slopes : (N, width) like what D gives; both are held
        """
        accumulate = self.accumulate_straight if self.is_straight else self.accumulate_curved
        accumulate(v, slopes)

    def accumulate_curved(self, v, slopes=None):
        """For any D: forward with the tangents, then backward with dy_dot (steps 3 and 4)."""
        self.sweep.along(v)
        self.sweep.back(slopes, wanted=False)

    def accumulate_straight(self, v, slopes=None):
        """For a D of straight pieces: dy_dot = s dy, so all is done while the tangents pass."""
        self.sweep.merge(v, slopes)


def differentiate(discriminator, x):
    """The InputGradient along a pass over x (N, ...), in training mode, D's buffers left alone."""
    with discriminator.held_buffers():
        logits, caches = discriminator.forward(read_only(x))
    if logits.ndim != 2 or not logits.shape[1]:
        raise ValueError(
            f"a penalised discriminator must give rows that begin with a logit, shape ({len(x)}, "
            f"1) or wider; it gave {logits.shape}"
        )
    return InputGradient(discriminator, caches, logits.shape)
