"""Does an object still have the code that its counterpart was written for?

A counterpart computes the formulas of a layer, an optimizer or a penalty without running its code.
So it must not replace an object with other code: of a subclass, with a replaced method (of the
object or its class), or of a class in an edited file. Such an object runs its own code.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from .edited import edited

PASSES = "forward", "backward_input", "backward_params", "backward", "tangent", "curvature"

passes_of = attrgetter(*PASSES)  # the present methods of a class

_methods: dict[type, dict[str, Any]] = {}  # the methods of each class as minigan defines them


def remember(kinds: Iterable[type], *names: str) -> None:
    """Notes the methods `names` of the classes `kinds`: those that a counterpart replaces."""
    for kind in kinds:
        _methods[kind] = {name: method_of(kind, name) for name in names}


def method_of(kind: type, name: str) -> Any:
    """A method as minigan defines it; None if it was replaced before `fast` was imported."""
    method = getattr(kind, name)
    home = getattr(method, "__globals__", {}).get("__name__", "").partition(".")[0]
    minigan = __name__.partition(".")[0]
    # np.errstate wraps some methods
    return method if home in (minigan, "numpy", "contextlib") else None


def as_written(part: Any) -> bool:
    """Whether the class of `part` was noted, and its noted methods and its file are unchanged."""
    kind = type(part)
    methods = _methods.get(kind)
    return (
        methods is not None
        and methods.keys().isdisjoint(vars(part))
        and all(getattr(kind, name) is method for name, method in methods.items())
        and not edited(kind.__module__)
    )
