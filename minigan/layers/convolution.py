"""Convolution and transposed convolution over NHWC images."""

import numpy as np

from .. import kernels
from ..checks import flag, shown
from .base import Layer, flat_rows, positive_int


class _Convolution(Layer):
    """What both share: geometry, weights (kernel_h, kernel_w, in, out), their first values."""

    piecewise_linear = True

    def __init__(self, in_channels, out_channels, kernel_size, *, stride=1, padding=0, bias=True):
        super().__init__()
        name = type(self).__name__
        self.in_channels = positive_int(name, "in_channels", in_channels)
        self.out_channels = positive_int(name, "out_channels", out_channels)
        pair = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        if len(pair) != 2:
            got = shown(kernel_size)
            raise ValueError(f"{name}: kernel_size must be an int or a pair, got {got}")
        self.kernel_size = tuple(positive_int(name, "kernel_size", size) for size in pair)
        self.stride = positive_int(name, "stride", stride)
        self.padding = positive_int(name, "padding", padding, minimum=0)
        self.add_parameter("weight", (*self.kernel_size, self.in_channels, self.out_channels))
        if flag(name, "bias", bias):
            self.add_parameter("bias", (self.out_channels,))
        self.initialize(self.rng)

    def initialize(self, rng):
        """W from N(0, 2 / fan_in) (He et al. 2015), b = 0; fan_in counts the products that are
        summed into one output pixel."""
        weight = self.params["weight"]
        weight[...] = rng.normal(0, np.sqrt(2 / self.fan_in()), weight.shape)

    def fan_in(self):
        raise NotImplementedError

    def output_size(self, size):
        raise NotImplementedError

    def backward_merged(self, dy, scale, x, x_dot):
        """backward_params(scale * dy) and curvature(dy, x_dot), in one product: dW is bilinear in
        x and dy, so that of (scale x + x_dot, dy) serves for both; scale (N, 1) per sample."""
        self.curvature(dy, x, kernels.scale_and_add(scale, x, x_dot))
        if "bias" in self.grads:
            # db = sum over batch and pixels of scale dy
            per_pixel = kernels.matmul(scale, dy.reshape(len(dy), -1), transpose_a=True)
            self.grads["bias"] += flat_rows(per_pixel.reshape(dy.shape[1:])).sum(axis=0)

    def images(self, x):
        """x checked: (N, H, W, in), large enough to give at least one output pixel."""
        x = self.as_input(x, 4, self.in_channels)
        if min(self.output_size(x.shape[1:3])) < 1:
            raise ValueError(f"{self}: images of {x.shape[1]} x {x.shape[2]} pixels are too small")
        return x

    def __repr__(self):
        kh, kw = self.kernel_size
        options = f", stride={self.stride}, padding={self.padding}"
        options += "" if "bias" in self.params else ", bias=False"
        kernel = kh if kh == kw else (kh, kw)
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, {kernel}{options})"


class Conv2d(_Convolution):
    """y[n, i, j, o] = b[o] + sum_{u, v, c} x[n, i s + u - p, j s + v - p, c] W[u, v, c, o]

    x (N, H, W, in), W (kh, kw, in, out), b (out,), y (N, H', W', out), with stride s, padding p of
    zeros, and H' = (H + 2p - kh) // s + 1.

    backward, from dy = dL/dy:
        dx: every product above has one x in it; dx collects dy W over the products x took part in
            (a transposed convolution)
        dW[u, v, c, o] = sum_{n, i, j} x[n, i s + u - p, j s + v - p, c] dy[n, i, j, o]
        db[o] = sum_{n, i, j} dy[n, i, j, o]
    tangent: the same convolution of dx, without the bias.
    curvature: of the backward pass, only dW has an x in it: it moves by its formula with x_dot.
    """

    def fan_in(self):
        return self.kernel_size[0] * self.kernel_size[1] * self.in_channels

    def output_size(self, size):
        return tuple(
            (n + 2 * self.padding - k) // self.stride + 1 for n, k in zip(size, self.kernel_size)
        )

    def forward(self, x, training=True):
        x = self.images(x)
        weight, bias = self.params["weight"], self.params.get("bias")
        return kernels.conv2d_forward(x, weight, bias, self.stride, self.padding), x

    def backward_input(self, dy, x):
        weight = self.params["weight"]
        return kernels.conv2d_backward_input(dy, None, weight, x.shape, self.stride, self.padding)

    def backward_params(self, dy, x):
        dweight, dbias = self.grads["weight"], self.grads.get("bias")
        kernels.conv2d_backward_params(dy, None, x, dweight, dbias, self.stride, self.padding)

    def tangent(self, dx, x):
        return kernels.conv2d_forward(dx, self.params["weight"], None, self.stride, self.padding)

    def curvature(self, dy, x, x_dot):
        dweight = self.grads["weight"]
        kernels.conv2d_backward_params(dy, None, x_dot, dweight, None, self.stride, self.padding)


class ConvTranspose2d(_Convolution):
    """y[n, i s + u - p, j s + v - p, o] += x[n, i, j, c] W[u, v, c, o],  then + b[o]

    x (N, H, W, in), W (kh, kw, in, out), b (out,), y (N, H', W', out), H' = (H - 1) s - 2p + kh.
    Each pixel of x paints a (kh, kw) patch of y, the patches s apart (Dumoulin and Visin 2016).

    backward, from dy = dL/dy:
        dx[n, i, j, c] = sum_{u, v, o} dy[n, i s + u - p, j s + v - p, o] W[u, v, c, o]
            (a convolution)
        dW[u, v, c, o] = sum_{n, i, j} x[n, i, j, c] dy[n, i s + u - p, j s + v - p, o]
        db[o] = sum over batch and pixels of dy
    tangent: the same transposed convolution of dx, without the bias.
    curvature: only dW has an x in it: it moves by its formula with x_dot for x.
    """

    def fan_in(self):
        taps = self.kernel_size[0] * self.kernel_size[1] / self.stride**2
        return max(taps, 1) * self.in_channels

    def output_size(self, size):
        return tuple(
            (n - 1) * self.stride - 2 * self.padding + k for n, k in zip(size, self.kernel_size)
        )

    def forward(self, x, training=True):
        x = self.images(x)
        weight, bias = self.params["weight"], self.params.get("bias")
        return kernels.conv_transpose2d_forward(x, weight, bias, self.stride, self.padding), x

    def backward_input(self, dy, x):
        weight = self.params["weight"]
        return kernels.conv_transpose2d_backward_input(dy, None, weight, self.stride, self.padding)

    def backward_params(self, dy, x):
        dweight, dbias = self.grads["weight"], self.grads.get("bias")
        kernels.conv_transpose2d_backward_params(
            dy, None, x, dweight, dbias, self.stride, self.padding
        )

    def tangent(self, dx, x):
        weight = self.params["weight"]
        return kernels.conv_transpose2d_forward(dx, weight, None, self.stride, self.padding)

    def curvature(self, dy, x, x_dot):
        kernels.conv_transpose2d_backward_params(
            dy, None, x_dot, self.grads["weight"], None, self.stride, self.padding
        )
