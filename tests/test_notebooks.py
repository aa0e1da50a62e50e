"""The demos' notebooks: what docs/extensions/notebooks.py puts before a demo's own cells.

docs/run_notebooks.py runs them whole, in an environment with minigan installed.
"""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEMOS = sorted((ROOT / "demos").glob("*.py"))
MAKE = runpy.run_path(str(ROOT / "docs/extensions/notebooks.py"))
TITLE = {"cell_type": "markdown", "metadata": {}, "source": "# a title"}


def cells(demo):
    return MAKE["complete"]({"cells": [TITLE]}, demo.stem, demo.read_text("utf-8"))["cells"]


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.stem)
def test_a_notebook_finds_what_its_demo_imports(demo, tmp_path, monkeypatch):
    title, words, modules, arguments = cells(demo)
    assert title == TITLE and words["cell_type"] == "markdown"
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel.json"])
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    names = {}
    begin = modules["source"].partition("import pictures_below")[0]  # which needs IPython
    exec(begin + arguments["source"], names)
    assert sys.argv == [demo.stem] and sys.path[0] == str(tmp_path)
    written = {f"helpers/{file.name}" for file in tmp_path.glob("helpers/*")}
    assert written == set(MAKE["shared"](demo.read_text("utf-8")))
    for file in written:
        assert (tmp_path / file).read_text("utf-8") == (ROOT / "demos" / file).read_text("utf-8")


def test_modules_that_a_shared_module_imports_come_too():
    assert set(MAKE["shared"]("from helpers import latent_page, digits\n")) == {
        f"helpers/{name}.py" for name in ("__init__", "common", "digits", "endings",
                                          "latent_page", "memorisation")
    }  # fmt: skip
    assert set(MAKE["shared"]("from helpers.patients import visit\nimport numpy")) >= {
        "helpers/__init__.py", "helpers/patients.py",
    }  # fmt: skip
