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
       layer norm          the product rule: see LayerNorm

   The seed 1 does not move, so dy_dot = 0 at the logits, and a second signal exists only below an
   activation that curves. With ReLU or LeakyReLU there is none: biases get exactly zero, and R's
   gradient is one product x_dot' dy per layer. None stands for zero, so no work is done on zeros.

The whole is four sweeps: forward; backward (seed 1), which gives g and every dy; forward with the
tangents; backward with dy_dot, adding into the gradients.

4. Two gradients for one. Where D's adversarial loss L is judged at the same points, with slopes
   s_i = dL/dlogit_i, its gradient is `backward` from the seed s. The sweep of dy_dot is linear, so
   starting it at s, not at zero, adds both gradients. In a piecewise linear D, dy_dot = s dy at
   every layer, since rows do not mix, and the sweep need not be made. The two products become one:

       dW += x' (s dy) + x_dot' dy = (s x + x_dot)' dy,      db += sum_i s_i dy_i.
"""

import numpy as np

from ..layers.base import Layer
from ..network import Sequential, count_parameters, walk


def check_critic(name, discriminator):
    """Raises TypeError unless D is a network, ValueError, naming the layer, for one that cannot be
    penalised: it mixes samples (then one sample's logit has a slope in the others' pixels, and
    "its gradient" is not what the penalty says), or its second derivative is not written down."""
    if not isinstance(discriminator, Sequential):
        raise TypeError(f"{name}: discriminator must be a Sequential, got {discriminator!r}")
    for _, layer in walk(discriminator):
        if isinstance(layer, Sequential):
            continue
        if layer.mixes_samples:
            raise ValueError(
                f"{name}: {layer} mixes the samples of a minibatch, so a penalised discriminator "
                "cannot contain it; LayerNorm and SpectralNorm treat each sample by itself"
            )
        if type(layer).curvature is Layer.curvature:
            raise ValueError(
                f"{name}: {layer} has no second derivative, so a penalised discriminator "
                "cannot contain it"
            )


def backward_signals(layers, logits):
    """[dD/dx, ..., dD/dlogits]: the input gradient of every layer, and the seed of ones at the end.

    layers : [(layer, cache)] of a forward pass;  logits : (N, 1)
    """
    signals = [np.ones_like(logits)]
    for layer, cache in reversed(layers):
        signals.append(layer.backward_input(signals[-1], cache))
    return signals[::-1]


def input_gradient(discriminator, x):
    """One pass over x (N, ...): returns (layers, signals), signals[0] = grad_x D of shape (N, ...).

    D's buffers stay as they are: the pass is for the penalty only.
    """
    with discriminator.held_buffers():
        logits, caches = discriminator.forward(x)
    if logits.shape != (len(x), 1):
        raise ValueError(
            f"the discriminator must give one logit per sample, shape ({len(x)}, 1), "
            f"to be penalised; it gave {logits.shape}"
        )
    layers = list(discriminator.layer_caches(caches))
    return layers, backward_signals(layers, logits)


def accumulate(layers, signals, v, slopes=None):
    """Adds d/dtheta <v, grad_x D>, v held, into the layers' gradients; with slopes s (N, 1), adds
    d/dtheta sum_i s_i D(x_i), s held, in the same sweep.

    layers, signals : from `input_gradient`;  v : like x
    """
    if slopes is not None and is_piecewise_linear(layers):
        accumulate_merged(layers, signals, v, slopes)
    else:
        accumulate_swept(layers, signals, v, slopes)


def accumulate_swept(layers, signals, v, slopes=None):
    """`accumulate` for any D: forward with the tangents, backward with dy_dot (steps 3 and 4)."""
    tangents = [v]
    for layer, cache in layers[:-1]:
        tangents.append(layer.tangent(tangents[-1], cache))

    bottom = first_trained(layers)
    dy_dot = slopes
    for index in reversed(range(bottom, len(layers))):
        (layer, cache), dy, x_dot = layers[index], signals[index + 1], tangents[index]
        if dy_dot is None:
            dx_dot = None
        elif index > bottom:
            dx_dot = layer.backward(dy_dot, cache)
        else:  # nothing below is trained
            dx_dot = layer.backward_params(dy_dot, cache)
        dy_dot = _sum(dx_dot, layer.curvature(dy, cache, x_dot))


def accumulate_merged(layers, signals, v, slopes):
    """`accumulate` for a piecewise linear D: one product per layer, made while the tangents pass."""
    x_dot = v
    for index, ((layer, cache), dy) in enumerate(zip(layers, signals[1:])):
        if count_parameters(layer):
            layer.backward_merged(dy, slopes, cache, x_dot)
        if index < len(layers) - 1:
            x_dot = layer.tangent(x_dot, cache)


def is_piecewise_linear(layers):
    """Whether dy_dot = s dy as far down as there is anything to train. (What stands below the first
    parameters may curve: Fourier features in front of a LeakyReLU network, for one.)"""
    return all(layer.piecewise_linear for layer, _ in layers[first_trained(layers) :])


def first_trained(layers):
    """The index of the first layer with parameters; len(layers) if there is none."""
    trained = (i for i, (layer, _) in enumerate(layers) if count_parameters(layer))
    return next(trained, len(layers))


def _sum(a, b):
    """a + b, None being zero."""
    if a is None or b is None:
        return b if a is None else a
    return a + b
