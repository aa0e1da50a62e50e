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
                "G.zero_grad(lazy=True)\nG.backward_params(d_samples, generated)",
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
    Bug(
        "penalty_not_added",
        "The penalties are computed, and neither they nor their gradients reach D.",
        (
            Edit(
                GAN.judge,
                "penalty = sum(p.accumulate(D, real, fake, self.rng) for p in self.penalties)",
                "penalty = sum(p.value(D, real, fake, self.rng) for p in self.penalties)",
            ),
        ),
        seen="AttentionGAN, issue 27; GANs-for-1D-Signal, issue 7",
        survives="The penalty is logged, and looks healthy; the penalty's own test passes.",
        caught_by="check_step",
    ),
    Bug(
        "arguments_of_discriminator",
        "G's gradient is computed with the arguments of D's: it goes down D's loss, for which the "
        "fakes should look fake.",
        (
            Edit(
                GAN.generator_gradient,
                "loss, _, d_fake = self.loss.generator(real_logits, fake_logits)",
                "loss, _, _ = self.loss.generator(real_logits, fake_logits)\n"
                "_, _, d_fake = self.loss.discriminator(real_logits, fake_logits)",
            ),
        ),
        seen="udlbook, issue 199",
        survives="Both functions take the same kinds of arrays, and the loss printed is G's.",
        caught_by="check_step",
    ),
    Bug(
        "generator_detached",
        "The fakes are detached from G in G's own update too, as they should be in D's alone.",
        (
            Edit(
                GAN.generator_gradient,
                "d_samples = D.backward_input(d_fake, judged)",
                "d_samples = np.zeros_like(fake)",
            ),
        ),
        seen="image2reverb, issue 37",
        survives="No error, and D learns. G's loss moves because D moves.",
        caught_by="check_step",
    ),
]
