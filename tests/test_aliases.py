"""What a cache holds cannot be changed from outside between a forward and a backward pass."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L

LAST = [L.Tanh, L.Sigmoid, L.ReLU, L.LeakyReLU, L.Softplus, L.SiLU, lambda: L.Linear(3, 3)]


def gradient(net, x, spoil, training=True):
    y, cache = net.forward(x, training)
    spoil(x, y)
    net.zero_grad()
    dx = net.backward(np.ones_like(y), cache)
    return np.concatenate([net.grad, dx.ravel()])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [True, False])
def test_x_may_be_used_for_the_next_batch(dtype, training, backend):
    for first in (L.Linear(3, 3), L.LayerNorm(3), L.SiLU(), L.Softplus(), L.Dropout(0.0)):
        net = mg.Sequential([first, L.Linear(3, 2)], dtype=dtype, rng=0)
        x = np.random.default_rng(0).standard_normal((4, 3)).astype(dtype)
        right = gradient(net, x.copy(), lambda x, y: None, training)
        assert np.array_equal(gradient(net, x, lambda x, y: x.fill(9), training), right)


def test_class_numbers_may_be_used_again():
    net = mg.Sequential([L.Embedding(3, 2)], rng=0)
    labels = np.array([0, 1, 1])
    _, cache = net.forward(labels)
    labels[:] = 2
    net.backward_params(np.ones((3, 2)), cache)
    assert np.array_equal(net.layers[0].grads["weight"], [[1, 1], [2, 2], [0, 0]])


@pytest.mark.parametrize("last", LAST)
def test_y_cannot_be_changed(last, backend):
    net = mg.Sequential([L.Linear(3, 3), last()], rng=0)
    x = np.ones((4, 3), np.float32)
    for training in (True, False):
        y, _ = net.forward(x, training)
        for spoil in (lambda: y.__iadd__(0.5), lambda: y.fill(0), lambda: y.sort()):
            with pytest.raises(ValueError, match="read-only"):
                spoil()


def test_a_read_only_x_is_as_good_as_any(backend):
    net, x = mg.Sequential([L.Linear(3, 2)], rng=0), np.ones((4, 3), np.float32)
    expected = net.forward(x)[0]
    x.flags.writeable = False
    y, cache = net.forward(x)
    assert np.array_equal(y, expected)
    assert np.array_equal(net.forward(x[::2, :])[0], expected[::2])
    frozen = mg.Sequential([L.Linear(2, 1), L.Tanh()])
    z, cache = frozen.forward(y)  # one network's output is another one's input
    assert frozen.backward(np.ones_like(z), cache).shape == y.shape


def test_samples_are_the_callers_own():
    gan = mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), latent_dim=2)
    samples = gan.sample(3)
    samples += 1


class WhatItGets(L.Tanh):
    """Notes whether it could write to its x."""

    def forward(self, x, training=True):
        self.writeable = x.flags.writeable
        return super().forward(x, training)


def test_a_network_within_a_pass_of_another_guards_nothing(backend):
    behind = WhatItGets()
    net = mg.Sequential([mg.Sequential([L.Linear(2, 2)]), behind])
    y, _ = net.forward(np.ones((3, 2), np.float32))
    assert behind.writeable and not y.flags.writeable
