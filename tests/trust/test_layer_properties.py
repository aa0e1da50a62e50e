"""What is true of every layer, whatever the shape, the dtype, the memory order and the size of x.

Hypothesis draws the examples, the same ones at every run. For more of them:

MINIGAN_EXAMPLES=1000 pytest tests/trust -k properties
"""

import os

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minigan as mg
from minigan import layers as L
from minigan import stabilisers

EXAMPLES = int(os.environ.get("MINIGAN_EXAMPLES", 0))
few = settings(
    derandomize=not EXAMPLES, database=None, deadline=None, max_examples=EXAMPLES or 15
)  # fmt: skip
BACKENDS = ["numpy"] + (["numba"] if mg.kernels.backend() == "numba" else [])
ORDERS = ("C", "F", "reversed", "strided", "read-only")
DTYPES = ("float32", "float64")


def laid_out(values, order):
    """An array equal to `values`, in that memory order."""
    if order == "F":
        return np.asfortranarray(values)
    if order == "reversed":
        return np.ascontiguousarray(values[::-1])[::-1]
    if order == "strided":
        wide = np.zeros((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)
        wide[..., ::2] = values
        return wide[..., ::2]
    values = values.copy()
    values.flags.writeable = order == "C"
    return values


SIZES = st.integers(1, 6)
COUNTS = st.integers(0, 9)  # of samples: none, one, and so many that a kernel's tile is not full


@st.composite
def flat(draw, make):
    features = draw(SIZES)
    return make(draw, features), (features,)


@st.composite
def image(draw, make, smallest=1):
    height, width = draw(st.integers(smallest, 7)), draw(st.integers(smallest, 7))
    channels = draw(st.integers(1, 4))
    return make(draw, channels), (height, width, channels)


def flat_or_image(make):
    return st.one_of(flat(make), image(make))


def convolution(kind):
    def make(draw, channels):
        kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        stride, padding = draw(st.integers(1, 3)), draw(st.integers(0, min(kernel) // 2))
        bias = draw(st.booleans())
        out = draw(st.integers(1, 5))
        return kind(channels, out, kernel, stride=stride, padding=padding, bias=bias)

    return make


@st.composite
def pooling(draw):
    k, channels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return L.AvgPool2d(k), (k * draw(st.integers(1, 3)), k * draw(st.integers(1, 3)), channels)


LINEAR = {  # in x, without the bias: <A x, c> = <x, A' c> needs no epsilon
    "Linear": flat(lambda draw, n: L.Linear(n, draw(SIZES), bias=draw(st.booleans()))),
    "Conv2d": image(convolution(L.Conv2d), smallest=4),
    "ConvTranspose2d": image(convolution(L.ConvTranspose2d), smallest=2),
    "SpectralNorm": flat(lambda draw, n: L.SpectralNorm(L.Linear(n, draw(SIZES)))),
    "Upsample2d": image(lambda draw, _: L.Upsample2d(draw(st.integers(1, 3)))),
    "AvgPool2d": pooling(),
    "Rescale": flat(lambda draw, _: L.Rescale(draw(st.floats(-9, 9)))),
    "Flatten": image(lambda draw, _: L.Flatten()),
    "Reshape": flat(lambda draw, n: L.Reshape(draw(st.sampled_from([(n, 1), (1, -1), n])))),
    "Dropout": flat(lambda draw, _: L.Dropout(draw(st.floats(0, 0.9)))),
    "Pack": flat(lambda draw, _: stabilisers.Pack(draw(st.integers(1, 3)))),
    "InstanceNoise": flat(lambda draw, _: stabilisers.InstanceNoise(draw(st.floats(0, 2)))),
    "DiscreteNoise": flat(lambda draw, n: stabilisers.DiscreteNoise(draw(st.integers(0, n)))),
}
CURVED = {
    "LeakyReLU": image(lambda draw, _: L.LeakyReLU(draw(st.floats(0, 2)))),
    "ReLU": flat(lambda draw, _: L.ReLU()),
    "Tanh": image(lambda draw, _: L.Tanh()),
    "Sigmoid": image(lambda draw, _: L.Sigmoid()),
    "Softplus": flat(lambda draw, _: L.Softplus()),
    "SiLU": flat(lambda draw, _: L.SiLU()),
    "LayerNorm": flat_or_image(lambda draw, n: L.LayerNorm(n)),
    "BatchNorm": flat_or_image(lambda draw, n: L.BatchNorm(n)),
    "FourierFeatures": flat(lambda draw, n: L.FourierFeatures(n, draw(SIZES))),
    "MinibatchStdDev": flat_or_image(lambda draw, _: L.MinibatchStdDev()),
    "WithInput": flat(lambda draw, n: stabilisers.WithInput(L.FourierFeatures(n, draw(SIZES)))),
    "Residual": flat(lambda draw, n: L.Residual(mg.Sequential([L.Linear(n, n), L.Tanh()]))),
}
FUSED = {  # one kernel, where it is compiled
    "Linear, LeakyReLU": flat(lambda draw, n: [L.Linear(n, draw(SIZES)), L.LeakyReLU(0.2)]),
    "Linear, Tanh": flat(lambda draw, n: [L.Linear(n, draw(SIZES)), L.Tanh()]),
    "Conv2d, ReLU": image(lambda draw, n: [L.Conv2d(n, draw(SIZES), 3, padding=1), L.ReLU()]),
    "ConvTranspose2d, Tanh": image(
        lambda draw, n: [L.ConvTranspose2d(n, draw(SIZES), 4, stride=2, padding=1), L.Tanh()]
    ),
    "BatchNorm, ReLU": flat_or_image(lambda draw, n: [L.BatchNorm(n), L.ReLU()]),
}
KINDS = LINEAR | CURVED | FUSED
PERTURBED = 0.3  # of the parameters: gamma = 1 and bias = 0 are special


@st.composite
def cases(draw, kinds):
    """(network of one layer, x, order of x, rng)."""
    layer, shape = draw(kinds)
    dtype, rng = draw(st.sampled_from(DTYPES)), np.random.default_rng(draw(st.integers(0, 999)))
    row = layer if isinstance(layer, list) else [layer]
    network = mg.Sequential(row, dtype=dtype, rng=rng)
    network.theta += PERTURBED * rng.standard_normal(network.theta.size)
    if isinstance(row[0], L.SpectralNorm):
        row[0].iterate()  # its vectors are still those of another weight
    x = rng.standard_normal((draw(COUNTS), *shape)).astype(dtype)
    return network, x, draw(st.sampled_from(ORDERS)), rng


def forward(network, x, training=True):
    """Always with the same masks and noise, the buffers left alone; None if x is refused."""
    network.rng.bit_generator.state = np.random.default_rng(5).bit_generator.state
    smallest = {L.BatchNorm: 2 if training else 0, L.MinibatchStdDev: 1}
    if x[..., 0].size < smallest.get(type(network.layers[0]), 0):
        with pytest.raises(ValueError, match="at least|a batch"):
            network.forward(x, training)
        return None
    with network.held_buffers():
        return network.forward(x, training)


def close(found, expected, rounding=1e-12):
    """Equal to rounding, of the size of the numbers that were summed."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    size = 1 + np.abs(expected).max(initial=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding * size)


ROUNDING = {"float32": 2e-5, "float64": 1e-12}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@few
@given(data=st.data())
def test_properties_of_a_pass(kind, backend, data):
    """Shapes and dtypes; the adjoint; any memory order; grads of no sample; arguments kept."""
    network, x, order, rng = data.draw(cases(KINDS[kind]))
    with mg.kernels.use_backend(backend):
        for training in (True, False):
            passed = forward(network, x, training)
            if passed is None:
                continue
            y, caches = passed
            rounding = ROUNDING[network.dtype.name]
            assert y.dtype == network.dtype and len(y) == len(x) and np.isfinite(y).all()
            other, other_caches = forward(network, laid_out(x, order), training)
            close(other, y, rounding)

            dy = rng.standard_normal(y.shape).astype(y.dtype)
            network.zero_grad()
            dx = network.backward(dy, caches)
            grad = network.grad.copy()
            assert dx.shape == x.shape and dx.dtype == network.dtype and np.isfinite(dx).all()
            network.zero_grad()
            close(network.backward(laid_out(dy, order), other_caches), dx, rounding)
            close(network.grad, grad, rounding)
            assert len(x) or not grad.any()

            direction = rng.standard_normal(x.shape).astype(x.dtype)
            moved = network.tangent(laid_out(direction, order), caches)
            assert moved.shape == y.shape and moved.dtype == network.dtype
            left, right = np.vdot(moved, dy), np.vdot(direction, dx)
            size = np.linalg.norm(moved) * np.linalg.norm(dy)
            assert abs(left - right) <= 10 * rounding * (1 + size)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in ("Pack", "MinibatchStdDev")]
)
@few
@given(data=st.data())
def test_properties_of_a_row(kind, backend, data):
    """Unless the layer mixes samples (batch norm does not in evaluation), a row gives the same
    alone, and beside rows of NaN."""
    network, x, _, rng = data.draw(cases(KINDS[kind]))
    assume(len(x))
    with mg.kernels.use_backend(backend):
        together, _ = forward(network, x, training=False)
        spoiled = np.full_like(x, np.nan)
        row = data.draw(st.integers(0, len(x) - 1))
        spoiled[row] = x[row]
        with np.errstate(invalid="ignore"):
            beside, _ = forward(network, spoiled, training=False)
        alone, _ = forward(network, x[row : row + 1], training=False)
    rounding = ROUNDING[network.dtype.name]
    close(beside[row], together[row], rounding)
    close(alone[0], together[row], rounding)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", [kind for kind in LINEAR if kind != "DiscreteNoise"])
@few
@given(data=st.data(), exponent=st.integers(-30, 30))
def test_properties_of_scale(kind, backend, data, exponent):
    """A linear map of s x is s times that of x, from 1e-30 to 1e30 in float64."""
    network, x, _, _ = data.draw(cases(LINEAR[kind]))
    network, x, scale = network.copy("float64"), x.astype(np.float64), 10.0**exponent
    with mg.kernels.use_backend(backend):
        y, caches = forward(network, x)
        close(network.tangent(scale * x, caches) / scale, network.tangent(x, caches))
        close(network.backward_input(scale * y, caches) / scale, network.backward_input(y, caches))


@pytest.mark.parametrize("backend", BACKENDS)
@few
@given(
    dtype=st.sampled_from(DTYPES),
    values=st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=20),
)
def test_properties_of_activations_far_out(backend, dtype, values):
    """No overflow on the way to a finite answer, and the limits are exact."""
    x = np.array(values, dtype)[:, None]
    with mg.kernels.use_backend(backend):
        for layer in (L.ReLU(), L.Tanh(), L.Sigmoid(), L.Softplus(), L.SiLU()):
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                y, cache = layer.forward(x)
                dx = layer.backward_input(np.ones_like(y), cache)
            assert y.dtype == dx.dtype == dtype
            assert np.isfinite(y).all() and np.isfinite(dx).all()
            if not isinstance(layer, L.SiLU):
                assert (np.diff(y[np.argsort(x[:, 0]), 0]) >= 0).all()
            far = np.abs(x) > 100
            limits = {
                "ReLU": np.maximum(x, 0), "Tanh": np.sign(x), "Sigmoid": (x > 0).astype(dtype),
                "Softplus": np.maximum(x, 0), "SiLU": np.maximum(x, 0),
            }  # fmt: skip
            np.testing.assert_allclose(y[far], limits[type(layer).__name__][far], atol=1e-30)
