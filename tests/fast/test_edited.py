"""An edited formula counts on the compiled backend too."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import minigan as mg

pytest.importorskip("numba")

from minigan.fast import edited  # noqa: E402

PACKAGE = Path(mg.__file__).parent

RUN = """
import warnings
import numpy as np
import minigan as mg
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    network = mg.Sequential([mg.layers.Linear(2, 3), mg.layers.LeakyReLU()], rng=0)
    network.theta[:] = -1
    print(network.forward(np.ones((1, 2)))[0][0, 0], *(w.message for w in caught), sep="; ")
"""


@pytest.mark.parametrize("module", edited.CODE)
def test_counterparts_are_of_the_present_code(module):
    found = edited.checksum(module)
    assert found == edited.CODE[module], (
        f"{module} has changed: change its counterpart in minigan/fast accordingly, and then its "
        f"checksum in minigan/fast/edited.py to 0x{found:08X}"
    )


def test_comments_and_docstrings_are_not_code_but_operators_are(monkeypatch):
    def of(source):
        monkeypatch.setattr(edited.inspect, "getsource", lambda module: source)
        return edited.checksum("minigan.optim")

    plain = of('def f(x):\n    """y = x"""\n    return x  # as it is\n')
    assert plain == of('def f(x):\n    """Twice\n    as long."""\n\n    # why\n    return x\n')
    assert plain != of('def f(x):\n    """y = x"""\n    return -x  # as it is\n')


def test_an_edited_layer_runs_as_it_is_written_and_says_so(tmp_path):
    shutil.copytree(
        PACKAGE, tmp_path / "minigan", ignore=shutil.ignore_patterns("__pycache__", "exercises")
    )
    file = tmp_path / "minigan/layers/activations.py"
    source = file.read_text(encoding="utf-8")
    before = "np.where(x > 0, x, self.negative_slope * x)"
    assert before in source
    file.write_text(source.replace(before, before.replace("x)", "x - 5)")), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", RUN], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    y, *warned = ran.stdout.strip().split("; ")
    assert float(y) == pytest.approx(0.2 * -3 - 5)
    assert len(warned) == 1 and warned[0].startswith("minigan.layers.activations was edited")
