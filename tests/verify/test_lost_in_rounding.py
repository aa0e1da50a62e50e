"""Gradients that are mostly rounding: right ones pass, wrong ones do not, what is lost says so."""

import numpy as np
import pytest
from minigan.gradcheck import check_layer

from minigan.layers import Layer, LayerNorm

# LayerNorm(2) is nearly the sign of x_0 - x_1: in its derivative, 1 - x_hat^2, all digits cancel.
SEEDS = (1, 11, 22, 38, 40, 45, 46, 58, 59)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_right_layer_norm_of_two_values_passes(seed):
    report = check_layer(LayerNorm(2), (4 + seed % 5, 2), rng=seed, progress=False)
    assert report.ok, report


class WrongInFloat32(LayerNorm):
    def backward_input(self, dy, cache):
        dx = super().backward_input(dy, cache)
        return 1.5 * dx if dy.dtype == np.float32 else dx


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wrong_one_does_not(seed):
    report = check_layer(WrongInFloat32(2), (4 + seed % 5, 2), rng=seed, progress=False)
    wrong = {row.tensor.partition(",")[0] for row in report.failures if "float32" in row.check}
    assert wrong == {"dx"}


class Fine(Layer):
    """y = sin(a x), with a so large that one rounding unit of x moves the phase by a lot."""

    a = 1e6

    def forward(self, x, training=True):
        x = self.as_input(x)
        return np.sin(self.a * x), x

    def backward_input(self, dy, x):
        return self.a * np.cos(self.a * x) * dy


def test_what_is_lost_in_rounding_says_so():
    report = check_layer(Fine(), (4, 3), progress=False)
    rows = [row for row in report.failures if row.tensor.startswith(("y,", "dx,"))]
    assert len(rows) == 4 and all("lost in rounding" in row.reason for row in rows)
