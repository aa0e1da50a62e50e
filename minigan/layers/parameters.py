"""The dict in which a layer keeps its parameters, or their gradients."""

import contextlib
import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .._checks import numbers, shown


class _AllocationLimit(threading.local):
    """The number of values that new layers may still allocate in this thread.

    There is no limit, except while a file is loaded: then it is the number of values in the file.
    """

    def __init__(self) -> None:
        self.values = math.inf

    @contextlib.contextmanager
    def of(self, values: float) -> Iterator[None]:
        before, self.values = self.values, values
        try:
            yield
        finally:
            self.values = before


ALLOCATION_LIMIT = _AllocationLimit()


def zeros(shape: Sequence[int] | int) -> np.ndarray:
    """An array of float32 zeros for a parameter or a buffer."""
    ALLOCATION_LIMIT.values -= math.prod((shape,) if isinstance(shape, int) else shape)
    if ALLOCATION_LIMIT.values < 0:
        raise ValueError("the layers have more values than the file")
    return np.zeros(shape, np.float32)


class Parameters(dict):
    """name -> array. Assigning to a name copies the values into its array.

    In a network the arrays are views into its flat vectors. If a view were replaced by another
    array, the network would not know of it, and no optimizer would update it.

    owner  : the name of the layer, for error messages
    closed : whether the names are final, as they are once the layer is in a network

    Raises, all naming the layer: KeyError for a new name and TypeError for a deletion where closed;
    ValueError for another shape, TypeError for what is not real numbers.
    """

    def __init__(self, owner, arrays=(), closed=False):
        super().__init__(arrays)
        self.owner, self.closed = owner, closed

    def __setitem__(self, name, value):
        array = self.get(name)
        if value is array and array is not None:  # as `params[name] += ...` ends
            return
        if array is None and self.closed:
            known = ", ".join(self) or "none"
            raise KeyError(f"{self.owner}: no parameter {shown(name)}; there are: {known}")
        value = numbers(self.owner, name, value, *([] if array is None else [array.shape]))
        if array is None:
            dtype = value.dtype if value.dtype == np.float64 else np.float32
            super().__setitem__(name, np.array(value, dtype))
        else:
            array[...] = value

    def __delitem__(self, name):
        if self.closed:
            raise TypeError(f"{self.owner}: {shown(name)} is part of a network and stays in it")
        super().__delitem__(name)

    def update(self, *others: Any, **more: Any) -> None:
        for name, value in dict(*others, **more).items():
            self[name] = value

    def __ior__(self, other):  # type: ignore[override,misc]
        self.update(other)
        return self

    def setdefault(self, name: str, value: Any = None) -> Any:
        if name not in self:
            self[name] = value
        return self[name]

    def pop(self, name: str, *default: Any) -> Any:
        if name not in self and default:
            return default[0]
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        name = next(reversed(self))
        return name, self.pop(name)

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def __reduce__(self):
        return Parameters, (self.owner, dict(self), self.closed)
