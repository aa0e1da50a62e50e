"""Squared distances: as exact far from the origin as near it, and exactly zero between twins."""

import numpy as np
import pytest

from minigan.metrics import _distances
from minigan.metrics._distances import row_blocks, squared_distances


@pytest.mark.parametrize("d", [1, 2, 64])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_equals_the_differences(d, offset):
    rng = np.random.default_rng(d)
    x, y = rng.standard_normal((30, d)) + offset, rng.standard_normal((20, d)) + offset
    expected = np.sum((x[:, None] - y) ** 2, axis=2)
    assert squared_distances(x, y) == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_twins_are_at_distance_zero_and_near_ones_are_not():
    x = np.random.default_rng(0).standard_normal((50, 100))
    squared = squared_distances(x, x[::-1])
    assert np.count_nonzero(squared == 0) == 50 and squared.min() == 0
    near = squared_distances(x, x + 1e-5)
    assert np.diag(near) == pytest.approx(100 * 1e-10, rel=1e-3)


def test_blocks_cover_every_row_once(monkeypatch):
    monkeypatch.setattr(_distances, "BLOCK", 100)
    rows = np.arange(53)
    for columns in (1, 7, 99, 1000):
        blocks = [rows[block] for block in row_blocks(53, columns)]
        assert np.concatenate(blocks).tolist() == rows.tolist()
        assert max(map(len, blocks)) <= max(1, 100 // columns)
