"""Self-attention over the positions of an image (Zhang et al. 2019, SAGAN)."""

import numpy as np

from .._checks import Count
from .base import Array, Cache, Layer

MAX_POSITIONS = 4096  # of an image: the attention map has this many entries squared


class SelfAttention(Layer):
    """y = x + gamma (A v) W_o,  A = softmax(q k'),  q = x W_q,  k = x W_k,  v = x W_v

    Each position of an image depends on all positions: row i of A says how much of the value v_j
    position i takes from position j. A convolution depends on a neighbourhood alone.

    x, y (N, H, W, C), seen as (N, L, C) with L = H W positions. W_q, W_k (C, C/8), W_v (C, C/2),
    W_o (C/2, C), gamma (1,). A (N, L, L); softmax along each row, whose entries sum to 1.

    **Softmax.** A_ij = exp(S_ij) / sum_k exp(S_ik), so dA_ij/dS_ik = A_ij (delta_jk - A_ik). With
    <a, b> the sum of a b along a row,
        forward   as S moves along S_dot:    A_dot = A (S_dot - <A, S_dot>)
        backward                             dS    = A (dA - <A, dA>)
    the same map, since the Jacobian is symmetric. Its second derivative: differentiate the last
    line along S_dot by the product rule, A, dA and the sum all moving:
        dS_dot = A_dot (dA - <A, dA>) - A <A_dot, dA> + A (dA_dot - <A, dA_dot>)

    **Backward**, from dy, with r = A v and o = r W_o:
        do = gamma dy       dgamma = sum of dy o     dW_o = (A v)' gamma dy
        dr = do W_o'        dA = dr v'
        dW_q = x' dq,  dq = dS k,  dS = A (dA - <A, dA>)
        dW_k = x' dk,  dk = dS' q
        dW_v = x' dv,  dv = A' dr
        dx = dy + dq W_q' + dk W_k' + dv W_v'
    **Tangent**: the forward lines, each by the product rule, from x_dot.
    **Curvature**: the backward lines, each by the product rule; dy, do and dr are constant:
        dA_dot = dr v_dot'   dv_dot = A_dot' dr      dW_o_dot = r_dot' do, dgamma_dot = sum dy o_dot
        dq_dot = dS_dot k + dS k_dot                 dk_dot = dS_dot' q + dS' q_dot
        dW_q_dot = x' dq_dot + x_dot' dq             (W_k, W_v likewise)
        dx_dot = dq_dot W_q' + dk_dot W_k' + dv_dot W_v'

    The weights start from N(0, 1 / inputs), gamma from 0: at first y = x, and attention grows as
    gamma learns.

    Parameters
    ----------
    channels : C >= 1

    Raises ValueError for an image of more than 4,096 positions, since A grows as L^2.

    References
    ----------
    Zhang et al. (2019), "Self-attention generative adversarial networks" (arXiv 1805.08318). The
    widths are those of the authors' code, without its pooling and its biases.
    """

    def __init__(self, channels: Count) -> None:
        super().__init__()
        self.channels = channels
        narrow, wide = max(1, channels // 8), max(1, channels // 2)
        self.add_parameter("query", (channels, narrow))
        self.add_parameter("key", (channels, narrow))
        self.add_parameter("value", (channels, wide))
        self.add_parameter("output", (wide, channels))
        self.add_parameter("gamma", (1,))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        for name in ("query", "key", "value", "output"):
            weight = self.params[name]
            weight[...] = rng.normal(0, 1 / np.sqrt(len(weight)), weight.shape)
        self.params["gamma"][...] = 0

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        image = self.as_input(x, "N", "H", "W", self.channels)
        if (positions := image.shape[1] * image.shape[2]) > MAX_POSITIONS:
            raise ValueError(
                f"{self}: an image must have at most {MAX_POSITIONS:,} positions (64 x 64), since "
                f"attention has their square; got {image.shape[1]} x {image.shape[2]}, "
                f"{positions:,}"
            )
        x, p = positions_of(image), self.params
        q, k, v = x @ p["query"], x @ p["key"], x @ p["value"]
        A = self.softmax(q @ transposed(k))
        r = A @ v
        y = x + p["gamma"] * (r @ p["output"])
        return y.reshape(image.shape), (x, q, k, v, A, r)

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        return self._input_gradient(dy, self._signals(dy, cache))

    def backward_params(self, dy: Array, cache: Cache) -> None:
        self._add_gradients(dy, cache, self._signals(dy, cache))

    def _input_gradient(self, dy, signals):
        dq, dk, dv, _ = signals
        return dy + self._through_projections(dq, dk, dv).reshape(dy.shape)

    def _add_gradients(self, dy, cache, signals):
        x, _, _, _, _, r = cache
        dy, (dq, dk, dv, _) = positions_of(dy), signals
        for name, signal in (("query", dq), ("key", dk), ("value", dv)):
            self.grads[name] += over_positions(x, signal)
        self.grads["output"] += over_positions(r, self.params["gamma"] * dy)
        self.grads["gamma"] += np.sum(dy * (r @ self.params["output"]), dtype=np.float64)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        r_dot = self._tangents(positions_of(x_dot), cache)[-1]
        y_dot = positions_of(x_dot) + self.params["gamma"] * (r_dot @ self.params["output"])
        return y_dot.reshape(x_dot.shape)

    def curvature(self, dy: Array, cache: Cache, x_dot: Array) -> Array:
        x, q, k, v, A, _ = cache
        dq, dk, dv, (dr, dA, dS) = self._signals(dy, cache)
        shape, dy, x_dot, p = dy.shape, positions_of(dy), positions_of(x_dot), self.params
        q_dot, k_dot, v_dot, A_dot, r_dot = self._tangents(x_dot, cache)
        dA_dot = dr @ transposed(v_dot)
        dv_dot = transposed(A_dot) @ dr
        dS_dot = A_dot * (dA - row_sum(A * dA)) - A * row_sum(A_dot * dA)
        dS_dot += self.through_softmax(A, dA_dot)
        dq_dot = dS_dot @ k + dS @ k_dot
        dk_dot = transposed(dS_dot) @ q + transposed(dS) @ q_dot
        for name, signal, signal_dot in (
            ("query", dq, dq_dot), ("key", dk, dk_dot), ("value", dv, dv_dot),
        ):  # fmt: skip
            self.grads[name] += over_positions(x, signal_dot) + over_positions(x_dot, signal)
        self.grads["output"] += over_positions(r_dot, p["gamma"] * dy)
        self.grads["gamma"] += np.sum(dy * (r_dot @ p["output"]), dtype=np.float64)
        return self._through_projections(dq_dot, dk_dot, dv_dot).reshape(shape)

    def attention(self, x: Array) -> Array:
        """A of images x, (N, H, W, H, W): how much each position takes from every other."""
        y, (*_, A, _) = self.forward(x, training=False)
        return A.reshape(*y.shape[:3], *y.shape[1:3])

    @staticmethod
    def softmax(S: Array) -> Array:
        """exp(S) / sum exp(S) along each row; the largest entry is subtracted first, so that exp
        does not overflow."""
        with np.errstate(under="ignore"):
            E = np.exp(S - S.max(axis=2, keepdims=True))
            return E / row_sum(E)

    @staticmethod
    def through_softmax(A: Array, g: Array) -> Array:
        """dS from g = dA; and, the Jacobian being symmetric, A_dot from g = S_dot."""
        return A * (g - row_sum(A * g))

    def _signals(self, dy, cache):
        """(dq, dk, dv, (dr, dA, dS)): the gradients of q, k, v and the intermediate ones."""
        _, q, k, v, A, _ = cache
        dr = self.params["gamma"] * positions_of(dy) @ self.params["output"].T
        dA = dr @ transposed(v)
        dS = self.through_softmax(A, dA)
        return dS @ k, transposed(dS) @ q, transposed(A) @ dr, (dr, dA, dS)

    def _tangents(self, x_dot, cache):
        """(q_dot, k_dot, v_dot, A_dot, r_dot)."""
        _, q, k, v, A, _ = cache
        q_dot, k_dot, v_dot = (x_dot @ self.params[name] for name in ("query", "key", "value"))
        S_dot = q_dot @ transposed(k) + q @ transposed(k_dot)
        A_dot = self.through_softmax(A, S_dot)
        return q_dot, k_dot, v_dot, A_dot, A_dot @ v + A @ v_dot

    def _through_projections(self, dq, dk, dv):
        """dq W_q' + dk W_k' + dv W_v'"""
        p = self.params
        return dq @ p["query"].T + dk @ p["key"].T + dv @ p["value"].T

    def __repr__(self) -> str:
        return f"SelfAttention({self.channels})"


def positions_of(image: Array) -> Array:
    """(N, H, W, C) seen as (N, H W, C)."""
    return image.reshape(len(image), image.shape[1] * image.shape[2], image.shape[3])


def transposed(x: Array) -> Array:
    """The transpose of each sample's matrix."""
    return x.transpose(0, 2, 1)


def row_sum(x: Array) -> Array:
    """The sum of each row, (N, L, 1)."""
    return x.sum(axis=2, keepdims=True)


def over_positions(x: Array, dy: Array) -> Array:
    """x' dy, summed over samples and positions: the gradient of a weight shared by all of them."""
    return np.tensordot(x, dy, axes=((0, 1), (0, 1)))
