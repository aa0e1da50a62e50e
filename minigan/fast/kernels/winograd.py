"""Convolutions with fewer multiplications (Karatsuba, Toom, Winograd).

A convolution whose kernel is twice as long as its stride, as the 4 x 4 kernels of stride 2 of a
DCGAN, meets each pixel twice along each axis. Cut into blocks of `stride` numbers, it is in one
dimension

    y0 = d0 g0 + d1 g1              d: blocks of the padded image
    y1 = d1 g0 + d2 g1              g: the two halves of the kernel
    y2 = d2 g0 + d3 g1 ...          d g: an inner product, in two dimensions a matrix product

with two products for each output. But d1 g1 and d1 g0 are so much alike that two outputs can be had
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

In matrices, with B, G and A from the tables of coefficients below, and @ along both axes:

    U = B x        V = G W        M_k = U_k V_k for each kind k of product        y = A M

Forward, adjoint and weight gradient all follow, since each is a product of three linear maps:

    dx = B' (dU),  dU_k = dM_k V_k'       dW = G' (dV),  dV_k = U_k' dM_k       dM = A' dy

Along an axis all coefficients are 0, 1, -1 and 1/2, so the error is that of the direct sum, up to a
small factor, relative to the largest numbers of a group of outputs. A small output beside large
ones therefore has their rounding error, and an output of zeros alone may differ from 0 by it. A NaN
or an infinite number reaches all outputs of its group, not only those that its taps touch.

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
    """`outputs` neighbouring outputs of one axis; the rows of all three tables are the products m.

    Multiplied are the sums `blocks` of d and `halves` of g; m is added to y as `results` says.
    """

    outputs: int
    blocks: tuple[tuple[float, ...], ...]
    halves: tuple[tuple[float, ...], ...]
    results: tuple[tuple[float, ...], ...]


PAIRS = Scheme(
    2,
    ((1, -1, 0), (0, 1, 0), (0, -1, 1)),
    ((1, 0), (1, 1), (0, 1)),
    ((1, 0), (1, 1), (0, 1)),
)
TRIPLES = Scheme(
    3,
    ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, -1, 0, 1)),
    ((1, 0), (0.5, 0.5), (0.5, -0.5), (0, 1)),
    ((1, 0, 0), (1, 1, 1), (1, -1, 1), (0, 0, 1)),
)


class Axis(NamedTuple):
    """The three maps of one axis, as matrices, and how many products there are of each kind."""

    counts: tuple[int, ...]
    image: np.ndarray  # (products x stride, pixels)
    kernel: np.ndarray  # (kinds x stride, taps)
    results: np.ndarray  # (outputs, products)


def products(outputs, scheme):
    """The number of products of an axis."""
    groups, left = divmod(outputs, scheme.outputs)
    return groups * len(scheme.blocks) + 2 * left


@lru_cache(maxsize=256)
def axis(outputs, pixels, stride, padding):
    """The maps of an axis of `pixels` pixels and so many outputs."""
    scheme = min((PAIRS, TRIPLES), key=lambda scheme: products(outputs, scheme))
    length, last = scheme.outputs, len(scheme.blocks) - 1
    whole = outputs - outputs % length
    blocks, results, counts = [], [], []
    for kind in range(len(scheme.blocks)):
        places = [(i, scheme.blocks[kind], scheme.results[kind]) for i in range(0, whole, length)]
        if kind in (0, last):  # the kernels of these are g0 and g1
            places += [(i, (kind == 0, kind == last), (1,)) for i in range(whole, outputs)]
        for i, of_blocks, of_results in places:
            blocks.append(_row(outputs + 1, i, of_blocks))
            results.append(_row(outputs, i, of_results))
        counts.append(len(places))
    of_blocks = np.arange(outputs + 1) * stride - padding  # their first pixels
    return Axis(
        tuple(counts),
        _by_phases(np.array(blocks), of_blocks, stride, pixels),
        _by_phases(np.array(scheme.halves), np.arange(2) * stride, stride, 2 * stride),
        np.array(results).T,
    )


def _row(size, start, numbers):
    row = np.zeros(size)
    row[start : start + len(numbers)] = numbers
    return row


def _by_phases(rows, starts, stride, size):
    """(rows, blocks) -> (rows x stride, size): each row once for each number of a block, whose
    places are starts, starts + 1, ...; what is outside of [0, size) is zero, so it is left out."""
    found = np.zeros((len(rows), stride, size))
    for phase in range(stride):
        inside = (starts + phase >= 0) & (starts + phase < size)
        found[:, phase, starts[inside] + phase] = rows[:, inside]
    return found.reshape(-1, size)
