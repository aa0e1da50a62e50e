"""Damaged and hostile checkpoints: the right state or one ValueError that names the file.

MINIGAN_FUZZ=10000 pytest tests/trust/test_fuzzed_checkpoints.py     for more of them
"""

import json
import os
import pickle
import random
import zipfile
from io import BytesIO

import numpy as np
import pytest

from minigan import _archive as archive
from minigan import checkpoint
from minigan.data.minibatches import Minibatches
from minigan.training.history import History

from .spoiled import Bomb, claims, damage, rebuilt

FUZZED = int(os.environ.get("MINIGAN_FUZZ", 300))


@pytest.fixture
def run(parts):
    """The parts of the run, as `train` would hand them to `checkpoint`."""
    part = parts()
    data = np.random.default_rng(0).standard_normal((50, 2))
    rates = [part.gan.generator_optimizer.lr, part.gan.discriminator_optimizer.lr]
    return checkpoint.Run(
        part.gan, Minibatches(data, 8, rng=4), 2, History(), rates, part.average, part.stop
    )


@pytest.fixture
def saved(parts, tmp_path):
    parts().train(10, checkpoint=tmp_path / "run.npz")
    return (tmp_path / "run.npz").read_bytes()


def state(run):
    """All that a load may change."""
    arrays = {name: array.tobytes() for name, array in checkpoint.state_arrays(run).items()}
    numbers = [run.average.steps, run.rates, run.stop.values, dict(run.history.columns)]
    return arrays, numbers, [rng.bit_generator.state for rng in run.generators.values()]


def test_damage(run, saved, tmp_path):
    file, rng = tmp_path / "damaged.npz", random.Random(0)
    untouched = state(run)
    file.write_bytes(saved)
    checkpoint.load(file, run)
    loaded = state(run)
    assert loaded != untouched
    for number in range(FUZZED):
        file.write_bytes(damage(saved, rng))
        run.gan.generator.theta[0] = 1234.5
        before = state(run)
        try:
            checkpoint.load(file, run)
        except ValueError as error:
            assert str(file) in str(error) and "\n" not in str(error), number
            assert state(run) == before, number
        else:
            assert state(run) == loaded, number  # what was hit is not read: a date, say


def header(saved, **changes):
    with np.load(BytesIO(saved)) as arrays:
        found = json.loads(arrays["header"].tobytes())
    text = json.dumps({k: v for k, v in (found | changes).items() if v is not ...})
    return {"header": np.frombuffer(text.encode(), np.uint8)}


NAMES = "gan", "minibatches", "generator", "discriminator", "average"
HOSTILE = {
    "newer": (lambda s: header(s, version=3), "expected version 2 of the format, got 3"),
    "older": (lambda s: header(s, version=1), "got 1, written by an earlier minigan; train anew"),
    "no version": (lambda s: header(s, version=...), "expected version 2 of the format, got None"),
    "foreign": (lambda s: header(s, format="another"), 'expected the format "minigan checkpoint"'),
    "not JSON": (lambda s: {"header": np.frombuffer(b"{", np.uint8)}, "expected a header of JSON"),
    "deep JSON": (
        lambda s: {"header": np.frombuffer(b"[" * 10**5, np.uint8)}, "expected a header of JSON",
    ),
    "a list": (lambda s: {"header": np.frombuffer(b"[]", np.uint8)}, "expected the format"),
    "no fingerprint": (lambda s: header(s, fingerprint=...), "expected a complete header"),
    "a number for it": (lambda s: header(s, fingerprint=3), "expected a complete header"),
    "negative step": (lambda s: header(s, step=-1), "step must be an integer >= 0, got -1"),
    "half a step": (lambda s: header(s, step=2.5), "step must be an integer >= 0, got 2.5"),
    "another step": (lambda s: header(s, step=11), "expected history/"),
    "rates": (lambda s: header(s, rates=[1.0]), "expected 2 learning rates, got 1"),
    "a rate": (lambda s: header(s, rates=["a", 1]), "rate must be a finite number >= 0, got 'a'"),
    "random": (lambda s: header(s, random={}), "expected a complete header"),
    "another generator": (
        lambda s: header(s, random=dict.fromkeys(NAMES, {"bit_generator": "SFC64"})),
        "gan's random generator: expected the state of a PCG64 generator: ",
    ),
    "average": (lambda s: header(s, average=None), "average must be an integer >= 0, got None"),
    "no optimizers": (lambda s: header(s, optimizers=[]), "expected a complete header"),
    "columns": (lambda s: header(s, columns=["step", "../x"]), "expected history/../x"),
    "no history": (lambda s: header(s, columns=[]), "expected the history of 10 steps, got none"),
    "a member less": (lambda s: {"generator/theta": None}, "expected generator/theta"),
    "another shape": (lambda s: {"generator/theta": np.zeros(3, "f4")}, "got (3,) float32"),
    "another dtype": (lambda s: {"generator/theta": np.zeros(114)}, "float64"),
    "NaN": (lambda s: {"plateau": np.full((1, 2), np.nan)}, "got numbers that are not finite"),
    "objects": (lambda s: {"generator/theta": np.array([Bomb()] * 114)}, "generator/theta"),
    "a pickle": (lambda s: {"generator/theta": pickle.dumps(Bomb())}, "generator/theta"),
    "a gigabyte claimed": (lambda s: {"generator/theta": claims((1 << 28,))}, "got (268435456,)"),
    "a long position": (lambda s: {"position": claims((1 << 40,))}, "expected position"),
    "foreign samples": (lambda s: {"position": np.array([50])}, "samples in [0, 50), got 50"),
}  # fmt: skip


@pytest.mark.parametrize("change, message", HOSTILE.values(), ids=HOSTILE)
def test_hostile(change, message, run, saved, tmp_path):
    file = tmp_path / "hostile.npz"
    file.write_bytes(rebuilt(saved, **change(saved)))
    before = state(run)
    with pytest.raises(ValueError) as raised:
        checkpoint.load(file, run)
    assert message in str(raised.value) and str(file) in str(raised.value)
    assert "\n" not in str(raised.value) and state(run) == before


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"hello" * 100], ids=repr)
def test_no_checkpoint_at_all(content, run, tmp_path):
    file = tmp_path / "file.npz"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="expected a whole .npz file"):
        checkpoint.load(file, run)


def test_a_folder_is_no_checkpoint(run, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no checkpoint file"):
        checkpoint.load(tmp_path, run)


def test_a_compressed_file_is_refused_unread(run, saved, tmp_path):
    """So that a few kilobytes cannot become gigabytes."""
    file = tmp_path / "bomb.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("header.npy", bytes(1 << 20))
    with pytest.raises(ValueError, match="it is compressed"):
        checkpoint.load(file, run)


def test_the_spare_is_named(run, saved, tmp_path):
    file = tmp_path / "run.npz"
    archive.previous(file).write_bytes(saved)
    file.write_bytes(saved[:100])
    with pytest.raises(ValueError, match="the checkpoint before it is run.npz.previous"):
        checkpoint.load(file, run)
    file.unlink()
    assert archive.Archive(file).path.name == "run.npz.previous"
