"""Consecutive linear layers with small weights, and their activations, as one stage."""

import numpy as np

from .kernels.chains import chain_backward, chain_forward
from .kernels.codes import IDENTITY, LEAKY_RELU
from .linear import LinearStage
from .stage import Stage
from .sweeps import sweep_row

SMALL = 1 << 18  # bytes of a weight: each thread packs all of them, which should not take long


class ChainStage(Stage):
    """y = phi_n(... phi_1(x @ W_1 + b_1) ...), see `kernels.chains`.

    The cache is (x, (y_1, ..., y_n)). Tangents and curvature go through the stages one by one.
    """

    def __init__(self, stages):
        super().__init__(stages[0])
        self.children = {str(i): stage for i, stage in enumerate(stages)}
        self.stages, self.layers = stages, [stage.layer for stage in stages]
        self.piecewise_linear = all(stage.piecewise_linear for stage in stages)
        self.codes = np.array([stage.phi[0] for stage in stages])
        leaky = [stage.phi[0] == LEAKY_RELU for stage in stages]
        self.slopes = np.array(
            [s.phi[1] if is_leaky else 1.0 for s, is_leaky in zip(stages, leaky)]
        )

    def _arrays(self, kind):
        """(weights, biases) of the params or the grads of all layers; no bias is an empty array."""
        found = [getattr(layer, kind) for layer in self.layers]
        weights = tuple(arrays["weight"] for arrays in found)
        return weights, tuple(a["bias"] if "bias" in a else a["weight"][0, :0] for a in found)

    def forward(self, x, training=True):
        first = self.layers[0]
        x = first.as_input(x, "N", first.in_features)
        weights, biases = self._arrays("params")
        outputs = chain_forward(x, weights, biases, self.codes, self.slopes)
        return outputs[-1], (x, outputs)

    def backward_input(self, dy, cache):
        return self._backward(dy, cache, (None, None), True)

    def backward_params(self, dy, cache):
        self._backward(dy, cache, self._arrays("grads"), False)

    def backward(self, dy, cache):
        return self._backward(dy, cache, self._arrays("grads"), True)

    def _backward(self, dy, cache, gradients, wants_dx):
        weights, _ = self._arrays("params")
        return chain_backward(dy, *cache, weights, *gradients, self.codes, self.slopes, wants_dx)

    def parts(self, cache):
        """[(stage, its cache)]."""
        x, outputs = cache
        return [(stage, pair) for stage, pair in zip(self.stages, zip((x, *outputs[:-1]), outputs))]

    def tangent(self, x_dot, cache):
        for stage, inner in self.parts(cache):
            x_dot = stage.tangent(x_dot, inner)
        return x_dot

    def curvature(self, dy, cache, x_dot):
        _, sweep = sweep_row(self.parts(cache), dy)
        sweep.forward(x_dot)
        return sweep.backward(None, wanted=True)


def chained(stages):
    """The stages, with those that can form a chain replaced by it."""
    found, run = [], []
    for stage in [*stages, None]:
        if stage is not None and _can_join(stage):
            run.append(stage)
            if stage.phi[0] in (IDENTITY, LEAKY_RELU):  # others are applied at the end of a chain
                continue
        found += [ChainStage(run)] if len(run) > 1 else run
        if stage is not None and (not run or run[-1] is not stage):
            found.append(stage)
        run = []
    return found


def _can_join(stage):
    if type(stage) is not LinearStage:
        return False
    return stage.layer.params["weight"].nbytes <= SMALL
