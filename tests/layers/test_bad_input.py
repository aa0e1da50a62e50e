"""A layer that cannot work says so: its name, what was expected, what came."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan._checks import sizes

CONSTRUCTORS = [
    (lambda: L.Linear(0, 3), ValueError, "Linear: in_features must be an integer >= 1, got 0"),
    (lambda: L.Linear(2.5, 3), TypeError, "Linear: in_features must be an integer >= 1, got 2.5"),
    (lambda: L.Linear(True, 3), TypeError, "in_features must be an integer >= 1, got True"),
    (lambda: L.Linear(2, -1), ValueError, "out_features must be an integer >= 1"),
    (lambda: L.Conv2d(1, 1, 3, stride=0), ValueError, "Conv2d: stride must be an integer >= 1"),
    (lambda: L.Conv2d(1, 1, 3, padding=-1), ValueError, "Conv2d: padding must be an integer >= 0"),
    (
        lambda: L.Conv2d(1, 1, (3, 3, 3)),
        ValueError,
        "kernel_size must be an integer >= 1 or a pair",
    ),
    (lambda: L.ConvTranspose2d(1, 1, "4"), TypeError, "kernel_size must be an integer >= 1"),
    (
        lambda: L.BatchNorm(3, eps=0),
        ValueError,
        "BatchNorm: eps must be a finite number >= 1e-37, got 0",
    ),
    (
        lambda: L.BatchNorm(3, momentum=1.5),
        ValueError,
        "momentum must be a number in [0, 1], got 1.5",
    ),
    (lambda: L.LayerNorm(-2), ValueError, "LayerNorm: num_features must be an integer >= 1"),
    (
        lambda: L.LayerNorm(2, eps=0),
        ValueError,
        "LayerNorm: eps must be a finite number >= 1e-37, got 0",
    ),
    (
        lambda: L.MinibatchStdDev(eps=0),
        ValueError,
        "MinibatchStdDev: eps must be a finite number >= 1e-37, got 0",
    ),
    (lambda: L.Reshape(()), TypeError, "Reshape: shape must be an integer >= 1 or a tuple of them"),
    (
        lambda: L.Reshape(2.5),
        TypeError,
        "Reshape: shape must be an integer >= 1 or a tuple of them",
    ),
    (lambda: L.Dropout(1.0), ValueError, "Dropout: p must be a number in [0, 1), got 1.0"),
    (lambda: L.Dropout("half"), TypeError, "Dropout: p must be a number in [0, 1)"),
    (lambda: L.Dropout(float("nan")), ValueError, "p must be a number in [0, 1)"),
    (lambda: L.LeakyReLU(-0.1), ValueError, "negative_slope must be a finite number >= 0"),
    (lambda: L.Embedding(0, 4), ValueError, "num_embeddings must be an integer >= 1"),
    (lambda: L.FourierFeatures(2, 3, scale=0), ValueError, "scale must be a finite number > 0"),
    (lambda: L.Reshape((2, -1, -1)), ValueError, "of which one may be -1, got (2, -1, -1)"),
    (
        lambda: L.Reshape((2, 0)),
        ValueError,
        "Reshape: shape must be an integer >= 1 or a tuple of them",
    ),
    (lambda: L.Upsample2d(0), ValueError, "Upsample2d: scale must be an integer >= 1"),
    (lambda: L.AvgPool2d(1.5), TypeError, "AvgPool2d: kernel_size must be an integer >= 1"),
    (
        lambda: L.SpectralNorm(L.ReLU()),
        TypeError,
        "SpectralNorm: layer must be a layer with a weight",
    ),
    (lambda: L.Residual([L.ReLU()]), TypeError, "Residual: branch must be a Layer, got [ReLU()]"),
    (lambda: L.Residual(L.ReLU(), 1.0), TypeError, "Residual: skip must be a Layer, got 1.0"),
    (lambda: mg.Sequential([]), ValueError, "layers must be a list of one Layer object or more"),
    (
        lambda: mg.Sequential([L.ReLU, L.Tanh()]),
        TypeError,
        "Sequential: layers must be a list of Layer objects",
    ),
    (
        lambda: mg.Sequential([L.ReLU()] * 2),
        ValueError,
        "layers must be different ones, got ReLU() twice",
    ),
    (lambda: mg.Sequential([L.ReLU()], dtype="float16"), TypeError, "float32 or float64"),
]

INPUTS = [
    (L.Linear(3, 2), np.zeros((4, 5)), ValueError, "real numbers of shape (N, 3)"),
    (L.Linear(3, 2), np.zeros(3), ValueError, "got an array of float32, shape (3,)"),
    (L.Linear(3, 2), [["a", "b", "c"]], TypeError, "Linear(3, 2): x must be real numbers"),
    (L.Linear(3, 2), np.zeros((2, 3), complex), TypeError, "x must be real numbers"),
    (L.Conv2d(3, 2, 3), np.zeros((4, 8, 8, 1)), ValueError, "of shape (N, H, W, 3)"),
    (L.Conv2d(1, 2, 5), np.zeros((4, 3, 3, 1)), ValueError, "images of 3 x 3 pixels are too small"),
    (L.Conv2d(1, 2, 5), np.zeros((4, 3, 9, 1)), ValueError, "images of 3 x 9 pixels are too small"),
    (L.Conv2d(1, 2, 5), np.zeros((4, 9, 3, 1)), ValueError, "images of 9 x 3 pixels are too small"),
    (L.ConvTranspose2d(1, 2, 2, padding=3), np.zeros((4, 2, 2, 1)), ValueError, "too small"),
    (L.BatchNorm(3), np.zeros((4, 2)), ValueError, "BatchNorm(3): x must be real numbers"),
    (L.BatchNorm(3), np.zeros((1, 3)), ValueError, "needs at least 2 values per channel to train"),
    (L.LayerNorm(3), np.zeros((4, 2)), ValueError, "LayerNorm(3): x must be real numbers"),
    (L.Embedding(3, 2), np.array([0.0, 1.0]), TypeError, "x must be integers of shape (N,)"),
    (L.Embedding(3, 2), np.array([0, 3]), ValueError, "must be in [0, 3), got 0 to 3"),
    (L.Embedding(3, 2), np.array([-1, 2]), ValueError, "must be in [0, 3), got -1 to 2"),
    (L.Embedding(3, 2), np.array([[0, 1]]), ValueError, "x must be integers of shape (N,)"),
    (L.AvgPool2d(2), np.zeros((1, 3, 4, 1)), ValueError, "must be multiples of 2"),
    (L.Upsample2d(2), np.zeros((1, 3)), ValueError, "Upsample2d(2): x must be real numbers"),
    (L.Reshape((2, 3)), np.zeros((4, 5)), ValueError, "do not have the values to fill (2, 3)"),
    (L.Residual(L.Linear(3, 1)), np.zeros((4, 3)), ValueError, "one shape, got (4, 1) and (4, 3)"),
    (L.MinibatchStdDev(), np.zeros((4,)), ValueError, "of shape (N, ..., C)"),
    (L.FourierFeatures(2, 3), np.zeros((4, 3)), ValueError, "numbers of shape (N, 2)"),
    (L.Tanh(), np.array(["x"]), TypeError, "Tanh(): x must be real numbers"),
    (L.Tanh(), 1.0, ValueError, "of shape (N, ...), got an array of float64, shape ()"),
]  # fmt: skip


@pytest.mark.parametrize("make, error, message", CONSTRUCTORS)
def test_constructors(make, error, message):
    with pytest.raises(error) as raised:
        make()
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("layer, x, error, message", INPUTS)
def test_inputs(layer, x, error, message, backend):
    with pytest.raises(error) as raised:
        layer.forward(x)
    assert message in str(raised.value) and "\n" not in str(raised.value)


OF_IMAGES = [
    L.SelfAttention(8), L.Conv2d(8, 2, 3, padding=2), L.ConvTranspose2d(8, 2, 3), L.AvgPool2d(2),
    L.RandomCutout(0.5), L.LayerNorm(8), L.Flatten(), L.Tanh(),
]  # fmt: skip


@pytest.mark.parametrize("layer", OF_IMAGES, ids=str)
@pytest.mark.parametrize("shape", [(2, 0, 4, 8), (2, 4, 0, 8)])
def test_images_without_pixels(layer, shape, backend):
    with pytest.raises(ValueError) as raised:
        layer.forward(np.zeros(shape))
    assert "x must be images of at least one pixel, got an array of float" in str(raised.value)
    assert mg.Sequential([L.Tanh()]).forward(np.zeros((0, 4, 4, 8)))[0].shape == (0, 4, 4, 8)


def test_integers_and_other_floats_follow_the_parameters():
    layer = L.Linear(2, 1)
    for x in (
        np.ones((3, 2), int),
        np.ones((3, 2), np.float64),
        np.ones((3, 2), np.uint8),
        [[1, 2]],
    ):
        assert layer.forward(x)[0].dtype == np.float32


def test_non_contiguous_inputs(backend):
    x = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
    layer = L.Linear(4, 2)
    np.testing.assert_allclose(
        layer.forward(x[::2, ::2])[0], layer.forward(x[::2, ::2].copy())[0], rtol=1e-6
    )


def test_sizes():
    some, one = sizes(0), sizes(1)
    assert some("f", "shape", [3, 1]) == (3, 1) and some("f", "shape", ()) == ()
    assert one("f", "shape", (4,)) == (4,) and sizes(3, 3)("f", "shape", (4, 4, 1)) == (4, 4, 1)
    for bad, error in ((3, TypeError), ("34", TypeError), ((3, 0), ValueError)):
        with pytest.raises(error, match="^f: shape must be a tuple of integers >= 1, got"):
            some("f", "shape", bad)
    for rule, words, error in ((one, "one or more", TypeError), (sizes(3, 3), "3", ValueError)):
        bad = () if rule is one else (1, 2, 3, 4)
        with pytest.raises(error, match=f"f: shape must be a tuple of {words} integers >= 1"):
            rule("f", "shape", bad)
