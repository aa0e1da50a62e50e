"""Spectral normalisation, and other divisions, where what they divide by is zero or nearly so."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.layers.spectral import least_sigma


def network(inner=None, dtype="float32"):
    return mg.Sequential([L.SpectralNorm(inner or L.Linear(4, 3))], dtype=dtype, rng=0)


def gradient(net, x):
    net.zero_grad()
    y, cache = net.forward(x)
    net.backward_params(np.ones_like(y), cache)
    return y, net.grad.copy()


X = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)


@pytest.mark.parametrize("inner", [lambda: L.Linear(4, 1), lambda: L.Linear(4, 3, bias=False)])
@pytest.mark.parametrize("steps_at_zero", [1, 5])
def test_a_weight_that_was_zero_for_a_while_leaves_no_trace(inner, steps_at_zero, backend):
    net = network(inner())
    before, weight = gradient(net, X), net.theta.copy()
    vectors = [value.copy() for _, value in net.named_buffers()]
    net.theta[...] = 0
    for _ in range(steps_at_zero):
        y, grad = gradient(net, X)
        assert not y.any() and np.isfinite(grad).all() and grad.any()
        assert all(np.array_equal(a, b) for a, (_, b) in zip(vectors, net.named_buffers()))
    net.theta[...] = weight
    for _ in range(3):
        after = gradient(net, X)
    for one, other in zip(before, after):
        np.testing.assert_allclose(one, other, rtol=0.2, atol=0.05)
    for _ in range(50):  # the power iteration only runs after a change of the weight
        net.layers[0].iterate()
    np.testing.assert_allclose(largest(net), 1, rtol=1e-5)


def largest(net):
    """The largest singular value of W / sigma, from the outputs of unit inputs."""
    y, _ = net.forward(np.eye(4), training=False)
    bias = net.forward(np.zeros((1, 4)), training=False)[0]
    return np.linalg.norm((y - bias).astype(np.float64), 2)


def test_a_network_made_of_zero_weights_starts_once_they_are_set():
    lin = L.Linear(4, 3)
    lin.params["weight"][...] = 0
    net = mg.Sequential([L.SpectralNorm(lin)])
    net.forward(X)
    lin.params["weight"][0, 1] = 5  # of rank one, and perhaps orthogonal to v as it is
    net.layers[0].buffers["v"] = np.array([1, 0, 0], np.float32)
    net.forward(X)
    assert largest(net) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e20, 1e30, 1e37])
def test_the_scale_of_the_weight_does_not_matter(scale, backend):
    net, scaled = network(L.Linear(4, 3, bias=False)), network(L.Linear(4, 3, bias=False))
    scaled.theta *= np.float32(scale)
    for _ in range(3):
        (y, grad), (y_scaled, grad_scaled) = gradient(net, X), gradient(scaled, X)
    np.testing.assert_allclose(y, y_scaled, rtol=1e-4, atol=1e-5)
    assert np.isfinite(grad_scaled).all()
    expected = grad.astype(np.float64) / scale
    np.testing.assert_allclose(grad_scaled, expected, rtol=1e-3, atol=1e-4 * abs(expected).max())


@pytest.mark.parametrize("value", [1e-45, 1e-40, -1e-38])
def test_denormal_weights_give_finite_numbers(value, backend):
    net = network()
    net.theta[...] = value
    y, grad = gradient(net, X)
    assert np.isfinite(y).all() and np.isfinite(grad).all() and grad.any()


def test_the_least_sigma_that_is_divided_by():
    net = network(L.Linear(1, 1, bias=False))
    for share, expected in ((1, 1), (0.5, 0.5 * least_sigma(np.float32))):
        net.theta[...] = share * least_sigma(np.float32)
        assert net.forward(np.ones((1, 1)))[0] == pytest.approx(expected, rel=1e-6)


def test_the_opposite_weight_in_evaluation():
    """u' W v, with the vectors of W, is -sigma for -W."""
    net = network(L.Linear(4, 3, bias=False))
    y, _ = net.forward(X)
    net.theta *= -1
    np.testing.assert_allclose(net.forward(X, training=False)[0], -y, rtol=0.05, atol=0.01)


def test_gradients_of_a_convolution_with_zero_weight():
    net = mg.Sequential([L.SpectralNorm(L.Conv2d(1, 2, 3)), L.Flatten(), L.Linear(8, 1)])
    for value in net.layers[0].children["layer"].params.values():
        value[...] = 0
    x = np.ones((2, 4, 4, 1))
    penalty = mg.penalties.GradientPenalty(1.0)
    value = penalty.accumulate(net, x, x, 0)
    assert value == 1 and np.isfinite(net.grad).all()  # |grad D| = 0, asked to be 1


@pytest.mark.parametrize(
    "make",
    [L.BatchNorm, L.LayerNorm],
)
def test_an_eps_that_is_zero_as_a_float32_is_refused(make):
    with pytest.raises(ValueError, match=f"{make.__name__}: eps must be .* >= 1e-37, got 1e-50"):
        make(3, eps=1e-50)
    net = mg.Sequential([make(3, eps=1e-37)])
    y, cache = net.forward(np.ones((4, 3)))
    assert np.isfinite(y).all() and np.isfinite(net.backward(np.ones_like(y), cache)).all()


def test_other_eps_are_held_to_that_too():
    for make in (L.MinibatchStdDev, mg.optim.Adam, mg.optim.RMSProp):
        with pytest.raises(ValueError, match="eps must be a finite number >= 1e-37"):
            make(eps=1e-45)
