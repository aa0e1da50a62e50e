"""Any number of Python threads may train GANs of their own; the numbers are those of one alone."""

import os
import subprocess
import sys

import pytest

LAYERS = ["omp", "workqueue", "tbb"]
PROGRAM = """
import hashlib, sys, threading
import numpy as np
import minigan as mg
threads, steps, rounds = map(int, sys.argv[1:])
L = mg.layers
images = np.random.default_rng(0).uniform(-1, 1, (64, 6, 6, 1))

def work(seed):
    '''Trains on one loop of every kind: products, convolutions, batch norm, penalties.'''
    generator = mg.Sequential([
        L.Linear(4, 72), L.BatchNorm(72), L.LeakyReLU(), L.Reshape((3, 3, 8)),
        L.ConvTranspose2d(8, 1, 4, stride=2, padding=1), L.Tanh(),
    ], rng=seed)
    discriminator = mg.Sequential([
        L.Conv2d(1, 8, 4, stride=2, padding=1), L.LeakyReLU(), L.Flatten(), L.Linear(72, 300),
        L.LeakyReLU(), L.Linear(300, 1),
    ], rng=seed + 1)
    gan = mg.GAN(generator, discriminator, latent_dim=4, rng=seed, penalties=[mg.penalties.R1(1.0)])
    for _ in range(steps):
        gan.train_step(images)
    return hashlib.sha256(generator.theta.tobytes() + discriminator.theta.tobytes()).hexdigest()

alone = [work(seed) for seed in range(threads)]
sys.setswitchinterval(1e-6)
for _ in range(rounds):
    found = [None] * threads
    def run(seed):
        found[seed] = work(seed)
    running = [threading.Thread(target=run, args=(seed,)) for seed in range(threads)]
    for thread in running: thread.start()
    for thread in running: thread.join()
    assert found == alone, (found, alone)
import numba
print(numba.threading_layer(), "bit-equal")
"""


def run(layer, *sizes):
    environment = {**os.environ, "NUMBA_THREADING_LAYER": layer, "MINIGAN_BACKEND": "numba"}
    environment["NUMBA_NUM_THREADS"] = "2"
    environment.setdefault("OMP_WAIT_POLICY", "passive")
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, sizes)], env=environment, capture_output=True,
        text=True, timeout=3000,
    )  # fmt: skip


def check(layer, *sizes):
    pytest.importorskip("numba")
    done = run(layer, *sizes)
    if f"NUMBA_THREADING_LAYER={layer} needs the" in done.stderr:
        pytest.skip(f"Numba's threading layer {layer} is not installed")
    assert (done.returncode, done.stdout) == (0, f"{layer} bit-equal\n"), done.stderr


@pytest.mark.parametrize("layer", LAYERS)
def test_threads_train_to_the_numbers_of_one_alone(layer):
    check(layer, 4, 6, 1)


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_eight_threads_for_long(layer):
    check(layer, 8, 200, 20)
