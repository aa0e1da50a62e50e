"""The check of a layer's second-order term, against differences of its backward pass."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .differences import Differences, measure
from .report import Report


def check_curvature(
    report: Report,
    mode: str,
    network: Any,
    layer: Any,
    x: np.ndarray,
    dy: np.ndarray,
    forward: Callable[..., Any],
    rng: np.random.Generator,
    problem: str | None,
) -> None:
    """Adds the rows of `layer.curvature(dy, cache, x_dot)`, x_dot a random direction.

    With dx(e), dtheta(e) what the backward passes give for dy when x is moved to x + e x_dot, and
    u, w random, the derivatives at e = 0 of
        <u, dx(e)>      is compared with <u, the array that curvature returns>   (None is zero)
        <w, dtheta(e)>  is compared with <w, what curvature adds into grads>
    forward : () -> (y, cache) at x as it stands, always with the same random state
    problem : why nothing can be measured, or None
    """
    x_dot, u = rng.standard_normal((2, *x.shape))
    w, grads_before = rng.standard_normal((2, network.grad.size))
    start, moved = x.copy(), np.zeros(())

    _, cache = forward()
    network.grad[...] = grads_before
    dx_dot = layer.curvature(dy.copy(), cache, x_dot)
    if dx_dot is None:
        dx_dot = np.zeros(x.shape)
    if np.shape(dx_dot) != x.shape:
        raise ValueError(
            f"check_layer: {type(layer).__name__}.curvature must return None or an array of the "
            f"shape of x, {x.shape}, got shape {np.shape(dx_dot)}"
        )
    added = network.grad - grads_before

    def along(part):
        """The Differences of `part`, a function of the cache at x + e x_dot, over e."""
        if problem:
            return Differences.none((), problem)

        def function():
            x[...] = start + moved * x_dot
            return part(forward()[1])

        try:
            return measure(function, moved)
        finally:
            x[...] = start

    def dtheta(cache):
        network.zero_grad()
        layer.backward_params(dy.copy(), cache)
        return float(w @ network.grad)

    found = np.sum(u * dx_dot)
    report.compare_difference(
        mode,
        "curvature: dx",
        found,
        along(lambda c: float(np.sum(u * layer.backward_input(dy.copy(), c)))),
    )
    if added.size:
        report.compare_difference(mode, "curvature: grads", w @ added, along(dtheta))
