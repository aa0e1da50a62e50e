"""The shapes of a convolution, and those of a transposed one, which is the same map backwards.

    convolution            large = x  ->  small = y        H' = (H + 2p - kh) // s + 1
    transposed             small = x  ->  large = y        H' = (H - 1) s - 2p + kh

The kernel is laid on the `large` images. Each of its places, stride apart, is a pixel of a `small`
one. So a pass forward goes the same way as a backward pass of the other kind.
"""

import math
from typing import NamedTuple


class Geometry(NamedTuple):
    """All that a plan must know about a convolution: `x` and `weight` are shapes."""

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
        return self.x if self.transposed else self.y

    @property
    def large(self):
        return self.y if self.transposed else self.x

    @property
    def multiply_adds(self):
        """Of the formula: at each place of the kernel each of its numbers is used once."""
        return math.prod(self.small[:3]) * math.prod(self.weight)


def convolved(size, kernel, stride, padding):
    """The height and width of what a convolution makes from images of a height and width."""
    return tuple((n + 2 * padding - k) // stride + 1 for n, k in zip(size, kernel))


def spread(size, kernel, stride, padding):
    """Those of what a transposed convolution makes."""
    return tuple((n - 1) * stride - 2 * padding + k for n, k in zip(size, kernel))
