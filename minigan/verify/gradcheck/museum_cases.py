"""What each bug of the museum would give in a case, for `explain` to compare with what was found.

Each is computed on a copy, with classes of its own (see `minigan.verify.bugs.private_copies`): the
process, and the code that is being checked, stay as they are.
"""

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...backend import use_backend

Tensors = Mapping[str, np.ndarray]
Run = Callable[[Callable[[Any], Any]], Tensors]


def on_healthy_copies(run: Run) -> Tensors:
    """run(copied), with `copied` as in `each_exhibit`, and no exhibit in the copies."""
    from ..bugs.private_copies import put_into

    with use_backend("numpy"), np.errstate(all="ignore"):
        return run(lambda thing: put_into(copy.deepcopy(thing), None))


def each_exhibit(things: tuple[Any, ...], run: Run) -> Callable[[str], Callable[[], dict]]:
    """tensor -> () -> {name of an exhibit: what it gives for that tensor}.

    things : what is computed with: layers, losses, penalties, a GAN
    run    : copied -> {tensor: array}; `copied` returns a copy of a thing, with the bug in it
    """

    @functools.cache
    def everything() -> dict[str, Tensors]:
        from ..bugs.private_copies import concerning, put_into

        def with_exhibit(name: str | None) -> Tensors:
            with use_backend("numpy"), np.errstate(all="ignore"):
                return run(lambda thing: put_into(copy.deepcopy(thing), name))

        found: dict[str, Tensors] = {}
        try:
            without = with_exhibit(None)
        except Exception:  # whatever the code that is checked raises
            return found
        for name in concerning(*things):
            try:
                tensors = with_exhibit(name)
            except Exception:  # an exhibit that cannot be run here explains nothing
                continue
            found[name] = {  # a tensor that the bug does not change is wrong for another reason
                tensor: value
                for tensor, value in tensors.items()
                if _differ(value, without[tensor])
            }
        return found

    def of(tensor: str) -> Callable[[], dict]:
        return lambda: {
            name: tensors[tensor] for name, tensors in everything().items() if tensor in tensors
        }

    return of


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    return np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-9, atol=0, equal_nan=True)
