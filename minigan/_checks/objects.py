"""Rules for numbers, sizes, seeds, files and other objects, and the types that carry them."""

import functools
import math
import os
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from .words import Rule, refuse

FLOATS = (np.dtype("float32"), np.dtype("float64"))
LARGEST = 2**63 - 1  # the largest index


def integer(least: int = 1, most: int = LARGEST) -> Rule:
    expected = f"an integer >= {least}" if most == LARGEST else f"an integer from {least} to {most}"

    def rule(owner: Any, name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            refuse(TypeError, owner, name, expected, value)
        if not least <= value <= most:
            too_large = value > LARGEST == most
            refuse(
                ValueError, owner, name, f"an integer <= {most}" if too_large else expected, value
            )
        return int(value)

    return rule


def real(
    *, above: float | None = None, least: float | None = None, below: float | None = None,
    most: float | None = None,
) -> Rule:  # fmt: skip
    """A finite number within the bounds that are given."""
    low = above if least is None else least
    high = below if most is None else most
    if low is None and high is None:
        expected = "a finite number"
    elif high is None:
        expected = f"a finite number {'>' if least is None else '>='} {low:g}"
    else:
        left, right = "(" if least is None else "[", ")" if most is None else "]"
        expected = f"a number in {left}{low:g}, {high:g}{right}"

    def rule(owner: Any, name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            refuse(TypeError, owner, name, expected, value)
        inside = (
            (above is None or value > above) and (least is None or value >= least)
            and (below is None or value < below) and (most is None or value <= most)
        )  # fmt: skip
        if not (inside and is_finite(value)):
            refuse(ValueError, owner, name, expected, value)
        return float(value)

    return rule


def is_finite(value: Any) -> bool:
    """Whether a number is finite as a float: an integer may be too large for one."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


at_least_one, at_least_zero = integer(1), integer(0)
Count = Annotated[int, at_least_one]
CountOrZero = Annotated[int, at_least_zero]
Port = Annotated[int, integer(0, 65535)]
Classes = Annotated[int, integer(2)]
GlyphSize = Annotated[int, integer(8)]
ProbeSize = Annotated[int, integer(64)]
TwoOrMore = Annotated[int, integer(2)]
finite, not_negative, share = real(), real(least=0), real(least=0, most=1)
Finite = Annotated[float, finite]
Positive = Annotated[float, real(above=0)]
NotNegative = Annotated[float, not_negative]
Decay = Annotated[float, real(least=0, below=1)]
Share = Annotated[float, share]
PositiveShare = Annotated[float, real(above=0, most=1)]
Blur = Annotated[float, real(least=1e-3)]  # finer, a curve would be so many points: minutes
AtLeastOne = Annotated[float, real(least=1)]
Epsilon = Annotated[float, real(least=1e-37)]  # a smaller one may be 0 in float32


def sizes(fewest: int, most: int | None = None) -> Rule:
    many = f"{fewest} " if fewest == most else "one or more " if fewest else ""
    expected = f"a tuple of {many}integers >= 1"

    def rule(owner: Any, name: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, tuple | list) or (len(value) < fewest and most is None):
            refuse(TypeError, owner, name, expected, value)
        if most is not None and not fewest <= len(value) <= most:
            refuse(ValueError, owner, name, expected, value)
        return tuple(_size(owner, name, size, expected, value) for size in value)

    return rule


def _size(owner, name, size, expected, value):
    """One of the integers >= 1 of which `value` consists."""
    if isinstance(size, bool) or not isinstance(size, Integral):
        refuse(TypeError, owner, name, expected, value)
    if not 1 <= size <= LARGEST:
        refuse(ValueError, owner, name, expected, value)
    return int(size)


def a_tuple(owner: Any, name: str, value: Any) -> Any:
    if not isinstance(value, tuple | list):
        refuse(TypeError, owner, name, "a tuple", value)
    return value


def pair(owner: Any, name: str, value: Any) -> tuple[int, int]:
    """(height, width) from a pair, or from one integer for both."""
    expected = "an integer >= 1 or a pair of them"
    both = value if isinstance(value, tuple) else (value, value)
    if len(both) != 2:
        refuse(ValueError, owner, name, expected, value)
    height, width = (_size(owner, name, size, expected, value) for size in both)
    return height, width


def image_shape(divisor: int) -> Rule:
    expected = f"(H, W, C) with H and W multiples of {divisor}, at least 8"

    def rule(owner: Any, name: str, value: Any) -> tuple[int, int, int]:
        if not isinstance(value, tuple | list):
            refuse(TypeError, owner, name, expected, value)
        shape = tuple(_size(owner, name, size, expected, value) for size in value)
        if len(shape) != 3 or any(side % divisor or side < 8 for side in shape[:2]):
            refuse(ValueError, owner, name, expected, value)
        return shape

    return rule


def shape_to_fill(owner: Any, name: str, value: Any) -> tuple[int, ...]:
    """The shape of a sample; -1 in it stands for what remains."""
    expected = "an integer >= 1 or a tuple of them, of which one may be -1"
    shape = (value,) if isinstance(value, Integral) else value
    if not isinstance(shape, tuple | list) or not shape:
        refuse(TypeError, owner, name, expected, value)
    if list(shape).count(-1) > 1:
        refuse(ValueError, owner, name, expected, value)
    return tuple(-1 if s == -1 else _size(owner, name, s, expected, value) for s in shape)


def inches(owner: Any, name: str, value: Any) -> tuple[float, float]:
    """(width, height), both positive."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        refuse(TypeError, owner, name, "(width, height)", value)
    width, height = (real(above=0)(owner, name, length) for length in value)
    return width, height


Widths = Annotated[Sequence[int], sizes(0)]  # of layers; there may be none
Shape = Annotated[Sequence[int], sizes(1)]
ImageShape = Annotated[tuple[int, int, int], sizes(3, 3)]  # (H, W, C)
ArrayShape = Annotated[Any, a_tuple]  # compared with that of an array, so anything may be in it
Pair = Annotated[Any, pair]
EvenShape = Annotated[tuple[int, int, int], image_shape(2)]  # of images, (H, W, C)
QuarteredShape = Annotated[tuple[int, int, int], image_shape(4)]
PictureSize = Annotated[tuple[int, int], sizes(2, 2)]  # (height, width)
Inches = Annotated[tuple[float, float], inches]


def flag(owner: Any, name: str, value: Any) -> bool:
    """A bool, and nothing else: the string "no" or an array would count as true."""
    if not isinstance(value, bool | np.bool_):
        refuse(TypeError, owner, name, "True or False", value)
    return bool(value)


def function(owner: Any, name: str, value: Any) -> Callable[..., Any]:
    if not callable(value):
        refuse(TypeError, owner, name, "a function", value)
    return value


def functions(owner: Any, name: str, value: Any) -> list[Callable[..., Any]]:
    """None, one function or a list of them, as a list."""
    found = value if isinstance(value, tuple | list) else [] if value is None else [value]
    for each in found:
        if isinstance(each, type):  # called, it would make an object, and do nothing
            refuse(TypeError, owner, name, f"a function, or {each.__name__}(...)", each)
    return [function(owner, name, each) for each in found]


def instance(kind: type) -> Rule:
    expected = f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"

    def rule(owner: Any, name: str, value: Any) -> Any:
        if not isinstance(value, kind):
            refuse(TypeError, owner, name, expected, value)
        return value

    return rule


def list_of(kind, owner, name, value):
    words = "strings" if kind is str else f"{kind.__name__} objects"
    if not isinstance(value, tuple | list) or not all(isinstance(each, kind) for each in value):
        refuse(TypeError, owner, name, f"a list of {words}, such as [a, b]", value)
    return value


def some_of(kind: type) -> Rule:
    """A list of one object of that class or more."""

    def rule(owner: Any, name: str, value: Any) -> Any:
        if not list_of(kind, owner, name, value):
            refuse(ValueError, owner, name, f"a list of one {kind.__name__} object or more", value)
        return value

    return rule


def with_some_in(attribute: str, kind: type) -> Rule:
    """An object of that class with one thing or more in that attribute."""

    def rule(owner: Any, name: str, value: Any) -> Any:
        if not getattr(instance(kind)(owner, name, value), attribute):
            refuse(ValueError, owner, name, f"a {kind.__name__} with {attribute}", value)
        return value

    return rule


def one_list(owner: Any, name: str, more: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuses further arguments after a list: Sequential(a, b) for Sequential([a, b])."""
    if more:
        got = f"{1 + len(more)} arguments; write {owner}([a, b])"
        raise TypeError(f"{owner}: layers must be one list, got {got}")
    return more


def having(methods: str, expected: str) -> Rule:
    """An object (not a class) with these attributes, whatever its class."""

    def rule(owner: Any, name: str, value: Any) -> Any:
        if isinstance(value, type) or not all(hasattr(value, m) for m in methods.split()):
            refuse(TypeError, owner, name, expected, value)
        return value

    return rule


def list_having(methods: str, expected: str) -> Rule:
    """A list of such objects, as a tuple."""
    each = having(methods, f"a list, each {expected}")

    def rule(owner: Any, name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, tuple | list):
            refuse(TypeError, owner, name, f"a list, each {expected}", value)
        return tuple(each(owner, name, one) for one in value)

    return rule


def one_of(*known: Any) -> Rule:
    expected = " or ".join(map(repr, known)) if len(known) < 3 else "one of " + ", ".join(known)

    def rule(owner: Any, name: str, value: Any) -> Any:
        if not isinstance(value, str) or value not in known:
            refuse(ValueError, owner, name, expected, value)
        return value

    return rule


def dtype(owner: Any, name: str, value: Any) -> np.dtype:
    """float32 or float64. (To NumPy, None is float64.)"""
    try:
        found = np.dtype(value)
    except (TypeError, ValueError, SyntaxError):
        found = np.dtype(object)
    if value is None or found not in FLOATS:
        refuse(TypeError, owner, name, "float32 or float64", value)
    return found


def seed(owner: Any, name: str, value: Any) -> Any:
    """An integer >= 0, a tuple of them or a Generator: see `_random.random_generator`."""
    expected = "a seed >= 0, a tuple of them or a numpy.random.Generator"
    if isinstance(value, np.random.Generator):
        return value
    for one in value if isinstance(value, tuple) and value else (value,):
        if isinstance(one, bool) or not isinstance(one, Integral):
            refuse(TypeError, owner, name, expected, value)
        if one < 0:
            refuse(ValueError, owner, name, expected, value)
    return value


def path(owner: Any, name: str, value: Any) -> Path:
    if not isinstance(value, str | os.PathLike):
        refuse(TypeError, owner, name, "a path", value)
    return Path(value)


def regular_file(owner: Any, name: str, value: Any) -> Path:
    """The path of a regular file: reading a pipe could take forever."""
    found = path(owner, name, value)
    if found.is_file():
        return found
    if found.is_dir():
        raise ValueError(f"{found}: expected a file, found a folder")
    if found.exists():
        raise ValueError(f"{found}: expected a regular file, found a pipe, socket or device")
    raise FileNotFoundError(f"{found}: no such file")


def folder(owner: Any, name: str, value: Any) -> Path:
    """The path of a folder that is there."""
    found = path(owner, name, value)
    if not found.is_dir():
        there = f"{found} is a file" if found.is_file() else f"there is none at {found}"
        raise FileNotFoundError(f"{owner}: {name} must be a folder, but {there}")
    return found


def optimizer_class(owner: Any, name: str, value: Any) -> type:
    """A class of optimizers, not an optimizer."""
    if not isinstance(value, type) or not hasattr(value, "step"):
        refuse(TypeError, owner, name, "a class of minigan.optim, such as Adam", value)
    return value


_LOSS = "one of minigan.losses, such as Hinge(), or have the methods discriminator and generator"
_PENALTY = (
    "one of minigan.penalties, such as R1(1.0), or have its methods accumulate, value, check and "
    "after_step"
)
_OPTIMIZER = "one of minigan.optim, such as Adam(), or have step(theta, grad)"


def training_steps(owner: Any, name: str, value: Any) -> list[int]:
    """Integers >= 1."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        refuse(TypeError, owner, name, "a list of training steps", value)
    return [at_least_one(owner, f"each of {name}", step) for step in value]


def discrete_step(owner: Any, name: str, value: Any) -> Any:
    """A discrete step of the Dirac-GAN: Simultaneous or Alternating, not its flow."""
    if getattr(value, "name", None) not in ("simultaneous", "alternating"):
        refuse(ValueError, owner, name, "Simultaneous or Alternating", value)
    return value


DType = Annotated[Any, dtype]
DiscreteStep = Annotated[Any, discrete_step]
Seed = Annotated[int | tuple[int, ...] | np.random.Generator, seed]
TrainingSteps = Annotated[Iterable[int], training_steps]
FilePath = Annotated[Any, path]  # a str or a Path; the function gets a Path
RegularFile = Annotated[Any, regular_file]  # a str or a Path; the function gets a Path
Folder = Annotated[Any, folder]  # a str or a Path; the function gets a Path
Functions = Annotated[Any, functions]  # None, one or a list; the function gets a list
Texts = Annotated[Sequence[str], functools.partial(list_of, str)]
LossLike = Annotated[Any, having("discriminator generator", _LOSS)]
PenaltyLike = Annotated[Any, having("accumulate value", _PENALTY)]
Penalties = Annotated[Sequence[Any], list_having("accumulate value check after_step", _PENALTY)]
Blurs = Annotated[Any, having("std forward", "an InstanceNoise or FourierFeatures")]
ZeroCentred = Annotated[Sequence[Any], list_having("gamma", "R1 or R2")]
OptimizerClass = Annotated[type, optimizer_class]
OptimizerLike = Annotated[Any, having("step", _OPTIMIZER)]
planar = having("sample extent", "one of the distributions of minigan.data")
Planar = Annotated[Any, planar]
WithDensity = Annotated[Any, having("density extent", "one of the distributions of minigan.data")]
