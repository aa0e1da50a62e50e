"""The matrix products of `matmul_ladder.py`, and how each library computes one.

Each library is imported only in the process that times it, and no other library is: the threads
and settings of one would affect another.
"""

import ctypes
from pathlib import Path

import numpy as np

# (rows, inner, columns, transpose a, transpose b): the products of the steps in `steps.py`
SHAPES = (
    (256, 128, 128, False, False), (512, 128, 128, False, False), (128, 512, 128, True, False),
    (512, 128, 128, False, True), (256, 2, 128, False, False), (512, 128, 1, False, False),
    (64, 1024, 784, False, False), (64, 784, 1024, False, True), (1024, 64, 784, True, False),
    (128, 784, 512, False, False), (784, 128, 512, True, False), (256, 512, 784, False, False),
    (512, 784, 512, False, False), (784, 512, 512, True, False), (512, 512, 784, False, True),
    (64, 64, 6272, False, False), (3136, 512, 64, False, False), (12544, 16, 32, False, False),
    (512, 3136, 64, True, False), (16, 12544, 32, True, False),
    (512, 512, 512, False, False),
    (1000, 1000, 1000, False, False), (1024, 1024, 1024, False, False),
)  # fmt: skip

LIBRARIES = ("minigan", "NumPy", "torch", "jax")


def prepare(name, threads):
    """In a process of its own: (what computes, run); run(count, shape) computes a product so many
    times, on operands that are made at its first call."""
    make, report = _library(name, threads)
    products: dict = {}

    def run(count, shape):
        if shape not in products:
            products[shape] = make(*_operands(*shape), *shape[3:])
        product = products[shape]
        for _ in range(count):
            product()

    return report, run


def _operands(m, k, n, ta, tb):
    rng = np.random.default_rng(2)
    a = rng.standard_normal((k, m) if ta else (m, k)).astype(np.float32)
    b = rng.standard_normal((n, k) if tb else (k, n)).astype(np.float32)
    return a, b, np.empty((m, n), np.float32)


def _library(name, threads):
    """(make, report): make(a, b, c, ta, tb) is a function that computes one product."""
    if name == "minigan":
        from minigan import kernels

        return (
            lambda a, b, c, ta, tb: (
                lambda: kernels.matmul(a, b, transpose_a=ta, transpose_b=tb, out=c)
            ),
            "Numba",
        )

    def views(a, b, ta, tb):
        return a.T if ta else a, b.T if tb else b

    if name == "NumPy":

        def with_numpy(a, b, c, ta, tb):
            a, b = views(a, b, ta, tb)
            return lambda: np.matmul(a, b, out=c)

        return with_numpy, blas_kernel()
    if name == "torch":
        import torch

        torch.set_num_threads(threads)

        def with_torch(a, b, c, ta, tb):
            a, b = views(torch.from_numpy(a), torch.from_numpy(b), ta, tb)
            c = torch.from_numpy(c)
            return lambda: torch.matmul(a, b, out=c)

        return with_torch, torch.__version__
    import jax

    jax.config.update("jax_platforms", "cpu")

    def with_jax(a, b, c, ta, tb):
        a, b = jax.numpy.asarray(a), jax.numpy.asarray(b)
        product = jax.jit(lambda a, b: jax.numpy.matmul(*views(a, b, ta, tb)))
        return lambda: product(a, b).block_until_ready()

    return with_jax, jax.__version__


def blas_kernel():
    """The kernels that NumPy's OpenBLAS has chosen for this processor, by its own name for them."""
    np.ones((2, 2)) @ np.ones((2, 2))
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return "unknown"
    for path in {line.split()[-1] for line in lines if "openblas" in line}:
        library = ctypes.CDLL(path)
        for symbol in ("scipy_openblas_get_corename64_", "openblas_get_corename"):
            if hasattr(library, symbol):
                function = getattr(library, symbol)
                function.restype = ctypes.c_char_p
                return function().decode()
    return "unknown"
