"""demos/in_sixty_lines.py does what `minigan.GAN` does."""

import runpy
import sys
from pathlib import Path

import numpy as np

import minigan as mg

DEMO = Path(__file__).parents[1] / "demos/in_sixty_lines.py"


def test_the_program_takes_the_steps_of_gan(tmp_path, monkeypatch, capsys):
    images = np.random.default_rng(1).uniform(-1, 1, (64, 28, 28, 1)).astype(np.float32)
    monkeypatch.setattr(mg.data, "glyphs", lambda count, rng: (images, None))

    def networks(epochs):
        words = ["in_sixty_lines", "--epochs", str(epochs), "--out", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", words)
        found = runpy.run_path(str(DEMO))
        return found["generator"], found["discriminator"]

    with mg.kernels.use_backend("numpy"):
        generator, discriminator = networks(epochs=0)
        optimizers = {
            f"{player}_optimizer": mg.optim.Adam(lr=2e-4, beta1=0.5)
            for player in ("generator", "discriminator")
        }
        rng = np.random.default_rng(0)
        gan = mg.GAN(generator, discriminator, latent_dim=64, rng=rng, **optimizers)
        figures = gan.train_step(images.reshape(64, 784)[rng.permutation(64)])
        for found, wanted in zip(networks(epochs=1), (generator, discriminator)):
            for mine, theirs in ((found.grad, wanted.grad), (found.theta, wanted.theta)):
                assert np.linalg.norm(mine - theirs) < 1e-5 * np.linalg.norm(theirs)
    said = capsys.readouterr().out
    assert f"L_D {figures['discriminator_loss']:.3f}, L_G {figures['generator_loss']:.3f}" in said
    assert (tmp_path / "digits.png").stat().st_size > 10_000
