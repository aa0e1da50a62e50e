"""Describes networks, losses and penalties as JSON, and builds them from such a description.

    describe(Linear(2, 3))   {"type": "Linear", "in_features": 2, "out_features": 3, "bias": True}
    build(description)       Linear(2, 3), its weights drawn anew

A description is the name of a class and the arguments of its constructor. Each argument is read
from the attribute of its name (or the layer inside of that name): that is all a class has to do to
be described. A random generator (`rng`) is left out. `build` calls the constructors, which check
their arguments, and no other code; it makes no class but minigan's own and those handed to
`register`.
"""

import importlib
import inspect
import sys
import threading
from typing import Any, TypeVar

import numpy as np

from .. import penalties
from .._checks import shown
from ..layers.base import Layer
from ..layers.parameters import ALLOCATION_LIMIT
from ..losses import Loss

# the modules with parts that `import minigan` does not import
ELSEWHERE = (
    "minigan.layers.input_layers",
    "minigan.models.auxiliary",
    "minigan.training.stabilisers",
)
DEEPEST, MOST = 40, 2_000  # parts inside one another, parts in all
Described = TypeVar("Described", bound=type)

_registered: dict[str, type] = {}
_lock = threading.Lock()


def register(kind: Described) -> Described:
    """Lets `save` and `load` write and read objects of a class: a layer, a loss or a penalty.

    Its constructor's arguments are numbers, strings, bools, None, tuples of them, or parts that are
    known themselves, and it keeps each as an attribute of the same name (a layer inside it may be
    in `children` instead). The program that loads has to register the class as well.

    >>> from minigan import layers, models
    >>> @models.register
    ... class Shift(layers.Layer):
    ...     def __init__(self, amount: float) -> None:
    ...         super().__init__()
    ...         self.amount = float(amount)
    >>> models.describe(Shift(0.5))
    {'type': 'Shift', 'amount': 0.5}

    Raises TypeError for what is not a class, ValueError for a name that is taken.
    """
    if not isinstance(kind, type):
        raise TypeError(f"register: expected a class, got {shown(kind)}")
    with _lock:
        taken = known().get(kind.__name__, kind)
        if (taken.__module__, taken.__qualname__) != (kind.__module__, kind.__qualname__):
            raise ValueError(
                f"register: the name {kind.__name__} is taken by {taken.__module__}; use another"
            )
        _registered[kind.__name__] = kind  # a class that was defined anew takes its own place
    return kind


def known() -> dict[str, type]:
    """name -> class: minigan's layers, networks, losses and penalties, and what was registered."""
    for module in ELSEWHERE:
        importlib.import_module(module, __package__)
    own = [kind for kind in _inside_minigan(Layer) if kind.forward is not Layer.forward]
    own += _inside_minigan(Loss)
    own += [getattr(penalties, name) for name in penalties.__all__]
    return {kind.__name__: kind for kind in own} | _registered


def _inside_minigan(base):
    """The public classes made from `base` in minigan; compiled stages are no layers to save.

    Nor are the copies of classes that the museum makes: a module holds one class of a name."""
    package = __name__.partition(".")[0]
    for kind in base.__subclasses__():
        yield from _inside_minigan(kind)
        owner, *inner = kind.__module__.split(".")
        held = getattr(sys.modules.get(kind.__module__), kind.__name__, None)
        if owner == package and inner[0] != "fast" and kind.__name__[0] != "_" and held is kind:
            yield kind


def describe(part: Any) -> dict[str, Any]:
    """The description of a layer, network, loss or penalty.

    Raises TypeError, naming it, for an object of a class that is not known, or that does not keep
    its arguments.
    """
    name = type(part).__name__
    if known().get(name) is not type(part):
        raise TypeError(
            f"save: {name} is not a part of minigan; put @minigan.models.register before the class"
        )
    arguments = arguments_of(type(part))
    return {"type": name} | {each: _value(name, each, kept(part, each)) for each in arguments}


def arguments_of(kind: Any) -> list[str]:
    """The names of the arguments of a class's constructor."""
    if kind.__init__ is object.__init__:
        return []
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return [p.name for p in parameters if p.name != "rng" and p.kind != p.VAR_POSITIONAL]


def kept(part: Any, argument: str) -> Any:
    """The value of an argument of the constructor, from the object. TypeError if it is not kept."""
    if hasattr(part, argument):
        return getattr(part, argument)
    inside = getattr(part, "children", {})
    if argument in inside:
        return inside[argument]
    name = type(part).__name__
    raise TypeError(
        f"save: {name} does not keep its argument {argument}; save reads it from self.{argument}"
    )


def _value(owner, argument, value):
    """The value as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    if isinstance(value, tuple | list):
        return [_value(owner, argument, each) for each in value]
    function = callable(value) and not isinstance(value, Layer)
    if function or isinstance(value, np.ndarray | dict | set):
        raise TypeError(
            f"save: {argument} of {owner} must be numbers, strings, bools, None, tuples of them, "
            f"or parts such as layers, got {shown(value)}"
        )
    try:
        return describe(value)
    except TypeError as error:
        raise TypeError(f"{error} (it is in {argument} of {owner})") from None


def build(description: Any, room: float) -> Any:
    """The object that is described, its weights drawn anew.

    room : how many values its arrays may have in all; no memory is taken for more

    Raises ValueError for what is not the description of known parts, and whatever a constructor
    raises for its arguments.
    """
    parts, classes = 0, known()

    def made(value, depth):
        nonlocal parts
        if isinstance(value, list):
            return tuple(made(each, depth + 1) for each in value)
        if not isinstance(value, dict):
            return value
        parts += 1
        if depth > DEEPEST or parts > MOST:
            raise ValueError(f"expected at most {MOST} parts, {DEEPEST} inside one another")
        arguments = dict(value)
        name = arguments.pop("type", None)
        if not isinstance(name, str) or name not in classes:
            raise ValueError(
                f"unknown part {shown(name)}; if it is of your own, put @minigan.models.register "
                "before its class, and import it before you load"
            )
        for argument in arguments.keys() - arguments_of(classes[name]):
            raise ValueError(f"{name} has no argument {shown(argument)}")
        return classes[name](**{key: made(each, depth + 1) for key, each in arguments.items()})

    with ALLOCATION_LIMIT.of(room), np.errstate(all="ignore"):
        return made(description, 0)
