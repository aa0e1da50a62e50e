"""The processes in which benchmarks time libraries: no other library is in them; clear errors."""

import importlib
import os
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PROBE = """
import os, sys, time

def prepare(what):
    if what == "absent":
        import no_such_library
    if what == "failing":
        raise ValueError("a bad shape")
    if what == "ending":
        os._exit(7)
    there = [name for name in ("numba", "minigan", "pytest") if name in sys.modules]
    return (there, os.environ["OMP_NUM_THREADS"]), lambda count: time.sleep(count * 1e-3)
"""


@pytest.fixture
def contender(tmp_path, monkeypatch):
    """contender(what): the process of such a library."""
    (tmp_path / "probed_library.py").write_text(PROBE)
    for folder in (BENCHMARKS, tmp_path):
        monkeypatch.syspath_prepend(str(folder))
    turns, probe = importlib.import_module("turns"), importlib.import_module("probed_library")
    yield lambda what: turns.Contender(3, probe.prepare, what)
    for name in ("turns", "probed_library"):
        del sys.modules[name]


def test_a_process_has_its_library_and_threads_only(contender):
    before = os.environ.get("OMP_NUM_THREADS"), sys.modules["__main__"].__dict__.get("__file__")
    started = contender("ready")
    assert started.report == ([], "3") and started.turn(0.01) >= 0
    started.stop()
    after = os.environ.get("OMP_NUM_THREADS"), sys.modules["__main__"].__dict__.get("__file__")
    assert after == before


def test_the_machine_is_described_on_other_systems_too(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    common = importlib.import_module("common")
    monkeypatch.delitem(sys.modules, "common")
    assert f", {os.cpu_count()} cores, " in common.in_words(common.machine())


def test_a_missing_library_and_a_failing_one(contender):
    assert "no_such_library" in contender("absent").absent
    with pytest.raises(SystemExit, match="^failing: ValueError: a bad shape$"):
        contender("failing")
    with pytest.raises(SystemExit, match="a process ended with exit code 7"):
        contender("ending")
