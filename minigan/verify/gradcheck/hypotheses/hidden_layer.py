"""A layer that holds two products: y = phi(x W_1 + b_1) W_2 + b_2, or y = phi(x W_1 + b_1).

With z = x W_1 + b_1, h = phi(z):  dh = dy W_2', dz = phi'(z) dh,
dW_2 = h' dy, dW_1 = x' dz, db_1 = sum dz, dx = dz W_1'
"""

from collections.abc import Iterator

import numpy as np

from .case import Array, Candidate, Case
from .pointwise import KNOWN, Function
from .written_formulas import sigmoid


def _leaky(slope: float) -> tuple[Function, Function]:
    return lambda t: np.where(t > 0, t, slope * t), lambda t: np.where(t > 0, 1.0, slope)


SHAPES: dict[str, tuple[Function, Function]] = {
    **{name: (phi, slope) for name, (phi, slope, _) in KNOWN.items()},
    "ReLU": (lambda t: np.maximum(t, 0), lambda t: 1.0 * (t > 0)),
    **{f"LeakyReLU({slope:g})": _leaky(slope) for slope in (0.01, 0.1, 0.2)},
}
MOST = 4  # matrices, and biases, among which the layer's are looked for


def hidden(case: Case) -> Iterator[Candidate]:
    """The activation's derivative left out or at the wrong point, in whichever gradient this is."""
    x, y, dy = case.array("x"), case.array("y"), case.array("dy")
    if x is None or y is None or dy is None or not x.ndim == y.ndim == dy.ndim == 2:
        return
    if not y.size:
        return
    matrices = [a for n, a in case.arrays() if a.ndim == 2 and n not in ("x", "y", "dy")]
    vectors = [np.zeros(()), *(a for _, a in case.arrays() if a.ndim == 1)]
    for W1 in matrices[:MOST]:
        if W1.shape[0] != x.shape[1]:
            continue
        for b1 in vectors[: MOST + 1]:
            if b1.ndim and b1.shape != W1.shape[1:]:
                continue
            z = x @ W1 + b1
            for W2 in [None, *matrices[:MOST]]:
                if W2 is not None and W2.shape != (W1.shape[1], y.shape[1]):
                    continue
                for name, (phi, slope) in SHAPES.items():
                    h = phi(z)
                    image = h if W2 is None else h @ W2
                    if image.shape != y.shape or not _same_but_for_a_bias(case, y, image):
                        continue
                    dh = dy if W2 is None else dy @ W2.T
                    yield from _variants(case, name, slope, x, dy, z, h, dh, W1, W2)
                    return


def _same_but_for_a_bias(case, y, image):
    return case.agree(y - y[:1], image - image[:1]) and bool(np.abs(y - y[:1]).max() > 0)


def _variants(case, name, slope, x, dy, z, h, dh, W1, W2):
    right = slope(z) * dh
    if W2 is not None and case.is_right(h.T @ dy):
        yield Candidate(z.T @ dy, f"has z, before the {name}, where its output h is right")
        yield Candidate(np.outer(h[-1], dy[-1]), "counts the last sample alone: `=` for `+=`")
        yield Candidate(np.maximum(h, 0).T @ dy, "has relu(h) where h is right")
        yield Candidate((slope(z) * h).T @ dy, f"contains {name}'s derivative: h' dy is right")
        return
    made = next(
        (
            make
            for make in (lambda d: x.T @ d, lambda d: d @ W1.T, lambda d: d.sum(axis=0))
            if case.is_right(make(right))
        ),
        None,
    )
    if made is None:
        return
    if right.ndim == 2 and made(right).shape == case.found.shape:
        last = np.zeros_like(right)
        last[-1] = right[-1]
        yield Candidate(made(last), "counts the last sample alone: `=` in place of `+=`")
    yield Candidate(made(dh), f"lacks {name}'s derivative: it takes dh where dz is right")
    yield Candidate(made(slope(dh) * dh), f"takes {name}'s derivative at dh, not at z")
    for words, factor in _wrong_slopes(slope, z, h):
        yield Candidate(made(factor * dh), f"takes {words} for {name}'s derivative")
    if W2 is not None and W2.shape[0] == W2.shape[1]:
        yield Candidate(made(slope(z) * (dy @ W2)), "has the second weight not transposed in dh")


def _wrong_slopes(slope: Function, z: Array, h: Array) -> Iterator[tuple[str, Array]]:
    s = slope(z)
    yield "its value at h, the output,", slope(h)
    yield "its square", s**2
    yield "1 - h", 1 - h
    yield "1 - h^2", 1 - h**2
    yield "1 - z^2", 1 - z**2
    yield "h (1 - h)", h * (1 - h)
    yield "z (1 - z)", z * (1 - z)
    yield "h", h
    yield "sigmoid(z)", sigmoid(z)
    yield "the mask z > 0", 1.0 * (z > 0)
    yield "the mask z < 0", 1.0 * (z < 0)
