"""Weak gradient checks, as public projects use them: each one passes on some broken code.

`casual` is an ordinary gradient check; its options are the habits that make such a check weak.
`WEAK` has a check for each habit, so that the table of `examine` shows what each one misses.
"""

from collections.abc import Callable

import numpy as np

from ... import layers, losses, models, penalties
from ...gan import GAN
from ...network import Sequential
from ...optim import Adam
from ..gradcheck import Report
from .checks import normalised_gan, plain_gan, subjects

LOSSES = losses.Minimax, losses.NonSaturating, losses.Wasserstein


def casual(
    seed: int,
    *,
    cotangent: Callable[..., np.ndarray] = np.random.Generator.standard_normal,
    batch: int = 4,
    dx: bool = True,
    dtype: str = "float64",
    step: float = 1e-5,
    tolerance: float = 1e-4,
) -> Report:
    """Every layer and loss against central differences of <c, y>, in training mode.

    cotangent : (rng, shape) -> c;   dx : compare it, or the parameters alone
    """
    rng = np.random.default_rng(seed)
    report = Report("a casual check")
    for layer, (_, *shape) in subjects():
        network = Sequential([layer], dtype=dtype, rng=rng)
        if isinstance(layer, layers.BatchNorm):
            layer.check_count = lambda count: None  # type: ignore[method-assign]  # refuses 1
        x = rng.standard_normal((batch, *shape)).astype(dtype)
        masks = network.rng.bit_generator.state

        def forward():
            network.rng.bit_generator.state = masks
            return layer.forward(x)

        with network.held_buffers():
            y, cache = forward()
            c = cotangent(rng, y.shape).astype(dtype)
            found = layer.backward(c.copy(), cache)

            def value():
                return np.sum(forward()[0] * c)

            if dx:
                report.compare(str(layer), "dx", found, _differences(value, x, step), tolerance)
            for name, parameter, gradient in network.named_parameters():
                difference = _differences(value, parameter, step)
                report.compare(str(layer), name, gradient, difference, tolerance)
    for loss in LOSSES:
        real, fake = rng.standard_normal((2, batch, 1)).astype(dtype)
        for player in ("discriminator", "generator"):
            play = getattr(loss(), player)
            _, d_real, d_fake = play(real, fake)
            for name, logits, found in (("d_real", real, d_real), ("d_fake", fake, d_fake)):
                difference = _differences(lambda: play(real, fake)[0], logits, step)
                report.compare(f"{loss.__name__}, {player}", name, found, difference, tolerance)
    return report


def _differences(function, x, step):
    """(f(x + h) - f(x - h)) / 2h, entry by entry, kinks or not."""
    difference = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        start = x[index]
        x[index] = start + step
        above = function()
        x[index] = start - step
        below = function()
        x[index] = start
        difference[index] = (above - below) / (2 * step)
    return difference


def ones(seed: int) -> Report:
    """The cotangent is all ones, for which the dx of a normalisation is zero, right or wrong
    (DeZero, minitorch)."""
    return casual(seed, cotangent=lambda rng, shape: np.ones(shape))


def batch_of_one(seed: int) -> Report:
    """One sample: x_hat is zero, a mean is a sum, `=` is `+=` (deep-learning-from-scratch ch06)."""
    return casual(seed, batch=1)


def parameters_only(seed: int) -> Report:
    """dx is not compared, only the parameters' gradients (mlpack issue 1923)."""
    return casual(seed, dx=False)


def single_precision(seed: int) -> Report:
    """Differences in float32, and the tolerance raised until the test passed."""
    return casual(seed, dtype="float32", step=1e-2, tolerance=0.4)


def sign_by_hand(seed: int) -> Report:
    """Only the losses are checked, and without regard to signs: the test flips them (numpy-ml)."""
    rng = np.random.default_rng(seed)
    report = Report("signs by hand")
    for loss in LOSSES:
        real, fake = rng.standard_normal((2, 4, 1))
        for player in ("discriminator", "generator"):
            play = getattr(loss(), player)
            found = play(real, fake)[1:]
            for logits, slope in zip((real, fake), found):
                difference = _differences(lambda: play(real, fake)[0], logits, 1e-5)
                report.compare(loss.__name__, player, abs(slope), abs(difference), 1e-4)
    return report


def loss_falls(seed: int) -> Report:
    """Trains D alone, then G alone, with the other player fixed, and asks whether the loss falls.

    Four small GANs contain every layer and loss of the museum. On other seeds it sometimes fails on
    healthy code, because a player's loss need not fall.
    """
    seed, report = seed + 2, Report("the loss falls")
    for title, make in (
        ("plain", lambda seed: plain_gan(seed, width=8)),
        ("batch norm", lambda seed: normalised_gan(seed, width=8)),
        ("critic", _critic_gan),
        ("images", _image_gan),
    ):
        gan = make(seed)
        rng = np.random.default_rng(seed)
        for player, opponent in (("discriminator", "generator"), ("generator", "discriminator")):
            setattr(gan, f"{player}_optimizer", Adam(1e-2))
            setattr(gan, f"{opponent}_optimizer", Adam(0.0))
            values = [
                gan.train_step(3 + rng.standard_normal((16, *gan.sample_shape)))[f"{player}_loss"]
                for _ in range(24)
            ]
            falls = np.mean(values[-8:]) < np.mean(values[:8])
            report.compare(title, f"{player}'s loss falls", falls, True, tolerance=0)
    return report


def _critic_gan(seed):
    critic = Sequential(
        [layers.Linear(2, 4), layers.LayerNorm(4), layers.Tanh(), layers.Linear(4, 1)], rng=seed
    )
    return GAN(
        models.mlp_generator(2, (2,), hidden=(4,), rng=seed),
        critic,
        latent_dim=2,
        loss=losses.Wasserstein(),
        penalties=[penalties.GradientPenalty(0.1)],
        rng=seed,
    )


def _image_gan(seed):
    generator = Sequential(
        [
            layers.Linear(2, 8), layers.Reshape((2, 2, 2)), layers.BatchNorm(2), layers.ReLU(),
            layers.Upsample2d(2), layers.Conv2d(2, 1, 3, padding=1),
        ],
        rng=seed,
    )  # fmt: skip
    discriminator = Sequential(
        [
            layers.Conv2d(1, 2, 2, stride=2), layers.LeakyReLU(), layers.Conv2d(2, 2, 2),
            layers.Dropout(0.2), layers.Flatten(), layers.SpectralNorm(layers.Linear(2, 1)),
        ],
        rng=seed + 1,
    )  # fmt: skip
    return GAN(generator, discriminator, latent_dim=2, rng=seed)


WEAK = {
    "ones": ones,
    "batch 1": batch_of_one,
    "no dx": parameters_only,
    "float32": single_precision,
    "sign": sign_by_hand,
    "falls": loss_falls,
}
