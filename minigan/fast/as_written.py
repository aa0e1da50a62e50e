"""Is an object still what its counterpart was written for?

A counterpart computes the formulas of a layer, an optimizer or a penalty without running its code.
So it must not stand for one whose code is another: a subclass, an object or a class in which a
method was replaced, or a class in an edited file. For these, their own code runs.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from .edited import edited

PASSES = "forward", "backward_input", "backward_params", "backward", "tangent", "curvature"

passes_of = attrgetter(*PASSES)  # of a class: those that its instances have now

_methods: dict[type, dict[str, Any]] = {}  # of each class, as minigan defines them


def remember(kinds: Iterable[type], *names: str) -> None:
    """Notes the methods of these names, which a counterpart of one of these classes stands for."""
    for kind in kinds:
        _methods[kind] = {name: method_of(kind, name) for name in names}


def method_of(kind: type, name: str) -> Any:
    """A method as minigan defines it; None if it was replaced before `fast` was imported."""
    method = getattr(kind, name)
    home = getattr(method, "__globals__", {}).get("__name__", "").partition(".")[0]
    minigan = __name__.partition(".")[0]
    return method if home in (minigan, "numpy", "contextlib") else None  # or np.errstate around it


def as_written(part: Any) -> bool:
    """Whether `part` is of exactly such a class, with the methods that were noted, unedited."""
    kind = type(part)
    methods = _methods.get(kind)
    return (
        methods is not None
        and methods.keys().isdisjoint(vars(part))
        and all(getattr(kind, name) is method for name, method in methods.items())
        and not edited(kind.__module__)
    )
