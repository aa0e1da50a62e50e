"""The same seed gives the same bits: on one thread and on two, from one process to the next."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, minigan as mg
gan = mg.GAN(
    mg.models.dcgan_generator(8, channels=4), mg.models.dcgan_discriminator(channels=4),
    latent_dim=8,
)
images = mg.data.glyphs(64, rng=0)[0]
mg.train(gan, images, steps=4, batch_size=32, progress=False)
wide = mg.GAN(
    mg.models.mlp_generator(32, (64,), hidden=(256,)), mg.models.mlp_discriminator((64,)),
    latent_dim=32,
)
mg.train(wide, images.reshape(-1, 64), steps=20, progress=False)
content = hashlib.sha256()
for network in (gan.generator, gan.discriminator, wide.generator, wide.discriminator):
    content.update(network.theta.tobytes())
print(mg.kernels.backend(), content.hexdigest())
"""


def digest(threads):
    environment = {**os.environ, "MINIGAN_BACKEND": "numba", "NUMBA_NUM_THREADS": str(threads)}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_one_thread_and_two():
    pytest.importorskip("numba")
    assert digest(1) == digest(2)
