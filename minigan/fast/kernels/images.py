"""Convolutions and their transposes through `gemm.multiply`, without im2col.

The patches of a convolution are the rows of a matrix that is never formed. Row r = (n, i, j) is a
position of the kernel on the (padded) image, and column k = (u, v, c) is a number under the kernel.
The offset of an entry in the image is a sum:

      image row        i s   |  . . [x x x] . .         offset(r, k) = rows[r] + inner[k]
                    i s + 1  |  . . [x x x] . .
                                     `-- one run: kw pixels x channels, contiguous in NHWC

which is how `gemm.multiply` addresses its left operand. So

    y  = patches(x) W           forward: one product
    dW = patches(x)' dz         the same tables, rows and inner index exchanged
    dx = the adjoint, by phases: the pixels whose row and column are (a, b) modulo the stride use
         only every stride-th tap, so each phase is a convolution of dz with stride 1

         x x x x      a b a b      stride 2: four phases, each one product that writes
         x x x x  ->  c d c d      its own pixels; nothing is scattered or added twice
         x x x x      a b a b

A transposed convolution is the same three with forward and dx exchanged. If dx has few channels, it
is computed by `taps` instead.

With many channels, a convolution whose kernel is twice as long as its stride is computed with fewer
multiplications: see `winograd`.

A pass, with padding, dz, bias and activation, is one compiled call of a plan: see `image_plans`.
The formulas are in `minigan.layers.convolution`; activations and dz are as in `products`.
"""

import numpy as np

from . import image_plans as plans
from .buffers import empty, plain, workspace
from .cache import cached_njit
from .calls import ON, compiled_call, count_product
from .codes import IDENTITY
from .geometry import Geometry, convolved
from .machine import VECTOR_BYTES
from .plan_builder import BIAS, DBIAS, DWEIGHT, DY, RESULT, SPACE, WEIGHT, Phi, X, Y
from .programs import run_program
from .threads import thread_safe, threads

__all__ = [
    "conv2d_forward",
    "conv2d_backward_input",
    "conv2d_backward_params",
    "conv2d_backward",
    "conv_transpose2d_forward",
    "conv_transpose2d_backward_input",
    "conv_transpose2d_backward_params",
    "conv_transpose2d_backward",
]


@compiled_call
def conv2d_forward(x, weight, bias, stride, padding, activation=IDENTITY, slope=0.0):
    """y = phi(conv(x, W) + b): (N, H, W, C) -> (N, (H + 2p - kh) // s + 1, ..., out)."""
    geometry = Geometry(x.shape, weight.shape, stride, padding)
    phi = Phi(bias is not None, activation, slope)
    return _run(plans.forward(geometry, phi, x.dtype, threads()), x, weight=weight, bias=bias)


@compiled_call
def conv2d_backward_input(
    dy, y, weight, input_shape, stride, padding, activation=IDENTITY, slope=0.0
):
    """dx[n, i s + u - p, ..., c] = sum over (i, u, ...) of dz[n, i, ..., o] W[u, ..., c, o]."""
    geometry = Geometry(input_shape, weight.shape, stride, padding)
    phi = Phi(False, activation, slope)
    plan = plans.backward(geometry, phi, dy.dtype, threads(), dx=True, dw=False)
    return _run(plan, dy, y, dy, with_all_taps(weight, stride))


@compiled_call
def conv2d_backward_params(
    dy, y, x, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """dW[u, v] += x[at tap u, v]' dz,  db += sum of dz over batch and pixels."""
    geometry = Geometry(x.shape, dweight.shape, stride, padding)
    phi = Phi(dbias is not None, activation, slope)
    plan = plans.backward(geometry, phi, dy.dtype, threads(), dx=False, dw=True)
    _run(plan, x, y, dy, dweight=dweight, dbias=dbias)


@compiled_call
def conv2d_backward(
    dy, y, x, weight, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """dx, dW and db of the two functions above, computing dz once; returns dx."""
    geometry = Geometry(x.shape, weight.shape, stride, padding)
    phi = Phi(dbias is not None, activation, slope)
    plan = plans.backward(geometry, phi, dy.dtype, threads(), dx=True, dw=True)
    return _run(plan, x, y, dy, with_all_taps(weight, stride), dweight, dbias=dbias)


@compiled_call
def conv_transpose2d_forward(x, weight, bias, stride, padding, activation=IDENTITY, slope=0.0):
    """y = phi(conv'(x, W) + b): (N, H, W, C) -> (N, (H - 1) s - 2p + kh, ..., out)."""
    geometry = Geometry(x.shape, weight.shape, stride, padding, transposed=True)
    phi = Phi(bias is not None, activation, slope)
    plan = plans.forward(geometry, phi, x.dtype, threads())
    return _run(plan, x, weight=with_all_taps(weight, stride), bias=bias)


@compiled_call
def conv_transpose2d_backward_input(dy, y, weight, stride, padding, activation=IDENTITY, slope=0.0):
    """dx = conv(dz, W with its channel axes exchanged)."""
    size = convolved(dy.shape[1:3], weight.shape, stride, padding)
    x_shape = len(dy), *size, weight.shape[2]
    geometry = Geometry(x_shape, weight.shape, stride, padding, transposed=True)
    phi = Phi(False, activation, slope)
    plan = plans.backward(geometry, phi, dy.dtype, threads(), dx=True, dw=False)
    return _run(plan, dy, y, dy, weight)


@compiled_call
def conv_transpose2d_backward_params(
    dy, y, x, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """dW[u, v] += x' dz[at tap u, v],  db += sum of dz over batch and pixels."""
    geometry = Geometry(x.shape, dweight.shape, stride, padding, transposed=True)
    phi = Phi(dbias is not None, activation, slope)
    plan = plans.backward(geometry, phi, dy.dtype, threads(), dx=False, dw=True)
    _run(plan, x, y, dy, dweight=dweight, dbias=dbias)


@compiled_call
def conv_transpose2d_backward(
    dy, y, x, weight, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """dx, dW and db of the two functions above, computing dz once; returns dx."""
    geometry = Geometry(x.shape, weight.shape, stride, padding, transposed=True)
    phi = Phi(dbias is not None, activation, slope)
    plan = plans.backward(geometry, phi, dy.dtype, threads(), dx=True, dw=True)
    return _run(plan, x, y, dy, weight, dweight, dbias=dbias)


def with_all_taps(weight, stride):
    """The weight, padded with zeros to at least `stride` taps along each axis, because each phase
    needs a tap."""
    missing = [max(0, stride - k) for k in weight.shape[:2]]
    if not any(missing):
        return weight
    return np.pad(weight, ((0, missing[0]), (0, missing[1]), (0, 0), (0, 0)))


def _run(plan, x, y=None, dy=None, weight=None, dweight=None, bias=None, dbias=None):
    """Runs a plan on the arrays of a pass; returns its result. Arrays that the plan does not use
    are None, and another array stands in for them."""
    if ON:
        for sizes in plan.products:
            count_product(*sizes)
    x = plain(x)
    result = empty(plan.shape, x.dtype) if plan.shape else x
    if x.size == 0:
        return result
    space = workspace(plan.space, x.dtype)
    y, dy = (x if array is None else plain(array) for array in (y, dy))
    weight = dweight if weight is None else plain(weight)
    dweight = weight if dweight is None else dweight
    bias = space if bias is None else plain(bias)
    dbias = space if dbias is None else dbias
    run = _launch if plan.parts == 1 else _launch_in_parallel
    run(
        plan.worker, plan.parts, *plan.program,
        x, y, dy, result, weight, dweight, bias, dbias, space,
    )  # fmt: skip
    return result


@cached_njit()
def _launch(
    worker, parts, words, relative_to, starts, x, y, dy, result, weight, dweight, bias, dbias, space
):
    base = np.zeros(SPACE + 1, np.int64)
    base[X], base[Y], base[DY] = x.ctypes.data, y.ctypes.data, dy.ctypes.data
    base[RESULT], base[SPACE] = result.ctypes.data, space.ctypes.data
    base[SPACE] += -base[SPACE] % VECTOR_BYTES  # aligned: no vector crosses a cache line
    base[WEIGHT], base[DWEIGHT] = weight.ctypes.data, dweight.ctypes.data
    base[BIAS], base[DBIAS] = bias.ctypes.data, dbias.ctypes.data
    return run_program(worker, parts, words, relative_to, starts, base)


_launch_in_parallel = thread_safe(_launch)
