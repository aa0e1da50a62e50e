"""What the exhibits of the bug museum make of a case, for `explain` to compare with what was found.

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
    run    : copied -> {tensor: array}; `copied` makes of a thing a copy with the exhibit in it
    """

    @functools.cache
    def everything() -> dict[str, Tensors]:
        from ..bugs.private_copies import concerning, put_into

        found = {}
        for name in concerning(*things):

            def copied(thing: Any) -> Any:
                return put_into(copy.deepcopy(thing), name)

            with use_backend("numpy"), np.errstate(all="ignore"):
                try:
                    found[name] = run(copied)
                except Exception:  # an exhibit that cannot be run here explains nothing
                    continue
        return found

    def of(tensor: str) -> Callable[[], dict]:
        return lambda: {
            name: tensors[tensor] for name, tensors in everything().items() if tensor in tensors
        }

    return of
