"""Matrix products (Numba backend): `gemm.contract`, given the tables that find its operands."""

import numpy as np

from .buffers import empty
from .codes import IDENTITY, SIGMOID, TANH
from .cotangents import masked
from .gemm import contract
from .nonlinear import activate_in_place
from .tables import cached, every
from .thin import THIN, sum_of_outer_products

__all__ = [
    "matmul",
    "linear_forward",
    "linear_backward_input",
    "linear_backward_params",
    "linear_backward",
]


def matmul(a, b, *, transpose_a=False, transpose_b=False, out=None):
    """out = op(a) @ op(b); op transposes where asked."""
    rows = a.shape[1] if transpose_a else a.shape[0]
    columns = b.shape[0] if transpose_b else b.shape[1]
    if out is None:
        out = np.empty((rows, columns), a.dtype)
    if a.size == 0:
        out[...] = 0  # the sum over an empty inner index
    result = np.ascontiguousarray(out)
    _product(a, b, result, transpose_a, transpose_b)
    if result is not out:
        out[...] = result
    return out


def linear_forward(x, weight, bias, activation=IDENTITY, slope=0.0):
    """y = phi(x @ W + b)."""
    y = empty((len(x), weight.shape[1]), x.dtype)
    _product(x, weight, y, bias=bias, activation=activation, slope=slope)
    return finish(y, activation)


def linear_backward_input(dy, y, weight, activation=IDENTITY, slope=0.0):
    """dx = dz @ W',  dz = dy * phi'."""
    return _input_gradient(masked(dy, y, activation, slope), weight)


def linear_backward_params(dy, y, x, dweight, dbias, activation=IDENTITY, slope=0.0):
    """dW += x' @ dz,  db += sum over the rows of dz."""
    dz = masked(dy, y, activation, slope, dbias)
    _product(x, dz, dweight, transpose_a=True, accumulate=True)


def linear_backward(dy, y, x, weight, dweight, dbias, activation=IDENTITY, slope=0.0):
    """Both: adds into dW and db, returns dx."""
    dz = masked(dy, y, activation, slope, dbias)
    _product(x, dz, dweight, transpose_a=True, accumulate=True)
    return _input_gradient(dz, weight)


def _input_gradient(dz, weight):
    dx = empty((len(dz), len(weight)), dz.dtype)
    _product(dz, weight, dx, transpose_b=True)
    return dx


def finish(y, activation):
    """Applies the activations that `contract` does not, in place; returns y."""
    if activation == TANH or activation == SIGMOID:
        activate_in_place(y.reshape(-1), activation, y.dtype.type(0))
    return y


def _product(
    a, b, out, transpose_a=False, transpose_b=False, bias=None,
    activation=IDENTITY, slope=0.0, accumulate=False,
):  # fmt: skip
    """out = leaky(op(a) @ op(b) + bias), or out += where `accumulate`; `out` is C-contiguous."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    rows, columns = out.shape
    if transpose_a and not transpose_b and min(rows, columns) <= THIN:
        _thin_gradient(a, b, out, accumulate)
        return
    depth = a.shape[0] if transpose_a else a.shape[1]
    a_rows, inner, run, b_rows, b_step, c_rows = _tables(
        rows, depth, columns, transpose_a, transpose_b
    )
    left = (a.reshape(-1), a_rows, inner, run)
    right = (b.reshape(-1), b_rows, b_step)
    contract(left, right, (out.reshape(-1), c_rows), columns, bias, activation, slope, accumulate)


@cached
def _tables(rows, depth, columns, transpose_a, transpose_b):
    """Where `contract` finds the operands of a plain product: see there."""
    left = (1, rows) if transpose_a else (depth, 1)
    right = (1, depth) if transpose_b else (columns, 1)
    return (
        every(left[0], rows), every(left[1], depth), 1 if transpose_a else max(1, depth),
        every(right[0], depth), right[1],
        every(columns, rows),
    )  # fmt: skip


def _thin_gradient(a, b, out, accumulate):
    """out = a' @ b, or out +=, where `out` has very few rows or very few columns."""
    if out.shape[0] <= out.shape[1]:
        total = np.empty(out.shape, out.dtype)
        sum_of_outer_products(a, b, total)
    else:
        total = np.empty(out.shape[::-1], out.dtype)
        sum_of_outer_products(b, a, total)
        total = total.T
    if accumulate:
        out += total
    else:
        out[...] = total
