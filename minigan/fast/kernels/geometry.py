"""The shapes of a convolution and of a transposed convolution, its adjoint.

    convolution            large = x  ->  small = y        H' = (H + 2p - kh) // s + 1
    transposed             small = x  ->  large = y        H' = (H - 1) s - 2p + kh

The kernel slides over the `large` images. Each of its positions, `stride` pixels apart, is a pixel
of a `small` image. So the forward pass of a transposed convolution goes from small to large images,
like the backward pass of a convolution.
"""

import math
from typing import NamedTuple


class Geometry(NamedTuple):
    """The shapes and options of a convolution, which determine its plans."""

    x: tuple[int, ...]  # (N, H, W, in)
    weight: tuple[int, ...]  # (kh, kw, in, out)
    stride: int
    padding: int
    transposed: bool = False

    @property
    def y(self):
        """The shape of the output: (N, H', W', out)."""
        size_of = spread if self.transposed else convolved
        size = size_of(self.x[1:3], self.weight, self.stride, self.padding)
        return self.x[0], *size, self.weight[3]

    @property
    def small(self):
        """The shape of the small images."""
        return self.x if self.transposed else self.y

    @property
    def large(self):
        """The shape of the large images."""
        return self.y if self.transposed else self.x

    @property
    def multiply_adds(self):
        """Multiply-adds of the formula: each weight is used once at each position of the kernel."""
        return math.prod(self.small[:3]) * math.prod(self.weight)


def convolved(size, kernel, stride, padding):
    """The output size (H', W') of a convolution of images of size (H, W)."""
    return tuple((n + 2 * padding - k) // stride + 1 for n, k in zip(size, kernel))


def spread(size, kernel, stride, padding):
    """The output size (H', W') of a transposed convolution of images of size (H, W)."""
    return tuple((n - 1) * stride - 2 * padding + k for n, k in zip(size, kernel))
