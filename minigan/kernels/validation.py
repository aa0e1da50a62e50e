"""What a matrix product asks of its arguments. (Layers check their own inputs, by name.)"""

import numpy as np

from ..checks import flag


def check_product(a, b, transpose_a, transpose_b, out):
    """Raises TypeError or ValueError, naming the argument, unless op(a) @ op(b) can go to `out`."""
    for name, array in (("a", a), ("b", b)) + ((("out", out),) if out is not None else ()):
        if not isinstance(array, np.ndarray):
            raise TypeError(f"matmul: {name} must be a NumPy array, got {type(array).__name__}")
        if array.dtype not in (np.float32, np.float64):
            raise TypeError(f"matmul: {name} must be float32 or float64, got {array.dtype}")
        if array.ndim != 2:
            raise ValueError(f"matmul: {name} must be a matrix, got shape {array.shape}")
        if array.dtype != a.dtype:
            raise TypeError(f"matmul: {name} must be {a.dtype} like a, got {array.dtype}")
    for name, value in (("transpose_a", transpose_a), ("transpose_b", transpose_b)):
        flag("matmul", name, value)
    rows, inner = a.shape[::-1] if transpose_a else a.shape
    inner_b, columns = b.shape[::-1] if transpose_b else b.shape
    if inner != inner_b:
        raise ValueError(
            f"matmul: op(a) is {rows} x {inner} and op(b) is {inner_b} x {columns}: "
            "their inner sizes must be equal"
        )
    if out is not None and out.shape != (rows, columns):
        raise ValueError(f"matmul: out must have shape {(rows, columns)}, got {out.shape}")
    if out is not None and not out.flags.writeable:
        raise ValueError("matmul: out must be writeable, got a read-only array")
    if out is not None and (np.may_share_memory(out, a) or np.may_share_memory(out, b)):
        raise ValueError("matmul: out must not share memory with a or b")
