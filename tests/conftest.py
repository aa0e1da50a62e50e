"""Tests that take `backend` run once on each backend."""

import pytest

import minigan as mg


@pytest.fixture(params=["numpy", "numba"])
def backend(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    with mg.kernels.use_backend(request.param):
        yield request.param
