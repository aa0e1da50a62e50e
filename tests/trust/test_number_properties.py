"""What is true of losses, kernels, optimizers, loaders, metrics and checkpoints, whatever the
numbers. See test_layer_properties.py for how the examples are drawn.
"""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigan as mg
from minigan import _archive as archive
from minigan import losses, metrics, stabilisers
from minigan.data.minibatches import Minibatches
from minigan.layers import cross_entropy

EXAMPLES = int(os.environ.get("MINIGAN_EXAMPLES", 0))
few = settings(
    derandomize=not EXAMPLES, database=None, deadline=None, max_examples=EXAMPLES or 15
)  # fmt: skip
DTYPES = st.sampled_from(["float32", "float64"])
SEEDS = st.integers(0, 999)
RELATIVE = {"float32": 1e-5, "float64": 1e-12}

LOSSES = [
    losses.Minimax(), losses.NonSaturating(), losses.LeastSquares(), losses.Wasserstein(),
    losses.Hinge(), losses.Relativistic(), stabilisers.OneSidedSmoothing(0.9),
]  # fmt: skip


def orders(matrix):
    """The same matrix in every memory order."""
    wide = np.zeros((len(matrix), 2 * matrix.shape[1]), matrix.dtype)
    wide[:, ::2] = matrix
    return [matrix, np.asfortranarray(matrix), matrix[::-1].copy()[::-1], wide[:, ::2]]


# -- losses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("player", ["discriminator", "generator"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@few
@given(
    pairs=st.lists(st.tuples(*[st.integers(-10_000, 10_000)] * 2), min_size=1, max_size=9),
    scale=st.sampled_from([1.0, 1e-3, 1e-30]),
    dtype=DTYPES,
)
def test_properties_of_losses(loss, player, pairs, scale, dtype):
    real, fake = (
        np.array(column, dtype)[:, None] * dtype_of(dtype)(scale) for column in zip(*pairs)
    )
    play, n = getattr(loss, player), len(pairs)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, d_real, d_fake = play(real, fake)
    assert type(value) is float and np.isfinite(value)
    for gradient, logits in ((d_real, real), (d_fake, fake)):
        assert gradient.shape == logits.shape and gradient.dtype == logits.dtype
        assert np.isfinite(gradient).all()
        if not isinstance(loss, losses.LeastSquares):  # all others have slopes of at most 1
            assert np.abs(gradient).max() <= (1 + 1e-6) / n
    if isinstance(loss, losses.Relativistic):  # of differences: moving all logits changes nothing
        np.testing.assert_allclose(d_real.sum() + d_fake.sum(), 0, atol=1e-6)

    near = dict(rtol=RELATIVE[dtype], atol=1e-30)
    twice = play(np.concatenate([real, real]), np.concatenate([fake, fake]))
    np.testing.assert_allclose(twice[0], value, **near)
    for doubled, once in zip(twice[1:], (d_real, d_fake)):
        np.testing.assert_allclose(doubled, np.concatenate([once, once]) / 2, **near)

    flat = play(real[:, 0], fake[:, 0])
    assert flat[0] == value and np.array_equal(flat[1], d_real[:, 0])
    for other_real, other_fake in zip(orders(real), orders(fake)):
        again = play(other_real, other_fake)
        assert again[0] == value and np.array_equal(again[2], d_fake)


def dtype_of(name):
    return np.dtype(name).type


@few
@given(seed=SEEDS, n=st.integers(1, 7), classes=st.integers(1, 6), size=st.sampled_from([1, 1e4]))
def test_properties_of_cross_entropy(seed, n, classes, size):
    rng = np.random.default_rng(seed)
    logits, labels = size * rng.standard_normal((n, classes)), rng.integers(classes, size=n)
    value, slopes = cross_entropy.softmax_cross_entropy(logits, labels)
    assert value >= 0 and np.isfinite(slopes).all()
    np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-12)
    moved, same = cross_entropy.softmax_cross_entropy(logits + 5, labels)
    np.testing.assert_allclose([moved, *same.ravel()], [value, *slopes.ravel()], atol=1e-9 * size)


# -- kernels ---------------------------------------------------------------------------------------


@few
@given(
    shape=st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)),
    layout=st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans()),
    dtype=DTYPES, seed=SEEDS, exponent=st.sampled_from([0, -15, 15]),
)  # fmt: skip
def test_properties_of_products(shape, layout, dtype, seed, exponent):
    pytest.importorskip("numba")
    (m, k, n), (order_a, order_b, transpose_a, transpose_b) = shape, layout
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal(size) * 10.0**exponent for size in ((m, k), (k, n)))
    a, b = a.astype(dtype), b.astype(dtype)
    expected = a @ b
    a, b = (a.T if transpose_a else a), (b.T if transpose_b else b)
    a, b = orders(a)[order_a], orders(b)[order_b]
    with mg.kernels.use_backend("numba"):
        found = mg.kernels.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    assert found.shape == (m, n) and found.dtype == dtype
    size = np.abs(expected).max(initial=0) + 10.0 ** (2 * exponent)
    assert np.abs(found - expected).max(initial=0) <= 10 * RELATIVE[dtype] * size


# -- optimizers ------------------------------------------------------------------------------------

OPTIMIZERS = {
    "SGD": lambda: mg.optim.SGD(0.1, 0.9),
    "RMSProp": lambda: mg.optim.RMSProp(0.1),
    "Adam": lambda: mg.optim.Adam(0.1),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@few
@given(
    seed=SEEDS, size=st.integers(0, 40), exponent=st.integers(-30, 18),
    backend=st.sampled_from(["numpy", "numba"]), dtype=DTYPES,
)  # fmt: skip
def test_properties_of_optimizers(make, seed, size, exponent, backend, dtype):
    """Finite, downhill, and as far as promised, for gradients from 1e-30 to where float32's squares
    end; what was handed in is left alone."""
    if backend == "numba":
        pytest.importorskip("numba")
    theta = np.zeros(size, dtype)
    grad = (np.random.default_rng(seed).choice([-1, 1], size) * 10.0**exponent).astype(dtype)
    kept, optimizer = grad.copy(), make()
    with mg.kernels.use_backend(backend):
        for _ in range(3):
            optimizer.step(theta, grad)
    assert np.isfinite(theta).all() and np.array_equal(grad, kept)
    assert (theta * np.sign(grad) <= 0).all()
    if isinstance(optimizer, mg.optim.Adam):
        assert np.abs(theta).max(initial=0) <= 3 * 0.1 * (1 + 1e-5)
        if exponent > -4:  # well above eps: a step is lr long, whatever the gradient's size
            np.testing.assert_allclose(np.abs(theta), 0.3, rtol=1e-3)


# -- data ------------------------------------------------------------------------------------------


@few
@given(samples=st.integers(1, 30), batch=st.integers(1, 70), seed=SEEDS)
def test_properties_of_minibatches(samples, batch, seed):
    """Every sample once in each epoch, however the minibatches lie across the epochs."""
    data = np.arange(samples)[:, None]
    stream = Minibatches(data, batch, rng=seed)
    dealt = np.concatenate([stream.next()[:, 0] for _ in range(-(-3 * samples // batch))])
    for epoch in range(3):
        part = dealt[epoch * samples : (epoch + 1) * samples]
        assert np.array_equal(np.sort(part), np.arange(samples))


# -- metrics ---------------------------------------------------------------------------------------

DISTANCES = {  # and the power of the unit of length that they are in
    "sliced_wasserstein": (metrics.sliced_wasserstein, 1),
    "frechet_distance": (metrics.frechet_distance, 2),
    "mmd": (metrics.mmd, 0),
}


@pytest.mark.parametrize("distance, power", DISTANCES.values(), ids=DISTANCES)
@few
@given(
    seed=SEEDS, n=st.integers(3, 20), m=st.integers(3, 20), d=st.integers(1, 4),
    exponent=st.integers(-30, 30),
)  # fmt: skip
def test_properties_of_distances(distance, power, seed, n, m, d, exponent):
    rng = np.random.default_rng(seed)
    x, y, unit = rng.standard_normal((n, d)), 1 + rng.standard_normal((m, d)), 10.0**exponent
    there = distance(x, y)
    near = dict(rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(distance(y, x), there, **near)
    np.testing.assert_allclose(distance(x[::-1], rng.permutation(y)), there, **near)
    np.testing.assert_allclose(distance(x + 3, y + 3), there, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(distance(unit * x, unit * y) / unit**power, there, **near)
    for other in orders(x):
        np.testing.assert_allclose(distance(other, y), there, **near)
    if power:
        assert there >= 0
        assert distance(x, x) <= 1e-12


@few
@given(seed=SEEDS, n=st.integers(6, 20), d=st.integers(1, 4), exponent=st.integers(-30, 30))
def test_properties_of_neighbours(seed, n, d, exponent):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, n, d))
    assert metrics.precision_recall_density_coverage(x, x, 3) == (1, 1, 1, 1)
    scores = metrics.precision_recall_density_coverage(x, y, 3)
    assert all(0 <= score for score in scores)
    scaled = metrics.precision_recall_density_coverage(10.0**exponent * x, 10.0**exponent * y, 3)
    np.testing.assert_allclose(scaled, scores, atol=1e-12)
    swapped = metrics.precision_recall_density_coverage(y, x, 3)
    assert (swapped.precision, swapped.recall) == (scores.recall, scores.precision)


@few
@given(weights=st.lists(st.tuples(*[st.integers(0, 9)] * 2), min_size=1, max_size=6))
def test_properties_of_shares(weights):
    p, q = (np.array(column) + 1e-3 for column in zip(*weights))
    p, q = p / p.sum(), q / q.sum()
    assert metrics.total_variation(p, p) == metrics.reverse_kl(p, p) == 0
    assert metrics.total_variation(p, q) == pytest.approx(metrics.total_variation(q, p))
    assert 0 <= metrics.total_variation(p, q) <= 1 + 1e-12
    half = metrics.total_variation(p, q) ** 2 * 2  # Pinsker
    assert metrics.reverse_kl(p, q) >= half - 1e-12


@few
@given(seed=SEEDS, n=st.integers(1, 60), modes=st.integers(1, 8), exponent=st.integers(-30, 30))
def test_properties_of_mode_coverage(seed, n, modes, exponent):
    rng, unit = np.random.default_rng(seed), 10.0**exponent
    ring = mg.data.gaussian_ring(modes, std=0.05)
    samples = ring.sample(n, rng, dtype="float64")
    found = metrics.mode_coverage(samples, ring.modes, ring.std)
    assert found.counts.sum() <= n and found.captured <= modes
    scaled = metrics.mode_coverage(unit * samples[::-1], unit * ring.modes, unit * ring.std)
    assert np.array_equal(scaled.counts, found.counts)


# -- checkpoints -----------------------------------------------------------------------------------


@few
@given(
    shape=st.lists(st.integers(0, 4), max_size=3), seed=SEEDS,
    dtype=st.sampled_from(["float32", "float64", "int64", "uint8"]), order=st.sampled_from("CF"),
)  # fmt: skip
def test_properties_of_archives(tmp_path_factory, shape, seed, dtype, order):
    path = tmp_path_factory.mktemp("archive") / "file.npz"
    values = (100 * np.random.default_rng(seed).random(shape)).astype(dtype)
    archive.write(path, {"words": ["é", 1, None]}, {"a/b": np.array(values, order=order)})
    file = archive.Archive(path)
    found = file.array("a/b", tuple(shape), dtype)
    assert file.header["words"] == ["é", 1, None]
    assert found.tobytes() == values.tobytes() and found.dtype == dtype


@settings(few, max_examples=EXAMPLES or 8)
@given(
    seed=SEEDS, dtype=DTYPES, optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    norm=st.sampled_from([None, mg.layers.BatchNorm, mg.layers.LayerNorm]),
    cut=st.integers(1, 5), batch=st.integers(2, 9), critic_steps=st.integers(1, 2),
)  # fmt: skip
def test_properties_of_resuming(
    tmp_path_factory, seed, dtype, optimizer, norm, cut, batch, critic_steps
):
    """N steps, a break and M more are N + M, to the last bit."""
    file, data = (
        tmp_path_factory.mktemp("run") / "run.npz",
        np.random.default_rng(seed).random((7, 2)),
    )

    def run(steps, **options):
        hidden = [mg.layers.Linear(2, 4), *([norm(4)] if norm else []), mg.layers.Linear(4, 2)]
        generator = mg.Sequential(hidden, dtype=dtype, rng=seed)
        critic = [mg.layers.Linear(2, 4), mg.layers.Dropout(0.2), mg.layers.Linear(4, 1)]
        gan = mg.GAN(
            generator, mg.Sequential(critic, dtype=dtype, rng=seed), latent_dim=2, rng=seed,
            generator_optimizer=OPTIMIZERS[optimizer](),
            discriminator_optimizer=OPTIMIZERS[optimizer](),
        )  # fmt: skip
        for player in (gan.generator_optimizer, gan.discriminator_optimizer):
            player.lr = 1e-3
        history = mg.train(
            gan, data, steps=steps, batch_size=batch, critic_steps=critic_steps, progress=False,
            rng=seed, **options,
        )  # fmt: skip
        return generator.theta.tobytes(), gan.discriminator.theta.tobytes(), history.columns

    whole = run(6)
    run(cut, checkpoint=file)
    assert run(6, checkpoint=file, resume=True) == whole
