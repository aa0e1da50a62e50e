"""A counterpart is used only while the layer is what the counterpart was written for."""

import copy
import functools

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L

X = np.random.default_rng(0).standard_normal((8, 6)).astype(np.float32)
IMAGES = X.reshape(2, 4, 6, 1)
RING = mg.data.gaussian_ring(std=0.05)


def passes(network, x):
    """y and the gradients of one forward and backward pass."""
    network.zero_grad()
    y, caches = network.forward(x)
    dx = network.backward(np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape), caches)
    return [y, dx, network.grad.copy()]


# [(layers, the place of the one that changes, its option, the new value)]
OPTIONS = {
    "an activation": ([L.Tanh, L.LeakyReLU], 1, "negative_slope", 0.7, X),
    "behind a linear layer": (
        [lambda: L.Linear(6, 4), L.LeakyReLU], 1, "negative_slope", 0.7, X),
    "in a chain": (
        [lambda: L.Linear(6, 4), L.LeakyReLU, lambda: L.Linear(4, 3)], 1, "negative_slope", 0.7, X),
    "behind a convolution": (
        [lambda: L.Conv2d(1, 4, 3), L.LeakyReLU], 1, "negative_slope", 0.7, IMAGES),
    "behind a batch norm": (
        [lambda: L.BatchNorm(6), L.LeakyReLU], 1, "negative_slope", 0.7, X),
    "of a layer norm": ([lambda: L.LayerNorm(6)], 0, "eps", 0.7, X),
    "of a batch norm": ([lambda: L.BatchNorm(6)], 0, "eps", 0.7, X),
    "in an inner network": (
        [lambda: mg.Sequential([L.Linear(6, 4), L.LeakyReLU()])], 0, "negative_slope", 0.7, X),
    "in a residual layer": (
        [lambda: L.Residual(mg.Sequential([L.Linear(6, 6), L.LeakyReLU()]))], 0,
        "negative_slope", 0.7, X),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_an_option_changed_after_a_pass_counts(case):
    makers, place, option, value, x = OPTIONS[case]
    network = mg.Sequential([make() for make in makers], rng=0)
    layer = network.layers[place]
    if isinstance(layer, L.Residual):
        layer = layer.branch
    if isinstance(layer, mg.Sequential):
        layer = layer.layers[-1]
    before = passes(network, x)
    setattr(layer, option, value)
    after = passes(network, x)
    with mg.kernels.use_backend("numpy"):
        expected = passes(network, x)
    for found, right in zip(after, expected):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5)
    assert not np.allclose(before[0], after[0])


def nothing(x, training=True):
    return np.zeros_like(x), x


@pytest.mark.parametrize("when", ["before a pass", "after a pass"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_method_replaced_on_a_layer_is_called(when, place):
    network = mg.Sequential([L.Linear(6, 6), L.LeakyReLU()], rng=0)
    if when == "after a pass":
        network.forward(X)
    network.layers[place].forward = nothing
    assert not network.forward(X)[0].any()
    del network.layers[place].forward
    assert network.forward(X)[0].any()


@pytest.mark.parametrize("kind", [L.Linear, L.LeakyReLU, L.Tanh, L.BatchNorm])
def test_a_subclass_is_called(kind):
    own = type("Own", (kind,), {"forward": lambda self, x, training=True: nothing(x)})
    behind = own() if kind in (L.LeakyReLU, L.Tanh) else own(6, *[6] * (kind is L.Linear))
    assert not mg.Sequential([L.Linear(6, 6), behind], rng=0).forward(X)[0].any()


def test_an_option_of_an_activation_in_two_networks_counts_in_both(backend):
    shared = L.LeakyReLU()
    networks = [mg.Sequential([L.Linear(6, 4), shared], rng=0) for _ in range(3)]
    del networks[2]
    before = [passes(network, X) for network in networks]
    shared.negative_slope = 0.7
    for network, (y, *_) in zip(networks, before):
        assert not np.allclose(network.forward(X)[0], y)


@pytest.mark.parametrize("when", ["before a pass", "after a pass"])
@pytest.mark.parametrize("kind", [L.Linear, L.LeakyReLU])
def test_a_method_replaced_on_a_class_is_called(kind, when, monkeypatch):
    inner = mg.Sequential([L.Linear(6, 6), L.LeakyReLU()], rng=0)
    networks = [mg.Sequential([L.Linear(6, 6), L.LeakyReLU()], rng=0), mg.Sequential([inner])]
    if when == "after a pass":
        for network in networks:
            assert network.forward(X)[0].any()
    monkeypatch.setattr(kind, "forward", lambda self, x, training=True: nothing(x))
    for network in networks:
        assert not network.forward(X)[0].any()
    monkeypatch.undo()
    for network in networks:
        assert network.forward(X)[0].any()


def test_a_method_replaced_before_the_counterparts_are_imported_is_not_taken_for_minigans():
    pytest.importorskip("numba")
    from minigan.fast.as_written import method_of

    own = type("Linear", (L.Linear,), {"forward": functools.wraps(L.Linear.forward)(nothing)})
    assert method_of(L.Linear, "forward") is L.Linear.forward
    assert method_of(mg.Sequential, "forward") is mg.Sequential.forward
    assert method_of(own, "forward") is None


@pytest.mark.parametrize("when", ["before a step", "after a step"])
@pytest.mark.parametrize("name", ["forward", "backward_params", "signals", "curvature_along"])
def test_a_method_replaced_on_the_discriminator_is_called(name, when, backend):
    gan, calls = game(penalties=[mg.penalties.R1(1.0)]), []
    if when == "after a step":
        gan.train_step(RING.sample(16, 0))
    D = gan.discriminator
    method = getattr(D, name)
    setattr(D, name, lambda *args: calls.append(name) or method(*args))
    gan.train_step(RING.sample(16, 0))
    assert calls


def test_replaced_points_of_a_penalty_are_those_that_are_penalised(backend):
    penalty = mg.penalties.R1(1.0)
    gan = game(penalties=[penalty])
    seen = []
    penalty.points = lambda real, fake, rng: seen.append(real) or real
    gan.train_step(RING.sample(16, 0))
    assert len(seen) == 1


def game(**options):
    G = mg.models.mlp_generator(2, (2,), hidden=(8,))
    return mg.GAN(G, mg.models.mlp_discriminator((2,), hidden=(8,)), latent_dim=2, **options)


def test_a_replaced_update_of_an_optimizer_is_called(monkeypatch):
    still = lambda *_: None  # noqa: E731
    gan = game(generator_optimizer=mg.optim.RMSProp())
    thetas = [network.theta.copy() for network in (gan.generator, gan.discriminator)]
    gan.discriminator_optimizer.update = still
    monkeypatch.setattr(mg.optim.RMSProp, "update", still)
    gan.train_step(RING.sample(16, 0))
    assert np.array_equal(gan.generator.theta, thetas[0])
    assert np.array_equal(gan.discriminator.theta, thetas[1])


def judge_of_nobody(self, real, fake):
    logits = np.zeros((len(real), 1), np.float32)
    return 7.0, 0.0, logits, logits


def test_a_replaced_judge_is_called(monkeypatch):
    own = type("Own", (mg.GAN,), {"judge": judge_of_nobody})
    G, D = mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,))
    assert own(G, D, latent_dim=2).train_step(RING.sample(16, 0))["discriminator_loss"] == 7
    gan = game()
    gan.judge = lambda real, fake: judge_of_nobody(gan, real, fake)
    assert gan.train_step(RING.sample(16, 0))["discriminator_loss"] == 7
    monkeypatch.setattr(mg.GAN, "judge", judge_of_nobody)
    assert game().train_step(RING.sample(16, 0))["discriminator_loss"] == 7


def test_a_layer_replaced_in_the_second_order_sweep_gives_the_gradients_of_numpy():
    """R1 and R2 share a product of the weight gradients, which a replaced layer does not have."""
    grads = []
    for backend in ("numba", "numpy"):
        with mg.kernels.use_backend(backend):
            gan = game(penalties=[mg.penalties.R1(1.0), mg.penalties.R2(1.0)])
            first = gan.discriminator.layers[0]
            first.forward = first.forward  # replaced by itself, but that cannot be known
            gan.discriminator_step(RING.sample(16, 0))
            grads.append(gan.discriminator.grad.copy())
    np.testing.assert_allclose(*grads, rtol=1e-4, atol=1e-5)


def test_other_buffers_of_spectral_norm_count(backend):
    layer = L.SpectralNorm(L.Linear(6, 4))
    network = mg.Sequential([layer], rng=0)
    y, _ = network.forward(X, training=False)
    layer.buffers = {name: value / 2 for name, value in layer.buffers.items()}  # sigma / 4
    np.testing.assert_allclose(network.forward(X, training=False)[0], 4 * y, rtol=1e-5)


def test_a_copy_of_spectral_norm_iterates_when_the_original_does(backend):
    network = mg.Sequential([L.SpectralNorm(L.Linear(6, 4)), L.Linear(4, 1)], rng=0)
    network.forward(X)
    twin = copy.deepcopy(network)
    assert np.array_equal(network.forward(X)[0], twin.forward(X)[0])


def test_spectral_norm_iterates_once_on_both_backends():
    network = mg.Sequential([L.SpectralNorm(L.Linear(6, 4))], rng=0)
    before = network.forward(X)[0]
    with mg.kernels.use_backend("numpy"):
        np.testing.assert_allclose(network.forward(X)[0], before, rtol=1e-6, atol=1e-6)
