"""Each compiled stage beside the layers that it stands for: the whole contract, both backends."""

import numpy as np
import pytest

import minigan as mg

pytest.importorskip("numba")

from minigan.fast.chain import ChainStage  # noqa: E402
from minigan.fast.kernels import plans  # noqa: E402
from minigan.fast.sweeps import sweep_sequence  # noqa: E402
from minigan.layers.base import Layer  # noqa: E402

L, C = mg.layers, mg.conditional
# Of low frequencies: on either backend a phase of 40 is rounded by 4e-6, and so is its cosine.
SCALE = 0.2
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}

BODIES = {
    "linear": (lambda: [L.Linear(6, 5)], (7, 6)),
    "linear without bias": (lambda: [L.Linear(6, 5, bias=False)], (7, 6)),
    "linear, one logit": (lambda: [L.Linear(6, 1)], (7, 6)),
    "chain": (lambda: [L.Linear(6, 9), L.LeakyReLU(0.3), L.Linear(9, 8)], (70, 6)),
    "chain of few inputs": (
        lambda: [L.Linear(2, 9, bias=False), L.ReLU(), L.Linear(9, 8), L.Linear(8, 1)],
        (70, 2),
    ),
    "chains": (
        lambda: [L.Linear(6, 9), L.Linear(9, 5), L.Tanh(), L.Linear(5, 6), L.Linear(6, 7)],
        (70, 6),
    ),
    "batch norm": (lambda: [L.BatchNorm(6)], (7, 6)),
    "batch norm of images": (lambda: [L.BatchNorm(3)], (4, 5, 2, 3)),
    "layer norm": (lambda: [L.LayerNorm(6)], (7, 6)),
    "layer norm of images": (lambda: [L.LayerNorm(3)], (4, 5, 2, 3)),
    "conv": (lambda: [L.Conv2d(2, 3, 4, stride=2, padding=1)], (3, 6, 6, 2)),
    "conv, stride beyond kernel": (lambda: [L.Conv2d(2, 3, 2, stride=3)], (3, 7, 8, 2)),
    "conv without bias": (lambda: [L.Conv2d(2, 3, (3, 2), bias=False)], (3, 5, 6, 2)),
    "transposed": (lambda: [L.ConvTranspose2d(2, 3, 4, stride=2, padding=1)], (3, 3, 3, 2)),
    "transposed without bias": (lambda: [L.ConvTranspose2d(2, 3, 3, bias=False)], (3, 3, 4, 2)),
    "spectral": (lambda: [L.SpectralNorm(L.Linear(6, 5))], (7, 6)),
    "spectral conv": (lambda: [L.SpectralNorm(L.Conv2d(2, 3, 3, padding=1))], (3, 4, 4, 2)),
    "attention": (lambda: [L.SelfAttention(9)], (4, 5, 3, 9)),
    "Fourier": (lambda: [L.FourierFeatures(6, 4, scale=SCALE, std=0.3)], (7, 6)),
    "residual": (lambda: [L.Residual(L.Linear(6, 6), L.Linear(6, 6))], (7, 6)),
    "residual network": (
        lambda: [L.Residual(mg.Sequential([L.Linear(6, 4), L.Tanh(), L.Linear(4, 6)]))],
        (7, 6),
    ),
    "carried": (lambda: [C.WithCode(L.Linear(4, 5), 2)], (7, 6)),
    "beside its input": (
        lambda: [mg.stabilisers.WithInput(L.FourierFeatures(6, 3, scale=SCALE))],
        (7, 6),
    ),
    "activation alone": (lambda: [], (7, 6)),
}
TAILS = {
    "": lambda: [],
    "LeakyReLU": lambda: [L.LeakyReLU(0.1)],
    "ReLU": lambda: [L.ReLU()],
    "Tanh": lambda: [L.Tanh()],
    "Sigmoid": lambda: [L.Sigmoid()],
    "Softplus": lambda: [L.Softplus()],
    "SiLU": lambda: [L.SiLU()],
}


def everything(network, x, training):
    """{what: array} of all that the contract promises, along one forward pass."""
    rng = np.random.default_rng(3)
    network.zero_grad()
    with network.held_buffers():
        y, caches = network.forward(x, training)
    dy, x_dot = rng.standard_normal(y.shape), rng.standard_normal(x.shape)
    found = {"y": y, "dx": network.backward_input(dy, caches)}
    network.backward_params(dy, caches)
    found["grad"] = network.grad.copy()
    found["dx of both"] = network.backward(dy, caches)
    found["grad of both"] = network.grad.copy()
    found["y_dot"] = network.tangent(x_dot, caches)
    if not (training and network.mixes_samples):  # a second derivative that is not written
        network.zero_grad()
        moved = network.curvature(dy, caches, x_dot)
        found["dx_dot"] = np.zeros_like(x) if moved is None else moved
        found["grad_dot"] = network.grad.copy()
    return found


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("body", BODIES)
def test_stage_against_layer(body, tail, dtype):
    layers, shape = BODIES[body]
    layers = layers() + TAILS[tail]()
    if not layers:
        layers = [L.Flatten()]
    if "batch norm" in body:
        modes = (True,)  # in evaluation its curvature is not written either
    else:
        modes = (True, False)
    network = mg.Sequential(layers, dtype=dtype, rng=1)
    rng = np.random.default_rng(2)
    network.theta += (0.3 * rng.standard_normal(network.theta.size)).astype(dtype)
    x = rng.standard_normal(shape).astype(dtype)
    for training in modes:
        with mg.kernels.use_backend("numpy"):
            plain = everything(network, x, training)
        with mg.kernels.use_backend("numba"):
            compiled = everything(network, x, training)
        assert plain.keys() == compiled.keys()
        for what, expected in plain.items():
            scale = max(np.abs(expected).max(initial=0), 1e-3)
            error = np.abs(compiled[what] - expected).max(initial=0) / scale
            assert error <= TOLERANCE[dtype], f"{what}: {error}"
            assert compiled[what].dtype == expected.dtype, what


class InFloat64(Layer):
    """A layer of the user's own, in whose formulas everything becomes float64."""

    def forward(self, x, training=True):
        return x * np.float64(2), None

    def backward_input(self, dy, cache):
        return dy * np.float64(2)

    tangent = backward_input

    def curvature(self, dy, cache, x_dot):
        return None


@pytest.mark.parametrize("body", BODIES)
def test_stages_between_layers_that_return_float64(body):
    """The kernels read memory in one dtype: numbers of another one must not reach them."""
    layers, shape = BODIES[body]
    network = mg.Sequential([InFloat64(), *layers(), L.Tanh(), InFloat64()], rng=1)
    x = np.random.default_rng(2).standard_normal(shape).astype("float32")
    found = {}
    for name in ("numpy", "numba"):
        with mg.kernels.use_backend(name):
            found[name] = everything(network, x, True)
    for what, expected in found["numpy"].items():
        scale = max(np.abs(expected).max(initial=0), 1e-3)
        assert np.abs(found["numba"][what] - expected).max(initial=0) <= 2e-5 * scale, what
        assert what == "y" or expected.dtype == found["numba"][what].dtype == "float32", what


def test_layers_are_taken_over_in_pairs_and_chains():
    network = mg.Sequential(
        [
            L.Conv2d(1, 2, 3),
            L.LeakyReLU(),
            L.Flatten(),
            L.Linear(8, 4),
            L.SiLU(),
            L.Linear(4, 4),
            L.ReLU(),
            L.Linear(4, 4),
            L.Linear(4, 1),
            L.Tanh(),
            L.Linear(1, 600),
            L.Dropout(0.5),
            L.Linear(600, 600),
            L.Linear(600, 2),
        ]  # fmt: skip
    )
    with mg.kernels.use_backend("numba"):
        stages = mg.kernels.stages(network)
    kinds = [type(stage).__name__ for stage in stages]
    assert kinds == [
        "ConvStage", "Flatten", "ChainStage", "SiLUStage", "ChainStage", "Dropout", "ChainStage",
    ]  # fmt: skip
    assert [len(stage.stages) for stage in stages if type(stage) is ChainStage] == [1, 4, 2]
    with mg.kernels.use_backend("numpy"):
        assert mg.kernels.stages(network) == network.layers


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "rows, sizes, activation",
    [
        (301, (2, 130, 129, 128, 1), L.LeakyReLU),
        (21, (30, 270, 261, 3, 270), L.LeakyReLU),  # the second weight is cut by columns
        (21, (30, 270, 261, 3, 270), L.Tanh),
    ],
)
def test_a_chain_gives_the_same_bits_in_any_number_of_parts(
    rows, sizes, activation, dtype, monkeypatch
):
    layers = [layer for pair in zip(sizes, sizes[1:]) for layer in (L.Linear(*pair), activation())]
    network = mg.Sequential(layers, dtype=dtype, rng=0)
    x = np.random.default_rng(1).standard_normal((rows, sizes[0])).astype(dtype)
    found = []
    for parts in (1, 2, 3):
        monkeypatch.setattr(plans, "threads", lambda parts=parts: parts)
        with mg.kernels.use_backend("numba"):
            merged = merged_sweep(network, x) if activation is L.LeakyReLU else {}
            found.append(everything(network, x, True) | merged)
    with mg.kernels.use_backend("numpy"):
        expected = everything(network, x, True)
    for what, array in expected.items():
        scale = np.abs(array).max()
        assert np.abs(found[0][what] - array).max() <= TOLERANCE[dtype] * scale, what
    for other in found[1:]:
        for what, expected in found[0].items():
            assert np.array_equal(other[what], expected), what


def merged_sweep(network, x):
    """The tangent and the gradients of a sweep that merges those of loss and penalties."""
    y, caches = network.forward(x)
    dx, sweep = sweep_sequence(caches, np.ones_like(y))
    network.zero_grad()
    return {"merged y_dot": sweep.merge(dx, y), "merged grad": network.grad.copy()}


def test_a_chain_finds_its_parameters_where_they_have_moved():
    inner = mg.Sequential([L.Linear(2, 8), L.LeakyReLU(), L.Linear(8, 3)], rng=0)
    x = np.random.default_rng(1).standard_normal((5, 2)).astype(np.float32)
    with mg.kernels.use_backend("numba"):
        [chain] = mg.kernels.stages(inner)
        before, cache = chain.forward(x)
        outer = mg.Sequential([inner])
        outer.theta *= 2
        moved, _ = chain.forward(x)
        chain.backward_params(np.ones_like(before), cache)
    with mg.kernels.use_backend("numpy"):
        expected, _ = outer.forward(x)
    np.testing.assert_allclose(moved, expected, rtol=1e-5)
    assert not np.allclose(moved, before)
    assert inner.grad.any() and outer.grad.any()


def test_a_layer_of_the_user_s_own_is_left_alone():
    class Twice(L.Linear):
        """A subclass with another formula, so without a counterpart."""

        def forward(self, x, training=True):
            y, cache = super().forward(x, training)
            return 2 * y, cache

        def backward_input(self, dy, x):
            return 2 * super().backward_input(dy, x)

        def backward_params(self, dy, x):
            super().backward_params(2 * dy, x)

        def tangent(self, x_dot, x):
            return 2 * super().tangent(x_dot, x)

        def curvature(self, dy, x, x_dot):
            super().curvature(2 * dy, x, x_dot)

    inner = Twice(4, 3)
    network = mg.Sequential([L.Residual(mg.Sequential([inner, L.Linear(3, 4)])), L.Linear(4, 1)])
    x = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")
    with mg.kernels.use_backend("numba"):
        found = everything(network, x, True)
    with mg.kernels.use_backend("numpy"):
        expected = everything(network, x, True)
    for what in expected:
        np.testing.assert_allclose(found[what], expected[what], rtol=1e-4, atol=1e-5)


def test_stages_follow_parameters_into_another_network():
    """Once a network is put inside another, its stages must not go on with the old memory."""
    inner = mg.Sequential([L.Residual(L.Linear(3, 3)), L.Linear(3, 2), L.Tanh()])
    x = np.ones((4, 3), "float32")
    with mg.kernels.use_backend("numba"):
        inner.forward(x)
        outer = mg.Sequential([inner, L.Linear(2, 1)])
        outer.theta += 0.5
        found, _ = outer.forward(x)
    with mg.kernels.use_backend("numpy"):
        expected, _ = outer.forward(x)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_container_of_the_users_own_may_look_into_its_children():
    class Own(L.SpectralNorm):
        pass

    x = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")
    networks = [mg.Sequential([kind(L.Linear(4, 3))], rng=0) for kind in (Own, L.SpectralNorm)]
    with mg.kernels.use_backend("numba"):
        (own, _), (expected, _) = (network.forward(x) for network in networks)
    np.testing.assert_allclose(own, expected, rtol=1e-5)
