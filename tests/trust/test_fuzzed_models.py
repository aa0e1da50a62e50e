"""Damaged and hostile files of models: the right model or one ValueError that names the file.

MINIGAN_FUZZ=10000 pytest tests/trust/test_fuzzed_models.py     for more of them
"""

import json
import os
import pickle
import random
import tracemalloc
from io import BytesIO

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan import models, stabilisers
from minigan.layers.composite import Composite
from minigan.layers.conditional import LabelPlanes, OneHot, Projection, WithCode
from minigan.layers.residual import Identity

from .spoiled import Bomb, claims, damage, rebuilt

FUZZED = int(os.environ.get("MINIGAN_FUZZ", 200))

# one of each public layer, and the shape of a batch for it
LAYERS = {
    "AvgPool2d": (lambda: L.AvgPool2d(2), (4, 4, 6, 2)),
    "BatchNorm": (lambda: L.BatchNorm(2, eps=1e-4, momentum=0.2), (4, 3, 2, 2)),
    "ConditionalBatchNorm": (lambda: L.ConditionalBatchNorm((2, 3), 2, momentum=0.3), (4, 8)),
    "Conv2d": (lambda: L.Conv2d(2, 3, (2, 3), stride=2, padding=1, bias=False), (4, 5, 4, 2)),
    "ConvTranspose2d": (lambda: L.ConvTranspose2d(2, 3, 4, stride=2, padding=1), (4, 3, 2, 2)),
    "DiscreteNoise": (lambda: stabilisers.DiscreteNoise(2), (4, 3)),
    "Dropout": (lambda: L.Dropout(0.3), (4, 3)),
    "Embedding": (lambda: L.Embedding(3, 2), None),
    "Flatten": (lambda: L.Flatten(), (4, 2, 3, 2)),
    "FourierFeatures": (lambda: L.FourierFeatures(2, 3, scale=0.5), (4, 2)),
    "Identity": (lambda: Identity(), (4, 2)),
    "InstanceNoise": (lambda: stabilisers.InstanceNoise(0.3), (4, 2)),
    "LabelPlanes": (lambda: LabelPlanes((2, 3, 1), 4), (4, 10)),
    "LayerNorm": (lambda: L.LayerNorm(3, eps=1e-4), (4, 3)),
    "LeakyReLU": (lambda: L.LeakyReLU(0.1), (4, 3)),
    "Linear": (lambda: L.Linear(3, 2, bias=False), (4, 3)),
    "LogitWithFeatures": (lambda: L.LogitWithFeatures(L.Linear(3, 1)), (4, 3)),
    "MinibatchDiscrimination": (lambda: L.MinibatchDiscrimination(3, 2, 4), (4, 3)),
    "MinibatchStdDev": (lambda: L.MinibatchStdDev(eps=1e-6), (4, 3)),
    "OneHot": (lambda: OneHot(3, scale=2.0, learned=True), (4, 5)),
    "Pack": (lambda: stabilisers.Pack(2), (4, 3)),
    "Projection": (lambda: Projection(2), (4, 5)),
    "RandomBrightness": (lambda: L.RandomBrightness(0.3), (4, 3, 3, 1)),
    "RandomCutout": (lambda: L.RandomCutout(0.3, fill=-1.0), (4, 3, 3, 1)),
    "RandomTranslation": (lambda: L.RandomTranslation(0.3, fill=-1.0), (4, 3, 3, 1)),
    "ReLU": (lambda: L.ReLU(), (4, 3)),
    "Rescale": (lambda: L.Rescale(-0.3), (4, 3)),
    "Reshape": (lambda: L.Reshape((3, -1)), (4, 6)),
    "Residual": (lambda: L.Residual(L.Linear(3, 2), L.Linear(3, 2)), (4, 3)),
    "SelfAttention": (lambda: L.SelfAttention(8), (4, 2, 3, 8)),
    "Sequential": (lambda: mg.Sequential([L.Linear(3, 2), L.Tanh()]), (4, 3)),
    "SiLU": (lambda: L.SiLU(), (4, 3)),
    "Sigmoid": (lambda: L.Sigmoid(), (4, 3)),
    "Softplus": (lambda: L.Softplus(), (4, 3)),
    "SpectralNorm": (lambda: L.SpectralNorm(L.Conv2d(2, 3, 2)), (4, 3, 3, 2)),
    "Tanh": (lambda: L.Tanh(), (4, 3)),
    "Upsample2d": (lambda: L.Upsample2d(2), (4, 3, 2, 2)),
    "WithCode": (lambda: WithCode(L.Linear(3, 2), 1, whole=True), (4, 3)),
    "WithInput": (lambda: stabilisers.WithInput(L.Linear(3, 2)), (4, 3)),
}


def test_every_layer_is_here():
    of_layers = {n for n, kind in models.described.known().items() if issubclass(kind, L.Layer)}
    bases = {"Composite", "FlatVectors", "PiecewiseLinearLayer"}
    assert of_layers - bases == set(LAYERS) and Composite.__name__ in bases


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_there_and_back(name, dtype, tmp_path):
    make, shape = LAYERS[name]
    rng = np.random.default_rng(0)
    x = np.array([0, 2, 1]) if shape is None else rng.standard_normal(shape)
    network = mg.Sequential([make()], dtype=dtype, rng=1)
    network.theta += rng.standard_normal(network.theta.shape)
    network.forward(x)  # moves running statistics and vectors
    network.save(tmp_path / "layer.npz")
    again = mg.load(tmp_path / "layer.npz")
    assert repr(again) == repr(network) and models.describe(again) == models.describe(network)
    assert again.theta.tobytes() == network.theta.tobytes() and again.dtype == network.dtype
    for (buffer, value), (other, found) in zip(network.named_buffers(), again.named_buffers()):
        assert (buffer, value.tobytes()) == (other, found.tobytes())
    # in training, a loaded SpectralNorm begins with a power iteration
    for training in (False, True) if name != "SpectralNorm" else (False,):
        y, y_again = (net.forward(x, training)[0] for net in (network, again))
        assert y.tobytes() == y_again.tobytes()


@pytest.fixture(scope="module")
def gan():
    generator = mg.Sequential([L.Linear(2, 3), L.BatchNorm(3), L.ReLU(), L.Linear(3, 2)], rng=1)
    critic = mg.Sequential([L.FourierFeatures(2, 3), L.SpectralNorm(L.Linear(6, 1))], rng=2)
    penalties = [mg.penalties.R1(0.1)]
    return mg.GAN(generator, critic, latent_dim=2, loss=mg.losses.Hinge(), penalties=penalties)


@pytest.fixture(scope="module")
def saved(gan, tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "gan.npz"
    gan.save(file)
    return file.read_bytes()


def state(gan):
    arrays = [gan.generator.theta, gan.discriminator.theta]
    arrays += [a for g in (gan.generator, gan.discriminator) for _, a in g.named_buffers()]
    return [a.tobytes() for a in arrays], repr(gan)


def facts(saved):
    with np.load(BytesIO(saved)) as arrays:
        return json.loads(arrays["header"].tobytes())


def packed(header):
    return {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)}


def test_damage(gan, saved, tmp_path):
    """Bits of the file; then parts of its JSON, as a file with valid checksums."""
    file, rng = tmp_path / "damaged.npz", random.Random(0)
    header = json.dumps(facts(saved)).encode()
    for number in range(FUZZED):
        if number % 2:
            content = damage(saved, rng)
        else:
            content = rebuilt(saved, header=np.frombuffer(damage(header, rng), np.uint8))
        file.write_bytes(content)
        try:
            found = mg.load(file)
        except ValueError as error:
            assert str(file) in str(error) and "\n" not in str(error), number
        else:  # what was hit is not read, or a number that may as well be another
            assert number % 2 == 0 or state(found) == state(gan), number
            assert isinstance(found, mg.GAN), number


STRANGE = [
    None, True, -1, 0, 1, 3, 2**20, 2**40, 2**63, 10**400, 0.5, -2.5, 1e308, "", "Linear", [], {},
    [0], {"type": "Linear"}, {"type": "os.system"}, [[[]]],
    {"type": "Linear", "in_features": 2, "out_features": 2, "bias": True},
    {"type": "Linear", "in_features": 2**20, "out_features": 2**20, "bias": True},
    {"type": "Dropout", "p": 0.5}, {"type": "FourierFeatures", "in_features": 2**30,
    "num_frequencies": 2**30, "scale": 1.0}, {"type": "Composite", "children": []},
]  # fmt: skip


def places(value, path=()):
    """Yields the path of every value inside a JSON value."""
    yield path
    items = enumerate(value) if isinstance(value, list) else getattr(value, "items", tuple)()
    for key, inner in items:
        yield from places(inner, (*path, key))


def test_strange_values(saved, tmp_path):
    """Any value of the header replaced by any other: one clear error, or something that loads; and
    no memory beyond the file's size."""
    file, rng = tmp_path / "strange.npz", random.Random(1)
    header = facts(saved)
    everywhere = [path for path in places(header) if path]
    for number in range(FUZZED):
        changed = json.loads(json.dumps(header))
        *path, last = rng.choice(everywhere)
        inner = changed
        for key in path:
            inner = inner[key]
        inner[last] = rng.choice(STRANGE)
        file.write_bytes(rebuilt(saved, **packed(changed)))
        tracemalloc.start()
        try:
            mg.load(file)
        except ValueError as error:
            assert str(file) in str(error) and "\n" not in str(error), (number, path, last)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        # the text of the header and the objects of two small networks; 80 kB measured
        assert peak < file.stat().st_size + 5e5, (number, path, last, inner[last])


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("size", [2**14, 2**31, 2**62])
def test_no_layer_takes_memory_that_the_file_has_not(name, size, tmp_path):
    make, _ = LAYERS[name]
    mg.Sequential([make()], rng=1).save(tmp_path / "small.npz")
    saved = (tmp_path / "small.npz").read_bytes()
    header = facts(saved)
    for path in places(header["architecture"]["layers"]):
        changed = json.loads(json.dumps(header))
        inner = changed["architecture"]["layers"]
        for key in path[:-1]:
            inner = inner[key]
        if not path or type(inner[path[-1]]) is not int:
            continue
        inner[path[-1]] = size
        (tmp_path / "large.npz").write_bytes(rebuilt(saved, **packed(changed)))
        tracemalloc.start()
        try:
            mg.load(tmp_path / "large.npz")
        except ValueError as error:
            assert "large.npz" in str(error)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 1e6, path


def header(saved, **changes):
    return packed({k: v for k, v in (facts(saved) | changes).items() if v is not ...})


def layers(saved, *layers):
    found = facts(saved)
    found["architecture"]["generator"]["layers"] = list(layers)
    return packed(found)


def nested(depth):
    part = {"type": "Tanh"}
    for _ in range(depth):
        part = {"type": "Residual", "branch": part, "skip": {"type": "Identity"}}
    return part


def twister(**inside):
    return {"bit_generator": "MT19937", "state": {"key": [1] * 624, "pos": 0} | inside}


def philox(place):
    state = np.random.Philox(0).state
    inner = {name: value.tolist() for name, value in state["state"].items()}
    return state | {"state": inner, "buffer": [0] * 4, "buffer_pos": place}


HOSTILE = {
    "newer": (
        lambda s: header(s, version=2),
        "expected version 1 of the format, got 2, written by a newer minigan; update minigan",
    ),
    "a checkpoint": (
        lambda s: header(s, format="minigan checkpoint"),
        "expected the format \"minigan model\", got 'minigan checkpoint'",
    ),
    "not JSON": (lambda s: {"header": np.frombuffer(b"{", np.uint8)}, "expected a header of JSON"),
    "deep JSON": (
        lambda s: {"header": np.frombuffer(b"[" * 10**5, np.uint8)}, "expected a header of JSON",
    ),
    "no architecture": (lambda s: header(s, architecture=...), "expected a complete header"),
    "unknown layer": (
        lambda s: layers(s, {"type": "Attention"}), "unknown part 'Attention'; if it is of your",
    ),
    "a module": (lambda s: layers(s, {"type": "os.system", "command": "ls"}), "unknown part 'os."),
    "no type": (lambda s: layers(s, {"in_features": 2}), "unknown part None"),
    "an argument more": (lambda s: layers(s, {"type": "Tanh", "x": 1}), "Tanh has no argument 'x'"),
    "a loss as layer": (lambda s: layers(s, {"type": "Hinge"}), "must be a list of Layer objects"),
    "too deep": (lambda s: layers(s, nested(50)), "expected at most 2000 parts, 40 inside"),
    "too many": (lambda s: layers(s, *[{"type": "Tanh"}] * 3_000), "expected at most 2000 parts"),
    "too large": (
        lambda s: layers(s, {"type": "Linear", "in_features": 10**6, "out_features": 10**6}),
        "the layers have more values than the file",
    ),
    "other layers": (
        lambda s: layers(s, {"type": "Linear", "in_features": 3, "out_features": 2}),
        "expected generator/0.weight (3, 2) float32: got (2, 3) float32",
    ),
    "a member less": (lambda s: {"generator/0.weight": None}, "expected generator/0.weight"),
    "NaN": (lambda s: {"generator/3.bias": np.full(2, np.nan, "f4")}, "not finite"),
    "objects": (lambda s: {"generator/3.bias": np.array([Bomb()] * 2)}, "generator/3.bias"),
    "a pickle": (lambda s: {"generator/3.bias": pickle.dumps(Bomb())}, "generator/3.bias"),
    "a gigabyte claimed": (lambda s: {"generator/3.bias": claims((1 << 28,))}, "(268435456,)"),
    "no generators": (lambda s: header(s, random=[], draws={}), "expected a complete header"),
    "a foreign one": (
        lambda s: header(s, random=[{"bit_generator": "Generator"}] * 3), "generator of NumPy",
    ),
    "the base class": (
        lambda s: header(s, random=[{"bit_generator": "BitGenerator"}] * 3), "generator of NumPy",
    ),
    "a short key": (
        lambda s: header(s, random=[twister(key=[1, 2])] * 3), "the state of a MT19937 generator",
    ),
    "beyond the key": (
        lambda s: header(s, random=[twister(pos=10**6)] * 3),
        "expected a MT19937 at a place from 0 to 624, got 1000000",
    ),
    "before the buffer": (
        lambda s: header(s, random=[philox(-5)] * 3), "Philox at a place from 0 to 4, got -5",
    ),
    "in Fortran order": (
        lambda s: {"generator/0.weight": np.asfortranarray(np.ones((2, 3), "f4"))},
        "got (2, 3) float32 in Fortran order",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change, message", HOSTILE.values(), ids=HOSTILE)
def test_hostile(change, message, saved, tmp_path):
    file = tmp_path / "hostile.npz"
    file.write_bytes(rebuilt(saved, **change(saved)))
    with pytest.raises(ValueError) as raised:
        mg.load(file)
    said = str(raised.value)
    assert message in said and said.startswith(f"model {file}: ") and "\n" not in said


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"hello" * 100], ids=repr)
def test_no_model_at_all(content, tmp_path):
    (tmp_path / "file.npz").write_bytes(content)
    with pytest.raises(ValueError, match="file.npz: expected a whole .npz file"):
        mg.load(tmp_path / "file.npz")
