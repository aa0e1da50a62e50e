"""Bugs of the training step: which pass belongs to which batch, and how the generator learns."""

from ..gan import GAN
from ..layers.linear import Linear
from ..penalties.shared_pass import shares_pass
from .mutants import Bug, Edit

# Separate passes for real samples, fake samples and penalties, as in those projects.
SEPARATE_PASSES = (
    Edit(GAN._judge, "if self.discriminator.mixes_samples:", "if True:"),
    Edit(
        shares_pass,
        "return penalty.judged is not None and not draws and not discriminator.mixes_samples",
        "return False",
    ),
)

BUGS = [
    Bug(
        "generator_gradient_zero",
        "G's gradient is cleared after the backward pass, so its optimizer is given zeros.",
        (
            Edit(
                GAN._update_generator,
                "self.generator.zero_grad()\nself.generator.backward_params(d_samples, generated)",
                "self.generator.backward_params(d_samples, generated)\nself.generator.zero_grad()",
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
                GAN._update_generator,
                "d_samples = self.discriminator.backward_input(d_fake, judged)",
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
                "x = self.as_input(x, 2, self.in_features)",
                "self.x = x = self.as_input(x, 2, self.in_features)",
            ),
            Edit(
                Linear.backward_params,
                "kernels.linear_backward_params("
                'dy, None, x, self.grads["weight"], self.grads.get("bias"))',
                "kernels.linear_backward_params("
                'dy, None, self.x, self.grads["weight"], self.grads.get("bias"))',
            ),
            *SEPARATE_PASSES,
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
                GAN._update_discriminator,
                "real_logits, fake_logits, judged = self._judge(real, fake)",
                "real_logits, fake_logits, judged = self._judge(real, fake)\n"
                "self.judged = fake_logits, judged[-1]",
            ),
            Edit(
                GAN._update_generator,
                "fake_logits, judged = self.discriminator.forward(fake)",
                "fake_logits, judged = self.judged",
            ),
            *SEPARATE_PASSES,
        ),
        seen="gan_numpy; scratchML",
        survives="D moves little in a step, so the gradient is nearly right, and training works.",
        caught_by="check_step",
    ),
]
