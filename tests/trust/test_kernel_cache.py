"""The kernel cache is a convenience: whatever is wrong with it, kernels run."""

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import minigan

pytest.importorskip("numba")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders and owners as on Unix")
PROGRAM = """
import numpy as np, minigan as mg
from minigan.fast.kernels import cache, elementwise
assert abs(elementwise.silu(np.ones(3, np.float32))[0] - 0.7310586) < 1e-6
print(sum(elementwise._silu.stats.cache_hits.values()), cache._FOLDER)
"""
NO_PASSWD = """
import os, pwd
os.environ.pop("HOME", None)
def nobody(uid): raise KeyError(uid)
pwd.getpwuid = nobody
"""


def start(program=PROGRAM, cwd=None, **environment):
    without = "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT"
    kept = {name: value for name, value in os.environ.items() if name not in without}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, cwd=cwd, env={**kept, "MINIGAN_BACKEND": "numba", **environment},
    )  # fmt: skip


def result(process):
    """(how many kernels were loaded, the folder or None)"""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    hits, folder = out.split()
    return int(hits), None if folder == "None" else Path(folder)


def run(program=PROGRAM, **environment):
    return result(start(program, **environment))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The folder that a first process leaves, with one kernel in it."""
    home = tmp_path_factory.mktemp("compiled")
    hits, folder = run(NUMBA_CACHE_DIR=str(home))
    assert hits == 0 and folder.parent == home
    return folder


@pytest.fixture
def warm(compiled, tmp_path):
    """(folder, kernel): a copy of that folder."""
    folder = Path(shutil.copytree(compiled, tmp_path / compiled.name))
    (kernel,) = folder.glob("_silu-*.nbc")
    return folder, kernel


def test_a_damaged_kernel_is_compiled_anew_and_replaced(warm, tmp_path):
    folder, kernel = warm
    good = kernel.read_bytes()
    assert run(NUMBA_CACHE_DIR=str(tmp_path)) == (1, folder)
    flipped = good[:-100] + bytes([good[-100] ^ 1]) + good[-99:]
    for damaged in (b"", good[:100], flipped):
        kernel.write_bytes(damaged)
        assert run(NUMBA_CACHE_DIR=str(tmp_path)) == (0, folder)
        assert kernel.stat().st_size == len(good)
    assert run(NUMBA_CACHE_DIR=str(tmp_path)) == (1, folder)


@pytest.mark.slow
def test_what_is_in_the_way_of_a_kernel_is_left_alone(warm, tmp_path):
    _, kernel = warm
    kernel.unlink()
    (kernel / "inside").mkdir(parents=True)
    assert run(NUMBA_CACHE_DIR=str(tmp_path))[0] == 0
    assert (kernel / "inside").is_dir()


def folder_names(path):
    return [entry.name for entry in path.iterdir()]


def test_a_kernel_that_others_can_write_or_that_is_a_link_is_not_executed(warm, tmp_path):
    folder, kernel = warm
    kernel.chmod(0o666)
    assert run(NUMBA_CACHE_DIR=str(tmp_path))[0] == 0
    assert stat.S_IMODE(kernel.stat().st_mode) == 0o600  # replaced by one of our own
    moved = kernel.rename(tmp_path / "elsewhere.nbc")
    kernel.symlink_to(moved)
    assert run(NUMBA_CACHE_DIR=str(tmp_path))[0] == 0
    assert not kernel.is_symlink()


def test_a_folder_that_others_can_write_is_not_used(warm, tmp_path):
    folder, _ = warm
    folder.chmod(0o770)
    assert run(NUMBA_CACHE_DIR=str(tmp_path)) == (0, None)


@pytest.mark.slow
def test_a_link_to_a_folder_is_not_used(warm, tmp_path):
    folder, _ = warm
    moved = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(moved)
    assert run(NUMBA_CACHE_DIR=str(tmp_path)) == (0, None)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_another_users_folder_or_kernel_is_not_used(warm, tmp_path):
    folder, kernel = warm
    os.chown(kernel, 12345, 12345)
    assert run(NUMBA_CACHE_DIR=str(tmp_path)) == (0, folder)
    assert kernel.stat().st_uid == 0  # replaced
    os.chown(folder, 12345, 12345)
    assert run(NUMBA_CACHE_DIR=str(tmp_path)) == (0, None)


def test_nowhere_to_write(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert run(NUMBA_CACHE_DIR=str(tmp_path / "file" / "below")) == (0, None)


def test_no_home_and_no_passwd_entry(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(Path(minigan.__file__).parent, copy / "minigan", ignore=no_caches)
    (copy / "minigan" / "fast" / "kernels" / "__pycache__").write_text("in the way")
    _, folder = run(NO_PASSWD + PROGRAM, cwd=copy, PYTHONPATH=str(copy), TMPDIR=str(tmp_path))
    assert folder.parent == tmp_path and stat.S_IMODE(folder.stat().st_mode) == 0o700


no_caches = shutil.ignore_patterns("__pycache__")


@pytest.mark.slow
def test_a_full_disk(tmp_path):
    full = """
import errno, os, tempfile
def mkstemp(*args, **kwargs): raise OSError(errno.ENOSPC, "No space left on device")
tempfile.mkstemp = mkstemp
"""
    _, folder = run(full + PROGRAM, NUMBA_CACHE_DIR=str(tmp_path))
    assert folder_names(folder) == []


def test_a_disk_that_is_full_halfway_leaves_no_part_of_a_kernel(tmp_path):
    full = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
"""
    _, folder = run(full + PROGRAM, NUMBA_CACHE_DIR=str(tmp_path))
    assert folder_names(folder) == []


def test_three_processes_at_once_on_a_cold_cache(tmp_path):
    at_once = [start(NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(3)]
    folders = {result(process)[1] for process in at_once}
    assert len(folders) == 1
    assert run(NUMBA_CACHE_DIR=str(tmp_path))[0] == 1


@pytest.mark.slow
def test_another_processor_has_kernels_of_its_own(warm, tmp_path):
    folder, _ = warm
    assert run(NUMBA_CACHE_DIR=str(tmp_path), NUMBA_CPU_NAME="generic") == (0, folder)
    assert run(NUMBA_CACHE_DIR=str(tmp_path), NUMBA_CPU_NAME="generic") == (1, folder)
    assert run(NUMBA_CACHE_DIR=str(tmp_path)) == (1, folder)


LAYERS = "default, safe, threadsafe, forksafe, tbb, omp, workqueue"
SETTINGS = {
    "NUMBA_DISABLE_JIT=1": "NUMBA_DISABLE_JIT is set, and the numba backend needs Numba's compiler",
    "NUMBA_BOUNDSCHECK=1":
        "NUMBA_BOUNDSCHECK is set, and the numba backend's kernels do not allow it",
    "NUMBA_NUM_THREADS=0": "NUMBA_NUM_THREADS must be an integer >= 1, got '0'",
    "NUMBA_NUM_THREADS=abc": "NUMBA_NUM_THREADS must be an integer >= 1, got 'abc'",
    "NUMBA_THREADING_LAYER=foo": f"NUMBA_THREADING_LAYER must be one of {LAYERS}, got 'foo'",
    "NUMBA_THREADING_LAYER_PRIORITY=omp":
        "NUMBA_THREADING_LAYER_PRIORITY must be tbb, omp and workqueue in some order, got 'omp'",
}  # fmt: skip


@pytest.mark.parametrize("chosen", ["", "numba"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_without_which_numba_cannot_compute(setting, chosen):
    """One line names the variable; by default NumPy computes then."""
    program = "import minigan as mg; print(mg.kernels.backend())"
    name, value = setting.split("=")
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60,
        env={**os.environ, name: value, "MINIGAN_BACKEND": chosen},
    )  # fmt: skip
    if chosen:
        assert process.stderr.endswith(f"ImportError: {SETTINGS[setting]}\n")
    else:
        assert process.stdout == "numpy\n"
        assert f"minigan: using the slower numpy backend: {SETTINGS[setting]}" in process.stderr


@pytest.mark.skipif(importlib.util.find_spec("tbb") is not None, reason="tbb is installed")
def test_a_threading_layer_that_is_not_installed():
    environment = {**os.environ, "NUMBA_THREADING_LAYER": "tbb", "MINIGAN_BACKEND": ""}
    process = subprocess.run([sys.executable, "-c", "import minigan"], capture_output=True,
                             text=True, timeout=60, env=environment)  # fmt: skip
    assert "numpy backend: NUMBA_THREADING_LAYER=tbb needs the tbb package" in process.stderr


def test_the_waiting_policy_is_not_left_in_the_environment():
    names = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"
    program = f"import os, minigan; print([os.environ.get(name) for name in {names}])"
    kept = {name: value for name, value in os.environ.items() if name not in names}
    kept["MINIGAN_BACKEND"] = "numba"
    for chosen in ({}, {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "active"}):
        out = subprocess.check_output([sys.executable, "-c", program], env=kept | chosen, text=True)
        assert out == f"{[chosen.get(name) for name in names]}\n"


def test_the_warning_of_the_slower_backend_names_the_line_of_the_import(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("first = 1\n\nimport minigan.optim\n")
    process = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=60,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "MINIGAN_BACKEND": ""},
    )  # fmt: skip
    assert process.stderr.startswith(f"{program}:3: UserWarning: minigan: using the slower")
