"""The checks that catch the museum's bugs: the general checker's four, and tests of single bugs.

Each is a function of a seed that returns a `gradcheck.Report`; healthy code passes every one. The
general checker, `minigan.gradcheck`, finds wrong gradients. The other tests are for what no finite
difference can see: a right gradient of the wrong function, an optimizer, an option, the data.
"""

import dataclasses

import numpy as np

from ... import layers, losses, metrics, models, optim, penalties
from ...data import mixtures
from ...data.minibatches import Minibatches
from ...gan import GAN
from ...network import Sequential
from ..gradcheck import Report, check_loss, check_penalty, check_step
from ..gradcheck import check_layer as check_one_layer


def subjects() -> list[tuple[layers.Layer, tuple[int, ...]]]:
    """[(layer, shape of an input)]: every kind of layer that a bug of the museum is about."""
    return [
        (layers.Linear(3, 2), (4, 3)),
        (layers.LeakyReLU(0.2), (4, 3)),
        (layers.ReLU(), (4, 3)),
        (layers.Dropout(0.4), (4, 5)),
        (layers.BatchNorm(2), (5, 2)),
        (layers.LayerNorm(3), (4, 3)),
        (layers.SpectralNorm(layers.Linear(3, 2)), (4, 3)),
        (layers.Conv2d(2, 2, 2), (4, 3, 3, 2)),
        (layers.ConvTranspose2d(2, 2, 2), (4, 2, 2, 2)),
        (layers.Upsample2d(2), (4, 2, 2, 1)),
    ]


def check_layer(seed: int) -> Report:
    """`gradcheck.check_layer` on every one of the subjects, and on batch norm over images."""
    examined = [*subjects(), (layers.BatchNorm(2), (4, 2, 2, 2))]
    reports = [(str(layer), check_one_layer(layer, shape, rng=seed)) for layer, shape in examined]
    return _together("layers", reports)


def check_all_losses(seed: int) -> Report:
    """`gradcheck.check_loss` on the six basic losses."""
    names = "Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"
    return _together(
        "losses", [(name, check_loss(getattr(losses, name)(), rng=seed)) for name in names]
    )


def check_penalties(seed: int) -> Report:
    """`gradcheck.check_penalty`: R1 on a smooth critic, WGAN-GP on a piecewise linear one."""
    rng = np.random.default_rng(seed)
    real, fake = rng.standard_normal((2, 4, 2))
    curved = Sequential(
        [layers.Linear(2, 3), layers.LayerNorm(3), layers.Tanh(), layers.Linear(3, 1)], rng=seed
    )
    straight = models.mlp_discriminator((2,), hidden=(3,), rng=seed)
    return _together(
        "penalties",
        [
            ("R1, curved", check_penalty(penalties.R1(2.0), curved, real, fake, rng=seed)),
            (
                "WGAN-GP, straight",
                check_penalty(penalties.GradientPenalty(2.0), straight, real, fake, rng=seed),
            ),
        ],
    )


def check_whole_step(seed: int) -> Report:
    """`gradcheck.check_step`: a GAN with R1, and one with batch norm in both players."""
    rng = np.random.default_rng(seed)
    real = rng.standard_normal((4, 2))
    return _together(
        "steps",
        [
            ("plain", check_step(plain_gan(seed), real)),
            ("batch norm", check_step(normalised_gan(seed), real)),
        ],
    )


def plain_gan(seed: int, width: int = 3) -> GAN:
    generator = models.mlp_generator(2, (2,), hidden=(width,), rng=seed)
    discriminator = models.mlp_discriminator((2,), hidden=(width,), rng=seed + 1)
    return GAN(generator, discriminator, latent_dim=2, penalties=[penalties.R1(0.1)], rng=seed)


def normalised_gan(seed: int, width: int = 3) -> GAN:
    generator = Sequential(
        [
            layers.Linear(2, width), layers.BatchNorm(width), layers.ReLU(),
            layers.Linear(width, 2),
        ],
        rng=seed,
    )  # fmt: skip
    discriminator = Sequential(
        [
            layers.Linear(2, width), layers.BatchNorm(width), layers.LeakyReLU(),
            layers.Linear(width, 1),
        ],
        rng=seed + 1,
    )  # fmt: skip
    return GAN(generator, discriminator, latent_dim=2, rng=seed)


# -- tests of single bugs: what no finite difference can see ------------------------------------


def adam_table(seed: int) -> Report:
    """Adam's first three steps, compared with the formula applied to one number at a time."""
    lr, beta1, beta2, eps = 0.1, 0.5, 0.999, 1e-8
    gradients = np.random.default_rng(seed).standard_normal((3, 1))
    optimizer, theta = optim.Adam(lr, beta1, beta2, eps), np.zeros(1)
    expected = first = second = 0.0
    report = Report("Adam's table")
    for t, gradient in enumerate(gradients, start=1):
        g = float(gradient[0])
        first = beta1 * first + (1 - beta1) * g
        second = beta2 * second + (1 - beta2) * g**2
        expected -= lr * (first / (1 - beta1**t)) / ((second / (1 - beta2**t)) ** 0.5 + eps)
        optimizer.step(theta, gradient)
        report.compare(f"step {t}", "theta", theta, [expected])
    return report


def duplicated_batch(seed: int) -> Report:
    """The mean over a batch, and its gradient, stay the same when every sample occurs twice."""
    rng = np.random.default_rng(seed)
    network = models.mlp_discriminator((2,), hidden=(3,), dtype="float64", rng=seed)
    real, fake = rng.standard_normal((2, 4, 2))
    report = Report("the batch twice")
    for player in ("discriminator", "generator"):
        gradients = []
        for copies in (1, 2):
            network.zero_grad()
            real_logits, real_cache = network.forward(np.tile(real, (copies, 1)))
            fake_logits, fake_cache = network.forward(np.tile(fake, (copies, 1)))
            play = getattr(losses.NonSaturating(), player)
            _, d_real, d_fake = play(real_logits, fake_logits)
            network.backward_params(d_real, real_cache)
            network.backward_params(d_fake, fake_cache)
            gradients.append(network.grad.copy())
        report.compare(player, "gradient", gradients[1], gradients[0])
    return report


def far_logits(seed: int) -> Report:
    """The non-saturating loss's derivatives at logits of +-100 and +-1000: -1, 0 or 1."""
    far = np.array([[100.0], [1000.0]])
    report = Report("far logits")
    for sign in (1, -1):
        logits = sign * far
        _, d_real, d_fake = losses.NonSaturating().discriminator(logits, logits)
        report.compare(f"at {sign:+d} x 100, 1000", "N dL_D/dr", 2 * d_real, -1.0 * (logits < 0))
        report.compare(f"at {sign:+d} x 100, 1000", "N dL_D/df", 2 * d_fake, 1.0 * (logits > 0))
        _, _, d_fake = losses.NonSaturating().generator(logits, logits)
        report.compare(f"at {sign:+d} x 100, 1000", "N dL_G/df", 2 * d_fake, -1.0 * (logits < 0))
    return report


def mixing(seed: int) -> Report:
    """WGAN-GP's points lie on the line between real and fake, with one weight per sample."""
    rng = np.random.default_rng(seed)
    real, fake = rng.standard_normal((2, 32, 3))
    points = penalties.GradientPenalty(1.0).points(real, fake, np.random.default_rng(seed))
    weights = (points - fake) / (real - fake)
    report = Report("mixing")
    report.compare("one weight per sample", "weights", weights, weights[:, :1] + 0 * weights, 1e-9)
    spread = weights[:, 0].min() < 0.25 and weights[:, 0].max() > 0.75 and np.ptp(weights) < 1
    report.compare("weights spread over (0, 1)", "weights", spread, True, tolerance=0)
    return report


def norm_of_samples(seed: int) -> Report:
    """WGAN-GP's value for images: one norm per sample, over all of its pixels and channels."""
    g = np.random.default_rng(seed).standard_normal((4, 3, 3, 2))
    value, _ = penalties.GradientPenalty(2.0).measure(g)
    expected = 2 * np.mean([(np.linalg.norm(sample) - 1) ** 2 for sample in g])
    report = Report("the norms of samples")
    report.compare("WGAN-GP of images", "value", value, expected)
    return report


def channel_statistics(seed: int) -> Report:
    """Batch norm of images: mean and variance per channel, over samples and pixels together."""
    x = 3 + 2 * np.random.default_rng(seed).standard_normal((4, 3, 3, 2))
    network = Sequential([layers.BatchNorm(2)], dtype="float64")
    y, _ = network.forward(x)
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    report = Report("batch norm's statistics")
    report.compare("training", "y", y, (x - mean) / np.sqrt(variance + 1e-5))
    return report


def keyword_only(seed: int) -> Report:
    """BatchNorm(4, 0.8) is refused, since 0.8 could be meant as momentum or as eps."""
    report = Report("options by keyword only")
    try:
        layers.BatchNorm(4, 0.8)  # type: ignore[call-arg]
        refused = False
    except TypeError:
        refused = True
    report.compare("BatchNorm(4, 0.8)", "refused", refused, True, tolerance=0)
    return report


def epoch_coverage(seed: int) -> Report:
    """In one epoch of minibatches every sample occurs exactly once."""
    minibatches = Minibatches(np.arange(12).reshape(12, 1), 4, rng=seed)
    dealt = np.concatenate([minibatches.next() for _ in range(3)])
    report = Report("an epoch's coverage")
    report.compare("12 samples by 4", "indices", np.sort(dealt[:, 0]), np.arange(12), tolerance=0)
    return report


def distinct_modes(seed: int) -> Report:
    """A ring of eight has eight different modes, and its samples reach all of them."""
    ring = mixtures.gaussian_ring(8)
    gaps = np.linalg.norm(ring.modes[:, None] - ring.modes[None], axis=-1) + 9 * np.eye(8)
    report = Report("the ring's modes")
    apart = np.full(8, 2 * np.sin(np.pi / 8))
    report.compare("nearest neighbours", "gaps", gaps.min(axis=1), apart)
    coverage = metrics.mode_coverage(ring.sample(400, seed), ring.modes, ring.std)
    report.compare("samples", "modes reached", coverage.captured, 8, tolerance=0)
    return report


def _together(title, reports):
    """The rows of several reports as one, each row naming its subject."""
    rows = [
        dataclasses.replace(row, check=f"{subject}: {row.check}")
        for subject, report in reports
        for row in report.rows
    ]
    return Report(title, rows)


CHECKS = {
    "check_layer": check_layer,
    "check_loss": check_all_losses,
    "check_penalty": check_penalties,
    "check_step": check_whole_step,
    "adam_table": adam_table,
    "duplicated_batch": duplicated_batch,
    "far_logits": far_logits,
    "mixing": mixing,
    "norm_of_samples": norm_of_samples,
    "channel_statistics": channel_statistics,
    "keyword_only": keyword_only,
    "epoch_coverage": epoch_coverage,
    "distinct_modes": distinct_modes,
}
