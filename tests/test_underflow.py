"""A result too small for a float is no error, under `np.seterr(all="raise")` either."""

import numpy as np
import pytest

import minigan as mg

L = mg.layers
TINY = 1e-30  # its square is 0 in float32


@pytest.fixture(autouse=True)
def all_raise(backend):
    with np.errstate(all="raise"):
        yield


ROWS, IMAGES = (40, 6), (3, 8, 8, 2)
LAYERS = {
    "linear": (lambda: [L.Linear(6, 5)], ROWS),
    "conv": (lambda: [L.Conv2d(2, 3, 4, stride=2, padding=1)], IMAGES),
    "transposed": (lambda: [L.ConvTranspose2d(2, 3, 4, stride=2, padding=1)], IMAGES),
    "batch norm": (lambda: [L.BatchNorm(6)], ROWS),
    "layer norm": (lambda: [L.LayerNorm(2)], IMAGES),
    "spectral": (lambda: [L.SpectralNorm(L.Linear(6, 5))], ROWS),
    "Fourier": (lambda: [L.FourierFeatures(6, 5)], ROWS),
    "pooling": (lambda: [L.AvgPool2d(2), L.Upsample2d(2)], IMAGES),
    "minibatch std": (lambda: [L.MinibatchStdDev()], ROWS),
}


@pytest.mark.parametrize("size", [TINY, 100.0])
@pytest.mark.parametrize("phi", [L.LeakyReLU, L.ReLU, L.Tanh, L.Sigmoid, L.Softplus, L.SiLU])
@pytest.mark.parametrize("name", LAYERS)
def test_networks(name, phi, size):
    layers, shape = LAYERS[name]
    network = mg.Sequential([*layers(), phi()], rng=0)
    if size == TINY:
        network.theta[:] = TINY
    x = np.full(shape, size, np.float32) * np.sign(np.random.default_rng(0).standard_normal(shape))
    y, caches = network.forward(x)
    dy = np.full(y.shape, TINY, np.float32)
    network.backward(dy, caches)
    network.tangent(np.full(shape, TINY, np.float32), caches)
    if not network.mixes_samples:
        network.curvature(dy, caches, np.full(shape, TINY, np.float32))
    assert np.isfinite(network.grad).all()


def test_optimizers():
    for optimizer in (mg.optim.SGD(momentum=0.5), mg.optim.RMSProp(), mg.optim.Adam()):
        theta = np.ones(2, np.float32)
        for _ in range(400):
            optimizer.step(theta, np.array([1e-25, 1], np.float32))
        assert np.isfinite(theta).all()


def test_average():
    network = mg.Sequential([L.Linear(2, 2)])
    average = mg.Average(network, 1 - 1e-12)
    network.theta[:] = TINY
    for _ in range(3):
        average.update()


@pytest.mark.parametrize("name", ["Minimax", "NonSaturating", "LeastSquares", "Wasserstein",
                                  "Hinge", "Relativistic"])  # fmt: skip
def test_losses(name):
    loss = getattr(mg.losses, name)()
    for far in (95.0, -95.0, 1000.0, 1e-30):
        logits = np.array([far, 0, 0], np.float32)
        for one, other in ((logits, -logits), (-logits, logits), (logits, logits)):
            loss.discriminator(one, other)
            loss.generator(one, other)
