"""AC-GAN's and InfoGAN's losses: gradients, values by hand, who minimises what, and refusals."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.layers.cross_entropy import log_softmax
from minigan.models.auxiliary import AuxiliaryClassifier, Information
from minigan.models.conditional_games import WithCode
from minigan.verify.gradcheck import check_loss, check_step

ADVERSARIAL = ["Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"]


def make(name, adversarial="NonSaturating", **options):
    loss = getattr(mg.losses, adversarial)()
    if name == "classes":
        return AuxiliaryClassifier(loss, 3, **options)
    return Information(loss, 3, 2 if name == "both codes" else 0, **options)


def minibatches(loss, n=5):
    """Rows as D gives them, the last three values of each a one-hot code."""
    rng = np.random.default_rng(0)
    rows = 2 * rng.standard_normal((2, n, loss.width))
    rows[..., -3:] = np.eye(3)[rng.integers(0, 3, (2, n))]
    return rows


def players(loss):
    return (loss.discriminator, loss.generator), (loss.adversarial.discriminator,
                                                  loss.adversarial.generator)  # fmt: skip


NAMES = ["classes", "categories", "both codes"]


@pytest.mark.parametrize("adversarial", ADVERSARIAL)
@pytest.mark.parametrize("name", NAMES)
def test_gradients(name, adversarial):
    report = check_loss(make(name, adversarial, weight=0.7), 3)
    assert report.ok, str(report)


@pytest.mark.parametrize("name", NAMES)
def test_without_weight_it_is_the_adversarial_loss(name):
    loss = make(name, weight=0.0)
    real, fake = minibatches(loss)
    for play, plain in zip(*players(loss)):
        value, d_real, d_fake = play(real, fake)
        expected = plain(real[:, :1], fake[:, :1])
        assert value == expected[0]
        for gradient, slope in ((d_real, expected[1]), (d_fake, expected[2])):
            assert np.array_equal(gradient[:, :1], slope) and not gradient[:, 1:].any()


def test_classification_by_hand():
    """Both players minimise the cross-entropy: D that of real samples and fakes, G of fakes."""
    loss = make("classes", weight=0.7)
    real, fake = minibatches(loss)

    def entropy(rows):
        chosen = rows[:, -3:].argmax(axis=1)
        return -np.mean(log_softmax(rows[:, 1:4])[np.arange(len(rows)), chosen])

    (of_d, of_g), (plain_d, plain_g) = players(loss)
    adversarial = plain_d(real[:, :1], fake[:, :1])[0], plain_g(real[:, :1], fake[:, :1])[0]
    both = 0.7 * (entropy(real) + entropy(fake))
    assert of_d(real, fake)[0] == pytest.approx(adversarial[0] + both, rel=1e-14)
    assert of_g(real, fake)[0] == pytest.approx(adversarial[1] + 0.7 * entropy(fake), rel=1e-14)
    assert of_d(real, fake)[1][:, 1:4].any() and not of_g(real, fake)[1][:, 1:].any()


def test_information_by_hand():
    """Row by row: logit, two means, three category logits, two codes, the category's code."""
    loss = make("both codes", weight=0.5)
    fake = np.array([[0.3, 1.0, -1.0, 0.0, 0.0, 0.0, 0.5, 1.0, 0, 1, 0]])
    real = np.zeros((1, 11))
    missed = np.log(3) + (0.5**2 + 2.0**2) / 2
    (of_d, of_g), (plain_d, plain_g) = players(loss)
    for play, plain in ((of_d, plain_d), (of_g, plain_g)):
        value, d_real, d_fake = play(real, fake)
        adversarial, _, slope = plain(real[:, :1], fake[:, :1])
        assert value == pytest.approx(adversarial + 0.5 * missed, rel=1e-14)
        third = 1 / 3
        expected = [0.5, -2.0, third, third - 1, third, -0.5, 2.0, 0, 0, 0]
        np.testing.assert_allclose(d_fake, [[slope[0, 0], *np.multiply(0.5, expected)]])
        assert not d_real[:, 1:].any()  # real samples have no code


@pytest.mark.parametrize("name", NAMES)
def test_a_category_is_not_moved(name):
    loss = make(name)
    for play in players(loss)[0]:
        for gradient in play(*minibatches(loss))[1:]:
            assert not gradient[:, -3:].any()


@pytest.mark.parametrize("name", NAMES)
def test_precision_follows_the_logits(name):
    loss = make(name)
    for play in players(loss)[0]:
        value, *gradients = play(*minibatches(loss).astype(np.float32))
        assert isinstance(value, float) and [g.dtype for g in gradients] == [np.float32] * 2


def test_a_step_reports_the_logits_alone():
    """Not the means of all that D gives."""
    generator = mg.Sequential([WithCode(L.Linear(5, 2), 3, whole=True)])
    network = WithCode(L.Linear(2, 4), 3)
    discriminator = mg.Sequential([network])
    discriminator.theta[...] = 0
    network.inner.params["bias"][...] = [1.0, 50, 60, 70]
    loss = AuxiliaryClassifier(mg.losses.Hinge(), 3)
    gan = mg.GAN(generator, discriminator, latent_dim=5, loss=loss)
    figures = gan.discriminator_step(np.ones((4, 5)))
    assert figures["real_logit"] == figures["fake_logit"] == 1.0


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (lambda: AuxiliaryClassifier("hinge", 3), TypeError, "adversarial must be one of"),
        (lambda: AuxiliaryClassifier(make("classes"), 3), TypeError, "adversarial must be one of"),
        (lambda: AuxiliaryClassifier(mg.losses.Hinge, 3), TypeError, "adversarial must be one of"),
        (lambda: AuxiliaryClassifier(mg.losses.Hinge(), 1), ValueError, "AuxiliaryClassifier: cl"),
        (lambda: make("classes", weight=-1), ValueError, "AuxiliaryClassifier: weight"),
        (lambda: Information(mg.losses.Hinge(), 0), ValueError, "Information: categories"),
        (lambda: Information(mg.losses.Hinge(), 3, -1), ValueError, "Information: continuous"),
        (lambda: make("both codes", weight="1"), TypeError, "Information: weight"),
        (lambda: make("classes").generator(np.zeros((4, 1)), np.zeros((4, 7))), ValueError,
         r"real_logits must be real numbers of shape \(N, 7\)"),
        (lambda: make("classes").generator(np.zeros((4, 7)), np.zeros((0, 7))), ValueError,
         r"fake_logits must be a batch of one sample or more"),
        (lambda: make("classes").generator([["a"] * 7], [["b"] * 7]), TypeError, "real_logits"),
    ],
)  # fmt: skip
def test_bad_input(bad, error, words):
    with pytest.raises(error, match=words):
        bad()


def gan(outputs, loss, penalties=()):
    generator = mg.Sequential([WithCode(L.Linear(5, 2), 3, whole=True)])
    discriminator = mg.Sequential([WithCode(L.Linear(2, outputs), 3)])
    return mg.GAN(generator, discriminator, latent_dim=5, loss=loss, penalties=penalties)


def test_a_gan_wants_what_its_loss_reads():
    words = r"must give 7 values per sample, shape \(N, 7\); for N = 2 it gave \(2, 6\)"
    with pytest.raises(ValueError, match=words):
        gan(3, make("classes"))
    with pytest.raises(ValueError, match="must give one logit per sample"):
        gan(4, mg.losses.Hinge())


PENALTIES = {
    "along the pass": [mg.penalties.R1(0.8), mg.penalties.R2(1.3)],
    "apart from it": [mg.penalties.GradientPenalty(1.5), mg.penalties.Dragan(0.7)],
}


@pytest.mark.parametrize("activation", [L.LeakyReLU, L.Tanh])
@pytest.mark.parametrize("penalties", PENALTIES)
@pytest.mark.parametrize("name", NAMES)
def test_a_penalised_step(name, penalties, activation, backend):
    """The penalties look at the logit, the term at the rest: every parameter of both players."""
    loss = make(name, "Relativistic", weight=0.7)
    code = (loss.width - 1) // 2
    critic = [L.Linear(2, 3), activation(), L.Linear(3, 1 + code)]
    painter = [L.Linear(1 + code, 2), L.Tanh(), L.Linear(2, 2)]
    gan = mg.GAN(
        mg.Sequential([WithCode(mg.Sequential(painter), code, whole=True)], rng=0),
        mg.Sequential([WithCode(mg.Sequential(critic), code)], rng=1),
        latent_dim=1 + code,
        loss=loss,
        penalties=PENALTIES[penalties],
    )
    rng = np.random.default_rng(2)
    real = np.concatenate([rng.standard_normal((5, 2)), rng.standard_normal((5, code))], axis=1)
    report = check_step(gan, real)
    assert report.ok, str(report)
