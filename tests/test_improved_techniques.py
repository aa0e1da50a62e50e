"""Feature matching, minibatch discrimination, historical averaging, DiffAugment: whole steps."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.layers.augmentation import diff_augment, moved
from minigan.models.feature_matching import FeatureMatching
from minigan.optim import SGD
from minigan.training.historical import HistoricalAdam, HistoricalSGD
from minigan.verify.gradcheck.differences import central_differences
from minigan.verify.gradcheck.report import relative_error

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((5, 2))


def generator():
    return mg.Sequential([L.Linear(2, 3), L.Tanh(), L.Linear(3, 2)], dtype="float64", rng=0)


def discriminator(*layers):
    return mg.Sequential([L.Linear(2, 4), L.Tanh(), *layers], dtype="float64", rng=1)


def check_step(gan, real):
    report = mg.gradcheck.check_step(gan, real, progress=False)
    assert report.ok, f"\n{report}"


# -- feature matching ------------------------------------------------------------------------------


@pytest.mark.parametrize("penalties", [[], [mg.penalties.R1(0.7)]], ids=["plain", "R1"])
@pytest.mark.parametrize("adversarial", ["NonSaturating", "Hinge", "Relativistic"])
def test_feature_matching_in_a_whole_step(adversarial, penalties, backend):
    loss = FeatureMatching(getattr(mg.losses, adversarial)(), 4)
    D = discriminator(L.LogitWithFeatures(L.Linear(4, 1)))
    check_step(mg.GAN(generator(), D, latent_dim=2, loss=loss, penalties=penalties), POINTS)


def test_feature_matching_by_hand():
    loss = FeatureMatching(mg.losses.LeastSquares(), 2)
    real = np.array([[9.0, 1, 0], [9, 3, 0]])  # features' mean (2, 0)
    fake = np.array([[5.0, 0, 1], [5, 2, 1], [5, 1, 1], [5, 1, 1]])  # (1, 1)
    value, d_real, d_fake = loss.generator(real, fake)
    assert value == 2
    assert d_fake.tolist() == [[0, -0.5, 0.5]] * 4 and d_real.tolist() == [[0, 1, -1]] * 2
    value, d_real, d_fake = loss.discriminator(real, fake)
    assert value == 8**2 / 2 + 5**2 / 2 and not d_real[:, 1:].any() and not d_fake[:, 1:].any()


# -- minibatch discrimination ----------------------------------------------------------------------


def test_minibatch_discrimination_in_a_whole_step(backend):
    D = discriminator(L.MinibatchDiscrimination(4, 2, 3), L.Linear(6, 1))
    check_step(mg.GAN(generator(), D, latent_dim=2), POINTS)


def test_minibatch_discrimination_counts_what_is_near():
    layer = L.MinibatchDiscrimination(1, 1, 1)
    layer.params["T"] = [[[1.0]]]
    y, _ = layer.forward(np.array([[0.0], [0.0], [np.log(2)], [50.0]]))
    np.testing.assert_allclose(y[:, 1], [2.5, 2.5, 2, 1], rtol=1e-6)
    np.testing.assert_allclose(y[:, 0], [0, 0, np.log(2), 50], rtol=1e-6)


# -- historical averaging --------------------------------------------------------------------------


def test_historical_averaging_in_a_whole_step():
    """The second step of both players goes down L + weight |theta - mean|^2."""
    lr, weight = 0.3, 0.8
    optimizers = {f"{p}_optimizer": HistoricalSGD(lr, weight=weight) for p in PLAYERS}
    gan = mg.GAN(generator(), discriminator(L.Linear(4, 1)), latent_dim=2, **optimizers)
    first = [getattr(gan, player).theta.copy() for player in PLAYERS]
    gan.train_step(POINTS)
    start = [getattr(gan, player).theta.copy() for player in PLAYERS]
    plain = gan.copy()
    noise = gan.copy().draw_noise(len(POINTS))
    gan.train_step(POINTS)
    end = [getattr(gan, player).theta.copy() for player in PLAYERS]

    def losses():
        fake, _ = plain.generator.forward(noise)
        logits = [plain.discriminator.forward(x)[0] for x in (POINTS, fake)]
        return plain.loss.generator(*logits)[0], plain.loss.discriminator(*logits)[0]

    for i in (1, 0):  # D moves first, and G's gradient comes through the new D
        theta, mean = getattr(plain, PLAYERS[i]).theta, (first[i] + start[i]) / 2

        def cost(i=i, theta=theta, mean=mean):
            return losses()[i] + weight * float(np.sum((theta - mean) ** 2))

        slope, _ = central_differences(cost, theta)
        assert relative_error((start[i] - end[i]) / lr, slope) < 1e-7
        theta[...] = end[i]


PLAYERS = "generator", "discriminator"


def test_historical_adam_without_weight_is_adam(backend):
    ours, adam = HistoricalAdam(0.1, weight=0.0), mg.optim.Adam(0.1)
    a, b = np.ones(3), np.ones(3)
    for _ in range(3):
        grad = RNG.standard_normal(3)
        ours.step(a, grad)
        adam.step(b, grad)
    np.testing.assert_allclose(a, b, rtol=1e-14)
    assert ours.mean.shape == (3,) and ours.moments == ("first", "second", "mean")


def test_historical_averaging_pulls_the_circle_in():
    """The bilinear game from (1, 0): SGD spirals out; with the means it comes nearer."""
    lengths = {}
    for make in (lambda: SGD(0.1), lambda: HistoricalSGD(0.1, weight=1.0)):
        x, y, optimizers = np.array([1.0]), np.array([0.0]), (make(), make())
        for _ in range(400):
            for optimizer, theta, grad in zip(optimizers, (x, y), (y.copy(), -x.copy())):
                optimizer.step(theta, grad)
        lengths[type(optimizers[0])] = np.hypot(x[0], y[0])
    assert lengths[SGD] > 5 and lengths[HistoricalSGD] < 0.6


# -- DiffAugment -----------------------------------------------------------------------------------


def test_augmented_whole_step_with_a_penalty(backend):
    G = mg.Sequential([L.Linear(2, 12), L.Reshape((3, 4, 1))], dtype="float64", rng=0)
    layers = [L.Conv2d(1, 2, 2), L.Softplus(), L.Flatten(), L.Linear(12, 1)]
    D = mg.Sequential([*diff_augment(fill=-1.0), *layers], dtype="float64", rng=1)
    gan = mg.GAN(G, D, latent_dim=2, penalties=[mg.penalties.R1(0.7)])
    check_step(gan, RNG.standard_normal((5, 3, 4, 1)))


def test_augmentations_by_hand():
    x = np.arange(12.0).reshape(1, 3, 4, 1)
    y = moved(x, np.array([[1, -2]]))[0, ..., 0]  # one down, two to the left
    assert y.tolist() == [[0, 0, 0, 0], [2, 3, 0, 0], [6, 7, 0, 0]]
    images = np.full((200, 8, 8, 1), 0.5, np.float32)
    for layer in diff_augment(fill=-1.0):
        assert layer.forward(images, training=False)[0] is images
        y, _ = layer.forward(images)
        if isinstance(layer, L.RandomBrightness):
            assert (np.ptp(y, axis=(1, 2, 3)) < 1e-6).all() and -0.01 < y.min() < y.max() < 1.01
        else:
            assert set(np.unique(y)) == {-1.0, 0.5}
    cut, _ = L.RandomCutout(0.5).forward(images)
    removed = (cut == 0).sum(axis=(1, 2, 3))
    assert removed.max() == 16 and removed.min() >= 4
    _, moves = L.RandomTranslation(0.25).forward(images)
    assert {*moves.ravel()} == {-2, -1, 0, 1, 2}


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: FeatureMatching(None, 3), "FeatureMatching: adversarial must be one of"),
        (lambda: FeatureMatching(mg.losses.Hinge(), 0), "FeatureMatching: features must be"),
        (lambda: FeatureMatching(mg.losses.Hinge(), 3).generator(np.ones((4, 1)), np.ones((4, 1))),
         "real_logits must be real numbers of shape (N, 4)"),
        (lambda: mg.GAN(generator(), discriminator(L.Linear(4, 1)), latent_dim=2,
                        loss=FeatureMatching(mg.losses.Hinge(), 4)),
         "the discriminator must give 5 values per sample"),
        (lambda: L.LogitWithFeatures(3), "LogitWithFeatures: layer must be a Layer"),
        (lambda: L.MinibatchDiscrimination(3, 0), "MinibatchDiscrimination: measures must be"),
        (lambda: HistoricalSGD(weight=-1), "HistoricalSGD: weight must be a finite number >= 0"),
        (lambda: HistoricalAdam(beta1=2), "beta1 must be a number in [0, 1)"),
        (lambda: L.RandomTranslation(2.0), "Translation: fraction must be a number in [0, 1]"),
        (lambda: L.RandomCutout(-0.1), "RandomCutout: fraction must be a number in [0, 1]"),
        (lambda: L.RandomBrightness(-1), "RandomBrightness: amount must be a finite number >= 0"),
        (lambda: L.RandomCutout().forward(np.ones((4, 3))), "real numbers of shape (N, H, W"),
    ],
)  # fmt: skip
def test_bad_input(make, message):
    with pytest.raises((TypeError, ValueError)) as raised:
        make()
    assert message in str(raised.value) and "\n" not in str(raised.value)
