"""Embedding, Fourier features, and the minibatch standard deviation."""

import numpy as np

from .. import _checks as checks
from .._checks import Count, Epsilon, NotNegative, Positive
from .base import Array, Cache, Layer
from .parameters import zeros


class Embedding(Layer):
    """y[n] = W[x[n]]: one trained row for each of a fixed number of classes.

    x (N,) integers in [0, classes), W (classes, features), y (N, features).
    backward: dW[k] = the sum of dy over the samples of class k. A class number does not move, so
    dx is None and the tangent is zero. W starts from N(0, 1).

    Raises TypeError for indices that are not integers, ValueError for one out of range.
    """

    def __init__(self, num_embeddings: Count, embedding_dim: Count) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.add_parameter("weight", (num_embeddings, embedding_dim))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        self.params["weight"][...] = rng.standard_normal(self.params["weight"].shape)

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = checks.class_numbers(self, "x", x, self.num_embeddings)
        return self.params["weight"][x], x

    def backward_input(self, dy: Array, x: Array) -> None:  # type: ignore[override]
        return None

    def backward_params(self, dy: Array, x: Array) -> None:
        np.add.at(self.grads["weight"], x, dy)  # not `+=`, which drops all but one of equal indices

    def tangent(self, x_dot: Array, x: Array) -> Array:
        return np.zeros((len(x), self.embedding_dim), self.params["weight"].dtype)

    def __repr__(self) -> str:
        return f"Embedding({self.num_embeddings}, {self.embedding_dim})"


class FourierFeatures(Layer):
    """y = w [cos(p), sin(p)],  p = 2 pi x B   random Fourier features (Tancik et al. 2020)

    x (N, in), B (in, frequencies) drawn once from N(0, scale^2) and never trained,
    y (N, 2 frequencies). They let a small network see fine detail in low-dimensional data.

    With w = exp(-2 pi^2 std^2 |b|^2), b a column of B, y is the mean of the features of x + std e,
    e ~ N(0, I): w is .61 for a period of 2 pi std, and below .01 for periods up to 2 std. So std
    blurs what the network sees, without drawing noise (Barron et al. 2021 use it for rays). The
    default is 0, w = 1; it may be changed between steps (see `Annealing`).

    backward, with dcos and dsin the halves of dy:
        tangent:  p_dot = 2 pi x_dot B,  y_dot = w [-sin(p) p_dot, cos(p) p_dot]
        backward: dx = 2 pi (w (-sin(p) dcos + cos(p) dsin)) B'
        curvature: as p moves along p_dot = 2 pi x_dot B,
                   dx moves by -2 pi (w (cos(p) dcos + sin(p) dsin) p_dot) B'
    """

    def __init__(
        self,
        in_features: Count,
        num_frequencies: Count,
        *,
        scale: Positive = 1.0,
        std: NotNegative = 0.0,
    ) -> None:
        super().__init__()
        self.in_features, self.num_frequencies = in_features, num_frequencies
        self.scale, self.std = scale, std
        self.buffers["frequencies"] = zeros((in_features, num_frequencies))
        self.initialize(self.rng)

    def initialize(self, rng: np.random.Generator) -> None:
        frequencies = self.buffers["frequencies"]
        frequencies[...] = rng.normal(0, self.scale, frequencies.shape)

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", self.in_features)
        phase, w = self._phase(x), self._weights()
        cosine, sine = w * np.cos(phase), w * np.sin(phase)
        return np.concatenate([cosine, sine], axis=1), (cosine, sine)

    def backward_input(self, dy: Array, cache: Cache) -> Array:
        cosine, sine = cache
        dcos, dsin = np.split(dy, 2, axis=1)
        dphase = cosine * dsin - sine * dcos
        return self._phase_backward(dphase)

    def tangent(self, x_dot: Array, cache: Cache) -> Array:
        cosine, sine = cache
        phase_dot = self._phase(x_dot)
        return np.concatenate([-sine * phase_dot, cosine * phase_dot], axis=1)

    def curvature(self, dy: Array, cache: Cache, x_dot: Array) -> Array | None:
        cosine, sine = cache
        dcos, dsin = np.split(dy, 2, axis=1)
        phase_dot = self._phase(x_dot)
        dphase_dot = -(cosine * dcos + sine * dsin) * phase_dot
        return self._phase_backward(dphase_dot)

    def _weights(self):
        """w, one for each frequency."""
        squared = np.sum(self.buffers["frequencies"] ** 2, axis=0)
        std = float(self.std)  # one in float64 would make everything float64
        return np.exp(-2 * (np.pi * std) ** 2 * squared)

    def _phase(self, x):
        """2 pi x B"""
        return 2 * np.pi * (x @ self.buffers["frequencies"])

    def _phase_backward(self, dphase):
        """2 pi dp B'"""
        return 2 * np.pi * (dphase @ self.buffers["frequencies"].T)

    def __repr__(self) -> str:
        blur = f", std={self.std:g}" if self.std else ""
        size = f"{self.in_features}, {self.num_frequencies}, scale={self.scale:g}"
        return f"FourierFeatures({size}{blur})"


class MinibatchStdDev(Layer):
    """y = [x, s],  s = the batch's mean standard deviation, one more feature   (Karras et al. 2018)

    x (N, F) or (N, H, W, C); y has one more feature (channel), equal to s everywhere. For each
    feature j of a sample,
        std_j = sqrt(mean_n (x_nj - mean_j)^2 + eps),      s = mean_j std_j.
    A generator that makes the same sample again and again shows a small s, and D can see it.

    backward, dy without the added feature, and J features:
        dx = dy + ds (x - mean) / (J N std),  ds = sum of dy at s
    """

    mixes_samples = True

    def __init__(self, *, eps: Epsilon = 1e-8) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Array, training: bool = True) -> tuple[Array, Cache]:
        x = self.as_input(x, "N", ..., "C")
        checks.not_empty(self, "x", x)
        # Means in float64: those of a constant batch must be exact, because eps is tiny.
        centred = x - x.mean(axis=0, dtype=np.float64).astype(x.dtype)
        variance = np.mean(centred * centred, axis=0, dtype=np.float64)
        std = np.sqrt(variance + self.eps).astype(x.dtype)
        spread = np.full((*x.shape[:-1], 1), std.mean(), x.dtype)
        # ds/dx
        slope = centred / (std * x.size)
        return np.concatenate([x, spread], axis=-1), slope

    def backward_input(self, dy: Array, slope: Array) -> Array:
        return dy[..., :-1] + np.sum(dy[..., -1], dtype=np.float64).astype(dy.dtype) * slope

    def tangent(self, x_dot: Array, slope: Array) -> Array:
        moved = np.full(
            (*x_dot.shape[:-1], 1), np.sum(x_dot * slope, dtype=np.float64), x_dot.dtype
        )
        return np.concatenate([x_dot, moved], axis=-1)
