"""Convolutions with fewer multiplications (Karatsuba, Toom, Winograd).

A convolution whose kernel is twice as long as its stride, as the 4 x 4 kernels of stride 2 of a
DCGAN, meets each pixel twice along each axis. Cut into blocks of `stride` numbers, it is in one
dimension

    y0 = d0 g0 + d1 g1              d: blocks of the padded image
    y1 = d1 g0 + d2 g1              g: the two halves of the kernel
    y2 = d2 g0 + d3 g1 ...          d g: an inner product, in two dimensions a matrix product

with two products for each output. But both y0 and y1 have a product of d1, so the two can be had
from three products instead of four,

    m0 = (d0 - d1) g0        y0 = m0 + m1
    m1 = d1 (g0 + g1)        y1 = m1 + m2            (PAIRS)
    m2 = (d2 - d1) g1

and three outputs from four instead of six,

    m0 = (d0 - d2) g0               y0 = m0 + m1 + m2
    m1 = (d1 + d2) (g0 + g1) / 2    y1 = m1 - m2
    m2 = (d2 - d1) (g0 - g1) / 2    y2 = m1 + m2 + m3        (TRIPLES)
    m3 = (d3 - d1) g1

(multiply out to check). The sums of d, g and m are computed once each. They cost little beside the
products, in which each number is multiplied once for every output channel. Outputs that are left
over are computed as at the top, from g0 and g1, which both schemes multiply by anyway.
So seven outputs take 4 + 4 + 2 = 10 products along an axis instead of 14, and 7 x 7 outputs
10 x 10 = 100 instead of 196.

These are F(2, 2) and F(3, 2) in Winograd's notation: so many outputs of a kernel of two. He showed
that m outputs of a kernel of r take at least m + r - 1 products; both schemes take no more. Their
sums are those of a product of polynomials by way of its values at a few points: 0, 1 and infinity
in PAIRS, and -1 in TRIPLES. With a fifth point four outputs would take five products, but thirds
would come in, which are not exact.

In matrices, with B, G and A from the tables of coefficients below, and @ along both axes:

    U = B x        V = G W        M_k = U_k V_k for each kind k of product        y = A M

Forward, adjoint and weight gradient all follow, since each is a product of three linear maps:

    dx = B' (dU),  dU_k = dM_k V_k'       dW = G' (dV),  dV_k = U_k' dM_k       dM = A' dy

Along an axis all coefficients are 0, 1, -1 and 1/2. Multiplying by them is exact, so only the sums
are rounded: the error is that of the direct sum, up to a small factor, relative to the largest
numbers of a group of outputs. A small output beside large ones therefore has their rounding error,
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
    """The coefficients for `outputs` neighbouring outputs of one axis, a row for each product m: of
    d in `image` (B), of g in `kernel` (G), and of m in each y in `results` (A transposed)."""

    outputs: int
    image: tuple[tuple[float, ...], ...]
    kernel: tuple[tuple[float, ...], ...]
    results: tuple[tuple[float, ...], ...]


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
    """B, G and A of a whole axis, and how many products there are of each kind: those of one kind,
    of all groups of outputs, have the same kernel."""

    counts: tuple[int, ...]
    image: np.ndarray  # B (products x stride, pixels)
    kernel: np.ndarray  # G (kinds x stride, taps)
    results: np.ndarray  # A (outputs, products)


def products(outputs, scheme):
    """The number of products of an axis."""
    groups, left = divmod(outputs, scheme.outputs)
    return groups * len(scheme.image) + 2 * left


@lru_cache(maxsize=256)
def axis(outputs, pixels, stride, padding):
    """The maps of an axis of `pixels` pixels and so many outputs, by the scheme that takes fewer
    products."""
    scheme = min((PAIRS, TRIPLES), key=lambda scheme: products(outputs, scheme))
    length, last = scheme.outputs, len(scheme.image) - 1
    whole = outputs - outputs % length  # outputs in groups; the others are left over
    image, results, counts = [], [], []
    for kind in range(len(scheme.image)):
        of_kind = [(i, scheme.image[kind], scheme.results[kind]) for i in range(0, whole, length)]
        if kind in (0, last):  # their kernels are g0 and g1, for y_i = d_i g0 + d_i+1 g1
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
    row = np.zeros(size)
    row[start : start + len(numbers)] = numbers
    return row


def _of_pixels(rows, starts, stride, size):
    """(rows, blocks) -> (rows x stride, size): each row once for each number of a block, whose
    places are starts, starts + 1, ...; what is outside of [0, size) is zero, so it is left out."""
    found = np.zeros((len(rows), stride, size))
    for offset in range(stride):
        inside = (starts + offset >= 0) & (starts + offset < size)
        found[:, offset, starts[inside] + offset] = rows[:, inside]
    return found.reshape(-1, size)
