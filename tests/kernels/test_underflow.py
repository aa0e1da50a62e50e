"""A result too small for a float is no error, under `np.seterr(all="raise")` either."""

import numpy as np
import pytest

import minigan as mg

K = mg.kernels
TINY = 1e-30  # its square is 0 in float32


@pytest.fixture(autouse=True)
def all_raise(backend):
    with np.errstate(all="raise"):
        yield


def tiny(*shape):
    return np.full(shape, TINY, np.float32)


@pytest.mark.parametrize("activation", [K.IDENTITY, K.LEAKY_RELU, K.TANH, K.SIGMOID])
def test_products_and_convolutions(activation):
    x, w, b = tiny(40, 30), tiny(30, 20), tiny(20)
    y = K.linear_forward(x, w, b, activation, 1e-30)
    K.linear_backward(y * 0 + tiny(1), y, x, w, 0 * w, 0 * b, activation, 1e-30)
    images, kernel = tiny(3, 8, 8, 2), tiny(4, 4, 2, 2)
    for name in ("conv2d", "conv_transpose2d"):
        y = getattr(K, f"{name}_forward")(images, kernel, b[:2], 2, 1, activation, 1e-30)
        dy = np.zeros_like(y) + tiny(1)
        backward = getattr(K, f"{name}_backward")
        backward(dy, y, images, kernel, 0 * kernel, 0 * b[:2], 2, 1, activation, 1e-30)
    assert K.dot(tiny(100), tiny(100)) < 1e-40
    K.scale_and_add(tiny(40, 1), x, x)


@pytest.mark.parametrize("activation", [K.IDENTITY, K.LEAKY_RELU, K.TANH, K.SIGMOID])
def test_elementwise_and_normalisation(activation):
    x = np.array([[-200, -95, TINY], [95, 1e-38, -TINY]], np.float32)
    for function in (K.sigmoid, K.softplus, K.silu):
        function(x)
    K.silu_backward(tiny(2, 3), x)
    y = K.activate(x, activation, 1e-30)
    K.activate_backward(tiny(2, 3), y, activation, 1e-30)
    gamma, beta = tiny(3), tiny(3)
    z, mean, _, inv_std = K.batch_norm_forward(tiny(4, 3), gamma, beta, 1e-5, activation, 1e-30)
    K.batch_norm_backward(
        tiny(4, 3), z, tiny(4, 3), mean, inv_std, gamma, 0 * gamma, 0 * beta, activation, 1e-30
    )
    K.row_norm_backward(tiny(2, 3), *K.row_norm_forward(tiny(2, 3), 1e-5))


def test_optimizers():
    for optimizer in (mg.optim.SGD(momentum=0.5), mg.optim.RMSProp(), mg.optim.Adam()):
        theta = np.ones(2, np.float32)
        for _ in range(400):
            optimizer.step(theta, np.array([1e-25, 1], np.float32))
        assert np.isfinite(theta).all()
    K.average_update(np.zeros(3, np.float32), tiny(3), 1 - 1e-12)
