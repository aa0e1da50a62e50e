"""Matrix products and the passes of a linear layer, through `gemm.multiply`.

The formulas are in `minigan.layers.linear`. An activation phi after the layer is given by its code
and slope (see `codes`); then dz = dy phi'(y), with y the output of the forward pass. Without one,
dz = dy and y may be None.
"""

import numpy as np

from .buffers import empty
from .calls import ON, compiled_call, count_product
from .codes import IDENTITY, LEAKY_RELU, SIGMOID, TANH
from .cotangents import activation_gradient
from .elementwise import activate_in_place
from .gemm import multiply
from .tables import cached, row_offsets
from .thin import THIN, few_columns, few_steps, sum_of_outer_products

__all__ = [
    "matmul",
    "linear_forward",
    "linear_backward_input",
    "linear_backward_params",
    "linear_backward",
]

NO_BIAS = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}
FEW = 1 << 17  # numbers of A and of C up to which `_few` computes a product on one thread


@compiled_call
def matmul(a, b, transpose_a=False, transpose_b=False, out=None):
    """out = op(a) @ op(b); op(a) is a', or a itself without `transpose_a`."""
    if out is None:
        rows = a.shape[1] if transpose_a else a.shape[0]
        columns = b.shape[0] if transpose_b else b.shape[1]
        out = np.empty((rows, columns), a.dtype)
    elif not (transpose_a or transpose_b or ON) and _few(a, b, out):
        return out
    if a.size == 0:
        out[...] = 0  # the sum over an empty inner index
    result = np.ascontiguousarray(out)
    _product(a, b, result, transpose_a, transpose_b)
    if result is not out:
        out[...] = result
    return out


def _few(a, b, out, bias=None, slope=1.0):
    """Computes out = leaky(a @ b + bias) by the loops of `thin`, if the product is small, has few
    columns or a short inner index, and the arrays are contiguous. Returns whether it did. Such a
    product takes about as long as the Python code of `_product` alone."""
    depth, columns = b.shape
    if not (0 < depth <= THIN or 0 < columns <= THIN) or a.size > FEW or out.size > FEW:
        return False
    if not (a.flags.c_contiguous and b.flags.c_contiguous and out.flags.c_contiguous):
        return False
    few = few_steps if depth <= THIN else few_columns
    few(a, b, out, NO_BIAS[out.dtype] if bias is None else np.ascontiguousarray(bias), slope)
    return True


@compiled_call
def linear_forward(x, weight, bias, activation=IDENTITY, slope=0.0):
    """y = phi(x @ W + b): x (N, in), weight (in, out), bias (out,) or None, y (N, out)."""
    y = empty((len(x), weight.shape[1]), x.dtype)
    _product(x, weight, y, bias=bias, activation=activation, slope=slope)
    return finish(y, activation)


@compiled_call
def linear_backward_input(dy, y, weight, activation=IDENTITY, slope=0.0):
    """dx = dz @ W',  dz = dy phi'(y): dy, y (N, out), dx (N, in)."""
    return _input_gradient(activation_gradient(dy, y, activation, slope), weight)


@compiled_call
def linear_backward_params(dy, y, x, dweight, dbias, activation=IDENTITY, slope=0.0):
    """dW += x' @ dz,  db += sum of dz over the rows; dbias may be None."""
    dz = activation_gradient(dy, y, activation, slope, dbias)
    _product(x, dz, dweight, transpose_a=True, accumulate=True)


@compiled_call
def linear_backward(dy, y, x, weight, dweight, dbias, activation=IDENTITY, slope=0.0):
    """`linear_backward_params` and `linear_backward_input`, computing dz once."""
    dz = activation_gradient(dy, y, activation, slope, dbias)
    _product(x, dz, dweight, transpose_a=True, accumulate=True)
    return _input_gradient(dz, weight)


def _input_gradient(dz, weight):
    dx = empty((len(dz), len(weight)), dz.dtype)
    _product(dz, weight, dx, transpose_b=True)
    return dx


def finish(y, activation):
    """Applies in place the activations that `multiply` does not apply; returns y."""
    if activation == TANH or activation == SIGMOID:
        activate_in_place(y, activation)
    return y


def _product(
    a, b, out, transpose_a=False, transpose_b=False, bias=None,
    activation=IDENTITY, slope=0.0, accumulate=False,
):  # fmt: skip
    """out = leaky(op(a) @ op(b) + bias), or out += with `accumulate`; `out` is C-contiguous."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    rows, columns = out.shape
    if transpose_b and b.shape[1] == 1:  # a column and a row are the same in memory
        b, transpose_b = b.reshape(1, -1), False
    depth = a.shape[0] if transpose_a else a.shape[1]
    if transpose_a and not transpose_b and min(rows, columns) <= THIN:
        _thin_gradient(a, b, out, accumulate)
        return
    plain = not (transpose_a or transpose_b or accumulate)
    if plain and _few(a, b, out, bias, float(slope) if activation == LEAKY_RELU else 1.0):
        if ON:
            count_product(rows, depth, columns)
        return
    a_rows, inner, run, b_rows, b_step, c_rows = _tables(
        rows, depth, columns, transpose_a, transpose_b
    )
    left = (a.reshape(-1), a_rows, inner, run)
    right = (b.reshape(-1), b_rows, b_step)
    multiply(left, right, (out.reshape(-1), c_rows), columns, bias, activation, slope, accumulate)


@cached
def _tables(rows, depth, columns, transpose_a, transpose_b):
    """The tables of `gemm.multiply` for a product of matrices, possibly transposed."""
    left = (1, rows) if transpose_a else (depth, 1)
    right = (1, depth) if transpose_b else (columns, 1)
    return (
        row_offsets(left[0], rows), row_offsets(left[1], depth),
        1 if transpose_a else max(1, depth),
        row_offsets(right[0], depth), right[1],
        row_offsets(columns, rows),
    )  # fmt: skip


def _thin_gradient(a, b, out, accumulate):
    """out = a' @ b, or out += with `accumulate`, for an `out` of few rows or few columns."""
    if ON:
        count_product(out.shape[0], len(a), out.shape[1])
    few_rows = out.shape[0] <= out.shape[1]
    thin, wide = (a, b) if few_rows else (b, a)
    total = np.empty((thin.shape[1], wide.shape[1]), out.dtype)
    sum_of_outer_products(
        thin.reshape(-1), thin.shape[1], wide.reshape(-1), wide.shape[1], total.reshape(-1)
    )
    total = total if few_rows else total.T
    if accumulate:
        out += total
    else:
        out[...] = total
