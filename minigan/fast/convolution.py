"""Compiled counterparts of both convolutions, with the activation after them.

How a convolution becomes products of matrices: see `kernels.images` and `kernels.winograd`.
"""

from typing import Any

import numpy as np

from ..layers.base import flat_rows
from .fused import FusedStage
from .kernels import images
from .kernels.products import matmul
from .kernels.vectors import scale_and_add


class _ConvolutionStage(FusedStage):
    """What both stages share. The cache is (x, y), images (N, H, W, C)."""

    @property
    def weight(self):
        return self.layer.params["weight"]

    @property
    def gradients(self):
        """(dW, db), db None without a bias."""
        return self.layer.grads["weight"], self.layer.grads.get("bias")

    @property
    def geometry(self):
        return self.layer.stride, self.layer.padding

    def backward_merged(self, dy, scale, cache, x_dot):
        """backward_params(scale dy) and curvature(dy, x_dot) in one product, scale (N, 1).

        dW is bilinear in x and dy, so the sum of both is the dW of scale x + x_dot and dy.
        """
        self.inner_curvature(dy, cache, scale_and_add(scale, cache[0], x_dot))
        if "bias" in self.layer.grads:  # db = sum over samples and pixels of scale dy
            per_pixel = matmul(scale, dy.reshape(len(dy), -1), transpose_a=True)
            self.layer.grads["bias"] += flat_rows(per_pixel.reshape(dy.shape[1:])).sum(axis=0)


class ConvStage(_ConvolutionStage):
    """y = phi(conv(x, W) + b): Conv2d and the activation after it."""

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.layer.images(x)
        bias = self.layer.params.get("bias")
        y = images.conv2d_forward(x, self.weight, bias, *self.geometry, *self.phi)
        return y, (x, y)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return images.conv2d_backward_input(dy, y, self.weight, x.shape, *self.geometry, *self.phi)

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        x, y = cache
        images.conv2d_backward_params(dy, y, x, *self.gradients, *self.geometry, *self.phi)

    def backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return images.conv2d_backward(
            dy, y, x, self.weight, *self.gradients, *self.geometry, *self.phi
        )

    def inner_tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        return images.conv2d_forward(x_dot, self.weight, None, *self.geometry)

    def inner_curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> None:
        dweight, _ = self.gradients
        images.conv2d_backward_params(dy, None, x_dot, dweight, None, *self.geometry)


class ConvTransposeStage(_ConvolutionStage):
    """y = phi(conv_transpose(x, W) + b): ConvTranspose2d and the activation after it."""

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, Any]:
        x = self.layer.images(x)
        bias = self.layer.params.get("bias")
        y = images.conv_transpose2d_forward(x, self.weight, bias, *self.geometry, *self.phi)
        return y, (x, y)

    def backward_input(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return images.conv_transpose2d_backward_input(
            dy, cache[1], self.weight, *self.geometry, *self.phi
        )

    def backward_params(self, dy: np.ndarray, cache: Any) -> None:
        x, y = cache
        images.conv_transpose2d_backward_params(
            dy, y, x, *self.gradients, *self.geometry, *self.phi
        )

    def backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return images.conv_transpose2d_backward(
            dy, y, x, self.weight, *self.gradients, *self.geometry, *self.phi
        )

    def inner_tangent(self, x_dot: np.ndarray, cache: Any) -> np.ndarray:
        return images.conv_transpose2d_forward(x_dot, self.weight, None, *self.geometry)

    def inner_curvature(self, dy: np.ndarray, cache: Any, x_dot: np.ndarray) -> None:
        dweight, _ = self.gradients
        images.conv_transpose2d_backward_params(dy, None, x_dot, dweight, None, *self.geometry)
