"""Several linear layers and their activations in one compiled call.

In a small network the products take less time than what is around them: Python, and starting and
ending a parallel loop for each. But rows are samples, and no linear layer mixes them. So each
thread takes its part of the rows through all layers, without waiting for the others:

    thread 1    rows   0 to 127     x -> y_1 -> y_2 -> y_3      dx <- dz_1 <- dz_2 <- dz_3 <- dy
    thread 2    rows 128 to 255     x -> y_1 -> y_2 -> y_3      dx <- dz_1 <- dz_2 <- dz_3 <- dy

A weight gradient needs all rows. Those of all layers follow in a second loop, in which each thread
computes a part of the columns of each, dW = x' dz. The parts do not change any sum.

What a thread has to do is in a plan, a table with one row for each layer, most of it addresses.
"""

import numpy as np
from numba import carray, njit, prange
from numba.core import types

from .buffers import empty
from .cache import cached_njit
from .calls import ON, compiled_call, count_product
from .cotangents import sum_columns
from .gemm import SERIAL_BELOW, multiplier, task_address
from .machine import TILE_ROWS
from .nonlinear import phi_prime
from .products import finish
from .thin import THIN, sum_of_outer_products
from .threads import thread_safe, threads
from .workers import call_worker, pointer_to, task_passing, worker_address

# columns of a plan: addresses (DY the gradient of y, DZ that before the activation), then sizes
X, W, B, Y, DW, DB, DY, DZ, DX, INPUTS, OUTPUTS, HAS_BIAS, ACTIVATION = range(13)


@compiled_call
def chain_forward(x, weights, biases, activations, slopes):
    """The outputs of all layers, y_i = phi_i(y_{i-1} @ W_i + b_i), y_0 = x.

    weights, biases : tuples of arrays; no bias is an empty array
    activations, slopes : arrays, see `codes`
    """
    x = np.ascontiguousarray(x)
    outputs = tuple(empty((len(x), w.shape[1]), x.dtype) for w in weights)
    parts = _parts(len(x), weights)
    if ON:
        count_product(len(x), sum(w.size for w in weights), 1)
    run = _forward if parts == 1 else _forward_in_parallel
    workers = multiplier(x.dtype), worker_address(_forward_rows, x.dtype)
    run(*workers, parts, x, weights, biases, outputs, activations, slopes)
    finish(outputs[-1], activations[-1])
    return outputs


@compiled_call
def chain_backward(dy, x, outputs, weights, dweights, dbiases, activations, slopes, wants_dx):
    """Adds dW_i = y_{i-1}' @ dz_i and db_i into their arrays; returns dx, None if unwanted.

    dweights is None where no gradient is to be added.
    """
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    signals = tuple(empty(y.shape, y.dtype) for y in outputs)  # dz of each layer
    dx = empty(x.shape, x.dtype) if wants_dx else x[:0]
    parts = _parts(len(x), weights)
    adds = dweights is not None
    if ON:
        backwards = sum(w.size for w in (weights if wants_dx else weights[1:]))
        count_product(len(x), backwards + adds * sum(w.size for w in weights), 1)
    run = _backward if parts == 1 else _backward_in_parallel
    workers = [worker_address(worker, x.dtype) for worker in (_backward_rows, _gradient_columns)]
    run(
        multiplier(x.dtype), *workers, parts, dy, x, outputs, signals, dx, weights,
        dweights if adds else weights, dbiases if adds else tuple(x[0, :0] for _ in weights), adds,
        activations, slopes,
    )  # fmt: skip
    return dx if wants_dx else None


def _parts(rows, weights):
    work = rows * sum(weight.size for weight in weights)
    return 1 if work < SERIAL_BELOW else min(threads(), max(1, rows // TILE_ROWS))


def _task_type(number):
    """The type of the workers' task, for float32 or float64."""
    whole = types.int64
    numbers, plan = types.Array(number, 1, "C"), types.Array(whole, 2, "C")
    return types.Tuple((numbers, plan, types.Array(types.float64, 1, "C"), whole, whole, whole))


_address_of, _task_at = task_passing(_task_type)


@cached_njit(parallel=True)
def _run(worker, parts, task):
    if parts == 1:
        call_worker(worker, task, 0)
    else:
        for part in prange(parts):
            call_worker(worker, task, np.int64(part))


@njit
def _follow(worker, parts, numbers, plan, slopes, rows, multiplier):
    """Lets the threads follow a plan. (As an argument of this function it lives until they have:
    a task holds addresses, and Numba frees an array after its last use.)"""
    _run(worker, parts, _address_of((numbers, plan, slopes, rows, multiplier, parts)))


@cached_njit()
def _forward(multiplier, worker, parts, x, weights, biases, outputs, activations, slopes):
    plan = np.zeros((len(weights), ACTIVATION + 1), np.int64)
    for i in range(len(weights)):
        plan[i, X] = outputs[i - 1].ctypes.data if i else x.ctypes.data
        plan[i, W], plan[i, B] = weights[i].ctypes.data, biases[i].ctypes.data
        plan[i, Y] = outputs[i].ctypes.data
        plan[i, INPUTS], plan[i, OUTPUTS] = weights[i].shape
        plan[i, HAS_BIAS], plan[i, ACTIVATION] = biases[i].size > 0, activations[i]
    _follow(worker, parts, outputs[0].reshape(-1), plan, slopes, len(x), multiplier)


@cached_njit()
def _backward(
    multiplier, rows_worker, gradient_worker, parts, dy, x, outputs, signals, dx, weights,
    dweights, dbiases, adds, activations, slopes,
):  # fmt: skip
    last = len(weights) - 1
    plan = np.zeros((len(weights), ACTIVATION + 1), np.int64)
    for i in range(len(weights)):
        plan[i, X] = outputs[i - 1].ctypes.data if i else x.ctypes.data
        plan[i, W], plan[i, Y] = weights[i].ctypes.data, outputs[i].ctypes.data
        plan[i, DW], plan[i, DB] = dweights[i].ctypes.data, dbiases[i].ctypes.data
        plan[i, DY] = signals[i].ctypes.data if i < last else dy.ctypes.data
        plan[i, DZ] = signals[i].ctypes.data
        plan[i, DX] = signals[i - 1].ctypes.data if i else dx.ctypes.data if dx.size else 0
        plan[i, INPUTS], plan[i, OUTPUTS] = weights[i].shape
        plan[i, HAS_BIAS], plan[i, ACTIVATION] = dbiases[i].size > 0, activations[i]
    numbers = signals[0].reshape(-1)
    _follow(rows_worker, parts, numbers, plan, slopes, len(x), multiplier)
    if adds:
        _follow(gradient_worker, parts, numbers, plan, slopes, len(x), multiplier)


_forward_in_parallel, _backward_in_parallel = thread_safe(_forward), thread_safe(_backward)


def _forward_rows(address, part):
    """One thread's rows through all layers."""
    numbers, plan, slopes, rows, multiplier, parts = _task_at(address)
    first, end = _rows_of(part, parts, rows)
    for i in range(len(plan)):
        inputs, outputs = plan[i, INPUTS], plan[i, OUTPUTS]
        x = carray(pointer_to(plan[i, X], numbers), rows * inputs)
        w = carray(pointer_to(plan[i, W], numbers), inputs * outputs)
        b = carray(pointer_to(plan[i, B], numbers), outputs * plan[i, HAS_BIAS])
        y = carray(pointer_to(plan[i, Y], numbers), rows * outputs)
        _multiply_rows(multiplier, x, w, y, b, slopes[i], False, inputs, outputs, first, end)


def _backward_rows(address, part):
    """One thread's rows back through all layers: dz of each layer, and dx if it is wanted."""
    numbers, plan, slopes, rows, multiplier, parts = _task_at(address)
    first, end = _rows_of(part, parts, rows)
    for i in range(len(plan) - 1, -1, -1):
        inputs, outputs = plan[i, INPUTS], plan[i, OUTPUTS]
        y = carray(pointer_to(plan[i, Y], numbers), rows * outputs)
        dy = carray(pointer_to(plan[i, DY], numbers), rows * outputs)
        dz = carray(pointer_to(plan[i, DZ], numbers), rows * outputs)
        mine = slice(first * outputs, end * outputs)
        _through_activation(dy[mine], y[mine], dz[mine], plan[i, ACTIVATION], slopes[i])
        if plan[i, DX]:
            w = carray(pointer_to(plan[i, W], numbers), inputs * outputs)
            dx = carray(pointer_to(plan[i, DX], numbers), rows * inputs)
            _multiply_rows(multiplier, dz, w, dx, w[:0], 1.0, True, outputs, inputs, first, end)


def _gradient_columns(address, part):
    """One thread's part of the gradients of all weights and biases."""
    numbers, plan, slopes, rows, multiplier, parts = _task_at(address)
    for i in range(len(plan)):
        inputs, outputs = plan[i, INPUTS], plan[i, OUTPUTS]
        x = carray(pointer_to(plan[i, X], numbers), rows * inputs)
        dz = carray(pointer_to(plan[i, DZ], numbers), rows * outputs)
        dw = carray(pointer_to(plan[i, DW], numbers), inputs * outputs)
        if min(inputs, outputs) > THIN:
            _add_weight_gradient(multiplier, x, dz, dw, rows, inputs, outputs, part, parts)
        elif i % parts == part:
            _add_thin_gradient(x, dz, dw, rows, inputs, outputs)
        if plan[i, HAS_BIAS] and (i + 1) % parts == part:
            db = carray(pointer_to(plan[i, DB], numbers), outputs)
            sums = sum_columns(dz, outputs)
            for j in range(outputs):
                db[j] += numbers.dtype.type(sums[j])


@cached_njit()
def _rows_of(part, parts, rows):
    """(first, end) of the rows of a part, in whole strips of a register tile."""
    strips = -(-rows // TILE_ROWS)
    first, end = part * strips // parts, (part + 1) * strips // parts
    return first * TILE_ROWS, min(end * TILE_ROWS, rows)


@cached_njit(error_model="numpy")
def _multiply_rows(multiplier, a, b, c, bias, slope, transposed, depth, columns, first, end):
    """Rows [first, end) of C = leaky(A B + bias), or A B' where `transposed`; all are flat."""
    count = end - first
    a, c = a[first * depth : end * depth], c[first * columns : end * columns]
    left = (a, np.arange(count) * depth, np.arange(depth), depth)
    right = (b, np.arange(depth) * (1 if transposed else columns), depth if transposed else 1)
    result = (c, np.arange(count) * columns)
    _multiply(multiplier, 0, 1, left, right, result, columns, bias, slope, False)


@njit
def _multiply(multiplier, part, across, left, right, result, columns, bias, slope, accumulate):
    """One part of a product, cut into so many across (the operands live as in `_follow`)."""
    task = task_address((left, right, result, columns, bias, slope, accumulate, 1, across))
    call_worker(multiplier, task, part)


@cached_njit(error_model="numpy")
def _through_activation(dy, y, dz, activation, slope):
    slope = y.dtype.type(slope)
    for i in range(y.size):
        dz[i] = dy[i] * phi_prime(y[i], activation, slope)


@cached_njit(error_model="numpy")
def _add_weight_gradient(multiplier, x, dz, dw, rows, inputs, outputs, part, parts):
    """dW += x' dz, the columns of one part."""
    left = (x, np.arange(inputs), np.arange(rows) * inputs, 1)
    right, result = (dz, np.arange(rows) * outputs, 1), (dw, np.arange(inputs) * outputs)
    _multiply(multiplier, part, parts, left, right, result, outputs, dw[:0], 1.0, True)


@cached_njit()
def _add_thin_gradient(x, dz, dw, rows, inputs, outputs):
    """dW += x' dz, for few inputs or few outputs."""
    x, dz, dw = x.reshape(rows, inputs), dz.reshape(rows, outputs), dw.reshape(inputs, outputs)
    if inputs <= outputs:
        total = np.empty((inputs, outputs), dw.dtype)
        sum_of_outer_products(x, dz, total)
        dw += total
    else:
        total = np.empty((outputs, inputs), dw.dtype)
        sum_of_outer_products(dz, x, total)
        dw += total.T
