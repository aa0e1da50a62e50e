"""Child processes compute the parent's numbers, however they were started, and always answer."""

import os
import subprocess
import sys

import pytest

SECONDS = 120  # nothing here takes a tenth of that, unless it hangs
PROGRAM = """
import multiprocessing, os, sys, threading
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import minigan as mg

def work(seed):
    L = mg.layers
    network = mg.Sequential([
        L.Linear(256, 256), L.BatchNorm(256), L.LeakyReLU(), L.Linear(256, 256), L.Tanh(),
        L.Linear(256, 256), L.LayerNorm(256), L.SiLU(), L.Linear(256, 1),
    ], rng=seed)
    x = np.random.default_rng(seed).standard_normal((256, 256)).astype(np.float32)
    y, cache = network.forward(x)
    dx = network.backward(np.ones_like(y), cache)
    optimizer = mg.optim.Adam()
    optimizer.step(network.theta, network.grad)
    return (y.tobytes(), dx.tobytes(), network.theta.tobytes())

def fork_in_a_thread():
    end, found = threading.Event(), []
    def train():
        while not end.is_set():
            work(3)
    def fork():
        with multiprocessing.get_context("fork").Pool(2) as pool:
            found.extend(pool.map(work, [1, 2, 1, 2]))
    trainer, forker = threading.Thread(target=train), threading.Thread(target=fork)
    trainer.start(); forker.start(); forker.join(); end.set(); trainer.join()
    return found

if __name__ == "__main__":
    expected = [work(1), work(2), work(1), work(2)]
    how = sys.argv[1]
    if how == "thread":
        found = fork_in_a_thread()
    elif how == "twice":  # a child of a child
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            found = pool.submit(fork_in_a_thread).result()
    elif how in ("loky", "multiprocessing"):
        import joblib
        found = joblib.Parallel(2, backend=how)(joblib.delayed(work)(s) for s in (1, 2, 1, 2))
    elif how.startswith("futures-"):
        with ProcessPoolExecutor(2, multiprocessing.get_context(how[8:])) as pool:
            found = list(pool.map(work, [1, 2, 1, 2]))
    else:
        with multiprocessing.get_context(how).Pool(2) as pool:
            found = pool.map(work, [1, 2, 1, 2])
    print("bit-equal" if found == expected else "different numbers")
"""


@pytest.mark.parametrize("how", ["fork", "thread"])
def test_after_a_fork(how, tmp_path):
    check(how, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["fork", "thread", "twice"])
def test_after_a_fork_with_the_other_layer(how, tmp_path):
    check(how, tmp_path, NUMBA_THREADING_LAYER="workqueue")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["twice", "spawn", "forkserver", "futures-fork", "futures-spawn"])
def test_other_ways_to_start_a_process(how, tmp_path):
    check(how, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["loky", "multiprocessing"])
def test_joblib(how, tmp_path):
    pytest.importorskip("joblib")
    check(how, tmp_path)


def check(how, tmp_path, **environment):
    pytest.importorskip("numba")
    if how.rpartition("-")[2] in ("fork", "forkserver", "thread", "twice"):
        if not hasattr(os, "fork"):
            pytest.skip("this system has no fork")
    script = tmp_path / "program.py"  # a file, because spawn imports it
    script.write_text(PROGRAM)
    environment = {"NUMBA_NUM_THREADS": "2", "MINIGAN_BACKEND": "numba", **environment}
    process = subprocess.Popen(
        [sys.executable, script, how], env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)  # with its children: they would wait for ever
        raise
    assert (process.returncode, out) == (0, "bit-equal\n"), err
