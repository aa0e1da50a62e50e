"""Convolution and transposed convolution over NHWC images.

Both walk over the taps (u, v) of the kernel. For one tap, the pixels of the image that it touches
are a strided slice (`taps`), and the sum over channels is a matrix product:

    gather     y[i, j]   = sum over taps of  image[at tap] @ W[u, v]       the convolution
    scatter    image[at tap] += x[i, j] @ W[u, v]                          its adjoint
    correlate  dW[u, v]  = sum over samples and i, j of image[at tap]' @ y[i, j]

A transposed convolution is the adjoint of a convolution: it uses the same three, with forward and
backward exchanged.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from .._checks import Count, CountOrZero, Pair
from .base import Array, Cache, Layer


class _Convolution(Layer):
    """The base class of both: options, weight (kernel_h, kernel_w, in, out), bias (out,), first
    values."""

    piecewise_linear = True

    def __init__(
        self,
        in_channels: Count,
        out_channels: Count,
        kernel_size: Pair,
        *,
        stride: Count = 1,
        padding: CountOrZero = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.bias = bias
        self.add_parameter("weight", (*kernel_size, in_channels, out_channels))
        if bias:
            self.add_parameter("bias", (out_channels,))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        """W from N(0, 2 / fan_in), b = 0, for the reason given in `Linear` (He et al. 2015).

        fan_in is the number of products that are summed into one output value. For a convolution it
        is kernel_h * kernel_w * in_channels. In a transposed one, patches of kernel_h x kernel_w
        pixels lie `stride` apart, so an output pixel is covered by kernel_h * kernel_w / stride^2
        of them on average, and fan_in is that times in_channels.
        """
        weight = self.params["weight"]
        weight[...] = rng.normal(0, np.sqrt(2 / self.fan_in()), weight.shape)

    def fan_in(self) -> float:
        raise NotImplementedError

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        raise NotImplementedError

    def images(self, x: Array) -> Array:
        """x (N, H, W, in), checked to be large enough for at least one output pixel."""
        x = self.as_input(x, "N", "H", "W", self.in_channels)
        if min(self.output_size(x.shape[1:3])) < 1:
            raise ValueError(f"{self}: images of {x.shape[1]} x {x.shape[2]} pixels are too small")
        return x

    def __repr__(self) -> str:
        kh, kw = self.kernel_size
        options = f", stride={self.stride}, padding={self.padding}"
        options += "" if "bias" in self.params else ", bias=False"
        kernel = kh if kh == kw else (kh, kw)
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, {kernel}{options})"


class Conv2d(_Convolution):
    """y = conv(x, W) + b

    y[n, i, j, o] = b[o] + sum_{u, v, c} x[n, i s + u - p, j s + v - p, c] W[u, v, c, o]

    x (N, H, W, in), W (kh, kw, in, out), b (out,), y (N, H', W', out), with stride s, padding p of
    zeros, and H' = (H + 2p - kh) // s + 1.

    backward, from dy = dL/dy:
        dx = conv_transpose(dy, W)
            dx[n, i s + u - p, j s + v - p, c] += sum_o dy[n, i, j, o] W[u, v, c, o]
        dW = correlate(x, dy)
            dW[u, v, c, o] = sum_{n, i, j} x[n, i s + u - p, j s + v - p, c] dy[n, i, j, o]
        db = sum of dy over batch, pixels
    The formula of y reads the pixel i s + u - p of x for the pixel i of y, with weight W[u, v]; so
    in dx the pixel i of dy is added to the pixel i s + u - p, with the same weight. That is the
    formula of `ConvTranspose2d`, whose y is written where this one's x is read.
    tangent: the same convolution of x_dot, without the bias.
    curvature: dW is the only gradient with an x in it: dW_dot is its formula with x_dot for x.
    """

    def fan_in(self) -> float:
        return self.kernel_size[0] * self.kernel_size[1] * self.in_channels

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        return tuple(
            (n + 2 * self.padding - k) // self.stride + 1 for n, k in zip(size, self.kernel_size)
        )

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.images(x)
        size = self.output_size(x.shape[1:3])
        y = gather(x, self.params["weight"], self.stride, self.padding, size)
        return y + self.params.get("bias", 0), x

    def backward_input(self, dy: Array, x: Array) -> Array:
        weight = self.params["weight"].swapaxes(2, 3)
        return scatter(dy, weight, self.stride, self.padding, x.shape[1:3])

    def backward_params(self, dy: Array, x: Array) -> None:
        self.grads["weight"] += correlate(x, dy, self.kernel_size, self.stride, self.padding)
        if "bias" in self.grads:
            self.grads["bias"] += dy.sum(axis=(0, 1, 2), dtype=np.float64)

    def tangent(self, x_dot: Array, x: Array) -> Array:
        size = self.output_size(x_dot.shape[1:3])
        return gather(x_dot, self.params["weight"], self.stride, self.padding, size)

    def curvature(self, dy: Array, x: Array, x_dot: Array) -> None:
        self.grads["weight"] += correlate(x_dot, dy, self.kernel_size, self.stride, self.padding)


class ConvTranspose2d(_Convolution):
    """y = conv_transpose(x, W) + b

    y[n, i s + u - p, j s + v - p, o] += x[n, i, j, c] W[u, v, c, o],  then + b[o]

    x (N, H, W, in), W (kh, kw, in, out), b (out,), y (N, H', W', out), H' = (H - 1) s - 2p + kh.
    Each pixel of x adds a (kh, kw) patch to y, and the patches are s apart (Dumoulin and Visin
    2016).

    backward, from dy = dL/dy:
        dx = conv(dy, W)
            dx[n, i, j, c] = sum_{u, v, o} dy[n, i s + u - p, j s + v - p, o] W[u, v, c, o]
        dW = correlate(dy, x)
            dW[u, v, c, o] = sum_{n, i, j} x[n, i, j, c] dy[n, i s + u - p, j s + v - p, o]
        db = sum of dy over batch, pixels
    tangent: the same transposed convolution of x_dot, without the bias.
    curvature: dW is the only gradient with an x in it: dW_dot is its formula with x_dot for x.
    """

    def fan_in(self) -> float:
        taps = self.kernel_size[0] * self.kernel_size[1] / self.stride**2
        return max(taps, 1) * self.in_channels

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        return tuple(
            (n - 1) * self.stride - 2 * self.padding + k for n, k in zip(size, self.kernel_size)
        )

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.images(x)
        size = self.output_size(x.shape[1:3])
        y = scatter(x, self.params["weight"], self.stride, self.padding, size)
        return y + self.params.get("bias", 0), x

    def backward_input(self, dy: Array, x: Array) -> Array:
        weight = self.params["weight"].swapaxes(2, 3)
        return gather(dy, weight, self.stride, self.padding, x.shape[1:3])

    def backward_params(self, dy: Array, x: Array) -> None:
        dweight = correlate(dy, x, self.kernel_size, self.stride, self.padding)
        self.grads["weight"] += dweight.swapaxes(2, 3)
        if "bias" in self.grads:
            self.grads["bias"] += dy.sum(axis=(0, 1, 2), dtype=np.float64)

    def tangent(self, x_dot: Array, x: Array) -> Array:
        size = self.output_size(x_dot.shape[1:3])
        return scatter(x_dot, self.params["weight"], self.stride, self.padding, size)

    def curvature(self, dy: Array, x: Array, x_dot: Array) -> None:
        dweight = correlate(dy, x_dot, self.kernel_size, self.stride, self.padding)
        self.grads["weight"] += dweight.swapaxes(2, 3)


def taps(
    image: Array, kernel_size: Sequence[int], stride: int, size: Sequence[int]
) -> Iterator[tuple[int, int, Array]]:
    """Yields (u, v, pixels): the pixels of a padded image that tap (u, v) touches, (N, *size, C)
    of them, as a view."""
    rows, columns = size
    for u in range(kernel_size[0]):
        for v in range(kernel_size[1]):
            below, right = u + (rows - 1) * stride + 1, v + (columns - 1) * stride + 1
            yield u, v, image[:, u:below:stride, v:right:stride, :]


def pad(image: Array, padding: int) -> Array:
    return np.pad(image, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def gather(x: Array, weight: Array, stride: int, padding: int, size: Sequence[int]) -> Array:
    """y = sum over taps of x[at tap] @ W[u, v]: (N, H, W, C) -> (N, *size, out)."""
    y = np.zeros((len(x), *size, weight.shape[3]), x.dtype)
    for u, v, pixels in taps(pad(x, padding), weight.shape[:2], stride, size):
        y += pixels @ weight[u, v]
    return y


def scatter(x: Array, weight: Array, stride: int, padding: int, size: Sequence[int]) -> Array:
    """image[at tap] += x @ W[u, v] for every tap, the adjoint of `gather`: -> (N, *size, out)."""
    height, width = size
    image = np.zeros((len(x), height + 2 * padding, width + 2 * padding, weight.shape[3]), x.dtype)
    for u, v, pixels in taps(image, weight.shape[:2], stride, x.shape[1:3]):
        pixels += x @ weight[u, v]
    return image[:, padding : padding + height, padding : padding + width, :]


def correlate(
    image: Array, y: Array, kernel_size: Sequence[int], stride: int, padding: int
) -> Array:
    """dW[u, v] = sum over samples and pixels of image[at tap]' @ y: (kh, kw, C, channels of y)."""
    dweight = np.empty((*kernel_size, image.shape[3], y.shape[3]), image.dtype)
    for u, v, pixels in taps(pad(image, padding), kernel_size, stride, y.shape[1:3]):
        dweight[u, v] = np.tensordot(pixels, y, axes=([0, 1, 2], [0, 1, 2]))
    return dweight
