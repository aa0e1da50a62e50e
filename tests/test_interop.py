"""Networks in PyTorch, JAX and safetensors, and back: the same numbers to 1e-12 in float64.

MINIGAN_SEEDS=3 pytest tests/test_interop.py     for more shapes
"""

import os
import sys

import numpy as np
import pytest
from minigan.stabilisers import DiscreteNoise, InstanceNoise, Pack, WithInput

import minigan as mg
from minigan import interop, models
from minigan import layers as L
from minigan.layers.composite import walk
from minigan.layers.conditional import LabelPlanes, OneHot, Projection, WithCode
from minigan.layers.residual import Identity
from minigan.models.interop.torch_layouts import encoded, named_tensors, places

SEEDS = range(int(os.environ.get("MINIGAN_SEEDS", 1)))


@pytest.fixture(autouse=True)
def numpy_alone():
    """The backends are compared elsewhere; here nothing is compiled."""
    with mg.kernels.use_backend("numpy"):
        yield


def drawn(rng, low=1, high=6):
    return int(rng.integers(low, high))


def convolution(kind, rng, channels):
    kernel = drawn(rng, 1, 5), drawn(rng, 1, 5)
    options = {"stride": drawn(rng, 1, 4), "padding": drawn(rng, 0, min(kernel) // 2 + 1)}
    return kind(channels, drawn(rng), kernel, bias=bool(rng.integers(2)), **options)


# layer -> what makes (layers, shape of a batch) from random numbers; n samples, c features
ROWS = {
    "Linear": lambda r, n, c: ([L.Linear(c, drawn(r), bias=bool(r.integers(2)))], (n, c)),
    "BatchNorm": lambda r, n, c: ([L.BatchNorm(c, eps=1e-3, momentum=0.3)], (n, c)),
    "LayerNorm": lambda r, n, c: ([L.LayerNorm(c, eps=1e-3)], (n, c)),
    "ReLU": lambda r, n, c: ([L.ReLU()], (n, c)),
    "LeakyReLU": lambda r, n, c: ([L.LeakyReLU(r.uniform())], (n, c)),
    "Tanh": lambda r, n, c: ([L.Tanh()], (n, c)),
    "Sigmoid": lambda r, n, c: ([L.Sigmoid()], (n, c)),
    "Softplus": lambda r, n, c: ([L.Softplus(), L.Rescale(1.0)][:1], (n, c)),
    "SiLU": lambda r, n, c: ([L.SiLU()], (n, c)),
    "Identity": lambda r, n, c: ([Identity()], (n, c)),
    "Dropout": lambda r, n, c: ([L.Linear(c, 3), L.Dropout(0.0)], (n, c)),
    "Embedding": lambda r, n, c: ([L.Embedding(c, drawn(r))], None),
    "SpectralNorm": lambda r, n, c: ([L.SpectralNorm(L.Linear(c, drawn(r)))], (n, c)),
    "nested": lambda r, n, c: (
        [mg.Sequential([L.Linear(c, 4), mg.Sequential([L.Tanh()])]), L.Linear(4, 2)], (n, c),
    ),
    "reshaped": lambda r, n, c: (
        [L.Linear(c, 24), L.BatchNorm(24), L.LeakyReLU(), L.Reshape((2, 4, 3)), L.BatchNorm(3),
         L.ConvTranspose2d(3, 2, 3), L.LayerNorm(2), L.Flatten(), L.LayerNorm(48),
         L.SpectralNorm(L.Linear(48, 5)), L.Reshape(5)], (n, c),
    ),
    "embedded": lambda r, n, c: (
        [L.Embedding(c, 12), L.Tanh(), L.Reshape((2, 2, 3)), L.Conv2d(3, 2, 2)], None,
    ),
    "spectral image": lambda r, n, c: (
        [L.SpectralNorm(L.Linear(c, 12)), L.ReLU(), L.Reshape((2, 2, 3)), L.Conv2d(3, 1, 1)], (n, c)
    ),
}  # fmt: skip
IMAGES = {
    "Conv2d": lambda r, s, c: ([convolution(L.Conv2d, r, c)], s),
    "ConvTranspose2d": lambda r, s, c: ([convolution(L.ConvTranspose2d, r, c)], s),
    "Upsample2d": lambda r, s, c: ([L.Upsample2d(drawn(r, 1, 4))], s),
    "AvgPool2d": lambda r, s, c: ([L.AvgPool2d(2)], (s[0], 4, 6, c)),
    "BatchNorm images": lambda r, s, c: ([L.Conv2d(c, 2, 1), L.BatchNorm(2)], s),
    "BatchNorm first": lambda r, s, c: ([L.BatchNorm(c), L.ReLU(), L.Conv2d(c, 2, 1)], s),
    "LayerNorm images": lambda r, s, c: ([L.LayerNorm(c), L.Conv2d(c, 2, 1)], s),
    "Flatten": lambda r, s, c: (
        [L.Conv2d(c, 3, 2), L.Tanh(), L.Flatten(), L.BatchNorm(3 * (s[1] - 1) * (s[2] - 1)),
         L.Linear(3 * (s[1] - 1) * (s[2] - 1), 2)], s,
    ),
    "SpectralNorm of Conv2d": lambda r, s, c: ([L.SpectralNorm(L.Conv2d(c, 3, (2, 3)))], s),
    "SpectralNorm of ConvTranspose2d": lambda r, s, c: (
        [L.SpectralNorm(L.ConvTranspose2d(c, 3, (3, 2), stride=2))], s,
    ),
}  # fmt: skip


CODED = {  # layers with rows in minigan's order, and layers inside layers; c + 2 features, c >= 1
    "Residual": lambda r, n, c: ([L.Residual(L.Linear(c, 3), L.Linear(c, 3)), L.Tanh()], (n, c)),
    "MinibatchStdDev": lambda r, n, c: ([L.MinibatchStdDev(), L.Linear(c + 1, 2)], (n, c)),
    "MinibatchDiscrimination": lambda r, n, c: (
        [L.MinibatchDiscrimination(c, drawn(r), drawn(r)), L.Tanh()], (n, c)),
    "FourierFeatures": lambda r, n, c: ([WithInput(L.FourierFeatures(c, 3, std=0.1))], (n, c)),
    "LogitWithFeatures": lambda r, n, c: (
        [L.Linear(c, 4), L.LogitWithFeatures(L.Linear(4, 1))], (n, c)),
    "OneHot": lambda r, n, c: ([OneHot(3, scale=2.0), WithCode(L.Linear(c + 3, 2), 3, whole=True)],
                               (n, c + 3)),
    "OneHot, learned": lambda r, n, c: ([OneHot(3, learned=True)], (n, c + 3)),
    "Projection": lambda r, n, c: ([WithCode(L.Linear(c, 4), 3), Projection(3)], (n, c + 3)),
    "LabelPlanes": lambda r, n, c: ([LabelPlanes((2, 3, c), 2), L.Conv2d(c + 2, 2, 2)],
                                    (n, 6 * c + 2)),
    "ConditionalBatchNorm": lambda r, n, c: (
        [L.ConditionalBatchNorm((2, 3, c), 2, eps=1e-3, momentum=0.3),
         WithCode(mg.Sequential([L.Reshape((2, 3, c)), L.ConvTranspose2d(c, 2, 2), L.Tanh()]), 2)],
        (n, 6 * c + 2)),
    "DiscreteNoise": lambda r, n, c: ([DiscreteNoise(c), InstanceNoise(0.0)], (n, c + 1)),
    "Pack": lambda r, n, c: ([Pack(2), L.Linear(2 * c, 2)], (n, c)),
    "Rescale": lambda r, n, c: ([L.Rescale(0.7)], (n, c)),
    "Reshape": lambda r, n, c: ([L.Reshape((2, c)), L.Flatten(), L.Linear(2 * c, 2)], (n, 2 * c)),
    "images of rows": lambda r, n, c: (
        [L.Reshape((2, 3, c)), L.Conv2d(c, 2, 1), L.Reshape((3, 1, 4)), L.Tanh(), L.Flatten()],
        (n, 6 * c)),
}  # fmt: skip
IMAGES |= {
    "Residual images": lambda r, s, c: (
        [L.Residual(mg.Sequential([L.ReLU(), L.SpectralNorm(L.Conv2d(c, 2, 3, padding=1))]),
                    L.Conv2d(c, 2, 1)), L.BatchNorm(2), L.Flatten(),
         L.Linear(2 * s[1] * s[2], 2)], s),
    "Residual inside": lambda r, s, c: (
        [L.Conv2d(c, 3, 1),
         L.Residual(mg.Sequential([L.BatchNorm(3), L.Residual(L.Conv2d(3, 3, 1))]))], s),
    "MinibatchStdDev images": lambda r, s, c: (
        [L.Conv2d(c, 2, 1), L.MinibatchStdDev(), L.Flatten(), L.Linear(3 * s[1] * s[2], 2)], s),
    "SelfAttention": lambda r, s, c: ([L.SelfAttention(c), L.Conv2d(c, 1, 2)], s),
    "Random": lambda r, s, c: (
        [L.RandomTranslation(0.0), L.RandomCutout(0.0), L.RandomBrightness(0.0), L.Conv2d(c, 1, 1)],
        s),
}  # fmt: skip


def case(name, seed):
    """(network in float64 with weights and statistics of its own, x)."""
    rng = np.random.default_rng(seed)
    make = (ROWS | IMAGES | CODED)[name]
    n, channels = drawn(rng, 3), drawn(rng)
    if name in IMAGES:
        layers, shape = make(rng, (n, drawn(rng, 4, 7), drawn(rng, 4, 7), channels), channels)
    else:
        layers, shape = make(rng, n, channels)
    network = mg.Sequential(layers, dtype="float64", rng=rng)
    network.theta += 0.3 * rng.standard_normal(network.theta.size)
    for name, value in network.named_buffers():
        if name.endswith("offset"):  # 0 at first
            value[...] = rng.standard_normal(value.shape)
    x = rng.integers(channels, size=5) if shape is None else rng.standard_normal(shape)
    with np.errstate(all="ignore"):
        network.forward(x)  # moves the statistics and the vectors
    return network, x


def close(found, expected, what=""):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape and found.dtype == expected.dtype, what
    size = 1 + np.abs(expected).max(initial=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * size, err_msg=what)


# -- PyTorch ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torch():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def channels_first(torch, array):
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)) if array.ndim == 4
                            else array.copy())  # fmt: skip


def channels_last(tensor):
    array = tensor.detach().numpy()
    return np.moveaxis(array, 1, -1) if array.ndim == 4 else array


def compare(torch, network, module, x, training, channels=None):
    """Outputs, the gradients of x and of all weights, and the buffers afterwards."""
    y, caches = network.forward(x, training)
    dy = np.random.default_rng(9).standard_normal(y.shape)
    network.zero_grad()
    dx = network.backward(dy, caches)
    module.train(training)
    module.zero_grad()
    x_there = channels_first(torch, x)
    if x.dtype.kind == "f":
        x_there.requires_grad_()
    y_there = module(x_there)
    y_there.backward(channels_first(torch, dy))
    close(channels_last(y_there), y, "y")
    if x.dtype.kind == "f":
        close(channels_last(x_there.grad), dx, "dx")
    gradients = network.copy()
    gradients.theta = network.grad
    parameters = dict(module.named_parameters())
    for name, tensor in named_tensors(places("", gradients, channels)):
        if name in parameters:
            close(parameters.pop(name).grad, encoded(tensor), f"gradient of {name}")
    assert not parameters
    state = module.state_dict()
    for name, tensor in named_tensors(places("", network, channels)):
        close(state[name], encoded(tensor), name)


def names_inside(network):
    return {type(layer).__name__ for _, layer in walk(network)}


def test_every_layer_is_in_a_case():
    """So a new layer is converted, or this test names it."""
    own = {n for n, k in models.described.known().items() if issubclass(k, L.Layer)}
    assert own == set().union(*(names_inside(case(n, 0)[0]) for n in (ROWS | IMAGES | CODED)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [*ROWS, *IMAGES, *CODED])
def test_torch(name, seed, torch):
    """In evaluation, and in three training passes of which the last two have other weights."""
    network, x = case(name, seed)
    module = interop.to_torch(network)
    assert isinstance(module, torch.nn.Sequential)
    compare(torch, network, module, x, False)
    compare(torch, network, module, x, True)
    moved = network.copy()
    for _ in range(2):
        moved.theta = 1.1 * network.theta + 0.1
        network.theta = moved.theta
        with torch.no_grad():
            values = dict(module.named_parameters())
            for key, tensor in named_tensors(places("", network, None)):
                if key in values:
                    values[key].copy_(torch.from_numpy(encoded(tensor).copy()))
        compare(torch, network, module, x, True)
    again = interop.from_torch(module)
    assert again.theta.tobytes() == network.theta.tobytes()
    assert names_inside(again) == names_inside(network) or "reshaped" in name
    again = again if again.dtype == np.float64 else again.copy("float64")  # it had no arrays
    for (_, value), (_, other) in zip(network.named_buffers(), again.named_buffers()):
        close(other, value)
    for training in (False, True):
        close(again.forward(x, training)[0], network.forward(x, training)[0])


def test_spectral_norm_of_torch(torch):
    """It moves its vectors in another order, so in training the two agree once they are found."""
    module = torch.nn.Sequential(
        torch.nn.utils.parametrizations.spectral_norm(torch.nn.Conv2d(2, 3, (2, 3)))
    ).double()
    network = interop.from_torch(module)
    x = np.random.default_rng(0).standard_normal((4, 5, 6, 2))
    compare(torch, network, module, x, False)
    for _ in range(2000):
        network.layers[0].iterate()
    again = interop.to_torch(network)
    module.load_state_dict(again.state_dict())
    compare(torch, network, module, x, True)


@pytest.mark.parametrize(
    "layer", [L.RandomTranslation(0.4, fill=2.0), L.RandomCutout(0.5, fill=2.0),
              L.RandomBrightness(0.5), InstanceNoise(0.5), L.Dropout(0.4)],
)  # fmt: skip
def test_random_layers_of_torch_have_the_same_distribution(layer, torch):
    """The mean and the mean square of each pixel."""
    torch.manual_seed(0)
    network = mg.Sequential([layer], dtype="float64", rng=0)
    x = np.arange(20.0).reshape(1, 5, 4, 1).repeat(20_000, 0) / 20
    y, _ = network.forward(x)
    y_there = channels_last(interop.to_torch(network).train()(channels_first(torch, x)))
    for power in (1, 2):
        np.testing.assert_allclose((y_there**power).mean(0), (y**power).mean(0), atol=0.07)


CRITICS = {
    name: getattr(models, f"{name}_discriminator")
    for name in ("projection", "concatenation", "auxiliary")
}


@pytest.mark.parametrize("pair", ["dcgan", "dcgan, deep", "mlp", "residual", *CRITICS])
def test_whole_networks(pair, torch):
    g, d = {
        "dcgan": lambda: (
            models.dcgan_generator(3, channels=2), models.dcgan_discriminator(channels=2)),
        "dcgan, deep": lambda: (
            models.dcgan_generator(3, channels=2, convolutions=3, hidden=(5,)),
            models.dcgan_discriminator(channels=2, convolutions=3, hidden=(5,))),
        "mlp": lambda: (
            models.mlp_generator(3, (4, 2, 3)), models.mlp_discriminator((4, 2, 3))),
        "residual": lambda: (
            models.residual_generator(3, channels=2), models.residual_discriminator(channels=2)),
    }.get(pair, lambda: (
        models.conditional_generator(1, 2, channels=2), CRITICS[pair](2, channels=2)
    ))()  # fmt: skip
    of_images = 3 if pair == "mlp" else None
    made, _ = g.forward(np.ones((4, 3)), training=False)
    rng = np.random.default_rng(1)
    for network, channels, shape in ((g, None, (4, 3)), (d, of_images, made.shape)):
        network, x = network.copy("float64"), rng.standard_normal(shape)
        module = interop.to_torch(network, channels=channels)
        for training in (True, False):
            compare(torch, network, module, x, training, channels)
        again = interop.from_torch(module, channels=channels)
        assert again.theta.tobytes() == network.theta.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_module_of_torch(dtype, torch):
    """One that was not made by to_torch."""
    nn = torch.nn
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), stride=2, padding=1), nn.BatchNorm2d(4), nn.LeakyReLU(0.1),
        nn.Sequential(nn.Upsample(scale_factor=2), nn.AvgPool2d(2)), nn.Flatten(),
        nn.BatchNorm1d(36), nn.utils.parametrizations.spectral_norm(nn.Linear(36, 6)), nn.SiLU(),
        nn.LayerNorm(6), nn.Linear(6, 18, bias=False), nn.Unflatten(1, (2, 3, 3)), nn.ReLU(),
        nn.ConvTranspose2d(2, 3, 4, stride=2, padding=1), nn.GroupNorm(1, 3), nn.Tanh(),
    ).to(getattr(torch, dtype))  # fmt: skip
    x = torch.randn(5, 2, 6, 5, dtype=getattr(torch, dtype))
    for _ in range(3):
        module(x)
    network = interop.from_torch(module)
    assert network.dtype == dtype
    module.eval()
    y, _ = network.forward(channels_last(x), training=False)
    atol = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(y, channels_last(module(x)), atol=atol)
    if dtype == "float64":
        compare(torch, network, module, channels_last(x), False)


def test_a_module_that_is_there_twice(torch):
    """As an activation often is: both times count."""
    nn, slope = torch.nn, torch.nn.LeakyReLU(0.1)
    inner = nn.Sequential(nn.Tanh(), slope)
    module = nn.Sequential(nn.Linear(3, 4), slope, nn.Linear(4, 2), slope, inner, inner)
    network = interop.from_torch(module)
    assert len(network.layers) == 6
    x = np.linspace(-2, 2, 15, dtype=np.float32).reshape(5, 3)
    y, _ = network.forward(x, training=False)
    np.testing.assert_allclose(y, module(torch.tensor(x)).detach().numpy(), atol=1e-6)


def with_hook(torch):
    module = torch.nn.Sequential(torch.nn.Linear(2, 2))
    module[0].register_forward_hook(lambda module, x, y: 2 * y)
    return module


def used_twice(torch):
    linear = torch.nn.Linear(2, 2)
    return torch.nn.Sequential(linear, torch.nn.Tanh(), linear)


def with_tied_weights(torch):
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    module[1].weight = module[0].weight
    return module


def with_old_spectral_norm(torch):
    return torch.nn.Sequential(torch.nn.utils.spectral_norm(torch.nn.Linear(2, 2)))


def of_ones_own(torch, base):
    """A module of a class with the name of torch's own, whose forward pass is another."""
    forward = base.forward
    kind = type(base.__name__, (base,), {"forward": lambda self, x: 2 * forward(self, x)})
    return kind(2, 2) if base is torch.nn.Linear else kind(torch.nn.Tanh())


class OfOnesOwn(L.Tanh):
    pass


def with_a_sequential(torch):
    class Generator(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.main = torch.nn.Sequential(torch.nn.Linear(2, 2))

    return Generator()


def refused(torch, make, message):
    with pytest.raises((TypeError, ValueError)) as raised:
        make(torch)
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda t: interop.to_torch(3), "to_torch: network must be a Sequential, got 3"),
        (lambda t: interop.to_torch(mg.Sequential([L.Residual(OfOnesOwn())])),
         "to_torch: OfOnesOwn() has no counterpart in PyTorch"),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.Flatten(), t.nn.Linear(4, 2))),
         "from_torch: Flatten() needs the number of channels of its images: pass channels="),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.Conv2d(2, 2, 1), t.nn.Flatten())),
         "the features of flattened images must reach a linear layer or an Unflatten first"),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.Unflatten(1, (2, 3, 3)))),
         "Reshape((3, 3, 2)) must follow a linear layer, to order its rows"),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.Conv2d(2, 2, 1), t.nn.LayerNorm(5))),
         "minigan has one of rows, with a bias"),
        (lambda t: interop.from_torch(t.nn.Sequential(
            t.nn.utils.parametrizations.weight_norm(t.nn.Linear(2, 2)))),
         "of the parametrizations, minigan has spectral_norm alone"),
        (lambda t: interop.from_torch(t.nn.Linear(2, 2)), "module must be a torch.nn.Sequential"),
        (lambda t: interop.from_torch(with_a_sequential(t)), "; it has one in .main"),
        (lambda t: interop.from_torch(t.nn.Sequential()), "at least one layer"),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.GRU(2, 2))), "GRU(2, 2) has no counter"),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.Conv2d(2, 2, 1, groups=2))),
         "minigan has groups=1 alone, got 2"),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.Conv2d(2, 2, 3, stride=(1, 2)))),
         "stride must be the same for both axes"),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.BatchNorm1d(2, affine=False))),
         "minigan has affine=True alone, got False"),
        (lambda t: interop.from_torch(t.nn.Sequential(t.nn.Linear(2, 2).half())), "float16"),
        (lambda t: interop.from_torch(used_twice(t)), "0.weight and 2.weight are one parameter"),
        (lambda t: interop.from_torch(with_tied_weights(t)),
         "0.weight and 1.weight are one parameter; in minigan, each layer has its own"),
        (lambda t: interop.from_torch(with_hook(t)), "has a forward hook"),
        (lambda t: interop.from_torch(with_old_spectral_norm(t)),
         "take torch.nn.utils.parametrizations.spectral_norm"),
        (lambda t: interop.from_torch(t.nn.Sequential(of_ones_own(t, t.nn.Linear))),
         "Linear(in_features=2, out_features=2, bias=True) has no counterpart in minigan"),
        (lambda t: interop.from_torch(of_ones_own(t, t.nn.Sequential)),
         "(0): Tanh() ) has no counterpart in minigan"),
    ],
)  # fmt: skip
def test_what_torch_or_minigan_has_not(make, message, torch):
    refused(torch, make, message)


# -- JAX -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax")
    options = "jax_enable_x64", "jax_disable_most_optimizations"  # the second: to compile quickly
    for option in options:
        jax.config.update(option, True)
    yield jax
    for option in options:
        jax.config.update(option, False)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [*ROWS, *IMAGES, *CODED])
def test_jax(name, seed, jax):
    network, x = case(name, seed)
    tree, apply = interop.to_jax(network)
    for training in (False, True, True):
        y, caches = network.forward(x, training)
        dy = np.random.default_rng(9).standard_normal(y.shape)
        network.zero_grad()
        dx = network.backward(dy, caches)

        def value(params, x, training=training, dy=dy):
            y = apply({**tree, "params": params}, x, training)
            y, moved = y if training else (y, tree)
            return (dy * y).sum(), (y, moved)

        inputs = (0, 1) if x.dtype.kind == "f" else (0,)
        run = jax.jit(jax.value_and_grad(value, inputs, has_aux=True))
        (_, (y_there, moved)), (gradients, *dx_there) = run(tree["params"], jax.numpy.array(x))
        close(y_there, y, "y")
        for found in dx_there:
            close(found, dx, "dx")
        for parameter, _, gradient in network.named_parameters():
            close(gradients[parameter], gradient, parameter)
        for buffer, kept in network.named_buffers():
            close(moved["buffers"][buffer], kept, buffer)
        network.theta *= 1.1  # so that spectral norm iterates again
        params = {parameter: 1.1 * value for parameter, value in tree["params"].items()}
        tree = {**moved, "params": params}
    again = interop.from_jax(tree, mg.Sequential(network.copy().layers, dtype="float64", rng=5))
    assert again.theta.tobytes() == network.theta.tobytes()
    close(again.forward(x)[0], network.forward(x)[0])


def test_jax_compiled_and_refused(jax):
    network = mg.Sequential([L.Linear(2, 3), L.Dropout(0.5)], dtype="float64")
    tree, apply = interop.to_jax(network)
    x = np.ones((4, 2))
    close(jax.jit(apply)(tree, x), network.forward(x, training=False)[0])
    with pytest.raises(ValueError, match="Dropout\\(0.5\\) draws random numbers in training"):
        apply(tree, x, training=True)
    with pytest.raises(TypeError, match="to_jax: OfOnesOwn.* has no counterpart in JAX"):
        interop.to_jax(mg.Sequential([L.Residual(OfOnesOwn())]))
    with pytest.raises(ValueError, match=r"params 0.bias must have shape \(3,\), got None"):
        interop.from_jax({}, network)
    with pytest.raises(ValueError, match=r"params 0.bias must have shape \(3,\), got None"):
        interop.from_jax({"params": None}, network)
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match="to_jax: for float64, jax.config.update"):
            interop.to_jax(network)
    finally:
        jax.config.update("jax_enable_x64", True)


# -- safetensors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["reshaped", "Flatten", "SpectralNorm of Conv2d", "nested"])
def test_safetensors(name, torch, tmp_path):
    files = pytest.importorskip("safetensors.torch")
    network, x = case(name, 0)
    path = tmp_path / "network.safetensors"
    interop.save_safetensors(network, path)
    state, module = files.load_file(path), interop.to_torch(network)
    assert list(sorted(state)) == sorted(module.state_dict())
    module.load_state_dict(state)
    compare(torch, network, module, x, False)
    again = network.copy()
    again.theta = 0.0 * again.theta
    assert interop.load_safetensors(path, again) is again
    assert again.theta.tobytes() == network.theta.tobytes()
    close(again.forward(x, False)[0], network.forward(x, False)[0])
    files.save_file(module.state_dict(), path)  # what PyTorch wrote is read too
    assert interop.load_safetensors(path, again).theta.tobytes() == network.theta.tobytes()


def test_safetensors_that_cannot_be_written(tmp_path):
    pytest.importorskip("safetensors")
    network = mg.Sequential([L.Linear(2, 2)])
    with pytest.raises(OSError, match=f"save_safetensors: {tmp_path} was not written: "):
        interop.save_safetensors(network, tmp_path)


def test_safetensors_of_something_else(tmp_path):
    pytest.importorskip("safetensors")
    network, path = mg.Sequential([L.Linear(2, 3)]), tmp_path / "file.safetensors"
    with pytest.raises(FileNotFoundError):
        interop.load_safetensors(path, network)
    path.write_bytes(b"hello" * 20)
    with pytest.raises(ValueError, match="is no safetensors file"):
        interop.load_safetensors(path, network)
    interop.save_safetensors(mg.Sequential([L.Linear(2, 3, bias=False)]), path)
    with pytest.raises(ValueError, match="is of another network: 0.bias"):
        interop.load_safetensors(path, network)
    interop.save_safetensors(mg.Sequential([L.Linear(3, 3)]), path)
    before = network.theta.copy()
    with pytest.raises(ValueError, match=r"0.weight must have shape \(3, 2\), got \(3, 3\)"):
        interop.load_safetensors(path, network)
    assert np.array_equal(network.theta, before)


@pytest.mark.parametrize(
    "package, call",
    [
        ("torch", lambda n, p: interop.to_torch(n)),
        ("torch", lambda n, p: interop.from_torch(n)),
        ("jax", lambda n, p: interop.to_jax(n)),
        ("safetensors", lambda n, p: interop.save_safetensors(n, p)),
        ("safetensors", lambda n, p: interop.load_safetensors(p, n)),
    ],
)
def test_a_package_that_is_not_installed(package, call, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError) as raised:
        call(mg.Sequential([L.Linear(2, 3)]), tmp_path / "file")
    said = str(raised.value)
    assert f"needs {package}, which cannot be imported" in said and "pip install" in said
    assert "\n" not in said
