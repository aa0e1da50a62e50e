"""R1 and R2 along the pass in which D judges its minibatch.

R1 looks at D's slope at the real samples and R2 at the fakes: the very points that the adversarial
loss judges. So D's whole update needs one forward pass, one backward sweep with seed 1, and one
sweep with the tangents in which each layer's weight gradient, adversarial and penalties together,
is one product (`second_order`, step 4). Beside the plain update, that is the tangents more.
"""

import numpy as np

from .. import checks
from ..layers.activations import Dropout
from ..network import Sequential, walk
from .second_order import InputGradient


def shares_pass(penalty, discriminator):
    """Whether `accumulate_shared` may take this penalty for this discriminator.

    With dropout the two passes would share their masks, where `accumulate` draws new ones: right in
    its own way, but another number. With layers that mix samples there is no such penalty at all.
    """
    checks.penalty("shares_pass", "penalty", penalty)
    checks.instance("shares_pass", "discriminator", discriminator, Sequential)
    draws = any(isinstance(layer, Dropout) for _, layer in walk(discriminator))
    return penalty.judged is not None and not draws and not discriminator.mixes_samples


def split_by_pass(penalties, discriminator):
    """(those that `accumulate_shared` may take, those that make a pass of their own)."""
    along = [penalty for penalty in penalties if shares_pass(penalty, discriminator)]
    return along, [penalty for penalty in penalties if penalty not in along]


def accumulate_shared(penalties, discriminator, caches, d_real, d_fake):
    """Adds dL_D/dtheta, of the adversarial loss and the penalties, into D's grad.

    penalties      : those for which `shares_pass` is True
    caches         : of discriminator.forward(np.concatenate([real, fake]))
    d_real, d_fake : (N, 1) each, or wider, the loss's gradients of what D gave
    Returns the penalties' value, as a float.
    """
    slopes = np.concatenate([d_real, d_fake])
    input_gradient = InputGradient(discriminator, caches, slopes.shape)
    value, v = measure_shared(penalties, input_gradient.g, len(d_real))
    input_gradient.accumulate(v, slopes)
    return value


def measure_shared(penalties, g, n_real):
    """(the penalties' value, its gradient in g), g = grad_x D at the real samples, then fakes."""
    rows = {"real": slice(None, n_real), "fake": slice(n_real, None)}
    v, total = np.zeros_like(g), 0.0
    for penalty in penalties:
        judged = rows[penalty.judged]
        value, direction = penalty.measure(g[judged])
        v[judged] += direction
        total += value
    return total, v
