"""Compiled counterparts of BatchNorm, with the activation after it, and of LayerNorm."""

from typing import Any

import numpy as np

from ..layers.base import flat_rows, flat_samples
from .fused import FusedStage
from .kernels.elementwise import activate, activate_backward
from .kernels.moments import (
    batch_norm_backward,
    batch_norm_forward,
    row_norm_backward,
    row_norm_forward,
)
from .stage import Stage


class BatchNormStage(FusedStage):
    """y = phi(gamma x_hat + beta): one pass over memory for the moments, a second one for y.

    In evaluation mode it runs the layer and then the activation. The cache is (inner, y, training);
    inner is (rows, mean, inv_std) in training mode, and the layer's cache in evaluation mode.
    """

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        layer = self.layer
        if not training:
            z, inner = layer.forward(x, training=False)
            y = activate(z, *self.phi)
            return y, (inner, y, False)
        x = layer.as_input(x, "N", ..., layer.num_features)
        rows = flat_rows(x)
        layer.check_count(len(rows))
        gamma, beta = layer.params["gamma"], layer.params["beta"]
        y, mean, variance, inv_std = batch_norm_forward(rows, gamma, beta, layer.eps, *self.phi)
        layer.update_running(mean, variance, len(rows))
        y = y.reshape(x.shape)
        return y, ((rows, mean, inv_std), y, True)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self._backward(dy, cache, None, None)

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        inner, y, training = cache
        dz = activate_backward(dy, y, *self.phi)
        if not training:
            self.layer.backward_params(dz, inner)
            return
        rows, mean, inv_std = inner
        dz, grads = flat_rows(dz), self.layer.grads
        grads["gamma"] += np.sum(dz * ((rows - mean) * inv_std), axis=0, dtype=np.float64)
        grads["beta"] += np.sum(dz, axis=0, dtype=np.float64)

    def backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self._backward(dy, cache, self.layer.grads["gamma"], self.layer.grads["beta"])

    def _backward(self, dy, cache, dgamma, dbeta):
        inner, y, training = cache
        if not training:
            dz = activate_backward(dy, y, *self.phi)
            if dgamma is not None:
                self.layer.backward_params(dz, inner)
            return self.layer.backward_input(dz, inner)
        rows, mean, inv_std = inner
        gamma = self.layer.params["gamma"]
        dx = batch_norm_backward(
            flat_rows(dy), flat_rows(y), rows, mean, inv_std, gamma, dgamma, dbeta, *self.phi
        )
        return dx.reshape(dy.shape)

    def inner_tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        """y_dot = gamma x_hat_dot. The Jacobian of x_hat is symmetric, so x_hat_dot is the formula
        of dx, with x_dot for dL/dx_hat."""
        inner, _, training = cache
        if not training:
            return self.layer.tangent(x_dot, inner)
        rows, mean, inv_std = inner
        gamma = self.layer.params["gamma"]
        ones = np.ones_like(gamma)
        x_hat_dot = batch_norm_backward(
            flat_rows(x_dot), None, rows, mean, inv_std, ones, None, None
        )
        return (gamma * x_hat_dot).reshape(x_dot.shape)


class LayerNormStage(Stage):
    """y = gamma x_hat + beta, with x_hat and its backward pass compiled; the layer's cache."""

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        layer = self.layer
        x = layer.as_input(x, "N", ..., layer.num_features)
        x_hat, inv_std = row_norm_forward(flat_samples(x), layer.eps)
        x_hat = x_hat.reshape(x.shape)
        inv_std = inv_std.reshape(-1, *(1,) * (x.ndim - 1))
        return layer.params["gamma"] * x_hat + layer.params["beta"], (x_hat, inv_std)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self._through(dy * self.layer.params["gamma"], cache)

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        self.layer.backward_params(dy, cache)

    def tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        return self.layer.params["gamma"] * self._through(x_dot, cache)

    def curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> np.ndarray | None:
        return self.layer.curvature(dy, cache, x_dot)

    @staticmethod
    def _through(dx_hat, cache):
        """dx from dx_hat; also the tangent of x_hat, because the Jacobian is symmetric."""
        x_hat, inv_std = cache
        dx = row_norm_backward(flat_samples(dx_hat), flat_samples(x_hat), inv_std.reshape(-1, 1))
        return dx.reshape(dx_hat.shape)
