"""The compiled convolutions against the NumPy reference, and each against its adjoint."""

import numpy as np
import pytest

pytest.importorskip("numba")

from minigan.fast.kernels import codes, image_plans, images, plan_builder, threads  # noqa: E402
from minigan.fast.kernels.geometry import Geometry  # noqa: E402
from minigan.fast.kernels.sharing import Sharing  # noqa: E402

from . import compiled, reference  # noqa: E402
from .test_products import ACTIVATIONS, assert_close, normal  # noqa: E402, F401 (a fixture)

# batch, height, width, in, out, kernel (h, w), stride, padding
CASES = [
    (2, 5, 6, 3, 4, (3, 3), 1, 1),
    (2, 5, 6, 3, 4, (3, 2), 1, 0),
    (3, 8, 8, 2, 5, (4, 4), 2, 1),
    (2, 9, 7, 3, 2, (4, 3), 2, 1),  # the last rows are not reached
    (2, 7, 7, 1, 3, (5, 5), 3, 2),
    (2, 7, 8, 3, 1, (2, 2), 3, 0),  # kernel smaller than stride: pixels that nothing touches
    (1, 4, 4, 20, 40, (1, 1), 1, 0),
    (1, 3, 3, 2, 2, (3, 3), 1, 2),
    (4, 14, 14, 33, 17, (4, 4), 2, 1),
    (16, 28, 28, 1, 32, (4, 4), 2, 1),
    (2, 9, 7, 2, 40, (4, 3), 2, 1),  # few channels on one side
    (2, 7, 8, 3, 10, (2, 2), 3, 0),
    (3, 4, 5, 20, 2, (4, 3), 2, 1),
    (2, 7, 8, 24, 1, (2, 2), 3, 0),
    (26, 13, 13, 1, 32, (3, 3), 1, 1),  # a long sum in the weight gradient
    (3, 14, 14, 32, 48, (4, 4), 2, 1),  # from here on with fewer multiplications: see `winograd`
    (2, 9, 12, 48, 32, (4, 4), 2, 0),
    (2, 8, 17, 32, 32, (4, 4), 2, 3),
    (2, 12, 13, 32, 32, (6, 6), 3, 2),
    (2, 5, 3, 32, 32, (2, 2), 1, 0),
]


@pytest.fixture(params=CASES, ids=str)
def case(request, normal):  # noqa: F811
    batch, height, width, channels, out, kernel, stride, padding = request.param
    x = normal(batch, height, width, channels)
    taps = np.sqrt(kernel[0] * kernel[1] * channels, dtype=x.dtype)  # z of order 1
    return x, normal(*kernel, channels, out) / taps, normal(out), stride, padding


def gradients(kernels, kind, dy, y, x, weight, stride, padding, activation, slope):
    """Every gradient that a kind of convolution has, by both routes."""
    found = []
    options = (stride, padding, activation, slope)
    for params_only in (True, False):
        dweight = np.full_like(weight, 0.5)
        dbias = np.full(weight.shape[3], 0.5, weight.dtype)
        if params_only:
            backward = getattr(kernels, kind + "_backward_params")
            backward(dy, y, x, dweight, dbias, *options)
        else:
            backward = getattr(kernels, kind + "_backward")
            found.append(backward(dy, y, x, weight, dweight, dbias, *options))
        found += [dweight, dbias]
    shape = (x.shape,) if kind == "conv2d" else ()
    backward_input = getattr(kernels, kind + "_backward_input")
    return found + [backward_input(dy, y, weight, *shape, *options)]


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d"])
@pytest.mark.parametrize("activation, slope", ACTIVATIONS)
def test_kernels_agree_with_the_reference(case, normal, kind, activation, slope):  # noqa: F811
    x, weight, bias, stride, padding = case
    if kind == "conv_transpose2d" and min(weight.shape[:2]) < 2 * padding + 1:
        pytest.skip("the padding takes away all that one pixel spreads")
    options = (stride, padding, activation, slope)
    y = getattr(reference, kind + "_forward")(x, weight, bias, *options)
    before = [array.copy() for array in (x, weight, bias)]
    assert_close(getattr(compiled, kind + "_forward")(x, weight, bias, *options), y)
    dy = normal(*y.shape)
    for actual, expected in zip(
        gradients(compiled, kind, dy, y, x, weight, *options),
        gradients(reference, kind, dy, y, x, weight, *options),
    ):
        assert_close(actual, expected)
    assert all(np.array_equal(now, then) for now, then in zip((x, weight, bias), before))


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d"])
def test_without_bias_and_with_views(normal, kind):  # noqa: F811
    x = normal(4, 16, 9, 3)[::2, ::2, :, ::-1]
    weight = normal(3, 3, 3, 10)[..., ::2]
    forward = kind + "_forward"
    for bias in (None, normal(10)[::2]):
        expected = getattr(reference, forward)(x, weight, bias, 2, 1)
        assert_close(getattr(compiled, forward)(x, weight, bias, 2, 1), expected)


def test_without_an_activation_y_is_not_read():
    """It may be None; x, which stands in for it then, may be smaller."""
    geometry = Geometry((2, 4, 4, 3), (3, 3, 3, 5), 2, 1, transposed=True)
    plan = image_plans.backward(
        geometry, plan_builder.Phi(bias=True), np.dtype("f4"), 1, dx=True, dw=True
    )
    assert plan_builder.DY in plan.program.relative_to
    assert plan_builder.Y not in plan.program.relative_to


def test_adjoint(case, normal):  # noqa: F811
    """<conv(x), y> = <x, conv'(y)>, to rounding, for any x and y."""
    x, weight, _, stride, padding = case
    y = compiled.conv2d_forward(x, weight, None, stride, padding)
    dy = normal(*y.shape)
    dx = compiled.conv2d_backward_input(dy, None, weight, x.shape, stride, padding)
    one, other = np.vdot(y, dy), np.vdot(x, dx)
    scale = np.linalg.norm(y) * np.linalg.norm(dy)
    assert abs(one - other) <= (1e-5 if x.dtype == np.float32 else 1e-12) * scale


def test_the_same_bits_on_one_thread_and_two(normal, monkeypatch):  # noqa: F811
    if threads.THREADS < 2:
        pytest.skip("needs two threads")
    x, weight = normal(24, 28, 28, 1), normal(4, 4, 1, 32)
    results = []
    for count in (1, 2):
        monkeypatch.setattr(threads, "_sharing", Sharing(count))
        y = compiled.conv2d_forward(x, weight, None, 2, 1, codes.TANH)
        results.append([y, *gradients(compiled, "conv2d", y, y, x, weight, 2, 1, codes.TANH, 0.0)])
    assert all(np.array_equal(one, two) for one, two in zip(*results))


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d"])
@pytest.mark.parametrize(
    "channels, out, width",
    [(1, 32, 3), (32, 1, 3), (3, 20, 3), (20, 3, 3), (16, 40, 3), (32, 48, 4)],
)
def test_the_same_bits_however_the_work_is_divided(normal, monkeypatch, kind, channels, out, width):  # noqa: F811
    x, weight = normal(6, 12, 11, channels), normal(4, width, channels, out)
    forward, results = getattr(compiled, kind + "_forward"), []
    for parts in (1, 2, 3, 40):
        monkeypatch.setattr(images, "threads", lambda parts=parts: parts)
        y = forward(x, weight, np.full(out, 0.5, x.dtype), 2, 1, codes.TANH)
        results.append([y, *gradients(compiled, kind, y, y, x, weight, 2, 1, codes.TANH, 0.0)])
    for divided in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], divided))


def test_the_weight_and_the_batch_of_a_plan_may_change(normal):  # noqa: F811
    """A plan is for shapes: the arrays of every call are its own."""
    for batch in (5, 2, 5, 0):
        x, weight, bias = normal(batch, 6, 6, 2), normal(3, 3, 2, 7), normal(7)
        y = reference.conv2d_forward(x, weight, bias, 1, 1)
        assert_close(compiled.conv2d_forward(x, weight, bias, 1, 1), y)
        found = gradients(compiled, "conv2d", y, y, x, weight, 1, 1, codes.IDENTITY, 0.0)
        expected = gradients(reference, "conv2d", y, y, x, weight, 1, 1, codes.IDENTITY, 0.0)
        for actual, wanted in zip(found, expected):
            assert_close(actual, wanted)
