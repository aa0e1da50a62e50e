"""Batch norm and layer norm.

Both compute x_hat = (x - mean) / sqrt(var + eps), where mean and var are functions of x. With
i = 1 / sqrt(var + eps) and g = dL/dx_hat,

    dx = i (g - mean(g) - x_hat mean(g x_hat))

The two subtracted terms are the paths through the mean and through the variance (Ioffe and Szegedy
2015). With n values x_j, c_j = x_j - mean and x_hat_j = i c_j:
    through c_j itself    dx_j = i g_j
    through the mean      each c_k falls by 1 / n as x_j grows:  - (1 / n) sum_k i g_k = -i mean(g)
    through the variance  dvar/dx_j = 2 c_j / n and di/dvar = -i^3 / 2, so i moves by -i^3 c_j / n,
                          and sum_k g_k c_k times that is  -i x_hat_j mean(g x_hat)

Batch norm takes its means over the batch, layer norm over each sample. The Jacobian of x_hat
is symmetric, so the same line is the tangent: x_hat_dot is dx with x_dot for g.

Means are summed in float64: a float32 sum over 100,000 rows loses three digits.
"""

import numpy as np

from .._checks import Count, Epsilon, Share
from .base import Array, Cache, Layer, flat_rows
from .parameters import zeros


class BatchStatistics(Layer):
    """Base of the layers that normalise over the batch: the mean and variance of each channel.

    In training they are the batch's; in evaluation they are running statistics, kept in buffers,
    which move by `momentum` towards the batch's at each training pass.
    """

    mixes_samples = True

    def __init__(self, channels: int, eps: float, momentum: float) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.buffers["running_mean"] = zeros(channels)
        self.buffers["running_var"] = 1 + zeros(channels)

    def statistics(self, rows: Array, training: bool) -> tuple[Array, Array]:
        """The mean and variance of each column of rows (N, C), both (C,)."""
        if not training:
            return self.buffers["running_mean"], self.buffers["running_var"]
        self.check_count(len(rows))
        mean = column_mean(rows)
        variance = column_mean((rows - mean) ** 2)
        self.update_running(mean, variance, len(rows))
        return mean, variance

    def check_count(self, count: int) -> None:
        if count < 2:
            raise ValueError(f"{self}: needs at least 2 values per channel to train, got {count}")

    def update_running(self, mean: Array, variance: Array, count: int) -> None:
        """running += momentum * (batch - running), for the mean and the unbiased variance."""
        if self.hold_buffers:
            return
        unbiased = variance * (count / (count - 1))
        for name, batch in (("running_mean", mean), ("running_var", unbiased)):
            self.buffers[name] = (1 - self.momentum) * self.buffers[name] + self.momentum * batch


class BatchNorm(BatchStatistics):
    """y = gamma x_hat + beta,  x_hat = (x - mean) / sqrt(var + eps)   (Ioffe and Szegedy 2015)

    x (N, C) or (N, H, W, C): one mean, variance, gamma and beta per channel, over all other axes.

    In training, mean and var are the batch's, and the gradient flows through them:
        dx = (g - mean(g) - x_hat mean(g x_hat)) / sqrt(var + eps),  g = dy gamma
        dgamma = sum of dy x_hat     dbeta = sum of dy
    In evaluation they are the running statistics, which are constants: dx = g / sqrt(var + eps).
    Running statistics move by `momentum` towards the batch's at each training pass (the variance
    with the unbiased n / (n - 1)).

    Raises ValueError in training for a batch with fewer than two values per channel.

    A D with batch norm judges real and fake samples in two passes, each normalised by itself. In
    one batch, their common mean and variance would tell D about the other half, and G would be
    judged by other statistics in its own update, where no real samples are present.
    """

    def __init__(self, num_features: Count, *, eps: Epsilon = 1e-5, momentum: Share = 0.1) -> None:
        super().__init__(num_features, eps, momentum)
        self.num_features = num_features
        self.add_parameter("gamma", (num_features,))
        self.add_parameter("beta", (num_features,))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        self.params["gamma"][...] = 1

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", ..., self.num_features)
        rows = flat_rows(x)
        mean, variance = self.statistics(rows, training)
        inv_std = 1 / np.sqrt(variance + self.eps)
        x_hat = (rows - mean) * inv_std
        y = self.params["gamma"] * x_hat + self.params["beta"]
        return y.reshape(x.shape), (x_hat, inv_std, training)

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        dx = self._through(flat_rows(dy) * self.params["gamma"], cache)
        return dx.reshape(dy.shape)

    def backward_params(self, dy: Array, cache: Cache) -> None:
        x_hat, _, _ = cache
        dy = flat_rows(dy)
        self.grads["gamma"] += np.sum(dy * x_hat, axis=0, dtype=np.float64)
        self.grads["beta"] += np.sum(dy, axis=0, dtype=np.float64)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        y_dot = self.params["gamma"] * self._through(flat_rows(x_dot), cache)
        return y_dot.reshape(x_dot.shape)

    def _through(self, g, cache):
        """dx from g = dL/dx_hat; and, x_hat's Jacobian being symmetric, x_hat_dot from x_dot."""
        x_hat, inv_std, training = cache
        if not training:
            return inv_std * g
        return inv_std * (g - column_mean(g) - x_hat * column_mean(g * x_hat))

    def __repr__(self) -> str:
        return f"BatchNorm({self.num_features})"


class LayerNorm(Layer):
    """y = gamma x_hat + beta,  x_hat = (x - mean) / sqrt(var + eps)   per sample (Ba et al. 2016)

    x (N, C) or (N, H, W, C): mean and var of each sample over all of its own values; gamma and beta
    per channel. Nothing is shared between samples, so a penalised critic may contain it, and there
    are no running statistics.

    backward, means over the sample:
        dx = i (g - mean(g) - x_hat mean(g x_hat)),  i = 1 / sqrt(var + eps),  g = dy gamma
        dgamma = sum of dy x_hat     dbeta = sum of dy
    curvature: the same lines as x moves along x_dot, by the product rule. i and x_hat move by
        i_dot     = -i^2 mean(x_hat x_dot)       (var moves by 2 mean((x - mean) x_dot))
        x_hat_dot = i (x_dot - mean(x_dot) - x_hat mean(x_dot x_hat))
    and so
        dx_dot     = (i_dot / i) dx - i (x_hat_dot mean(g x_hat) + x_hat mean(g x_hat_dot))
        dgamma_dot = sum dy x_hat_dot,  dbeta_dot = 0
    """

    def __init__(self, num_features: Count, *, eps: Epsilon = 1e-5) -> None:
        super().__init__()
        self.num_features, self.eps = num_features, eps
        self.add_parameter("gamma", (num_features,))
        self.add_parameter("beta", (num_features,))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        self.params["gamma"][...] = 1

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", ..., self.num_features)
        centred = x - sample_mean(x)
        inv_std = 1 / np.sqrt(sample_mean(centred**2) + self.eps)
        x_hat = centred * inv_std
        return self.params["gamma"] * x_hat + self.params["beta"], (x_hat, inv_std)

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        return self._through(dy * self.params["gamma"], cache)

    def backward_params(self, dy: Array, cache: Cache) -> None:
        x_hat, _ = cache
        self.grads["gamma"] += np.sum(flat_rows(dy * x_hat), axis=0, dtype=np.float64)
        self.grads["beta"] += np.sum(flat_rows(dy), axis=0, dtype=np.float64)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        return self.params["gamma"] * self._through(x_dot, cache)

    def curvature(self, dy: Array, cache: Cache, x_dot: Array) -> Array | None:
        x_hat, i = cache
        g = dy * self.params["gamma"]
        dx = self._through(g, cache)
        x_hat_dot = self._through(x_dot, cache)
        i_dot = -(i**2) * sample_mean(x_hat * x_dot)
        self.grads["gamma"] += np.sum(flat_rows(dy * x_hat_dot), axis=0, dtype=np.float64)
        through_x_hat = x_hat_dot * sample_mean(g * x_hat) + x_hat * sample_mean(g * x_hat_dot)
        return i_dot / i * dx - i * through_x_hat

    def _through(self, g, cache):
        """dx from g = dL/dx_hat; and, x_hat's Jacobian being symmetric, x_hat_dot from x_dot."""
        x_hat, inv_std = cache
        return inv_std * (g - sample_mean(g) - x_hat * sample_mean(g * x_hat))

    def __repr__(self) -> str:
        return f"LayerNorm({self.num_features})"


def column_mean(rows: Array) -> Array:
    """The mean of each column, (C,), in the dtype of the rows."""
    return rows.mean(axis=0, dtype=np.float64).astype(rows.dtype)


def sample_mean(x: Array) -> Array:
    """The mean of each sample, (N, 1, ...), in the dtype of x."""
    axes = tuple(range(1, x.ndim))
    return x.mean(axis=axes, dtype=np.float64, keepdims=True).astype(x.dtype)
