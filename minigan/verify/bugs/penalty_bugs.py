"""Bugs of the gradient penalties: the second derivative, |g| at g = 0, the mixed samples."""

from ...layers.activations import Tanh
from ...penalties.gradient import GradientPenalty, _uniform_per_sample, _ZeroCentred
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
                "return _broadcast(rng.random(len(x), x.dtype), x)",
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
]
