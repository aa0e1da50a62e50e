"""`zero_grad(lazy=True)`: what comes next writes its gradients, and the sums are the same."""

import copy

import numpy as np
import pytest

import minigan as mg

L = mg.layers
NETWORKS = {
    "one chain": lambda: [L.Linear(3, 5), L.LeakyReLU(), L.Linear(5, 2), L.Tanh(), L.Linear(2, 1)],
    "two chains": lambda: [L.Linear(3, 5), L.Dropout(0.0), L.Linear(5, 1, bias=False)],
    "large weights": lambda: [L.Linear(3, 300), L.ReLU(), L.Linear(300, 260), L.Linear(260, 1)],
    "beside a batch norm": lambda: [L.Linear(3, 5), L.BatchNorm(5), L.Linear(5, 1)],
    "an inner network": lambda: [mg.Sequential([L.Linear(3, 5)]), L.Linear(5, 1)],
    "a residual layer": lambda: [L.Residual(L.Linear(3, 3)), L.Linear(3, 1)],
}  # fmt: skip
PASSES = {
    "backward_params": lambda network, dy, caches, x: network.backward_params(dy, caches),
    "backward": lambda network, dy, caches, x: network.backward(dy, caches),
    "curvature": lambda network, dy, caches, x: network.curvature(dy, caches, x),
}


@pytest.mark.parametrize("passed", PASSES)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_first_gradients_are_alone_and_the_next_are_added(name, passed, backend):
    network = mg.Sequential(NETWORKS[name](), dtype="float64", rng=1)
    if passed == "curvature" and network.mixes_samples:
        pytest.skip("a second derivative that is not written")
    x = np.random.default_rng(0).standard_normal((40, 3))
    y, caches = network.forward(x)
    grads = []
    for lazy in (False, True):
        network.grad = np.full_like(network.grad, 7)
        network.zero_grad(lazy=lazy)
        for _ in range(2):
            PASSES[passed](network, np.cos(y), caches, x)
            grads.append(network.grad.copy())
    for eager, lazy in zip(grads[:2], grads[2:]):
        assert eager.any()
        np.testing.assert_allclose(lazy, eager, rtol=1e-12, atol=1e-14)


def test_grad_shows_the_zeros_at_once(backend):
    network = mg.Sequential([L.Linear(3, 2)], rng=1)
    network.grad = np.ones_like(network.grad)
    network.zero_grad(lazy=True)
    assert not network.grad.any()
    y, caches = network.forward(np.ones((4, 3)))
    network.zero_grad(lazy=True)
    network.grad += 1  # so the next pass has to add
    network.backward_params(np.zeros_like(y), caches)
    assert (network.grad == 1).all()


def test_an_empty_batch_leaves_no_old_gradients(backend):
    network = mg.Sequential([L.Linear(8, 9), L.Tanh(), L.Linear(9, 8)], rng=1)
    y, caches = network.forward(np.ones((0, 8)))
    network.grad = np.full_like(network.grad, 7)
    network.zero_grad(lazy=True)
    network.backward_params(y, caches)
    assert not network.grad.any()


class Interrupted(L.Tanh):
    """Its backward passes are broken off."""

    def backward_input(self, dy, cache):
        raise KeyboardInterrupt


@pytest.mark.parametrize("passed", ["backward_params", "backward"])
def test_a_pass_that_is_broken_off_leaves_no_old_gradients(passed, backend):
    network = mg.Sequential([L.Linear(3, 5), Interrupted(), L.Linear(5, 1)], rng=1)
    y, caches = network.forward(np.ones((4, 3)))
    gradients = network.layers[0].grads["weight"]
    gradients += 7
    network.zero_grad(lazy=True)
    with pytest.raises(KeyboardInterrupt):
        PASSES[passed](network, np.ones_like(y), caches, None)
    assert network.layers[2].grads["bias"] == 4 and not gradients.any()
    gradients += 1  # the next pass has to add
    network.layers[1].backward_input = lambda dy, cache: 0 * dy
    PASSES[passed](network, np.ones_like(y), caches, None)
    assert (gradients == 1).all()


def test_copied_caches_give_the_same_gradients(backend):
    network = mg.Sequential(NETWORKS["one chain"](), rng=1)
    y, caches = network.forward(np.ones((4, 3)))
    twin, its_caches = copy.deepcopy((network, caches))
    for one, its in ((network, caches), (twin, its_caches)):
        one.backward(np.cos(y), its)
    assert np.array_equal(network.grad, twin.grad)


@pytest.mark.parametrize("penalties", [(), (mg.penalties.R1(1.0), mg.penalties.R2(0.5))], ids=len)
@pytest.mark.parametrize("hidden", [L.LeakyReLU, L.Tanh])
def test_a_step_has_the_gradients_of_one_from_zeros(penalties, hidden, backend, monkeypatch):
    grads, zero = [], mg.Sequential.zero_grad
    for lazy in (True, False):
        if not lazy:
            monkeypatch.setattr(mg.Sequential, "zero_grad", lambda self, lazy: zero(self))
        G = mg.Sequential([L.Linear(2, 8), L.LeakyReLU(), L.Linear(8, 2)], dtype="float64", rng=0)
        D = mg.Sequential([L.Linear(2, 8), hidden(), L.Linear(8, 1)], dtype="float64", rng=1)
        gan = mg.GAN(G, D, latent_dim=2, penalties=penalties)
        for seed in range(2):
            gan.train_step(mg.data.gaussian_ring().sample(32, seed))
        grads.append(np.concatenate([G.grad, D.grad]))
    np.testing.assert_allclose(grads[0], grads[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.SelfAttention(8), lambda: L.SpectralNorm(L.Linear(8, 8)), lambda: L.LayerNorm(8),
        lambda: L.Conv2d(8, 2, 1), lambda: L.Residual(mg.Sequential([L.Conv2d(8, 8, 1)])),
    ],
)  # fmt: skip
def test_caches_stay_good_when_the_network_is_put_into_another(layer, backend):
    first = [L.Reshape((2, 2, 8))] if "Spectral" not in repr(layer()) else []
    network = mg.Sequential([*first, layer(), L.Flatten()], rng=1)
    x = np.random.default_rng(0).standard_normal((3, 8 if not first else 32)).astype(np.float32)
    y, caches = network.forward(x)
    network.backward(np.cos(y), caches)
    expected = network.grad.copy()
    outer = mg.Sequential([network])
    network.zero_grad()
    network.backward(np.cos(y), caches)
    np.testing.assert_allclose(outer.grad, expected, rtol=1e-6)
