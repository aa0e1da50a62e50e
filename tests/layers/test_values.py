"""What layers compute, beside definitions written out longhand."""

import inspect

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.layers.conditional import OneHot

rng = np.random.default_rng(0)


def double(layer):
    """The layer in float64, its parameters and buffers at random."""
    network = mg.Sequential([layer], dtype="float64")
    network.theta[...] = rng.standard_normal(network.theta.size)
    return layer


def test_linear(backend):
    layer = double(L.Linear(3, 2))
    x = rng.standard_normal((4, 3))
    y, _ = layer.forward(x)
    for n in range(4):
        for j in range(2):
            expected = sum(x[n, i] * layer.params["weight"][i, j] for i in range(3))
            assert y[n, j] == pytest.approx(expected + layer.params["bias"][j], rel=1e-13)


@pytest.mark.parametrize("stride, padding, kernel", [(1, 0, 3), (2, 1, 4), (3, 2, 2)])
def test_convolution_reads_where_its_formula_says(stride, padding, kernel, backend):
    layer = double(L.Conv2d(2, 3, kernel, stride=stride, padding=padding))
    weight = layer.params["weight"]
    x = rng.standard_normal((2, 5, 6, 2))
    y, _ = layer.forward(x)
    assert y.shape == (2, *layer.output_size((5, 6)), 3)
    expected = np.zeros_like(y) + layer.params["bias"]
    for i, j in np.ndindex(y.shape[1:3]):
        for u, v in np.ndindex(kernel, kernel):
            row, column = i * stride + u - padding, j * stride + v - padding
            if 0 <= row < 5 and 0 <= column < 6:
                expected[:, i, j] += x[:, row, column] @ weight[u, v]
    np.testing.assert_allclose(y, expected, atol=1e-12)


@pytest.mark.parametrize("stride, padding, kernel", [(1, 0, 3), (2, 1, 4), (3, 1, 2)])
def test_transposed_convolution_writes_where_its_formula_says(stride, padding, kernel, backend):
    layer = double(L.ConvTranspose2d(2, 3, kernel, stride=stride, padding=padding))
    weight = layer.params["weight"]
    x = rng.standard_normal((2, 3, 4, 2))
    y, _ = layer.forward(x)
    assert y.shape == (2, *layer.output_size((3, 4)), 3)
    expected = np.zeros_like(y) + layer.params["bias"]
    for i, j in np.ndindex(3, 4):
        for u, v in np.ndindex(kernel, kernel):
            row, column = i * stride + u - padding, j * stride + v - padding
            if 0 <= row < y.shape[1] and 0 <= column < y.shape[2]:
                expected[:, row, column] += x[:, i, j] @ weight[u, v]
    np.testing.assert_allclose(y, expected, atol=1e-12)


def test_batch_norm_is_per_channel_and_uses_running_statistics_in_evaluation(backend):
    layer = L.BatchNorm(3, momentum=1.0)
    mg.Sequential([layer], dtype="float64")
    x = 5 + 2 * rng.standard_normal((8, 4, 4, 3))
    y, _ = layer.forward(x)
    assert layer.params["gamma"].shape == (3,)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, atol=1e-4)
    np.testing.assert_allclose(layer.buffers["running_mean"], x.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(layer.buffers["running_var"], x.var(axis=(0, 1, 2), ddof=1))
    one, _ = layer.forward(x[:1], training=False)
    expected = (x[:1] - x.mean(axis=(0, 1, 2))) / np.sqrt(x.var(axis=(0, 1, 2), ddof=1) + 1e-5)
    np.testing.assert_allclose(one, expected, rtol=1e-10)


def test_layer_norm_looks_at_one_sample_only(backend):
    layer = L.LayerNorm(3)
    mg.Sequential([layer], dtype="float64")
    x = rng.standard_normal((4, 2, 2, 3))
    y, _ = layer.forward(x)
    alone, _ = layer.forward(x[2:3])
    np.testing.assert_allclose(y[2:3], alone, atol=1e-14)
    np.testing.assert_allclose(y.reshape(4, -1).mean(axis=1), 0, atol=1e-14)


def test_dropout_keeps_the_mean_and_does_nothing_in_evaluation():
    layer = L.Dropout(0.25)
    x = np.ones((200, 200), np.float32)
    y, mask = layer.forward(x)
    assert set(np.unique(y)) == {0, np.float32(1) / np.float32(0.75)}
    assert y.mean() == pytest.approx(1, abs=0.02)
    again, _ = layer.forward(x)
    assert not np.array_equal(y, again)
    evaluated, _ = layer.forward(x, training=False)
    assert np.array_equal(evaluated, x)


def test_spectral_norm_has_largest_singular_value_one():
    layer = L.SpectralNorm(L.Linear(6, 4, bias=False))
    network = mg.Sequential([layer], dtype="float64")
    for _ in range(200):
        network.theta *= 1.01  # a new W: one more power iteration
        y, cache = network.forward(np.eye(6))
    assert np.linalg.svd(y, compute_uv=False)[0] == pytest.approx(1, abs=1e-6)


def test_spectral_norm_iterates_once_for_each_weight():
    layer = L.SpectralNorm(L.Linear(6, 4))
    network = mg.Sequential([layer], dtype="float64")
    x = np.ones((1, 6))
    before = layer.buffers["v"].copy()
    network.forward(x)
    first = layer.buffers["v"].copy()
    network.forward(x)
    assert np.array_equal(first, layer.buffers["v"]) and not np.array_equal(first, before)
    network.theta += rng.standard_normal(network.theta.size)
    with network.held_buffers():
        network.forward(x)
    assert np.array_equal(first, layer.buffers["v"])
    network.forward(x, training=False)
    assert np.array_equal(first, layer.buffers["v"])
    network.forward(x)
    assert not np.array_equal(first, layer.buffers["v"])


def test_minibatch_std_dev_shows_a_collapsed_batch():
    layer = L.MinibatchStdDev()
    x = rng.standard_normal((16, 3, 3, 2))
    y, _ = layer.forward(x)
    assert y.shape == (16, 3, 3, 3)
    np.testing.assert_allclose(y[..., 2], x.std(axis=0).mean(), rtol=1e-6)
    collapsed, _ = layer.forward(np.repeat(x[:1], 16, axis=0))
    np.testing.assert_allclose(collapsed[..., 2], 0, atol=1e-3)


def test_shape_layers():
    x = np.arange(2 * 2 * 2, dtype=np.float32).reshape(1, 2, 2, 2)
    assert np.array_equal(
        L.Upsample2d(2).forward(x)[0][0, :, :, 0], np.kron([[0, 2], [4, 6]], np.ones((2, 2)))
    )
    assert np.array_equal(L.AvgPool2d(2).forward(x)[0], [[[[3, 4]]]])
    assert L.Flatten().forward(x)[0].shape == (1, 8)
    assert L.Flatten().forward(np.zeros((0, 3, 4)))[0].shape == (0, 12)
    assert L.Reshape((2, -1)).forward(x)[0].shape == (1, 2, 4)


def test_sigmoid_softplus_silu_at_the_far_ends(backend):
    x = np.array([[-1000.0, 0.0, 1000.0]])
    with np.errstate(all="raise", under="ignore"):
        assert np.array_equal(L.Sigmoid().forward(x)[0], [[0, 0.5, 1]])
        assert np.array_equal(L.Softplus().forward(x)[0], [[0, np.log(2), 1000]])
        assert np.array_equal(L.SiLU().forward(x)[0], [[0, 0, 1000]])


def test_first_weights_have_mean_0_and_the_variance_of_their_fan_in():
    """Var W = 2 / fan_in, fan_in the number of products summed into one output value."""
    for layer, fan_in in [
        (L.Linear(300, 200), 300),
        (L.Conv2d(8, 128, 4, stride=2), 4 * 4 * 8),
        (L.Conv2d(16, 128, (2, 6)), 2 * 6 * 16),
        (L.ConvTranspose2d(32, 64, 4, stride=2), 4 * 4 / 2**2 * 32),  # a quarter of the taps meet
        (L.ConvTranspose2d(32, 64, (6, 3), stride=3), 6 * 3 / 3**2 * 32),
        (L.ConvTranspose2d(64, 128, 1, stride=2), 64),  # y is x and zeros: one product, or none
    ]:
        weight = layer.params["weight"]
        assert weight.var() == pytest.approx(2 / fan_in, rel=0.05), layer
        assert abs(weight.mean()) < 4 * np.sqrt(2 / fan_in / weight.size), layer
    attention = L.SelfAttention(200)  # no ReLU after its products: 1 / fan_in
    for name in ("query", "key", "value", "output"):
        weight = attention.params[name]
        assert weight.var() * len(weight) == pytest.approx(1, rel=0.1), name
        assert abs(weight.mean()) < 4 / np.sqrt(len(weight) * weight.size), name


def test_first_frequencies_have_mean_0_and_their_scale():
    frequencies = L.FourierFeatures(50, 200, scale=3.0).buffers["frequencies"]
    assert frequencies.std() == pytest.approx(3, rel=0.05)
    assert abs(frequencies.mean()) < 4 * 3 / np.sqrt(frequencies.size)


def test_blurred_features_are_the_mean_over_noise():
    features = L.FourierFeatures(2, 3, std=0.1)
    x, noise = np.array([[0.3, -0.7]]), np.random.default_rng(0).standard_normal((200_000, 2))
    y, _ = features.forward(x)
    features.std = 0.0
    of_noisy, _ = features.forward(x + 0.1 * noise)
    np.testing.assert_allclose(y[0], of_noisy.mean(axis=0), rtol=0, atol=5 / np.sqrt(len(noise)))


def test_a_blur_in_float64_leaves_features_in_the_dtype_of_x():
    features, x = L.FourierFeatures(2, 3), np.ones((4, 2), "float32")
    features.std = np.float64(0.1)  # such as one of np.geomspace
    assert features.forward(x)[0].dtype == "float32"


def test_the_blur_of_features_may_change_between_steps(backend):
    """Compiled stages are kept from one pass to the next."""
    network = mg.Sequential([L.FourierFeatures(2, 3), L.Linear(6, 1)], dtype="float64")
    x = np.random.default_rng(0).standard_normal((4, 2))
    sharp, _ = network.forward(x)
    network.layers[0].std = 5.0
    blurred, _ = network.forward(x)
    assert sharp.std() > 0.01 and np.ptp(blurred) < 1e-6


def test_the_slope_of_an_activation_may_change_between_steps(backend):
    """Compiled, the slope is in the stage of the linear layer before it."""
    network = mg.Sequential([L.Linear(3, 4), L.LeakyReLU(0.2), L.Linear(4, 2)], dtype="float64")
    x = np.random.default_rng(0).standard_normal((5, 3))
    bent, _ = network.forward(x)
    network.layers[1].negative_slope = 1.0
    straight, _ = network.forward(x)
    first, last = network.layers[0].params, network.layers[2].params
    expected = (x @ first["weight"] + first["bias"]) @ last["weight"] + last["bias"]
    np.testing.assert_allclose(straight, expected, rtol=1e-12, atol=1e-12)
    assert not np.allclose(bent, expected)


def test_layer_norm_of_a_flat_sample_is_held_by_its_eps():
    x = np.array([[1.0, 1.002]])
    y, _ = L.LayerNorm(2).forward(x)
    np.testing.assert_allclose(y, [[-0.001, 0.001]] / np.sqrt(1e-6 + 1e-5), rtol=1e-2)


def test_activations(backend):
    x = np.array([[-2.0, -0.5, 0.0, 0.5, 2.0]])
    for layer, expected in [
        (L.ReLU(), [[0, 0, 0, 0.5, 2]]),
        (L.LeakyReLU(0.1), [[-0.2, -0.05, 0, 0.5, 2]]),
        (L.Tanh(), np.tanh(x)),
        (L.Sigmoid(), 1 / (1 + np.exp(-x))),
        (L.Softplus(), np.log(1 + np.exp(x))),
        (L.SiLU(), x / (1 + np.exp(-x))),
    ]:
        np.testing.assert_allclose(layer.forward(x)[0], expected, rtol=1e-14, err_msg=str(layer))


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_the_slope_at_zero_is_the_one_below(slope, backend):
    x, dy = np.zeros((2, 3)), np.ones((2, 3))
    layer = L.LeakyReLU(slope)
    _, cache = layer.forward(x)
    assert np.array_equal(layer.backward_input(dy, cache), np.full((2, 3), slope))


def test_defaults():
    """A network written without them computes what it computed before."""
    relu, norm = L.LeakyReLU(), L.BatchNorm(2)
    assert (relu.negative_slope, norm.eps, norm.momentum) == (0.2, 1e-5, 0.1)
    assert (L.LayerNorm(2).eps, L.MinibatchStdDev().eps) == (1e-5, 1e-8)
    assert L.FourierFeatures(1, 1).scale == 1.0
    for layer in (L.Conv2d(1, 1, 2), L.ConvTranspose2d(1, 1, 2)):
        assert (layer.stride, layer.padding) == (1, 0) and "bias" in layer.params
    assert "bias" in L.Linear(1, 1).params
    plain_skip = L.Residual(L.ReLU()).skip
    for layer in (*(getattr(L, name) for name in L.__all__), mg.Sequential, plain_skip):
        assert inspect.signature(layer.forward).parameters["training"].default is True, layer


@pytest.mark.parametrize(
    "layer, shown",
    [
        (L.Linear(3, 2), "Linear(3, 2)"),
        (L.Linear(3, 2, bias=False), "Linear(3, 2, bias=False)"),
        (L.Conv2d(1, 2, 3), "Conv2d(1, 2, 3, stride=1, padding=0)"),
        (L.ConvTranspose2d(1, 2, (3, 4), stride=2, padding=1, bias=False),
         "ConvTranspose2d(1, 2, (3, 4), stride=2, padding=1, bias=False)"),
        (L.Reshape((2, -1)), "Reshape((2, -1))"),
        (L.Flatten(), "Flatten()"),
        (L.Residual(L.Tanh()), "Residual(Tanh())"),
        (L.Residual(L.Tanh(), L.ReLU()), "Residual(Tanh(), ReLU())"),
        (OneHot(3), "OneHot(3)"),
        (OneHot(3, scale=1.5), "OneHot(3, scale=1.5)"),
        (OneHot(3, learned=True), "OneHot(3, learned=True)"),
    ],
    ids=str,
)  # fmt: skip
def test_layers_show_what_they_were_made_from(layer, shown):
    assert repr(layer) == shown


def test_layers_without_parameters_follow_their_input():
    layer = L.Tanh()
    for dtype in (np.float32, np.float64):
        assert layer.forward(np.zeros((2, 1), dtype))[0].dtype == dtype
    for other in (np.zeros((2, 1), int), np.zeros((2, 1), np.float16), [[0], [1]]):
        assert layer.forward(other)[0].dtype == np.float32
    assert layer.forward([0.0, 1.0])[0].shape == (2,)


def test_batch_norm_trains_on_two_values_and_moves_its_statistics_by_its_momentum(backend):
    layer = L.BatchNorm(1, momentum=0.25)
    for _ in range(2):
        layer.forward(np.array([[1.0], [3.0]]))
    assert layer.buffers["running_mean"] == pytest.approx(2 * (1 - 0.75**2))
    assert layer.buffers["running_var"] == pytest.approx(2 - 0.75**2)  # from 1 towards 2


def test_dropout_of_nothing_draws_nothing():
    layer, x = L.Dropout(0.0), np.ones((3, 2))
    before = layer.rng.bit_generator.state
    assert layer.forward(x)[0] is x and layer.rng.bit_generator.state == before


def test_minibatch_std_dev_of_one_sample_is_its_eps():
    y, _ = L.MinibatchStdDev(eps=0.25).forward(np.array([[1.0, 2.0]]))
    np.testing.assert_allclose(y, [[1, 2, 0.5]])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_spectral_norm_of_small_and_large_weights(scale, backend):
    layer = L.SpectralNorm(L.Linear(6, 4, bias=False))
    network = mg.Sequential([layer], dtype="float64")
    network.theta *= scale
    for _ in range(100):
        layer.iterate()
    y, _ = network.forward(np.eye(6))
    assert np.linalg.svd(y, compute_uv=False)[0] == pytest.approx(1, abs=1e-6)


def test_spectral_norm_of_zero_weights_is_zero(backend):
    layer = L.SpectralNorm(L.Linear(3, 2, bias=False))
    network = mg.Sequential([layer])
    network.theta[...] = 0
    y, _ = network.forward(np.ones((4, 3)))
    assert np.array_equal(y, np.zeros((4, 2)))


def test_spectral_norm_ignores_the_flag_that_a_blas_may_raise_beyond_a_small_matrix():
    class Flagging(np.ndarray):
        def __matmul__(self, other):
            np.subtract(np.inf, np.inf)  # raises NumPy's "invalid" flag
            return np.asarray(self) @ other

    matrix, vector = np.arange(6.0).reshape(2, 3), np.ones(3)
    with np.errstate(all="raise"):
        image = mg.layers.SpectralNorm._times(matrix.view(Flagging), vector)
    np.testing.assert_array_equal(image, [3, 12])
