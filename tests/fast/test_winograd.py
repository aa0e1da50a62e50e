"""Convolutions with fewer multiplications: what is special about them.

That they are convolutions is tested in `test_convolution`, by the cases of many channels.
"""

import math

import numpy as np
import pytest

pytest.importorskip("numba")

from minigan.fast.kernels import image_plans, images, winograd, winograd_layout  # noqa: E402
from minigan.fast.kernels.geometry import Geometry  # noqa: E402
from minigan.fast.kernels.plan_builder import NO_PHI  # noqa: E402

from . import compiled, reference  # noqa: E402
from .test_convolution import gradients  # noqa: E402
from .test_products import assert_close  # noqa: E402

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("outputs", [2, 3, 4, 5, 7, 8, 14, 16])
@pytest.mark.parametrize("stride, padding", [(1, 0), (2, 1), (3, 2)])
def test_one_axis_is_a_convolution(outputs, stride, padding):
    """On whole numbers of moderate size, both sides are exact."""
    rng = np.random.default_rng(0)
    pixels = (outputs + 1) * stride - 2 * padding
    x, g = rng.integers(-9, 10, pixels), 2 * rng.integers(-9, 10, 2 * stride)
    axis = winograd.axis(outputs, pixels, stride, padding)
    d = (axis.image @ x).reshape(-1, stride)
    kernels = np.repeat((axis.kernel @ g).reshape(-1, stride), axis.counts, axis=0)
    y = axis.results @ (d * kernels).sum(axis=1)
    padded = np.pad(x, padding)
    expected = [padded[i * stride : i * stride + 2 * stride] @ g for i in range(outputs)]
    assert np.array_equal(y, expected)


@pytest.mark.parametrize("outputs, expected", [(2, 3), (3, 4), (4, 6), (7, 10), (14, 20), (16, 22)])
def test_products_of_an_axis(outputs, expected):
    axis = winograd.axis(outputs, 2 * outputs, 2, 1)
    assert sum(axis.counts) == expected < 2 * outputs


def plan(height, channels, out, kernel=4, stride=2, dtype=np.float32, batch=64):
    shape = batch, height, height, channels
    geometry = Geometry(shape, (kernel, kernel, channels, out), stride, 1)
    return image_plans.forward(geometry, NO_PHI, np.dtype(dtype), 2)


def test_a_dcgan_multiplies_about_half_as_often():
    done = sum(math.prod(sizes) for sizes in plan(14, 64, 128).products)
    assert done / (64 * 7 * 7 * 16 * 64 * 128) == 100 / 196


@pytest.mark.parametrize(
    "case",
    [(14, 1, 64), (14, 16, 64), (14, 33, 64), (14, 64, 64, 3), (14, 64, 64, 4, 1), (2, 64, 64)],
)
def test_other_convolutions_are_computed_directly(case):
    assert len(plan(*case).products) == 1


def test_batches_of_all_sizes_share_the_tables_of_the_linear_maps():
    """They are the largest tables, and take longer to make than the rest of a plan."""
    factors = [[id(t) for t in plan(14, 32, 32, batch=n).tables if t.dtype == "f4"] for n in (3, 5)]
    assert len(factors[0]) > 0 and factors[0] == factors[1]


def test_the_workspace_of_large_images_is_no_larger_than_they_are():
    assert plan(64, 64, 128, batch=8).space <= math.prod((8, 64, 64, 64))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d"])
def test_an_image_alone_gets_the_bits_it_has_in_a_batch(kind, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((9, 10, 10, 32)).astype(dtype)
    weight = rng.standard_normal((4, 4, 32, 32)).astype(dtype)
    forward = getattr(compiled, kind + "_forward")
    y = forward(x, weight, None, 2, 1)
    assert all(np.array_equal(forward(x[i : i + 1], weight, None, 2, 1)[0], y[i]) for i in range(9))


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d"])
def test_what_is_not_finite_stays_so(kind, number):
    """At every output that it reaches, and in no other image."""
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 10, 10, 32)), rng.standard_normal((4, 4, 32, 32))
    x[1, 4, 5, 6] = number
    y = getattr(compiled, kind + "_forward")(x, weight, None, 2, 1)
    with np.errstate(invalid="ignore"):
        expected = getattr(reference, kind + "_forward")(x, weight, None, 2, 1)
    assert not np.isfinite(y[~np.isfinite(expected)]).any()
    assert np.isfinite(y[0]).all()


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d"])
def test_blocks_of_images(kind, monkeypatch):
    """As many as there may be, the last one smaller, on any number of threads."""
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((19, 6, 8, 32)), rng.standard_normal((4, 4, 32, 40)) / 20
    forward, options = kind + "_forward", (2, 1, 1, 0.2)
    y = getattr(reference, forward)(x, weight, None, *options)
    dy = rng.standard_normal(y.shape)
    expected = [y, *gradients(reference, kind, dy, y, x, weight, *options)]
    monkeypatch.setattr(winograd_layout, "BLOCK_BYTES", 1)
    results = []
    for parts in 1, 2, 40:
        monkeypatch.setattr(images, "threads", lambda parts=parts: parts)
        found = gradients(compiled, kind, dy, y, x, weight, *options)
        results.append([getattr(compiled, forward)(x, weight, None, *options), *found])
    for actual, wanted in zip(results[0], expected):
        assert_close(actual, wanted)
    for divided in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], divided))
