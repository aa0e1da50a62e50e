"""Sequential: the flat vectors, their views, and fused stages."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L


def small():
    return mg.Sequential(
        [L.Linear(3, 4), L.LeakyReLU(), L.SpectralNorm(L.Linear(4, 2)), L.BatchNorm(2)], rng=5
    )


def test_parameters_are_views_into_theta_and_grad():
    network = small()
    named = network.named_parameters()
    assert [name for name, *_ in named] == [
        "0.weight", "0.bias", "2.layer.weight", "2.layer.bias", "3.gamma", "3.beta",
    ]  # fmt: skip
    assert network.theta.size == sum(value.size for _, value, _ in named) == 12 + 4 + 8 + 2 + 2 + 2
    network.theta[...] = np.arange(30)
    network.grad[...] = -np.arange(30)
    np.testing.assert_array_equal(np.concatenate([v.ravel() for _, v, _ in named]), np.arange(30))
    np.testing.assert_array_equal(np.concatenate([g.ravel() for *_, g in named]), -np.arange(30))
    assert network.layers[0].params["weight"].base is not None
    network.zero_grad()
    assert not any(grad.any() for *_, grad in named)


def test_the_seed_decides_the_first_parameters():
    assert np.array_equal(small().theta, small().theta)
    other = mg.Sequential([L.Linear(3, 4)], rng=6)
    assert not np.array_equal(other.theta, small().theta[:16])
    spread = mg.Sequential([L.Linear(200, 300)], rng=0).named_parameters()[0][1].std()
    assert spread == pytest.approx(np.sqrt(2 / 200), rel=0.02)


def test_copy_is_independent_and_changes_dtype():
    network = small()
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    network.forward(x)
    twin = network.copy("float64")
    assert twin.theta.dtype == np.float64 and network.theta.dtype == np.float32
    np.testing.assert_array_equal(twin.theta, network.theta)
    for (name, mine), (_, theirs) in zip(network.named_buffers(), twin.named_buffers()):
        assert theirs.dtype == np.float64, name
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_allclose(
        twin.forward(x, training=False)[0], network.forward(x, training=False)[0], atol=1e-5
    )
    twin.theta += 1
    assert not np.array_equal(network.theta, twin.theta)
    assert np.array_equal(network.theta, small().theta)


def test_nested_networks_share_the_outer_vector():
    inner = mg.Sequential([L.Linear(2, 3), L.Tanh()])
    outer = mg.Sequential([inner, L.Linear(3, 1)], dtype="float64")
    assert np.shares_memory(inner.theta, outer.theta) and inner.theta.dtype == np.float64
    assert [name for name, *_ in outer.named_parameters()][:2] == ["0.0.weight", "0.0.bias"]
    report = mg.gradcheck.check_layer(outer, (4, 2))
    assert report.ok, f"\n{report}"


def test_networks_inside_other_layers_share_it_too():
    branch = mg.Sequential([L.Linear(2, 3), L.Tanh(), L.Linear(3, 2)])
    outer = mg.Sequential([L.Linear(1, 2), L.Residual(branch), L.Linear(2, 1)], dtype="float64")
    for network in (outer, outer.copy(), outer.copy("float32")):
        inner = network.layers[1].branch
        assert inner.theta.dtype == inner.dtype == network.dtype
        assert np.shares_memory(inner.theta, network.theta)
        assert np.shares_memory(inner.grad, network.grad)
        np.testing.assert_array_equal(inner.theta, network.theta[4 : 4 + inner.theta.size])
        network.zero_grad()
        inner.grad += 1
        assert network.grad.sum() == inner.theta.size
        assert [name for name, *_ in network.named_parameters()][2] == "1.branch.0.weight"


def test_backward_params_skips_what_lies_below_the_first_parameter():
    network = mg.Sequential([L.Reshape((2, 2, 1)), L.Conv2d(1, 2, 2), L.Flatten()])
    y, cache = network.forward(np.ones((3, 4)))
    below = network.layers[0]
    below.backward_input = lambda *_: pytest.fail("nobody needs the gradient of the data")
    network.backward_params(np.ones_like(y), cache)
    assert network.grad.any()


def test_backends_can_change_between_forward_and_backward():
    pytest.importorskip("numba")
    network = small()
    x = np.random.default_rng(0).standard_normal((5, 3))
    with mg.kernels.use_backend("numba"):
        y, cache = network.forward(x)
    with mg.kernels.use_backend("numpy"):
        dx = network.backward(np.ones_like(y), cache)
    assert dx.shape == x.shape


def test_caches_of_another_network_are_refused(backend):
    """They would lead backward through that network's layers, into its gradients."""
    x = np.ones((5, 3))
    one, other = small(), small()
    y, caches = one.forward(x)
    for use in (other.backward, other.backward_input, other.backward_params, other.signals):
        with pytest.raises(TypeError, match="caches must be what this network's forward returned"):
            use(np.ones_like(y), caches)
    with pytest.raises(TypeError, match="caches must be"):
        one.copy().tangent(x, caches)
    assert one.backward(np.ones_like(y), caches).shape == x.shape


def test_an_inner_network_that_is_run_by_itself_keeps_x_and_y_for_its_backward_pass(backend):
    inner = mg.Sequential([L.Linear(3, 4), L.Tanh()], rng=0)
    mg.Sequential([inner, L.Linear(4, 1)], rng=1)  # dies at once
    outer = mg.Sequential([mg.Sequential([inner]), L.Linear(4, 1)], rng=1)
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    grads = []
    for spoil in (False, True):
        mine = x.copy()
        y, caches = inner.forward(mine)
        if spoil:
            mine[:] = 0
            with pytest.raises(ValueError, match="read-only"):
                y += 0.5
        inner.zero_grad()
        inner.backward_params(np.ones_like(y), caches)
        grads.append(inner.grad.copy())
    assert np.array_equal(*grads)
    assert outer.forward(x)[0].shape == (5, 1)


@pytest.mark.parametrize("returned", [None, [[1.0, 2.0]], 1.0])
def test_a_layer_of_ones_own_that_returns_no_array_is_named(returned):
    class Own(L.Layer):
        def forward(self, x, training=True):
            return self.as_input(x), None

        def backward_input(self, dy, cache):
            return returned

        def tangent(self, x_dot, cache):
            return returned

    network, x = mg.Sequential([L.Linear(2, 2), Own(), L.Linear(2, 1)]), np.ones((1, 2))
    y, caches = network.forward(x)
    for call in (
        lambda: network.backward(y, caches),
        lambda: network.backward_input(y, caches),
        lambda: network.backward_params(y, caches),
        lambda: network.tangent(x, caches),
        lambda: network.curvature(y, caches, x),
    ):
        with pytest.raises(TypeError, match=r"^Own\(\): backward_.* must return an array"):
            call()
