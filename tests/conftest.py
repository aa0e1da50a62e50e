"""Tests that take `backend` run once on each backend. Workers of pytest-xdist get a core each."""

import os

import pytest

ONE_OF_MANY = "PYTEST_XDIST_WORKER" in os.environ
if ONE_OF_MANY:  # read when NumPy and OpenMP load, so before minigan is imported
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import minigan as mg  # noqa: E402


@pytest.fixture(params=["numpy", "numba"])
def backend(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    with mg.kernels.use_backend(request.param):
        yield request.param


def pytest_configure(config):
    if getattr(config.option, "dist", None) == "load":  # of `-n 2`
        # a worker keeps to its half of the files, and compiles what they need, until it has none
        config.option.dist = "worksteal"
    if ONE_OF_MANY and mg.kernels.backend() == "numba":
        import numba

        numba.set_num_threads(1)
