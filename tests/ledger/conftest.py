"""What the ledger's tests share: a GAN of 2-3-1 and 1-3-1, its weights of two decimals."""

import numpy as np
import pytest

import minigan as mg


@pytest.fixture(autouse=True)
def reference_kernels():
    """A ledger is many small steps in float64; the test that takes `backend` goes over both."""
    with mg.kernels.use_backend("numpy"):
        yield


@pytest.fixture(
    params=["Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge", "Relativistic"]
)
def loss(request):
    return request.param


@pytest.fixture(params=["LeakyReLU", "ReLU", "Tanh", "Sigmoid", "Softplus", "SiLU"])
def activation(request):
    return request.param


@pytest.fixture
def real():
    return np.array([[1.5], [0.7]])


@pytest.fixture
def tiny_gan():
    def make(loss="NonSaturating", activation="LeakyReLU", *, penalties=()):
        L, phi = mg.layers, getattr(mg.layers, activation)
        players = [
            mg.Sequential([L.Linear(n, 3), phi(), L.Linear(3, 1)], dtype="float64", rng=n)
            for n in (2, 1)
        ]
        for player in players:
            noise = np.random.default_rng(5).standard_normal(player.theta.size)
            player.theta[...] = np.round(player.theta + 0.1 * noise, 2)
        loss = getattr(mg.losses, loss)()
        return mg.GAN(*players, latent_dim=2, loss=loss, penalties=penalties, rng=3)

    return make
