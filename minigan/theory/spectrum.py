"""The eigenvalues of a whole GAN: the Jacobian of its vector field, from Hessian-vector products.

Two players, each going down its own loss, are one point z = (theta_G, theta_D) in a field

    v(z) = (-dL_G/dtheta_G, -dL_D/dtheta_D)

which is the gradient of no function: its Jacobian J is not symmetric, its eigenvalues need not be
real, and that is where the turning comes from (Mescheder et al. 2017; Nagarajan and Kolter 2017).
What `minigan.dirac` derives for two numbers holds for all of them: near an equilibrium, a
simultaneous step z + h v(z) multiplies each mode by 1 + h lambda.

**J u without J** (Pearlmutter 1994, the R-operator). Move all parameters along u, and ask how the
gradients given by the backward pass move. A dot is a derivative along u. Each line of the forward
and of the backward pass is differentiated:

    linear      y  = x W + b        y_dot  = x_dot W + [x W_dot + b_dot]
                dx = dy W'          dx_dot = dy_dot W' + [dy W_dot']
                dW = x' dy          dW_dot = x' dy_dot + x_dot' dy
                db = sum dy         db_dot = sum dy_dot
    activation  y  = phi(x)         y_dot  = phi'(x) x_dot
                dx = phi'(x) dy     dx_dot = phi'(x) dy_dot + phi''(x) x_dot dy
    loss        dy = L'(y)          dy_dot = L''(y) y_dot

Most of these terms exist in the layers: the one with x_dot in the forward pass is `layer.tangent`,
those with dy_dot in the backward pass are `layer.backward`, those with x_dot `layer.curvature`, as
in `penalties.second_order`. The terms in brackets are the layer itself with W_dot in place of W:
they are computed by a copy of the network whose parameters are u. Up to rounding this is exact
(without penalties: see `Game`). u = each unit vector in turn gives J, column by column.
"""

import functools

import numpy as np

from .._checks import Batch, LossLike, Penalties, checked, numbers, shown
from .._progress import track
from ..gan import GAN
from ..layers import (
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Linear,
    RandomBrightness,
    RandomCutout,
    RandomTranslation,
)
from ..layers.activations import sigmoid
from ..layers.base import Layer
from ..layers.input_layers import InstanceNoise
from ..losses import LeastSquares, Minimax, NonSaturating, Wasserstein
from ..network import Sequential

DRAWING = Dropout, InstanceNoise, RandomBrightness, RandomCutout, RandomTranslation
DIFFERENCE = 1e-3  # length of the steps of the differences for the penalties' part


def _logistic(logits):
    """The second derivative of softplus."""
    p = sigmoid(logits)
    return p * (1 - p)


# L'' of D's two terms, which share it, and of G's: per logit, before the mean
SECOND = {
    Minimax: (_logistic, lambda fake: -_logistic(fake)),
    NonSaturating: (_logistic, _logistic),
    LeastSquares: (np.ones_like, np.ones_like),
    Wasserstein: (np.zeros_like, np.zeros_like),
}


def _underflow_is_no_error(method):
    @functools.wraps(method)
    def quiet(*args):
        with np.errstate(under="ignore"):
            return method(*args)

    return quiet


@checked
class Game:
    """A GAN on one fixed minibatch, in float64: v(z) and J(z), for any z = (theta_G, theta_D).

    .start is the z at which the two networks stand.

    generator, discriminator : networks of Linear and convolution layers, and of layers without
                               parameters that neither mix samples nor draw; they are copied
    loss                     : Minimax, NonSaturating, LeastSquares or Wasserstein
    real, noise              : the minibatch, (N, ...) and (M, latent)
    penalties                : any of `minigan.penalties`, added to D's loss

    The penalties' part of J is a third derivative. It is *not* written by hand: it is a central
    difference of the hand-written gradient. Raises TypeError for what J cannot be computed of.
    """

    def __init__(
        self,
        generator: Sequential,
        discriminator: Sequential,
        *,
        loss: LossLike,
        real: Batch,
        noise: Batch,
        penalties: Penalties = (),
    ) -> None:
        if type(loss) not in SECOND:
            *most, last = (kind.__name__ for kind in SECOND)
            raise TypeError(
                f"Game: loss must be {', '.join(most)} or {last}, whose second derivatives are "
                f"written, got {shown(loss)}"
            )
        for layer in generator.layers + discriminator.layers:
            _check(layer)
        self.generator = generator.copy("float64")
        self.discriminator = discriminator.copy("float64")
        for penalty in penalties:
            penalty.check(discriminator)
        self.loss, self.penalties = loss, tuple(penalties)
        self.real, self.noise = real.astype(np.float64), noise.astype(np.float64)
        self.gan = GAN(
            self.generator,
            self.discriminator,
            latent_dim=self.noise.shape[1],
            loss=loss,
            penalties=self.penalties,
        )
        if self.real.shape[1:] != self.gan.sample_shape:
            expected = f"samples of shape {self.gan.sample_shape}, as generator makes them"
            raise ValueError(f"Game: real must be {expected}, got {shown(real)}")
        self.split = self.generator.theta.size
        self.start = np.concatenate([self.generator.theta, self.discriminator.theta])

    def _place(self, z):
        halves = np.split(self._point("z", z), [self.split])
        self.generator.theta[...], self.discriminator.theta[...] = halves

    def _point(self, name, value):
        """`value` as a vector like `start`."""
        vector = numbers("Game", name, value, self.start.shape, kinds="fiu")
        return vector.astype(np.float64, copy=False)

    @_underflow_is_no_error
    def samples(self, z: np.ndarray) -> np.ndarray:
        """What G makes of the noise, (M, ...)."""
        self._place(z)
        return self.generator.forward(self.noise, training=False)[0]

    # -- the field -----------------------------------------------------------------------------

    @_underflow_is_no_error
    def field(self, z: np.ndarray) -> np.ndarray:
        """v(z), (P,): minus the two gradients of `GAN`, both taken at z."""
        self._place(z)
        self.gan.rng = np.random.default_rng(0)  # the penalties draw the same numbers at every z
        fake, generated = self.generator.forward(self.noise)
        self.gan.discriminator_gradient(self.real, fake)
        self.gan.generator_gradient(self.real, fake, generated)
        return -np.concatenate([self.generator.grad, self.discriminator.grad])

    def _logit_gradients(self, logits):
        """dL_D/dlogits and dL_G/dlogits, for all rows: the real ones, then the fakes."""
        real, fake = logits[: len(self.real)], self._fakes(logits)
        _, *for_d = self.loss.discriminator(real, fake)
        _, *for_g = self.loss.generator(real, fake)
        return np.concatenate(for_d), np.concatenate(for_g)

    def _fakes(self, rows):
        return rows[len(self.real) :]

    def _penalty_field(self, z):
        """-d(penalties)/dtheta_D beside zeros for G, which they leave alone."""
        fake = self.samples(z)
        self.discriminator.zero_grad()
        for penalty in self.penalties:
            penalty.accumulate(self.discriminator, self.real, fake, 0)  # 0: always the same draws
        return -np.concatenate([np.zeros(self.split), self.discriminator.grad])

    # -- its Jacobian --------------------------------------------------------------------------

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        """J(z) = dv/dz, (P, P). Shows progress where it takes more than two seconds."""
        options = {"unit": "column", "desc": "Jacobian", "delay": 2.0, "leave": False}
        units = track(np.eye(len(self.start)), **options)
        return np.stack([self.product(z, u) for u in units], axis=1)

    @_underflow_is_no_error
    def product(self, z: np.ndarray, u: np.ndarray) -> np.ndarray:
        """J(z) u, (P,)."""
        z, u = self._point("z", z), self._point("u", u)
        self._place(z)
        logits, logits_dot, generated, judged = self._forward_along(*np.split(u, [self.split]))
        for_d, for_g = self._logit_gradients(logits)
        for_d_dot, for_g_dot = self._logit_gradients_dot(logits, logits_dot)

        self.generator.zero_grad()
        d_fake, d_fake_dot = map(self._fakes, _backward(judged, for_g, for_g_dot))
        _backward(generated, d_fake, d_fake_dot)
        self.discriminator.zero_grad()  # of what G's backward pass added on its way through D
        _backward(judged, for_d, for_d_dot)
        exact = -np.concatenate([self.generator.grad, self.discriminator.grad])
        return exact + self._penalty_product(z, u)

    @_underflow_is_no_error
    def consensus_gradient(self, z: np.ndarray) -> np.ndarray:
        """J(z)' v(z), (P,): the gradient of R = (|g_G|^2 + |g_D|^2) / 2, g_G = dL_G/dtheta_G, g_D
        = dL_D/dtheta_D.

        dR/dz = d/de [grad_z L_G(z + e (g_G, 0)) + grad_z L_D(z + e (0, g_D))] at e = 0: for each
        player, how the gradient of its loss in *both* players' parameters moves along its own.
        Raises ValueError with penalties: it would take their third derivatives.
        """
        if self.penalties:
            raise ValueError("Game: the consensus gradient is not written for penalties")
        g_g, g_d = np.split(-self.field(z), [self.split])
        total = np.zeros_like(self.start)
        for player, u_g, u_d in ((1, g_g, 0 * g_d), (0, 0 * g_g, g_d)):
            logits, logits_dot, generated, judged = self._forward_along(u_g, u_d)
            slope = self._logit_gradients(logits)[player]
            slope_dot = self._logit_gradients_dot(logits, logits_dot)[player]
            self.generator.zero_grad()
            self.discriminator.zero_grad()
            d_fake, d_fake_dot = map(self._fakes, _backward(judged, slope, slope_dot))
            _backward(generated, d_fake, d_fake_dot)
            total += np.concatenate([self.generator.grad, self.discriminator.grad])
        return total

    def _forward_along(self, u_g, u_d):
        """Both forward passes as the parameters move along u: (logits, logits_dot, what `_backward`
        needs of G, and of D). Logits of the real rows come first, then those of the fakes."""
        still, real_dot = np.zeros_like(self.noise), np.zeros_like(self.real)
        fake, fake_dot, generated = _forward(self.generator, u_g, self.noise, still)
        x, x_dot = np.concatenate([self.real, fake]), np.concatenate([real_dot, fake_dot])
        logits, logits_dot, judged = _forward(self.discriminator, u_d, x, x_dot)
        return logits, logits_dot, generated, judged

    def _logit_gradients_dot(self, logits, logits_dot):
        """How `_logit_gradients` moves when the logits move along logits_dot."""
        second_d, second_g = SECOND[type(self.loss)]
        n, m = len(self.real), len(logits) - len(self.real)
        size = np.concatenate([np.full((n, 1), n), np.full((m, 1), m)])
        for_g = np.concatenate([np.zeros((n, 1)), second_g(self._fakes(logits))])
        return second_d(logits) / size * logits_dot, for_g / size * logits_dot

    def _penalty_product(self, z, u):
        """The penalties' part, by central differences along u: two steps, extrapolated to none."""
        if not self.penalties:
            return 0.0

        def difference(step):
            above, below = self._penalty_field(z + step * u), self._penalty_field(z - step * u)
            return (above - below) / (2 * step)

        length = np.linalg.norm(u) or 1.0
        coarse, fine = difference(DIFFERENCE / length), difference(DIFFERENCE / length / 2)
        return fine + (fine - coarse) / 3


def _forward(network, direction, x, x_dot):
    """The forward pass and its dots: (y, y_dot, what `_backward` needs)."""
    twin = network.copy()
    twin.theta[...] = direction
    passes = []
    for layer, moved in zip(network.layers, twin.layers):
        y, cache = layer.forward(x, training=False)
        y_dot = layer.tangent(x_dot, cache)
        if layer.params:
            y_dot = y_dot + moved.forward(x, training=False)[0]
        passes.append((layer, moved, cache, x_dot))
        x, x_dot = y, y_dot
    return x, x_dot, passes


def _backward(passes, dy, dy_dot):
    """The backward pass and its dots: (dx, dx_dot); adds dW_dot, db_dot into the layers' grads."""
    for layer, moved, cache, x_dot in reversed(passes):
        dx_dot = layer.backward(dy_dot, cache)
        curved = layer.curvature(dy, cache, x_dot)
        if curved is not None:
            dx_dot = dx_dot + curved
        if layer.params:
            dx_dot = dx_dot + moved.backward_input(dy, cache)
        dy, dy_dot = layer.backward_input(dy, cache), dx_dot
    return dy, dy_dot


def _check(layer):
    linear_in_parameters = isinstance(layer, Linear | Conv2d | ConvTranspose2d)
    unwritten = type(layer).curvature is Layer.curvature
    unwritten |= bool(layer.children) or layer.mixes_samples
    if isinstance(layer, DRAWING):
        raise TypeError(f"Game: {layer} draws random numbers, so the field has no Jacobian")
    if unwritten or (layer.params and not linear_in_parameters):
        raise TypeError(
            f"Game: the second derivatives of {layer} are not written down; it knows Linear, "
            "convolutions, and layers without parameters that mix no samples and have a curvature"
        )
