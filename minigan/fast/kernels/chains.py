"""Several linear layers and their activations in one compiled call.

In a small network the matrix products take hardly longer than the overhead around them: Python, and
starting and ending a parallel loop for each product. But rows are samples, and a linear layer does
not mix samples. So each thread takes its part of the rows through all layers, without a barrier:

    thread 1    rows   0 to 127     x -> y_1 -> y_2 -> y_3      dx <- dz_1 <- dz_2 <- dz_3 <- dy
    thread 2    rows 128 to 255     x -> y_1 -> y_2 -> y_3      dx <- dz_1 <- dz_2 <- dz_3 <- dy

A weight gradient dW = x' dz is a sum over all rows. In a small network each of two threads sums
over its own rows, and a second loop adds the two sums. The rows are halved in the same way for any
number of threads, so the results are the same bits. With more than two threads, or with a large
weight, the gradients are computed in a second parallel loop, in which each thread takes a part of
the columns of each dW. The products with a large weight are also divided by columns.

The tasks are in a plan, made once for each batch size: see `plans`.
"""

import numpy as np

from .buffers import empty, plain
from .cache import cached_njit
from .calls import ON, compiled_call, count_product
from .plans import DX, DY, DZ, SCALE, SECOND_HALF, SUMS, X_DOT, Y_DOT, Plan, X, Y
from .programs import FIXED, run_program
from .threads import thread_safe
from .views import address_of, space


@compiled_call
def chain_forward(x: np.ndarray, plan: Plan) -> tuple[np.ndarray, ...]:
    """(y_1, ..., y_n), each (N, out_i): y_i = phi_i(y_{i-1} @ W_i + b_i), y_0 = x (N, in)."""
    x = plain(x)
    y = empty((plan.size,), x.dtype)
    if ON:
        count_product(plan.rows, sum(plan.weights), 1)
    _run(plan, plan.forward, (x, y, x, y, x), False)
    return plan.per_layer(y)


@compiled_call
def chain_backward(
    dy: np.ndarray, x: np.ndarray, y: np.ndarray, plan: Plan, wants_dx: bool, gradients: str = ""
) -> tuple[np.ndarray | None, np.ndarray]:
    """(dx, dz) from dy (N, out): dx = dz_1 @ W_1', or None; dz of all layers in one flat array.

        dz_i = dy_i phi_i'(y_i),  dy_{i-1} = dz_i @ W_i'
        dW_i = y_{i-1}' @ dz_i,   db_i = sum of dz_i over the rows

    Parameters
    ----------
    y : the outputs of all layers in one flat array, as dz
    wants_dx : whether to compute dx
    gradients : dW and db are "added" to the layers' arrays, "written" over them, or "" for none
    """
    x, dy = plain(x), plain(dy)
    dz, dx = empty((plan.size,), y.dtype), empty(x.shape, y.dtype) if wants_dx else x
    if ON:
        backwards = sum(plan.weights if wants_dx else plan.weights[1:])
        count_product(plan.rows, backwards + (gradients != "") * sum(plan.weights), 1)
    _run(plan, plan.backward(wants_dx, gradients), (x, y, dy, dz, dx), gradients != "")
    return (dx if wants_dx else None), dz


@compiled_call
def chain_merge(
    x_dot: np.ndarray, scale: np.ndarray, x: np.ndarray, y: np.ndarray, dz: np.ndarray, plan: Plan,
    gradients: str,
) -> np.ndarray:  # fmt: skip
    """The tangent y_dot (N, out) of the last layer along x_dot (N, in), and merged gradients.

        y_dot_i = phi_i'(y_i) (y_dot_{i-1} @ W_i),  y_dot_0 = x_dot
        dW_i = (scale y_{i-1} + y_dot_{i-1})' dz_i,  db_i = scale' dz_i

    scale (N, 1) has the slope of the loss for each sample: see `minigan.fast.sweeps`. `gradients`
    is "added" or "written", as in `chain_backward`.
    """
    x, x_dot, scale = plain(x), plain(x_dot), plain(scale)
    y_dot, sums = empty(y.shape, y.dtype), empty((x.size + y.size,), y.dtype)
    if ON:
        count_product(plan.rows, 2 * sum(plan.weights), 1)
    _run(plan, plan.merge(gradients), (x, y, x, dz, x), True, (scale, x_dot, y_dot, sums))
    return plan.per_layer(y_dot)[-1]


def _run(plan, program, arrays, gradients, more=()):
    """Runs a program on the arrays (x, y, dy, dz, dx) of a pass, and in `more` those of a merge."""
    run = _launch if plan.parts == 1 else _launch_in_parallel
    scale, x_dot, y_dot, sums = more or (arrays[0], arrays[0], arrays[1], arrays[1])
    two_halves = gradients and len(plan.halves) == 2
    second_half = empty((plan.parameters,), plan.dtype) if two_halves else arrays[1]
    run(plan.worker, plan.parts, *program, *arrays, scale, x_dot, y_dot, sums, second_half)


@cached_njit()
def _launch(
    worker, parts, words, relative_to, starts, x, y, dy, dz, dx, scale, x_dot, y_dot, sums,
    second_half,
):  # fmt: skip
    base = space(SECOND_HALF + 1, words)
    base[FIXED] = 0
    base[X], base[Y], base[DY], base[DZ] = (
        address_of(x), address_of(y), address_of(dy), address_of(dz),
    )  # fmt: skip
    base[DX], base[SCALE], base[X_DOT] = address_of(dx), address_of(scale), address_of(x_dot)
    base[Y_DOT], base[SUMS] = address_of(y_dot), address_of(sums)
    base[SECOND_HALF] = address_of(second_half)
    return run_program(worker, parts, words, relative_to, starts, base)


_launch_in_parallel = thread_safe(_launch)
