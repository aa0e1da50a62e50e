"""Arrays are used again when nobody holds them, and never before."""

import numpy as np
import pytest

pytest.importorskip("numba")

from minigan.kernels.compiled import buffers  # noqa: E402


@pytest.fixture(autouse=True)
def no_arrays_yet(monkeypatch):
    monkeypatch.setattr(buffers, "_arrays", {})
    monkeypatch.setattr(buffers, "_bytes", 0)


def address(array):
    return array.__array_interface__["data"][0]


def test_an_array_in_use_is_not_given_out_again():
    held = [buffers.empty((5, 4), np.float32) for _ in range(20)]
    assert len({address(array) for array in held}) == 20


def test_an_array_nobody_holds_is():
    first = buffers.empty((5, 4), np.float32)
    place = address(first)
    del first
    assert address(buffers.empty((5, 4), np.float32)) == place


def test_a_view_holds_its_array():
    first = buffers.empty((5, 4), np.float32)
    place, view = address(first), first[1:3].T.reshape(-1)
    part = first[2:].T
    del first, view
    assert address(buffers.empty((5, 4), np.float32)) != place
    del part
    assert address(buffers.empty((5, 4), np.float32)) == place


def test_kinds_are_kept_apart():
    buffers.empty((5, 4), np.float32)
    assert buffers.empty((5, 4), np.float64).dtype == np.float64
    assert buffers.empty((4, 5), np.float32).shape == (4, 5)


def test_what_is_kept_is_bounded():
    held = buffers.empty((1000,), np.float64)
    held[:] = 7
    for size in range(1, 400):
        buffers.empty((size, 1 << 14), np.float64)
        kept = sum(array.nbytes for arrays in buffers._arrays.values() for array in arrays)
        assert kept <= buffers.KEPT
    assert (held == 7).all()
