"""Batch norm and layer norm. The algebra of the backward pass is in the kernels' docstring."""

import numpy as np

from .. import kernels
from .base import Layer, flat_rows, positive_eps, positive_int, real_number, sample_rows


class BatchNorm(Layer):
    """y = gamma x_hat + beta,  x_hat = (x - mean) / sqrt(var + eps)   (Ioffe and Szegedy 2015)

    x (N, C) or (N, H, W, C): one mean, variance, gamma and beta per channel, over all other axes.

    In training, mean and var are the batch's, and the gradient flows through them:
        g  = dy * gamma
        dx = (g - mean(g) - x_hat mean(g x_hat)) / sqrt(var + eps)
        dgamma = sum dy x_hat,  dbeta = sum dy
    In evaluation they are the running statistics, which are constants: dx = g / sqrt(var + eps).
    Running statistics move by `momentum` towards the batch's at each training pass (the variance
    with the unbiased n / (n - 1)).

    Raises ValueError in training for a batch with fewer than two values per channel.
    """

    mixes_samples = True

    def __init__(self, num_features, *, eps=1e-5, momentum=0.1):
        super().__init__()
        self.num_features = positive_int("BatchNorm", "num_features", num_features)
        self.eps = positive_eps("BatchNorm", eps)
        self.momentum = real_number("BatchNorm", "momentum", momentum, low=0, high=1)
        self.add_parameter("gamma", (self.num_features,))
        self.add_parameter("beta", (self.num_features,))
        self.buffers["running_mean"] = np.zeros(self.num_features, np.float32)
        self.buffers["running_var"] = np.ones(self.num_features, np.float32)
        self.initialize(self.rng)

    def initialize(self, rng):
        self.params["gamma"][...] = 1

    def forward(self, x, training=True):
        x = self.as_input(x, features=self.num_features)
        rows = flat_rows(x)
        gamma, beta = self.params["gamma"], self.params["beta"]
        if training:
            self.check_count(len(rows))
            y, mean, variance, inv_std = kernels.batch_norm_forward(rows, gamma, beta, self.eps)
            self.update_running(mean, variance, len(rows))
        else:
            mean = self.buffers["running_mean"]
            inv_std = 1 / np.sqrt(self.buffers["running_var"] + self.eps)
            y = gamma * ((rows - mean) * inv_std) + beta
        return y.reshape(x.shape), (rows, mean, inv_std, training)

    def check_count(self, count):
        if count < 2:
            raise ValueError(f"{self}: needs at least 2 values per channel to train, got {count}")

    def update_running(self, mean, variance, count):
        """running += momentum * (batch - running), for the mean and the unbiased variance."""
        if self.hold_buffers:
            return
        unbiased = variance * (count / (count - 1))
        for name, batch in (("running_mean", mean), ("running_var", unbiased)):
            self.buffers[name] = (1 - self.momentum) * self.buffers[name] + self.momentum * batch

    def backward_input(self, dy, cache):
        rows, mean, inv_std, training = cache
        gamma = self.params["gamma"]
        if not training:
            return dy * (gamma * inv_std)
        dx = kernels.batch_norm_backward(
            flat_rows(dy), None, rows, mean, inv_std, gamma, None, None
        )
        return dx.reshape(dy.shape)

    def backward_params(self, dy, cache):
        rows, mean, inv_std, _ = cache
        dy = flat_rows(dy)
        self.grads["gamma"] += np.sum(dy * ((rows - mean) * inv_std), axis=0, dtype=np.float64)
        self.grads["beta"] += np.sum(dy, axis=0, dtype=np.float64)

    def tangent(self, dx, cache):
        """x_hat's Jacobian is symmetric, so it moves by the backward formula: y by gamma times."""
        rows, mean, inv_std, training = cache
        gamma = self.params["gamma"]
        if not training:
            return dx * (gamma * inv_std)
        moved = kernels.batch_norm_backward(
            flat_rows(dx), None, rows, mean, inv_std, np.ones_like(gamma), None, None
        )
        return (gamma * moved).reshape(dx.shape)

    def __repr__(self):
        return f"BatchNorm({self.num_features})"


class LayerNorm(Layer):
    """y = gamma x_hat + beta,  x_hat = (x - mean) / sqrt(var + eps), per sample (Ba et al. 2016)

    x (N, C) or (N, H, W, C): mean and var of each sample over all of its own values; gamma and beta
    per channel. Nothing is shared between samples, so a penalised critic may contain it, and there
    are no running statistics.

    backward: the formula of batch norm, its means running over the sample: with g = dy * gamma and
    i = 1 / sqrt(var + eps),
        dx = i (g - mean(g) - x_hat mean(g x_hat)),  dgamma = sum dy x_hat,  dbeta = sum dy
    curvature: the same lines as x moves along x_dot, by the product rule. i and x_hat move by
        i_dot     = -i^2 mean(x_hat x_dot)       (var moves by 2 mean((x - mean) x_dot))
        x_hat_dot = i (x_dot - mean(x_dot) - x_hat mean(x_dot x_hat))
    and so
        dx_dot     = (i_dot / i) dx - i (x_hat_dot mean(g x_hat) + x_hat mean(g x_hat_dot))
        dgamma_dot = sum dy x_hat_dot,  dbeta_dot = 0
    """

    def __init__(self, num_features, *, eps=1e-5):
        super().__init__()
        self.num_features = positive_int("LayerNorm", "num_features", num_features)
        self.eps = positive_eps("LayerNorm", eps)
        self.add_parameter("gamma", (self.num_features,))
        self.add_parameter("beta", (self.num_features,))
        self.initialize(self.rng)

    def initialize(self, rng):
        self.params["gamma"][...] = 1

    def forward(self, x, training=True):
        x = self.as_input(x, features=self.num_features)
        x_hat, inv_std = kernels.row_norm_forward(sample_rows(x), self.eps)
        x_hat = x_hat.reshape(x.shape)
        return self.params["gamma"] * x_hat + self.params["beta"], (x_hat, inv_std)

    def backward_input(self, dy, cache):
        return self._through_row_norm(dy * self.params["gamma"], cache)

    def backward_params(self, dy, cache):
        x_hat, _ = cache
        self.grads["gamma"] += np.sum(flat_rows(dy * x_hat), axis=0, dtype=np.float64)
        self.grads["beta"] += np.sum(flat_rows(dy), axis=0, dtype=np.float64)

    def tangent(self, dx, cache):
        """As in batch norm, x_hat's Jacobian is symmetric."""
        return self.params["gamma"] * self._through_row_norm(dx, cache)

    def curvature(self, dy, cache, x_dot):
        x_hat, inv_std = cache

        def mean(values):  # of each sample
            return sample_rows(values).mean(axis=1).reshape(per_sample)

        per_sample = len(x_dot), *(1,) * (x_dot.ndim - 1)
        inv_std = inv_std.reshape(per_sample)
        g = dy * self.params["gamma"]
        x_hat_dot = self._through_row_norm(x_dot, cache)
        self.grads["gamma"] += np.sum(flat_rows(dy * x_hat_dot), axis=0, dtype=np.float64)
        through_inv_std = mean(x_hat * x_dot) * self._through_row_norm(g, cache)
        through_x_hat = x_hat_dot * mean(g * x_hat) + x_hat * mean(g * x_hat_dot)
        return -inv_std * (through_inv_std + through_x_hat)

    @staticmethod
    def _through_row_norm(g, cache):
        x_hat, inv_std = cache
        moved = kernels.row_norm_backward(sample_rows(g), sample_rows(x_hat), inv_std)
        return moved.reshape(g.shape)

    def __repr__(self):
        return f"LayerNorm({self.num_features})"
