"""The matrix products of `matmul_ladder.py`, and how each library computes one.

Each library is imported only in the process that times it, and no other library is: the threads
and settings of one would affect another.
"""

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
    (512, 512, 512, False, False), (1024, 1024, 1024, False, False),
)  # fmt: skip

LIBRARIES = ("minigan", "NumPy", "torch")


def prepare(name, shape):
    """In a process of its own: (None, run) for one shape; run(count) computes it so many times."""
    m, k, n, ta, tb = shape
    rng = np.random.default_rng(2)
    a = rng.standard_normal((k, m) if ta else (m, k)).astype(np.float32)
    b = rng.standard_normal((n, k) if tb else (k, n)).astype(np.float32)
    c = np.empty((m, n), np.float32)
    if name == "minigan":
        from minigan import kernels

        def product():
            kernels.matmul(a, b, transpose_a=ta, transpose_b=tb, out=c)

    elif name == "NumPy":
        a, b = a.T if ta else a, b.T if tb else b

        def product():
            np.matmul(a, b, out=c)

    else:
        import torch

        a, b, c = torch.from_numpy(a), torch.from_numpy(b), torch.from_numpy(c)
        a, b = a.T if ta else a, b.T if tb else b

        def product():
            torch.matmul(a, b, out=c)

    def run(count):
        for _ in range(count):
            product()

    return None, run
