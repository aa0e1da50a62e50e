"""Minibatch discrimination: D sees how close each sample is to the others of its minibatch."""

import numpy as np

from .._checks import Count
from .base import Array, Cache, Layer, flat_samples


class MinibatchDiscrimination(Layer):
    """y = [x, o],  o_ib = sum_j c_ijb,  c_ijb = exp(-sum_c |M_ibc - M_jbc|),  M = x T

    x (N, F), T (F, B, C), M (N, B, C), o (N, B), y (N, F + B). Each of the B measures projects the
    samples to C numbers and counts its neighbours there: o is near 1 (itself) for a sample that is
    alone, near N for one of N equal ones. With o, D can recognise a generator that makes the same
    sample again and again, and its gradient moves each sample away from the others.

    backward, do the part of dy at o, dy the rest of it. c is symmetric, so c_ij is in o_i and in
    o_j; with s = sign(M_i - M_j)
        dx = dy + dM T',  dM_ibc = -sum_j (do_ib + do_jb) c_ijb s_ijbc
        dT = x' dM
    tangent: M_dot = x_dot T,  c_dot_ijb = -c_ijb sum_c s_ijbc (M_dot_ibc - M_dot_jbc)

    The layer mixes samples: real and fake are judged in separate batches, and a penalty on D's
    gradient is refused. T starts from N(0, 1 / F).

    Parameters
    ----------
    in_features : F >= 1
    measures : B >= 1
    dimensions : C >= 1

    References
    ----------
    Salimans et al. (2016), "Improved techniques for training GANs", sec. 3.2 (arXiv 1606.03498).
    """

    mixes_samples = True

    def __init__(self, in_features: Count, measures: Count, dimensions: Count = 5) -> None:
        super().__init__()
        self.in_features, self.measures, self.dimensions = in_features, measures, dimensions
        self.add_parameter("T", (in_features, measures, dimensions))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        T = self.params["T"]
        T[...] = rng.normal(0, 1 / np.sqrt(self.in_features), T.shape)

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", self.in_features)
        pairs = differences(self._project(x))
        with np.errstate(under="ignore"):
            c = np.exp(-np.abs(pairs).sum(axis=3))
        return np.concatenate([x, c.sum(axis=1)], axis=1), (x, c, np.sign(pairs))

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        T = self.params["T"].reshape(self.in_features, -1)
        return dy[:, : self.in_features] + self._d_projection(dy, cache) @ T.T

    def backward_params(self, dy: Array, cache: Cache) -> None:
        x, _, _ = cache
        self.grads["T"] += (x.T @ self._d_projection(dy, cache)).reshape(self.params["T"].shape)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        _, c, s = cache
        c_dot = -c * np.sum(s * differences(self._project(x_dot)), axis=3)
        return np.concatenate([x_dot, c_dot.sum(axis=1)], axis=1)

    def _project(self, x):
        """M = x T, (N, B, C)."""
        return np.tensordot(x, self.params["T"], axes=1)

    def _d_projection(self, dy, cache):
        """dM, (N, B C)."""
        _, c, s = cache
        do = dy[:, self.in_features :]
        both = (do[:, None] + do) * c  # (N, N, B)
        return flat_samples(-np.sum(both[..., None] * s, axis=1))

    def __repr__(self) -> str:
        return f"MinibatchDiscrimination({self.in_features}, {self.measures}, {self.dimensions})"


def differences(M: Array) -> Array:
    """M_i - M_j for every pair, (N, N, B, C)."""
    return M[:, None] - M
