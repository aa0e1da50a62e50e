"""Bugs of the normalisations: which statistics depend on the input, and which are constants."""

from ..gan import GAN
from ..kernels.reference.normalisation import _normalise_backward
from ..layers.normalisation import BatchNorm, LayerNorm
from ..layers.spectral import chain_spectral
from .mutants import Bug, Edit

NORMALISE = "return inv_std * (g - through_mean - through_variance)"

BUGS = [
    Bug(
        "frozen_batch_norm",
        "While G is updated, D's batch norm uses running statistics forward, but the formula for "
        "batch statistics backward.",
        (
            Edit(
                GAN._update_generator,
                "fake_logits, judged = self.discriminator.forward(fake)",
                "fake_logits, judged = self.discriminator.forward(fake, training=False)",
            ),
            Edit(
                BatchNorm.backward_input,
                "if not training:\n    return dy * (gamma * inv_std)",
                "",
            ),
        ),
        seen="ML-From-Scratch (frozen D); DeZero",
        survives="Layers are checked in training mode, where it is right.",
        caught_by="check_layer",
    ),
    Bug(
        "batch_norm_per_pixel",
        "Every pixel of a feature map is normalised separately, not the channel as a whole.",
        (
            Edit(
                BatchNorm.forward,
                'rows = flat_rows(x)\ngamma, beta = self.params["gamma"], self.params["beta"]',
                "rows = x.reshape(len(x), -1)\n"
                'both = self.params["gamma"], self.params["beta"]\n'
                "gamma, beta = (np.resize(one, rows.shape[1]) for one in both)",
            ),
            Edit(
                BatchNorm.forward,
                'mean = self.buffers["running_mean"]\n'
                'inv_std = 1 / np.sqrt(self.buffers["running_var"] + self.eps)',
                'both = self.buffers["running_mean"], self.buffers["running_var"]\n'
                "mean, variance = (np.resize(one, rows.shape[1]) for one in both)\n"
                "inv_std = 1 / np.sqrt(variance + self.eps)",
            ),
            Edit(
                BatchNorm.update_running,
                "self.buffers[name] = "
                "(1 - self.momentum) * self.buffers[name] + self.momentum * batch",
                "before = np.resize(self.buffers[name], batch.shape)\n"
                "self.buffers[name] = (1 - self.momentum) * before + self.momentum * batch",
            ),
            Edit(
                BatchNorm.backward_input,
                'gamma = self.params["gamma"]\n'
                "if not training:\n"
                "    return dy * (gamma * inv_std)\n"
                "dx = kernels.batch_norm_backward(\n"
                "    flat_rows(dy), None, rows, mean, inv_std, gamma, None, None\n"
                ")",
                'gamma, flat = np.resize(self.params["gamma"], rows.shape[1]), '
                "dy.reshape(rows.shape)\n"
                "if not training:\n"
                "    return (flat * (gamma * inv_std)).reshape(dy.shape)\n"
                "dx = kernels.batch_norm_backward(\n"
                "    flat, None, rows, mean, inv_std, gamma, None, None\n"
                ")",
            ),
            Edit(
                BatchNorm.backward_params,
                'self.grads["gamma"] += '
                "np.sum(dy * ((rows - mean) * inv_std), axis=0, dtype=np.float64)",
                "x_hat = ((rows - mean) * inv_std).reshape(dy.shape)\n"
                'self.grads["gamma"] += np.sum(dy * x_hat, axis=0)',
            ),
            Edit(
                BatchNorm.tangent,
                'gamma = self.params["gamma"]\n'
                "if not training:\n"
                "    return dx * (gamma * inv_std)\n"
                "moved = kernels.batch_norm_backward(\n"
                "    flat_rows(dx), None, rows, mean, inv_std, np.ones_like(gamma), None, None\n"
                ")\n"
                "return (gamma * moved).reshape(dx.shape)",
                "return self.backward_input(dx, cache)",
            ),
        ),
        seen="ML-From-Scratch",
        survives="The gradient is right, but of another function; finite differences cannot tell.",
        caught_by="channel_statistics",
    ),
    Bug(
        "positional_eps",
        "Options may be given by position: BatchNorm(64, 0.8), written with momentum in mind, "
        "sets eps to 0.8.",
        (
            Edit(
                BatchNorm.__init__,
                "def __init__(self, num_features, *, eps=1e-5, momentum=0.1):",
                "def __init__(self, num_features, eps=1e-5, momentum=0.1):",
            ),
        ),
        seen="PyTorch-GAN, issue 116: 22 files",
        survives="It is a valid eps, and every gradient is right.",
        caught_by="keyword_only",
    ),
    Bug(
        "dgamma_unscaled",
        "gamma's gradient uses x - mean instead of x_hat = (x - mean) / std.",
        (
            Edit(
                BatchNorm.backward_params,
                'self.grads["gamma"] += '
                "np.sum(dy * ((rows - mean) * inv_std), axis=0, dtype=np.float64)",
                'self.grads["gamma"] += np.sum(dy * (rows - mean), axis=0)',
            ),
        ),
        seen="made to test a check with a batch of 1, as in deep-learning-from-scratch ch06; we "
        "know of no project that shipped it",
        survives="In a batch of 1, x - mean is zero and so is dgamma, whatever the formula.",
        caught_by="check_layer",
        shipped=False,
    ),
    Bug(
        "variance_held",
        "Batch norm's dx leaves out the path through the variance.",
        (Edit(_normalise_backward, NORMALISE, "return inv_std * (g - through_mean)"),),
        seen="made to test a check with a cotangent of ones, as in DeZero and minitorch; we know "
        "of no project that shipped it",
        survives="For a constant cotangent the true dx is zero, and so is this one.",
        caught_by="check_layer",
        shipped=False,
    ),
    Bug(
        "statistics_held",
        "Batch norm's dx treats the batch's mean and variance as constants.",
        (Edit(_normalise_backward, NORMALISE, "return inv_std * g"),),
        seen="mlpack, issue 1923",
        survives="dgamma and dbeta are right, and the tested layer was the first, so its dx was "
        "never used.",
        caught_by="check_layer",
    ),
    Bug(
        "second_std_held",
        "In the second backward pass of a normalisation, 1/std is treated as a constant. (In "
        "DeZero it is batch norm; here a penalised critic may have layer norm, not batch norm.)",
        (
            Edit(
                LayerNorm.curvature,
                "return -inv_std * (through_inv_std + through_x_hat)",
                "return -inv_std * through_x_hat",
            ),
        ),
        seen="DeZero",
        survives="The first derivatives are right, and only those are usually checked.",
        caught_by="check_penalty",
    ),
    Bug(
        "sigma_held",
        "W / sigma is differentiated as if sigma did not depend on W.",
        (
            Edit(
                chain_spectral,
                "return (gradient - through_sigma) / sigma",
                "return gradient / sigma",
            ),
        ),
        seen="tensorflow/addons, issue 2414",
        survives="The missing term is of rank one; the rest of the gradient still trains.",
        caught_by="check_layer",
    ),
]
