"""Bugs of the gradient penalties: the second derivative, |g| at g = 0, the mixed samples."""

from ...layers.activations import Tanh
from ...penalties.gradient import (
    GradientPenalty,
    _Penalty,
    _uniform_per_sample,
    _ZeroCentred,
)
from ...penalties.second_order import slopes
from .mutants import Bug, Edit

BUGS = [
    Bug(
        "curvature_missing",
        "The second backward pass leaves out the term with the activation's phi''.",
        (Edit(Tanh.curvature, "return -2 * y * (1 - y * y) * x_dot * dy", "return None"),),
        seen="numpy-ml, _bwd2",
        survives="With ReLU it is right: phi'' is zero. With tanh the penalty's value still is.",
        caught_by="check_penalty",
    ),
    Bug(
        "root_at_zero",
        "The derivative of |g| is computed as g / |g|, which is 0 / 0 where the critic is flat.",
        (
            Edit(
                GradientPenalty.measure,
                "unit = g / _broadcast(np.where(lengths == 0, 1, lengths), g)",
                "unit = g / _broadcast(lengths, g)",
            ),
        ),
        seen="GAN_stability; pytorch, issue 2534",
        survives="With random weights no gradient is exactly zero. With a critic that starts from "
        "zeros, or one dead layer of ReLUs, everything is NaN.",
        caught_by="check_penalty",
    ),
    Bug(
        "mixed_per_value",
        "Each value of a sample gets a mixing weight of its own: the points fill the box between "
        "real and fake, not the line.",
        (
            Edit(
                _uniform_per_sample,
                "return _broadcast(rng.random(len(x), np.float32).astype(x.dtype), x)",
                "return rng.random(x.shape, x.dtype)",
            ),
        ),
        seen="PyTorch-GAN, issue 5",
        survives="It broadcasts, the gradient is right for those points, and the critic trains.",
        caught_by="mixing",
    ),
    Bug(
        "not_mixed",
        "The mixing weight is 1: the critic's slope is held at the real samples alone.",
        (
            Edit(
                GradientPenalty.points,
                "mix = _uniform_per_sample(rng, real)",
                "mix = np.ones(1, real.dtype)",
            ),
        ),
        seen="labml",
        survives="The gradient is right, but of another penalty.",
        caught_by="mixing",
    ),
    Bug(
        "factor_of_two",
        "The penalty is gamma / 2 |g|^2 and its gradient is that of gamma |g|^2.",
        (
            Edit(
                _ZeroCentred.measure,
                "return per_sample / 2 * float(np.sum(_squared_lengths(g))), per_sample * g",
                "return per_sample / 2 * float(np.sum(_squared_lengths(g))), 2 * per_sample * g",
            ),
        ),
        seen="GAN_stability diracgan/gans.py, in one term of the consensus regulariser",
        survives="It acts like a gamma twice as large, and gamma was found by trial.",
        caught_by="check_penalty",
    ),
    Bug(
        "norm_per_pixel",
        "|g| is taken over the channels alone: one norm for each pixel, where the penalty has one "
        "for each sample.",
        (
            Edit(
                GradientPenalty.measure,
                "lengths = np.sqrt(_squared_lengths(g))\n"
                "excess = lengths - self.target\n"
                "unit = g / _broadcast(np.where(lengths == 0, 1, lengths), g)\n"
                "v = _broadcast(2 * self.weight / len(g) * excess, g) * unit",
                "lengths = np.sqrt(np.sum(g * g, axis=-1, keepdims=True))\n"
                "excess = lengths - self.target\n"
                "unit = g / np.where(lengths == 0, 1, lengths)\n"
                "v = 2 * self.weight / lengths.size * excess * unit",
            ),
        ),
        seen="Zeleni9/pytorch-wgan, issue 40; yao-jason/MLDS, issue 8",
        survives="Value and gradient agree with each other, and samples without pixels have one "
        "norm each.",
        caught_by="norm_of_samples",
    ),
    Bug(
        "penalty_on_probability",
        "The penalty is put on sigmoid(D), not on the logit: where D is sure, the sigmoid is flat, "
        "and nothing is penalised however steep D is.",
        (
            Edit(
                slopes,
                "seed[:, 0] = 1",
                "p = 1 / (1 + np.exp(-logits[:, 0]))\nseed[:, 0] = p * (1 - p)",
            ),
        ),
        seen="hwalsuklee/tf-generative-model-collections, issue 14",
        survives="With automatic differentiation it is a right gradient, of another penalty. (Here "
        "the sigmoid's own slope is held, so the gradient is wrong, too.)",
        caught_by="check_penalty",
    ),
    Bug(
        "penalty_value_alone",
        "The penalty's value is added to the loss, and its gradient to nothing.",
        (
            Edit(
                _Penalty.accumulate,
                "discriminator.curvature_along(signals, caches, v)",
                "",
            ),
        ),
        seen="mlpack, issue 3063",
        survives="The loss that is printed contains the penalty. Automatic differentiation cannot "
        "make this mistake; by hand, the second derivative is what one leaves for later.",
        caught_by="check_penalty",
    ),
]
