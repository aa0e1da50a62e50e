"""No float32 reduction errs more than three times as much as PyTorch's."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minigan as mg

pytest.importorskip("torch")
pytest.importorskip("numba")
SCRIPT = Path(__file__).parents[1] / "benchmarks" / "accuracy.py"
SPEC = importlib.util.spec_from_file_location("accuracy", SCRIPT)
ACCURACY = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(ACCURACY)
ROUNDING = float(np.finfo(np.float32).eps)  # what PyTorch errs by is sometimes 0, by luck


@pytest.mark.parametrize("name", ACCURACY.REDUCTIONS)
def test_reductions_err_no_more_than_three_times_pytorch(name):
    for kind, x in ACCURACY.inputs().items():
        found = ACCURACY.errors(name, x)
        allowed = 3 * max(found.pop("PyTorch"), ROUNDING)
        assert max(found.values()) <= allowed, (kind, found, allowed)


@pytest.mark.parametrize("value", [1.1, 100.1, 1234.567])
@pytest.mark.parametrize("layer", [mg.layers.LayerNorm, mg.layers.BatchNorm])
def test_a_constant_image_is_normalised_to_nothing(backend, layer, value):
    x = np.full((8, 28, 28, 3), value, np.float32)
    assert np.abs(mg.Sequential([layer(3)]).forward(x)[0]).max() == 0
