"""Convolutions with fewer multiplications (Karatsuba, Toom, Winograd).

If the kernel of a convolution is twice as long as its stride, like the 4 x 4 kernels of stride 2 of
a DCGAN, each pixel is used twice along each axis. Divide image and kernel into blocks of `stride`
numbers. Then the convolution is, in one dimension,

    y0 = d0 g0 + d1 g1              d: blocks of the padded image
    y1 = d1 g0 + d2 g1              g: the two halves of the kernel
    y2 = d2 g0 + d3 g1 ...          d g: an inner product, in two dimensions a matrix product

with two products for each output. But y0 and y1 both contain a product with d1, so the two can be
computed with three products instead of four,

    m0 = (d0 - d1) g0        y0 = m0 + m1
    m1 = d1 (g0 + g1)        y1 = m1 + m2            (PAIRS)
    m2 = (d2 - d1) g1

and three outputs with four products instead of six,

    m0 = (d0 - d2) g0               y0 = m0 + m1 + m2
    m1 = (d1 + d2) (g0 + g1) / 2    y1 = m1 - m2
    m2 = (d2 - d1) (g0 - g1) / 2    y2 = m1 + m2 + m3        (TRIPLES)
    m3 = (d3 - d1) g1

(multiply out to check). The sums of d, g and m are computed once each. They take little time
compared with the products, in which each number is multiplied once for every output channel.
Outputs that do not fill a group are computed by the first formula, from g0 and g1, which both
schemes use as factors. So seven outputs take 4 + 4 + 2 = 10 products along an axis instead of 14,
and 7 x 7 outputs 10 x 10 = 100 instead of 196.

These are F(2, 2) and F(3, 2) in Winograd's notation: F(m, r) is m outputs of a kernel of r. He
showed that they take at least m + r - 1 products; both schemes take no more. They multiply
polynomials by evaluating them at a few points: 0, 1 and infinity in PAIRS, and also -1 in TRIPLES.
With a fifth point, four outputs would take five products, but the coefficients would contain
thirds, which are not exact in floating point.

In matrices, with B, G and A from the tables of coefficients below, and @ along both axes:

    U = B x        V = G W        M_k = U_k V_k for each kind k of product        y = A M

Forward, adjoint and weight gradient all follow, since each is a product of three linear maps:

    dx = B' (dU),  dU_k = dM_k V_k'       dW = G' (dV),  dV_k = U_k' dM_k       dM = A' dy

Along an axis all coefficients are 0, 1, -1 and 1/2. Multiplying by them is exact, so only the sums
are rounded: the error is that of the direct sum, up to a small factor, relative to the largest
numbers of a group of outputs. A small output in a group of large ones has their rounding error,
and an output of zeros alone may differ from 0 by it. A NaN or an infinite number reaches all
outputs of its group, not only those that its taps touch.

References
----------
A. Karatsuba and Yu. Ofman (1962), "Multiplication of many-digital numbers by automatic computers".
S. Winograd (1980), "Arithmetic Complexity of Computations".
A. Lavin and S. Gray (2016), "Fast Algorithms for Convolutional Neural Networks".
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Scheme(NamedTuple):
    """The coefficients for a group of neighbouring outputs of one axis; a row for each product."""

    outputs: int  # of a group
    image: tuple[tuple[float, ...], ...]  # of the blocks d in m's first factor: B
    kernel: tuple[tuple[float, ...], ...]  # of g0 and g1 in m's second factor: G
    results: tuple[tuple[float, ...], ...]  # of m in each output y: A transposed


PAIRS = Scheme(
    outputs=2,
    image=((1, -1, 0), (0, 1, 0), (0, -1, 1)),
    kernel=((1, 0), (1, 1), (0, 1)),
    results=((1, 0), (1, 1), (0, 1)),
)
TRIPLES = Scheme(
    outputs=3,
    image=((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, -1, 0, 1)),
    kernel=((1, 0), (0.5, 0.5), (0.5, -0.5), (0, 1)),
    results=((1, 0, 0), (1, 1, 1), (1, -1, 1), (0, 0, 1)),
)


class Axis(NamedTuple):
    """B, G and A of a whole axis. The products of one *kind*, a row of the scheme, have the same
    second factor in all groups of outputs."""

    counts: tuple[int, ...]  # the number of products of each kind
    image: np.ndarray  # B (products x stride, pixels)
    kernel: np.ndarray  # G (kinds x stride, taps)
    results: np.ndarray  # A (outputs, products)


def products(outputs, scheme):
    """The number of products of an axis with this number of outputs."""
    groups, left = divmod(outputs, scheme.outputs)
    return groups * len(scheme.image) + 2 * left


@lru_cache(maxsize=256)
def axis(outputs, pixels, stride, padding):
    """The maps of an axis of `pixels` pixels with `outputs` outputs, by the scheme that takes fewer
    products."""
    scheme = min((PAIRS, TRIPLES), key=lambda scheme: products(outputs, scheme))
    length, last = scheme.outputs, len(scheme.image) - 1
    whole = outputs - outputs % length  # the outputs in complete groups
    image, results, counts = [], [], []
    for kind in range(len(scheme.image)):
        of_kind = [(i, scheme.image[kind], scheme.results[kind]) for i in range(0, whole, length)]
        if kind in (0, last):  # factors g0 and g1: y_i = d_i g0 + d_i+1 g1 of the other outputs
            of_kind += [(i, (kind == 0, kind == last), (1,)) for i in range(whole, outputs)]
        image += [_row(outputs + 1, i, of_blocks) for i, of_blocks, _ in of_kind]
        results += [_row(outputs, i, of_outputs) for i, _, of_outputs in of_kind]
        counts.append(len(of_kind))
    first_pixels = np.arange(outputs + 1) * stride - padding  # of the blocks d
    return Axis(
        tuple(counts),
        _of_pixels(np.array(image), first_pixels, stride, pixels),
        _of_pixels(np.array(scheme.kernel), np.arange(2) * stride, stride, 2 * stride),
        np.array(results).T,
    )


def _row(size, start, numbers):
    """A row of zeros with `numbers` from the index `start` on."""
    row = np.zeros(size)
    row[start : start + len(numbers)] = numbers
    return row


def _of_pixels(rows, starts, stride, size):
    """A map of blocks (rows, blocks) as a map of pixels (rows x stride, size).

    Block b is the pixels starts[b], ..., starts[b] + stride - 1. Row (r, offset) of the result has
    the coefficients of row r at the pixel `offset` of each block. Pixels outside [0, size) are
    padding, so they are omitted.
    """
    found = np.zeros((len(rows), stride, size))
    for offset in range(stride):
        inside = (starts + offset >= 0) & (starts + offset < size)
        found[:, offset, starts[inside] + offset] = rows[:, inside]
    return found.reshape(-1, size)
