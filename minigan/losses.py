"""GAN losses: value and gradient with respect to the logits, for each player.

Every loss is a mean over the batch, and its gradient has the 1 / N in it, once:

    value, d_real, d_fake = loss.discriminator(real_logits, fake_logits)
    value, d_real, d_fake = loss.generator(real_logits, fake_logits)

with real_logits r and fake_logits f of shape (N,) or (N, 1), and gradients of the same shapes. Both
players minimise their value. The discriminator gives logits, never probabilities: log sigmoid(r) is
computed as -softplus(-r), which is exact at +-1000 where log(p + 1e-8) has long been flat.

The names that other texts use: `NonSaturating` is binary cross-entropy for D and cross-entropy for
G; `LeastSquares` is the mean squared error for both; `Wasserstein` is the critic's.

A loss of your own is an object with these two methods, and no more is needed:

    >>> class Linear:
    ...     def discriminator(self, real, fake):
    ...         ones = np.ones_like(real) / len(real)
    ...         return float(np.mean(fake) - np.mean(real)), -ones, ones
    ...
    ...     def generator(self, real, fake):
    ...         ones = np.ones_like(fake) / len(fake)
    ...         return float(-np.mean(fake)), 0 * ones, -ones
    >>> import minigan as mg
    >>> players = mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,))
    >>> gan = mg.GAN(*players, latent_dim=2, loss=Linear())

Two attributes may be added: `generator_sees_real = True` if L_G depends on the real logits, which
are then computed for it (else `generator` gets the fake ones in their place), and `width`, if D
gives more than one value for a sample. `Loss` has their defaults. minigan.gradcheck.check_loss
compares the gradients with finite differences.
"""

import numbers
from typing import Any

import numpy as np

from ._checks import as_array, shown
from .layers.activations import sigmoid, softplus
from .layers.base import real_number

Played = tuple[float, np.ndarray, np.ndarray]  # value, d_real, d_fake

# a result that is too small for a float is 0, and no error
quiet = np.errstate(under="ignore")


class Loss:
    generator_sees_real = False  # does L_G depend on the real logits?
    width = 1  # values that D gives for a sample: its logit, and what `minigan.auxiliary` adds

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def sees_real(loss: Any) -> bool:
    """Whether L_G depends on the real logits."""
    return getattr(loss, "generator_sees_real", Loss.generator_sees_real)


def width(loss: Any) -> int:
    """How many values D gives for a sample."""
    return getattr(loss, "width", Loss.width)


def try_out(loss: Any, logits: np.ndarray) -> None:
    """Raises TypeError or ValueError unless both methods of a loss give a value and two gradients
    of the logits' shape."""
    for player in ("discriminator", "generator"):
        result, owner = getattr(loss, player)(logits, logits), f"{type(loss).__name__}.{player}"
        if not isinstance(result, tuple) or len(result) != 3:
            raise TypeError(f"{owner} must return value, d_real, d_fake, got {shown(result)}")
        value, *gradients = result
        if not isinstance(value, numbers.Real) and np.shape(value) != ():
            raise TypeError(f"{owner}: value must be a number, got {shown(value)}")
        for name, gradient in zip(("d_real", "d_fake"), gradients):
            if np.shape(gradient) != logits.shape:
                raise ValueError(
                    f"{owner}: {name} must have the shape of the logits, {logits.shape}, "
                    f"got {np.shape(gradient)}"
                )


class Minimax(Loss):
    """The game of Goodfellow et al. (2014), eq. 1: G minimises what D maximises.

    L_D = mean softplus(-r) + mean softplus(f)  dL_D/dr = -sigmoid(-r) / N, dL_D/df = sigmoid(f) / N
    L_G = -mean softplus(f)                     dL_G/df = -sigmoid(f) / N

    G's gradient vanishes where D is sure of a fake (f << 0): it saturates.
    """

    @quiet
    def discriminator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        value = _mean(softplus(-real)) + _mean(softplus(fake))
        return value, -sigmoid(-real) / real.size, sigmoid(fake) / fake.size

    @quiet
    def generator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        return -_mean(softplus(fake)), np.zeros_like(real), -sigmoid(fake) / fake.size


class NonSaturating(Minimax):
    """Cross-entropy for both (Goodfellow et al. 2014, sec. 3): G wants its fakes called real.

    L_D as in Minimax
    L_G = mean softplus(-f)                        dL_G/df = -sigmoid(-f) / N

    Where D is sure of a fake (f << 0), G's gradient is at its largest, -1 / N.
    """

    @quiet
    def generator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        return _mean(softplus(-fake)), np.zeros_like(real), -sigmoid(-fake) / fake.size


class OneSidedSmoothing(NonSaturating):
    """The non-saturating game with the label a < 1 for real samples, fakes' left at 0.

    L_D = mean [a softplus(-r) + (1 - a) softplus(r)] + mean softplus(f)
                                        dL_D/dr = (sigmoid(r) - a) / N,  dL_D/df = sigmoid(f) / N
    L_G as in NonSaturating

    At the optimum sigmoid(D) = a p / (p + q), which is at most a: for a < 1 the optimal logit stays
    finite where there are no fakes. Smoothing the fakes' label too would put q into the numerator,
    and reward fakes for staying where they are (Salimans et al. 2016, sec. 3.4).
    0 < a <= 1; the paper's is 0.9.
    """

    def __init__(self, label: float = 0.9) -> None:
        self.label = real_number("OneSidedSmoothing", "label", label, low=0, high=1, open_low=True)

    def discriminator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        a = self.label
        with np.errstate(under="ignore"):  # far logits: an underflow to zero is no error
            value = _mean(a * softplus(-real) + (1 - a) * softplus(real)) + _mean(softplus(fake))
            return value, (sigmoid(real) - a) / real.size, sigmoid(fake) / fake.size

    def generator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        with np.errstate(under="ignore"):
            return super().generator(real_logits, fake_logits)

    def __repr__(self) -> str:
        return f"OneSidedSmoothing({self.label:g})"


class LeastSquares(Loss):
    """LSGAN (Mao et al. 2017): mean squared error against the targets 1 (real) and 0 (fake).

    L_D = mean (r - 1)^2 / 2 + mean f^2 / 2        dL_D/dr = (r - 1) / N,  dL_D/df = f / N
    L_G = mean (f - 1)^2 / 2                       dL_G/df = (f - 1) / N
    """

    @quiet
    def discriminator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        value = _mean((real - 1) ** 2) / 2 + _mean(fake**2) / 2
        return value, (real - 1) / real.size, fake / fake.size

    @quiet
    def generator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        return _mean((fake - 1) ** 2) / 2, np.zeros_like(real), (fake - 1) / fake.size


class Wasserstein(Loss):
    """WGAN (Arjovsky et al. 2017): the critic's mean difference, an estimate of W1 when the critic
    is 1-Lipschitz (clip its weights, or add a penalty).

    L_D = mean f - mean r                          dL_D/dr = -1 / N,  dL_D/df = 1 / N
    L_G = -mean f                                  dL_G/df = -1 / N
    """

    @quiet
    def discriminator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        value = _mean(fake) - _mean(real)
        return value, np.full_like(real, -1 / real.size), np.full_like(fake, 1 / fake.size)

    @quiet
    def generator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        return -_mean(fake), np.zeros_like(real), np.full_like(fake, -1 / fake.size)


class Hinge(Loss):
    """The hinge loss (Lim and Ye 2017; Miyato et al. 2018): D stops pushing past the margin.

    L_D = mean max(0, 1 - r) + mean max(0, 1 + f)  dL_D/dr = -[r < 1] / N,  dL_D/df = [f > -1] / N
    L_G = -mean f                                  dL_G/df = -1 / N
    """

    @quiet
    def discriminator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _logits(real_logits, fake_logits)
        value = _mean(np.maximum(0, 1 - real)) + _mean(np.maximum(0, 1 + fake))
        d_real = -(real < 1).astype(real.dtype) / real.size
        d_fake = (fake > -1).astype(fake.dtype) / fake.size
        return value, d_real, d_fake

    generator = Wasserstein.generator


class Relativistic(Loss):
    """The relativistic pairing loss (Jolicoeur-Martineau 2018): each fake against one real.

    L_D = mean softplus(-(r - f))              dL_D/dr = -sigmoid(f - r) / N,  dL_D/df = -dL_D/dr
    L_G = mean softplus(-(f - r))              dL_G/df = -sigmoid(r - f) / N,  dL_G/dr = -dL_G/df

    Pairs are rows, so the two batches must be of one size. G's loss depends on the real logits too,
    but G does not: only dL_G/df travels back into G.
    """

    generator_sees_real = True

    @quiet
    def discriminator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _pairs(real_logits, fake_logits)
        d_real = -sigmoid(fake - real) / real.size
        return _mean(softplus(fake - real)), d_real, -d_real

    @quiet
    def generator(self, real_logits: np.ndarray, fake_logits: np.ndarray) -> Played:
        real, fake = _pairs(real_logits, fake_logits)
        value, d_fake, d_real = self.discriminator(fake, real)  # the same game, roles exchanged
        return value, d_real, d_fake


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """mean over the batch of -log softmax(logits)[label], for a classifier.

    logits (N, K), labels (N,) integers in [0, K). Returns (value, dlogits) with
    dlogits = (softmax(logits) - onehot(labels)) / N.
    """
    logits = as_array("softmax_cross_entropy: logits", logits)
    labels = as_array("softmax_cross_entropy: labels", labels)
    if logits.dtype.kind not in "fiu":
        raise TypeError(f"softmax_cross_entropy: logits must be numbers, got dtype {logits.dtype}")
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not len(labels):
        raise ValueError(
            "softmax_cross_entropy: expected logits (N, K) and labels (N,), "
            f"got {logits.shape} and {labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(f"softmax_cross_entropy: labels must be integers, got {labels.dtype}")
    if not 0 <= labels.min() <= labels.max() < logits.shape[1]:
        raise ValueError(
            f"softmax_cross_entropy: labels must be in [0, {logits.shape[1]}), "
            f"got {labels.min()} to {labels.max()}"
        )
    log_p, rows = log_softmax(logits), np.arange(len(labels))
    with np.errstate(under="ignore"):
        dlogits = np.exp(log_p)
    dlogits[rows, labels] -= 1
    return -_mean(log_p[rows, labels]), dlogits / len(labels)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """x - log sum_k exp(x_k) along each row; the largest entry is subtracted first, so that exp
    does not overflow."""
    with np.errstate(under="ignore"):
        x = x - x.max(axis=1, keepdims=True)
        return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def _logits(real, fake):
    """Both as floating-point arrays of at least one logit each; else one clear error."""
    real, fake = as_array("real_logits", real), as_array("fake_logits", fake)
    for name, logits in (("real_logits", real), ("fake_logits", fake)):
        if logits.dtype.kind not in "fiu":
            raise TypeError(f"{name}: expected numbers, got dtype {logits.dtype}")
        if logits.ndim not in (1, 2) or logits.shape[1:] not in ((), (1,)) or not logits.size:
            raise ValueError(f"{name}: expected shape (N,) or (N, 1), got {logits.shape}")
    return real * 1.0, fake * 1.0  # integers become floats; a float keeps its dtype


def _pairs(real, fake):
    real, fake = _logits(real, fake)
    if real.shape != fake.shape:
        raise ValueError(
            "Relativistic: real_logits and fake_logits are paired row by row and must have one "
            f"shape, got {real.shape} and {fake.shape}"
        )
    return real, fake


def _mean(values):
    return float(np.add.reduce(values, axis=None, dtype=np.float64)) / values.size
