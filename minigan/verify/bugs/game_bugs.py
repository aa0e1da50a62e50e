"""Bugs of the training step: which pass belongs to which batch, and how the generator learns."""

from ...gan import GAN
from ...layers.linear import Linear
from .mutants import Bug, Edit

BUGS = [
    Bug(
        "generator_gradient_zero",
        "G's gradient is cleared after the backward pass, so its optimizer is given zeros.",
        (
            Edit(
                GAN.generator_gradient,
                "G.zero_grad()\nG.backward_params(d_samples, generated)",
                "G.backward_params(d_samples, generated)\nG.zero_grad()",
            ),
        ),
        seen="numpy-ml models/wgan_gp.py; milesd123/numpy-GAN",
        survives="D learns, both losses move, nothing crashes; a test of D alone passes.",
        caught_by="check_step",
    ),
    Bug(
        "discriminator_bypassed",
        "G is given dL_G/dlogits as if that were dL_G/dsamples, without going back through D.",
        (
            Edit(
                GAN.generator_gradient,
                "d_samples = D.backward_input(d_fake, judged)",
                "d_samples = np.full_like(fake, np.mean(d_fake))",
            ),
        ),
        seen="numpy-ml models/wgan_gp.py; milesd123/numpy-GAN",
        survives="The shapes broadcast, G's gradient is not zero, and G's layers are all right.",
        caught_by="check_step",
    ),
    Bug(
        "cache_clobber",
        "The layer keeps its input on itself, so the real batch's gradient is taken at the fake "
        "batch's activations: the pass that came last.",
        (
            Edit(
                Linear.forward,
                'x = self.as_input(x, "N", self.in_features)',
                'self.x = x = self.as_input(x, "N", self.in_features)',
            ),
            Edit(
                Linear.backward_params,
                'self.grads["weight"] += x.T @ dy',
                'self.grads["weight"] += self.x.T @ dy',
            ),
        ),
        seen="gan_numpy; scratchML; milesd123/numpy-GAN",
        survives="One forward, one backward, as in every test of a single layer, is right.",
        caught_by="check_step",
    ),
    Bug(
        "stale_activations",
        "D has been updated, and G's gradient goes back through its new weights with the old "
        "activations: the gradient of no function.",
        (
            Edit(
                GAN.judge,
                "fake_logits, on_fake = D.forward(fake)",
                "self.judged = fake_logits, on_fake = D.forward(fake)",
            ),
            Edit(
                GAN.generator_gradient,
                "fake_logits, judged = D.forward(fake)",
                "fake_logits, judged = self.judged",
            ),
        ),
        seen="gan_numpy; scratchML",
        survives="D moves little in a step, so the gradient is nearly right, and training works.",
        caught_by="check_step",
    ),
]
