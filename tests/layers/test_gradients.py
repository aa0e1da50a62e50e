"""Every layer, in both modes, on every index, against central differences."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.verify.gradcheck import check_layer

CASES = [
    (L.Linear(5, 3), (4, 5)),
    (L.Linear(1, 1, bias=False), (7, 1)),
    (L.Conv2d(2, 3, 3), (4, 5, 6, 2)),
    (L.Conv2d(2, 3, 4, stride=2, padding=1), (4, 6, 8, 2)),
    (L.Conv2d(1, 2, (2, 3), stride=3, padding=2, bias=False), (5, 4, 5, 1)),
    (L.ConvTranspose2d(3, 2, 4, stride=2, padding=1), (4, 3, 2, 3)),
    (L.ConvTranspose2d(2, 3, 3), (4, 2, 3, 2)),
    (L.ConvTranspose2d(2, 1, (2, 3), stride=3, padding=0, bias=False), (5, 2, 2, 2)),
    (L.BatchNorm(3), (6, 3)),
    (L.BatchNorm(2), (4, 3, 2, 2)),
    (L.ConditionalBatchNorm((3,), 2), (6, 5)),
    (L.ConditionalBatchNorm((2, 2, 2), 3), (5, 11)),
    (L.SelfAttention(9), (4, 2, 3, 9)),
    (L.SelfAttention(2), (4, 3, 1, 2)),
    (L.LayerNorm(4), (5, 4)),
    (L.LayerNorm(2), (4, 2, 3, 2)),
    (L.Dropout(0.4), (5, 6)),
    (L.Embedding(3, 2), np.array([0, 2, 2, 1, 2])),
    (L.SpectralNorm(L.Linear(4, 3)), (5, 4)),
    (L.SpectralNorm(L.Conv2d(2, 3, 3, padding=1)), (4, 4, 3, 2)),
    (L.SpectralNorm(L.ConvTranspose2d(2, 3, 4, stride=2, padding=1)), (4, 2, 3, 2)),
    (L.ReLU(), (5, 6)),
    (L.LeakyReLU(0.1), (4, 2, 3, 2)),
    (L.Tanh(), (5, 6)),
    (L.Sigmoid(), (5, 6)),
    (L.Softplus(), (5, 6)),
    (L.SiLU(), (4, 2, 2, 3)),
    (L.Flatten(), (4, 2, 3, 2)),
    (L.Reshape((2, -1)), (4, 6)),
    (L.Rescale(-1.5), (5, 6)),
    (L.Upsample2d(3), (4, 2, 3, 2)),
    (L.AvgPool2d(2), (4, 4, 6, 2)),
    (L.AvgPool2d(3), (4, 3, 6, 2)),  # of 2, the square is the double
    (L.MinibatchStdDev(), (5, 3)),
    (L.MinibatchStdDev(), (4, 2, 2, 3)),
    (L.LogitWithFeatures(mg.Sequential([L.Linear(3, 2), L.Softplus()])), (5, 3)),
    (L.MinibatchDiscrimination(3, 2, 4), (5, 3)),
    (L.RandomBrightness(0.7), (4, 3, 4, 2)),
    (L.RandomCutout(0.5, fill=-1.0), (4, 3, 4, 2)),
    (L.RandomTranslation(0.5, fill=-1.0), (4, 3, 4, 2)),
    (L.FourierFeatures(2, 3, scale=0.7), (5, 2)),
    (L.FourierFeatures(2, 3, scale=0.7, std=0.2), (5, 2)),
    (L.Residual(L.Linear(4, 4)), (5, 4)),
    (L.Residual(L.Linear(4, 3, bias=False), L.Linear(4, 3)), (5, 4)),
    (L.Residual(L.Conv2d(2, 4, 2, stride=2), mg.Sequential([L.AvgPool2d(2), L.Conv2d(2, 4, 1)])),
     (4, 4, 2, 2)),
    (L.Residual(L.ConvTranspose2d(2, 2, 4, stride=2, padding=1), L.Upsample2d(2)), (4, 2, 3, 2)),
]  # fmt: skip
# what the Numba backend fuses, and networks of several layers
NETWORKS = [
    ([L.Linear(3, 4), L.LeakyReLU()], (5, 3)),
    ([L.Linear(3, 4), L.Tanh(), L.Linear(4, 2), L.Sigmoid()], (5, 3)),
    ([L.Conv2d(2, 3, 4, stride=2, padding=1), L.LeakyReLU(0.2)], (4, 4, 6, 2)),
    ([L.ConvTranspose2d(2, 3, 4, stride=2, padding=1), L.Tanh()], (4, 2, 3, 2)),
    ([L.Linear(3, 4), L.BatchNorm(4), L.ReLU(), L.Linear(4, 1)], (6, 3)),
    ([L.Conv2d(1, 2, 3), L.BatchNorm(2), L.LeakyReLU(), L.Flatten(), L.Linear(8, 1)], (4, 4, 4, 1)),
    ([L.Residual(mg.Sequential([L.LeakyReLU(), L.Linear(3, 5), L.Tanh(), L.Linear(5, 3)])),
      L.ReLU(), L.Residual(L.Residual(L.Linear(3, 3)), L.Tanh())], (5, 3)),
    ([L.Residual(mg.Sequential([L.SpectralNorm(L.Conv2d(2, 3, 3, padding=1)), L.BatchNorm(3),
                                L.LeakyReLU(), L.Conv2d(3, 2, 3, padding=1), L.Dropout(0.3)]))],
     (4, 3, 4, 2)),
]  # fmt: skip


@pytest.mark.parametrize("layer, x", CASES, ids=lambda case: str(case)[:50])
def test_layer(layer, x, backend):
    report = check_layer(layer, x)
    assert report.ok, f"\n{report}"


@pytest.mark.parametrize("layers, x", NETWORKS, ids=lambda case: str(case)[:60])
def test_network(layers, x, backend):
    report = check_layer(mg.Sequential(layers), x)
    assert report.ok, f"\n{report}"


def test_every_public_layer_is_checked():
    checked = {type(layer).__name__ for layer, _ in CASES}
    assert checked == set(L.__all__) - {"Layer"}


LINEAR_MAPS = (
    L.Linear, L.Conv2d, L.ConvTranspose2d, L.Upsample2d, L.AvgPool2d, L.Residual,
    L.RandomBrightness, L.RandomCutout, L.RandomTranslation,
)  # fmt: skip


@pytest.mark.parametrize(
    "layer, x",
    [case for case in CASES if isinstance(case[0], LINEAR_MAPS)],
    ids=lambda case: str(case)[:50],
)
def test_linear_maps_pass_the_adjoint_identity(layer, x, backend):
    """<A x, y> = <x, A' y> needs no difference and no step: it holds to rounding."""
    network = mg.Sequential([layer], dtype="float64")
    rng = np.random.default_rng(3)
    x = rng.standard_normal(x)
    y, cache = network.forward(x)
    cotangent = rng.standard_normal(y.shape)
    forward = np.sum(network.tangent(x, cache) * cotangent)
    backward = np.sum(x * network.backward_input(cotangent, cache))
    assert abs(forward - backward) <= 1e-12 * max(1, abs(forward))
