"""The compiled matrix products against the NumPy reference: odd shapes, views, every activation."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import minigan as mg

pytest.importorskip("numba")

from minigan.fast import as_written  # noqa: E402
from minigan.fast.kernels import codes, gemm  # noqa: E402
from minigan.fast.kernels.thin import THIN  # noqa: E402

from . import compiled, reference  # noqa: E402

L = mg.layers
BLAS = {f"np.{name}" for name in ("dot", "vdot", "matmul", "inner", "tensordot", "linalg.norm")}
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
ACTIVATIONS = [
    (codes.IDENTITY, 0.0),
    (codes.LEAKY_RELU, 0.2),
    (codes.LEAKY_RELU, 0.0),
    (codes.TANH, 0.0),
    (codes.SIGMOID, 0.0),
]
# rows, inner, columns: thin, one-off-a-tile, several blocks deep, a long sum, wide, small GANs'
SHAPES = [
    (1, 1, 1), (5, 1, 3), (1, 40, 1), (3, 7, 33), (8, 16, 32), (9, 17, 31), (64, 2, 128),
    (70, 130, 1), (70, 130, 2), (130, 300, 65), (512, 128, 128), (64, 784, 100), (11, 5003, 33),
    (23, 600, 1030),
]  # fmt: skip


def assert_close(actual, expected):
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    scale = max(np.abs(expected).max(initial=0), 1e-30)
    assert np.abs(actual - expected).max(initial=0) <= TOLERANCE[expected.dtype.type] * scale


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def normal(request):
    rng = np.random.default_rng(0)
    return lambda *shape: rng.standard_normal(shape).astype(request.param)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_matmul(normal, shape, transpose_a, transpose_b):
    m, k, n = shape
    a = normal(k, m) if transpose_a else normal(m, k)
    b = normal(n, k) if transpose_b else normal(k, n)
    a_before, b_before = a.copy(), b.copy()
    options = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    expected = reference.matmul(a, b, **options)
    assert_close(compiled.matmul(a, b, **options), expected)

    out = normal(m, n)
    assert compiled.matmul(a, b, out=out, **options) is out
    assert_close(out, expected)
    assert np.array_equal(a, a_before) and np.array_equal(b, b_before)


def test_matmul_takes_views(normal):
    a, b = normal(60, 80)[::2, 5::3], normal(90, 50)[::-1].T[::2, :25].T
    assert_close(compiled.matmul(a, b), a @ b)
    assert_close(compiled.matmul(a.T, b, transpose_a=True), a @ b)
    out = normal(60, 100)[::2, ::4]
    assert_close(compiled.matmul(a, b, out=out), a @ b)


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (3, 9, 0), (0, 9, 0)])
def test_matmul_of_nothing(normal, shape, transpose_a, transpose_b):
    m, k, n = shape
    a = normal(k, m) if transpose_a else normal(m, k)
    b = normal(n, k) if transpose_b else normal(k, n)
    product = compiled.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    assert np.array_equal(product, np.zeros((m, n)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("activation, slope", ACTIVATIONS)
@pytest.mark.parametrize("with_bias", [True, False])
def test_linear(normal, shape, activation, slope, with_bias):
    rows, inner, columns = shape
    x, dy = normal(rows, inner), normal(rows, columns)
    weight = normal(inner, columns) / np.sqrt(inner, dtype=x.dtype)  # z of order 1, as in a network
    bias = normal(columns) if with_bias else None
    y = reference.linear_forward(x, weight, bias, activation, slope)
    assert_close(compiled.linear_forward(x, weight, bias, activation, slope), y)
    assert_close(
        compiled.linear_backward_input(dy, y, weight, activation, slope),
        reference.linear_backward_input(dy, y, weight, activation, slope),
    )
    for params_only in (True, False):
        gradients = []
        for kernels in (compiled, reference):
            dweight = np.full_like(weight, 0.5)
            dbias = np.full(columns, 0.5, weight.dtype) if with_bias else None
            if params_only:
                kernels.linear_backward_params(dy, y, x, dweight, dbias, activation, slope)
                dx = None
            else:
                dx = kernels.linear_backward(dy, y, x, weight, dweight, dbias, activation, slope)
            gradients.append([part for part in (dweight, dbias, dx) if part is not None])
        for actual, expected in zip(*gradients):
            assert_close(actual, expected)


@pytest.mark.parametrize("size", [0, 1, 7, 2048, 2049, 16_384, 100_003])
def test_dot(normal, size):
    a, b = normal(size), normal(2 * size)[::2]
    expected = reference.dot(a, b)
    assert abs(compiled.dot(a, b) - expected) <= TOLERANCE[a.dtype.type] * np.abs(a * b).sum()
    assert type(compiled.dot(a, b)) is type(expected) is float


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 3), (7, 2, 3, 1), (6, 5000), (300, 97)])
def test_scale_and_add(normal, shape):
    scale, x, x_dot = normal(shape[0], 1), normal(*shape), normal(2 * shape[0], *shape[1:])[::2]
    expected = reference.scale_and_add(scale, x, x_dot)
    assert_close(compiled.scale_and_add(scale, x, x_dot), expected)


MODELS = {
    "MLP": lambda: (mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)), 2),
    "DCGAN": lambda: (
        mg.models.dcgan_generator(4, channels=2),
        mg.models.dcgan_discriminator(channels=2, batch_norm=False),
        4,
    ),
    "spectral": lambda: (
        mg.models.mlp_generator(2, (2,)),
        mg.Sequential([L.FourierFeatures(2, 3), L.SpectralNorm(L.Linear(6, 4)), L.SiLU(),
                       L.Residual(L.Linear(4, 4)), L.LayerNorm(4), L.Linear(4, 1)]),
        2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_training_step_leaves_numpy_s_blas_alone(name, monkeypatch):
    """Its threads spin after a call, and slow every kernel of the step that comes next: so no layer
    with a product in it may be left to NumPy."""
    generator, discriminator, latent_dim = MODELS[name]()
    penalties = [mg.penalties.R1(1.0), mg.penalties.R2(1.0)]
    gan = mg.GAN(generator, discriminator, latent_dim=latent_dim, penalties=penalties)
    for kind in (L.Linear, L.Conv2d, L.ConvTranspose2d):
        monkeypatch.setitem(as_written._methods, kind, {})  # they stay compiled
        for method in ("forward", "backward_input", "backward_params", "tangent", "curvature"):
            monkeypatch.setattr(kind, method, lambda *_: pytest.fail("a product of NumPy's"))
    real = np.random.default_rng(0).uniform(-1, 1, (8, *gan.sample_shape))
    with mg.kernels.use_backend("numba"):
        gan.train_step(real)


def test_nothing_in_fast_calls_numpy_s_blas():
    found = []
    for path in (Path(mg.__file__).parent / "fast").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
            called = isinstance(node, ast.Attribute) and ast.unparse(node) in BLAS
            if product or called:
                found.append(f"{path.name}:{node.lineno}")
    assert found == []


def test_threads_do_not_compute_the_same_inner_products(monkeypatch):
    """One part computes whole rows of few columns, even where short vectors need two for a row."""
    monkeypatch.setattr(gemm, "VECTOR_BYTES", 16)
    assert gemm.cut(rows=20, depth=20_000, columns=THIN, itemsize=8, parts=2) == (2, 1)


def test_the_same_bits_on_one_thread_and_two(normal):
    numba = pytest.importorskip("numba")
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("needs two threads")
    a, b, c = normal(300, 700), normal(700, 100), normal(300, 100)
    results = []
    threads = numba.get_num_threads()
    try:
        for count in (1, 2):
            numba.set_num_threads(count)
            dweight, dbias = np.zeros_like(b), np.zeros_like(b[0])
            dx = compiled.linear_backward(c, None, a, b, dweight, dbias)
            results.append((compiled.matmul(a, b), dx, dweight, dbias))
    finally:
        numba.set_num_threads(threads)
    assert all(np.array_equal(one, two) for one, two in zip(*results))


def test_no_slope_given_is_a_slope_of_zero():
    functions = [f for f in vars(compiled).values() if inspect.isfunction(f)]
    parameters = [inspect.signature(function).parameters for function in functions]
    defaults = [known["slope"].default for known in parameters if "slope" in known]
    assert len(defaults) == 16 and set(defaults) == {0.0}
