"""Conditional GANs: the layers, whole steps of all four kinds, penalties, and that asking helps."""

import copy

import numpy as np
import pytest

import minigan as mg
from minigan import conditional as C
from minigan import layers as L
from minigan import penalties as P
from minigan.penalties.second_order import slopes
from minigan.verify.gradcheck import check_layer, check_penalty, check_step, relative_error

K, J, SHAPE, LATENT = 3, 2, (4, 4, 1), 2
PIXELS = 16
KINDS = ["projection", "concatenation", "acgan", "infogan"]


def trunk(outputs, activation=L.LeakyReLU, norm=False):
    """Pixels of a row -> outputs."""
    layers = [L.Reshape(SHAPE), L.Conv2d(1, 2, 2, stride=2), activation()]
    layers += [L.BatchNorm(2)] if norm else []
    return mg.Sequential([*layers, L.Flatten(), L.Linear(8, outputs)], rng=2)


def critic(kind, **options):
    """A small discriminator of each kind."""
    if kind == "concatenation":
        convolution = L.Conv2d(1 + K, 2, 2, stride=2)
        rest = trunk(1, **options).layers[2:]
        return mg.Sequential([C.LabelPlanes(SHAPE, K), convolution, *rest], rng=2)
    code = K + J if kind == "infogan" else K
    layers = [C.WithCode(trunk(1 + code, **options), code)]
    return mg.Sequential(layers + [C.Projection(K)] * (kind == "projection"), rng=2)


def game(kind, *, loss=None, penalties=(), **options):
    code = K + J if kind == "infogan" else K
    network = mg.Sequential([L.Linear(LATENT + code, 3), L.SiLU(), L.Linear(3, PIXELS), L.Tanh()])
    generator = mg.Sequential([C.OneHot(K), C.WithCode(network, code, whole=True)], rng=1)
    loss = mg.losses.NonSaturating() if loss is None else loss
    if kind == "acgan":
        loss = mg.auxiliary.AuxiliaryClassifier(loss, K, weight=0.7)
    if kind == "infogan":
        loss = mg.auxiliary.Information(loss, K, J, weight=0.7)
    return mg.GAN(
        generator, critic(kind, **options), latent_dim=LATENT + code, loss=loss,
        penalties=penalties, rng=3,
    )  # fmt: skip


def images(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (n, *SHAPE)), rng.integers(0, K, n)


def minibatch(kind, n=5, seed=0):
    pictures, labels = images(n, seed)
    return C.blank(pictures, K + J) if kind == "infogan" else C.label(pictures, labels, K)


# -- layers ----------------------------------------------------------------------------------------

LAYERS = [
    (C.OneHot(3), (5, 3)),
    (C.OneHot(3), (5, 7)),
    (C.OneHot(3, scale=1.7), (5, 4)),
    (C.OneHot(3, learned=True), (5, 4)),
    (C.Projection(3), (5, 7)),
    (C.LabelPlanes((2, 3, 2), 3), (5, 15)),
    (C.WithCode(L.Linear(4, 3), 2), (5, 6)),
    (C.WithCode(L.Linear(6, 3), 2, whole=True), (5, 6)),
    (C.WithCode(L.Tanh(), 2), (5, 6)),
    (
        C.WithCode(mg.Sequential([L.Linear(6, 4), L.Tanh(), L.Reshape((2, 2))]), 2, whole=True),
        (5, 6),
    ),
    (C.WithCode(mg.Sequential([L.Reshape((2, 2, 1)), L.Conv2d(1, 2, 2), L.SiLU()]), 3), (5, 7)),
    (C.WithCode(mg.Sequential([C.WithCode(L.Linear(3, 2), 1), L.LeakyReLU()]), 2), (5, 6)),
]


def ids(case):
    return str(case)[:60]


@pytest.mark.parametrize("layer, shape", LAYERS, ids=ids)
def test_layer(layer, shape, backend):
    report = check_layer(layer, shape)
    assert report.ok and report.max_relative_error <= 1e-7, f"\n{report}"


WITH_ROWS = [
    (L.ConditionalBatchNorm((2, 2, 3), 2), (5, 14)),
    (L.MinibatchDiscrimination(3, 2), (5, 3)),
]


@pytest.mark.parametrize("layer, shape", LAYERS + WITH_ROWS, ids=ids)
def test_an_empty_batch(layer, shape, backend):
    network = mg.Sequential([copy.deepcopy(layer)])
    y, _ = network.forward(np.zeros(shape), training=False)
    nothing, cache = network.forward(np.zeros((0, *shape[1:])), training=False)
    assert nothing.shape == (0, *y.shape[1:])
    assert network.backward(nothing, cache).shape == (0, *shape[1:])


def placed(layer, shape):
    """(network, x, cotangent, cache) of the layer in float64, off its first parameters."""
    network = mg.Sequential([layer], dtype="float64").copy()
    rng = np.random.default_rng(4)
    network.theta += 0.3 * rng.standard_normal(network.theta.size)
    x = rng.standard_normal(shape)
    y, cache = network.layers[0].forward(x)
    return network, x, rng.standard_normal(y.shape), cache


@pytest.mark.parametrize("layer, shape", LAYERS, ids=ids)
def test_adjoint_identities(layer, shape, backend):
    network, _, dy, cache = placed(layer, shape)
    layer = network.layers[0]
    v, w = np.random.default_rng(5).standard_normal((2, *shape))
    along = np.sum(layer.tangent(v, cache) * dy)
    assert relative_error(along, np.sum(v * layer.backward_input(dy, cache))) <= 1e-12
    moved = layer.curvature(dy, cache, v)
    if moved is None:
        assert layer.piecewise_linear
    else:
        again = np.sum(layer.curvature(dy, cache, w) * v)
        assert relative_error(np.sum(moved * w), again) <= 1e-12


@pytest.mark.parametrize("layer, shape", LAYERS, ids=ids)
def test_curvature_is_the_derivative_of_backward(layer, shape, backend):
    network, x, dy, cache = placed(layer, shape)
    layer = network.layers[0]
    x_dot = np.random.default_rng(6).standard_normal(shape)

    def backward(step):
        network.zero_grad()
        _, there = layer.forward(x + step * x_dot)
        return np.concatenate([layer.backward(dy, there).ravel(), network.grad])

    def difference(step):
        return (backward(step) - backward(-step)) / (2 * step)

    expected = (4 * difference(1e-4) - difference(2e-4)) / 3
    network.zero_grad()
    moved = layer.curvature(dy, cache, x_dot)
    moved = np.zeros(x.size) if moved is None else moved.ravel()
    assert relative_error(np.concatenate([moved, network.grad]), expected) <= 1e-8


def test_one_hot_by_hand():
    y, _ = C.OneHot(3).forward(np.array([[9.0, -1, 0.5, 0.2], [8.0, 0, 0, 1]]))
    assert y.tolist() == [[9, 0, 1, 0], [8, 0, 0, 1]]
    learned = C.OneHot(3, learned=True)
    learned.buffers["offset"][...] = 0, 0, 0.4
    y, _ = learned.forward(np.array([[9.0, -1, 0.5, 0.2], [8.0, 0, 0, 1]]))
    np.testing.assert_array_equal(y, [[9, 0, 0, 1], [8, 0, 0, 1]])
    y, _ = C.OneHot(3, scale=2.5).forward(np.array([[9.0, -1, 0.5, 0.2]]))
    assert y.tolist() == [[9, 0, 2.5, 0]]


def test_carry_by_hand():
    x = np.arange(8.0).reshape(2, 4)
    assert C.WithCode(L.LeakyReLU(), 1).forward(-x)[0].tolist() == [
        [0, -0.2, -0.4, -3], [-0.8, -1.0, -1.2000000000000002, -7],
    ]  # fmt: skip
    y, _ = C.WithCode(L.Reshape((2, 2)), 1, whole=True).forward(x)
    assert y.tolist() == [[0, 1, 2, 3, 3], [4, 5, 6, 7, 7]]


def test_projection_is_that_of_the_paper():
    """w.h + b + <E_k, h>, w and E the columns of one linear layer's weight (and b_k beside b)."""
    linear = L.Linear(5, 1 + K)
    rng = np.random.default_rng(0)
    linear.params["bias"][...] = rng.standard_normal(1 + K)
    h, labels = rng.standard_normal((6, 5)), rng.integers(0, K, 6)
    network = mg.Sequential([C.WithCode(linear, K), C.Projection(K)], dtype="float64")
    (_, weight, _), (_, bias, _) = network.named_parameters()
    bias[...] = rng.standard_normal(1 + K)
    w, embedding = weight[:, 0], weight[:, 1:].T
    expected = h @ w + bias[0] + np.sum(embedding[labels] * h, axis=1) + bias[1:][labels]
    found, _ = network.forward(C.label(h, labels, K))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-13)


def test_label_planes_by_hand():
    row = np.array([[0.1, 0.2, 0.3, 0.4, 0, 1]])
    y, _ = C.LabelPlanes((1, 2, 2), 2).forward(row)
    assert y.tolist() == [[[[0.1, 0.2, 0, 1], [0.3, 0.4, 0, 1]]]]


# -- whole steps -----------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", [False, True], ids=["", "batch norm"])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_steps(kind, norm, backend):
    report = check_step(game(kind, activation=L.SiLU, norm=norm), minibatch(kind))
    assert report.ok and report.max_relative_error <= 1e-7, str(report)


@pytest.mark.parametrize("loss", ["Hinge", "LeastSquares", "Relativistic", "Minimax"])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_steps_of_other_losses(kind, loss):
    report = check_step(game(kind, loss=getattr(mg.losses, loss)()), minibatch(kind))
    assert report.ok and report.max_relative_error <= 1e-5, str(report)


@pytest.mark.parametrize("activation", [L.LeakyReLU, L.Tanh])
@pytest.mark.parametrize("kind", ["projection", "concatenation"])
def test_whole_steps_with_r1_and_r2(kind, activation):
    gan = game(kind, penalties=[P.R1(0.7), P.R2(1.3)], activation=activation)
    report = check_step(gan, minibatch(kind))
    assert report.ok and report.max_relative_error <= 1e-5, str(report)


@pytest.mark.parametrize("kind", KINDS)
def test_ledger(kind):
    ledger = mg.ledger.record(game(kind, activation=L.SiLU), minibatch(kind))
    assert ledger.check(entries=6).ok, str(ledger)


def test_a_resumed_run_is_the_same_to_the_last_bit(tmp_path):
    data = minibatch("projection", 60)

    def train(steps, **options):
        gan = game("projection")
        average = mg.Average(gan.generator, 0.9)
        mg.train(gan, data, steps=steps, batch_size=8, average=average, progress=False, **options)
        parts = gan.generator, gan.discriminator, average.network
        return [part.theta.tobytes() for part in parts]

    whole = train(30)
    train(13, checkpoint=tmp_path / "run.npz")
    assert train(30, checkpoint=tmp_path / "run.npz", resume=True) == whole


# -- penalties -------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [L.LeakyReLU, L.Tanh])
@pytest.mark.parametrize("kind", ["projection", "concatenation"])
@pytest.mark.parametrize(
    "penalty", [P.R1(0.7), P.R2(1.3), P.GradientPenalty(2.0), P.Dragan(3.0)], ids=str
)
def test_penalties(penalty, kind, activation):
    real, fake = minibatch(kind), minibatch(kind, seed=1)
    report = check_penalty(penalty, critic(kind, activation=activation), real, fake)
    assert report.ok and report.max_relative_error <= 1e-5, str(report)


@pytest.mark.parametrize("kind", ["projection", "concatenation"])
def test_a_penalty_on_both_backends(kind, backend):
    real, fake = minibatch(kind), minibatch(kind, seed=1)
    report = check_penalty(P.R1(0.7), critic(kind, activation=L.Tanh), real, fake)
    assert report.ok and report.max_relative_error <= 1e-5, str(report)


@pytest.mark.parametrize("kind", ["projection", "concatenation"])
def test_the_code_has_no_slope(kind):
    discriminator = critic(kind)
    (g, *_), _ = slopes(discriminator, minibatch(kind))
    assert g.shape == (5, PIXELS + K) and not g[:, -K:].any() and g[:, :PIXELS].any(axis=1).all()


def test_what_is_inside_a_carry_is_refused_by_name():
    norm = critic("projection", norm=True)
    with pytest.raises(ValueError, match=r"^R1: BatchNorm\(2\) mixes the samples"):
        P.R1(1.0).check(norm)


# -- classes ---------------------------------------------------------------------------------------


def test_noise_asks_for_every_class_equally_often():
    gan = game("projection")
    rows = gan.sample(30_000)
    _, classes = C.unlabel(rows, SHAPE, K)
    counts = np.bincount(classes, minlength=K)
    deviation = np.sqrt(30_000 * (1 / K) * (1 - 1 / K))
    assert np.all(np.abs(counts - 10_000) < 5 * deviation)
    assert set(np.unique(rows[:, -K:])) == {0, 1} and np.all(rows[:, -K:].sum(axis=1) == 1)


def test_the_class_that_is_asked_for_comes():
    gan, labels = game("projection"), np.array([2, 0, 1, 1])
    noise = gan.draw_noise(4)
    rows, _ = gan.generator.forward(C.ask(noise, labels, K), training=False)
    assert np.array_equal(C.unlabel(rows, SHAPE, K)[1], labels)
    one, _ = gan.generator.forward(C.ask(noise, 2, K), training=False)
    assert np.array_equal(C.unlabel(one, SHAPE, K)[1], [2] * 4)
    assert np.array_equal(one[0], rows[0])


def test_label_and_unlabel():
    pictures, labels = images(6)
    rows = C.label(pictures.astype(np.float32), labels, K)
    assert rows.shape == (6, PIXELS + K) and rows.dtype == np.float32
    back, classes = C.unlabel(rows, SHAPE, K)
    assert np.array_equal(back, pictures.astype(np.float32)) and np.array_equal(classes, labels)
    assert C.label(np.eye(3, dtype=int), [0, 1, 2], 3).dtype == np.float32
    blank = C.blank(pictures, 5)
    assert blank.shape == (6, PIXELS + 5) and not blank[:, PIXELS:].any()


CORNERS = [(0, 0), (0, 3), (3, 0)]


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_which_class_is_which(kind):
    """Class k has ink in its corner. Three in four samples, and more, have it where they should;
    for InfoGAN, where most of their category have it."""
    rng = np.random.default_rng(0)
    pictures, labels = -0.7 + 0.1 * rng.standard_normal((900, *SHAPE)), rng.integers(0, K, 900)
    for k, (i, j) in enumerate(CORNERS):
        pictures[labels == k, i, j] += 1.4
    gan = game(kind)
    code = gan.latent_dim - LATENT
    wide = mg.models.mlp(gan.latent_dim, 32, PIXELS)
    generator = [C.OneHot(K), C.WithCode(mg.Sequential(wide), code, whole=True)]
    if kind == "concatenation":
        judge = [C.LabelPlanes(SHAPE, K), L.Flatten(), *mg.models.mlp(4 * PIXELS, 32, 1)]
    else:
        judge = [C.WithCode(mg.Sequential(mg.models.mlp(PIXELS, 32, 1 + code)), code)]
        judge += [C.Projection(K)] * (kind == "projection")
    gan = mg.GAN(
        mg.Sequential(generator, rng=7), mg.Sequential(judge, rng=27), latent_dim=gan.latent_dim,
        loss=gan.loss, generator_optimizer=mg.optim.Adam(2e-3),
        discriminator_optimizer=mg.optim.Adam(2e-3), rng=3,
    )  # fmt: skip
    data = C.blank(pictures, code) if kind == "infogan" else C.label(pictures, labels, K)
    mg.train(gan, data, steps=800, batch_size=32, progress=False)

    asked = np.arange(300) % K
    rows, _ = gan.generator.forward(C.ask(gan.draw_noise(300), asked, K), training=False)
    made, _ = C.unlabel(rows, SHAPE, K)
    found = np.argmax([made[:, i, j, 0] for i, j in CORNERS], axis=0)
    table = np.zeros((K, K))
    np.add.at(table, (asked, found), 1)
    if kind == "infogan":
        assert sorted(table.argmax(axis=1)) == [0, 1, 2]
        table = table[:, table.argmax(axis=1)]
    assert np.trace(table) >= 0.75 * 300, table


@pytest.mark.parametrize("kind", KINDS)
def test_ready_models(kind):
    rng = np.random.default_rng(0)
    pictures, labels = rng.uniform(-1, 1, (4, 28, 28, 1)), rng.integers(0, K, 4)
    continuous = J if kind == "infogan" else 0
    code, loss = K + continuous, mg.losses.NonSaturating()
    make = getattr(mg.models, f"{kind}_discriminator", mg.models.auxiliary_discriminator)
    if kind == "acgan":
        loss = mg.auxiliary.AuxiliaryClassifier(loss, K)
    elif kind == "infogan":
        loss = mg.auxiliary.Information(loss, K, J)
    generator = mg.models.conditional_generator(5, K, continuous=continuous, channels=2)
    discriminator = make(code, channels=2)
    gan = mg.GAN(generator, discriminator, latent_dim=5 + code, loss=loss)
    before = generator.theta.copy(), discriminator.theta.copy()
    gan.train_step(C.blank(pictures, code) if kind == "infogan" else C.label(pictures, labels, K))
    for network, theta in zip((generator, discriminator), before):
        for name, _, gradient in network.named_parameters():
            assert gradient.any(), name
        assert not np.array_equal(network.theta, theta)
    if kind in ("projection", "concatenation"):
        P.R1(1.0).check(make(K, channels=2, batch_norm=False))


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: C.OneHot(1), ValueError, "OneHot: classes must be an integer >= 2, got 1"),
        (lambda: C.OneHot(2.0), TypeError, "OneHot: classes must be an integer"),
        (lambda: C.OneHot(3, scale=0), ValueError, r"scale must be a finite number > 0, got 0"),
        (lambda: C.OneHot(3).forward(np.zeros((4, 2))), ValueError, r"\(N, >=3\), got"),
        (lambda: C.WithCode("net", 3), TypeError, "WithCode: layer must be a Layer, got 'net'"),
        (lambda: C.WithCode(L.Tanh(), 0), ValueError, "WithCode: width must be an integer >= 1"),
        (lambda: C.WithCode(L.Tanh(), 2, whole="no"), TypeError, "WithCode: whole must be True"),
        (lambda: C.WithCode(L.Tanh(), 2).forward(np.zeros((4, 2))), ValueError, r"\(N, >=3\)"),
        (lambda: C.Projection(1), ValueError, "Projection: classes"),
        (lambda: C.Projection(3).forward(np.zeros((4, 6))), ValueError, r"got .* \(4, 6\)"),
        (lambda: C.LabelPlanes((4, 4), 3), ValueError, r"a tuple of 3 integers >= 1, got \(4, 4\)"),
        (lambda: C.LabelPlanes(4, 3), TypeError, "LabelPlanes: shape must be a tuple of 3"),
        (lambda: C.LabelPlanes(SHAPE, 0), ValueError, "LabelPlanes: classes"),
        (lambda: C.LabelPlanes(SHAPE, 3).forward(np.zeros((4, 16))), ValueError, r"\(N, 19\)"),
        (lambda: C.label(images(3)[0], [0, 1], K), ValueError, "one for each of 3 images"),
        (lambda: C.label(images(2)[0], [0, K], K), ValueError, r"in \[0, 3\), got 0 to 3"),
        (lambda: C.label(images(2)[0], [0, -1], K), ValueError, r"in \[0, 3\), got -1 to 0"),
        (lambda: C.label(images(2)[0], [0.0, 1], K), TypeError, "label: labels must be integers"),
        (lambda: C.label(images(2)[0], [0, 1], 1), ValueError, "label: classes"),
        (lambda: C.label(["a", "b"], [0, 1], K), TypeError, "label: images must be real numbers"),
        (lambda: C.label([0.5, 1], [0, 1], K), ValueError, r"shape \(M, F, ...\)"),
        (lambda: C.blank([0.5, 1], 3), ValueError, r"blank: images must be"),
        (lambda: C.blank(images(2)[0], 0), ValueError, "blank: width"),
        (lambda: C.unlabel(np.zeros((2, 18)), SHAPE, K), ValueError, "shape \\(2, 18\\)"),
        (lambda: C.unlabel(np.zeros((2, 19)), 16, K), TypeError, "unlabel: shape"),
        (lambda: C.ask(np.zeros((2, 2)), [0, 1], K), ValueError, "ask: noise must be"),
        (lambda: C.ask(np.zeros((2, 5)), [0, 1, 2], K), ValueError, "one for each of 2 rows"),
        (lambda: C.ask(np.zeros((2, 5)), [0, 9], K), ValueError, "ask: labels must be in"),
    ],
)  # fmt: skip
def test_bad_input(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_minibatch_without_labels_is_refused():
    with pytest.raises(ValueError, match=r"of shape \(N, 19\)"):
        game("projection").train_step(images(4)[0])
