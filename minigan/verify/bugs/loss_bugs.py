"""Bugs of the losses: signs, means, and extreme logits."""

from ...layers.activations import softplus
from ...losses import Minimax, NonSaturating, Wasserstein
from .mutants import Bug, Edit

BUGS = [
    Bug(
        "wasserstein_sign",
        "The value of G's loss is right and its gradient points the other way.",
        (
            Edit(
                Wasserstein.generator,
                "return -mean(fake), np.zeros_like(real), np.full_like(fake, -1 / fake.size)",
                "return -mean(fake), np.zeros_like(real), np.full_like(fake, 1 / fake.size)",
            ),
        ),
        seen="numpy-ml, Wasserstein loss",
        survives="Its test flipped the sign too, by hand, to make the numbers agree.",
        caught_by="check_loss",
    ),
    Bug(
        "sum_for_mean",
        "The value is a mean over the batch, its gradient a sum: N times too large.",
        (
            Edit(
                Minimax.discriminator,
                "return value, -sigmoid(-real) / real.size, sigmoid(fake) / fake.size",
                "return value, -sigmoid(-real), sigmoid(fake)",
            ),
            Edit(
                NonSaturating.generator,
                "return mean(softplus(-fake)), np.zeros_like(real), -sigmoid(-fake) / fake.size",
                "return mean(softplus(-fake)), np.zeros_like(real), -sigmoid(-fake)",
            ),
        ),
        seen="ML-From-Scratch; gan_numpy; SC-314/Only-Numpy-GAN",
        survives="Adam divides the scale out; with N = 1, in a unit test, it is right. But the "
        "balance with a penalty changes: R1 counts N times less.",
        caught_by="check_loss",
    ),
    Bug(
        "log_epsilon",
        "The non-saturating loss as -log(sigmoid(f) + 1e-8): below f = -18 the epsilon dominates, "
        "and G's gradient vanishes where it should be largest.",
        (
            Edit(
                NonSaturating.generator,
                "return mean(softplus(-fake)), np.zeros_like(real), -sigmoid(-fake) / fake.size",
                "p = sigmoid(fake)\n"
                "slope = -p * (1 - p) / (p + 1e-8) / fake.size\n"
                "return -mean(np.log(p + 1e-8)), np.zeros_like(real), slope",
            ),
        ),
        seen="mimicry",
        survives="Value and gradient agree with each other, so finite differences find nothing; "
        "near zero both are right to eight digits.",
        caught_by="far_logits",
    ),
    Bug(
        "softplus_overflow",
        "log(1 + exp(x)), computed just so: infinite beyond x = 88 in float32.",
        (
            Edit(
                softplus,
                "return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))",
                "return np.log(1 + np.exp(x))",
            ),
        ),
        seen="numpy-ml",
        survives="Random logits are small. A logit of 88 occurs late, when D is far ahead.",
        caught_by="check_loss",
    ),
]
