"""Bugs of the normalisations: which statistics depend on the input, and which are constants."""

from ...gan import GAN
from ...layers.normalisation import BatchNorm, BatchStatistics, LayerNorm
from ...layers.spectral import chain_spectral
from .mutants import Bug, Edit

FROM_X_HAT = "return inv_std * (g - column_mean(g) - x_hat * column_mean(g * x_hat))"

BUGS = [
    Bug(
        "frozen_batch_norm",
        "While G is updated, D's batch norm uses running statistics forward, but the formula for "
        "batch statistics backward.",
        (
            Edit(
                GAN.generator_gradient,
                "fake_logits, judged = D.forward(fake)",
                "fake_logits, judged = D.forward(fake, training=False)",
            ),
            Edit(
                BatchNorm._through,
                "if not training:\n    return inv_std * g",
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
            Edit(BatchNorm.forward, "rows = flat_rows(x)", "rows = x.reshape(len(x), -1)"),
            Edit(
                BatchStatistics.statistics,
                'return self.buffers["running_mean"], self.buffers["running_var"]',
                'both = self.buffers["running_mean"], self.buffers["running_var"]\n'
                "return tuple(np.resize(one, rows.shape[1]) for one in both)",
            ),
            Edit(
                BatchNorm.forward,
                'y = self.params["gamma"] * x_hat + self.params["beta"]\n'
                "return y.reshape(x.shape), (x_hat, inv_std, training)",
                'y = self.params["gamma"] * x_hat.reshape(x.shape) + self.params["beta"]\n'
                "return y, (x_hat, inv_std, training)",
            ),
            Edit(
                BatchStatistics.update_running,
                "self.buffers[name] = "
                "(1 - self.momentum) * self.buffers[name] + self.momentum * batch",
                "before = np.resize(self.buffers[name], batch.shape)\n"
                "self.buffers[name] = (1 - self.momentum) * before + self.momentum * batch",
            ),
            Edit(
                BatchNorm.backward_input,
                'dx = self._through(flat_rows(dy) * self.params["gamma"], cache)',
                'dx = self._through((dy * self.params["gamma"]).reshape(len(dy), -1), cache)',
            ),
            Edit(
                BatchNorm.backward_params,
                "x_hat, _, _ = cache",
                "x_hat = flat_rows(cache[0].reshape(dy.shape))",
            ),
            Edit(
                BatchNorm.tangent,
                'y_dot = self.params["gamma"] * self._through(flat_rows(x_dot), cache)',
                "y_dot = self._through(x_dot.reshape(len(x_dot), -1), cache).reshape(x_dot.shape)\n"
                'y_dot = self.params["gamma"] * y_dot',
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
                "def __init__("
                "self, num_features: Count, *, eps: Epsilon = 1e-5, momentum: Share = 0.1"
                ") -> None:",
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
                'self.grads["gamma"] += np.sum(dy * x_hat, axis=0, dtype=np.float64)',
                'self.grads["gamma"] += np.sum(dy * x_hat / cache[1], axis=0)',
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
        (Edit(BatchNorm._through, FROM_X_HAT, "return inv_std * (g - column_mean(g))"),),
        seen="made to test a check with a cotangent of ones, as in DeZero and minitorch; we know "
        "of no project that shipped it",
        survives="For a constant cotangent the true dx is zero, and so is this one.",
        caught_by="check_layer",
        shipped=False,
    ),
    Bug(
        "statistics_held",
        "Batch norm's dx treats the batch's mean and variance as constants.",
        (Edit(BatchNorm._through, FROM_X_HAT, "return inv_std * g"),),
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
                "return i_dot / i * dx - i * through_x_hat",
                "return -i * through_x_hat",
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
