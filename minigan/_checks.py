"""Checks of arguments: the annotation of a parameter says what is expected of it.

    @checked
    def gaussian_ring(modes: Count = 8, *, std: Positive = 0.02): ...

    gaussian_ring(0)    ValueError: gaussian_ring: modes must be an integer >= 1, got 0

To Python and to a type checker a Count is an int. `checked` reads the annotations once, when the
function is defined; at each call it passes the arguments to their rules, and what the rules return
to the function. So below the signature there is only the mathematics. A rule is called as
rule(owner, name, value) and returns the value, converted, or raises

    "<owner>: <name> must be <expected>, got <value>"

with TypeError for a value of the wrong kind, ValueError for one out of range. Constructors of
layers are checked without a decorator (see `Layer.__init_subclass__`).

Reading a signature takes some microseconds, so what runs in every training step has no decorator.
It calls a rule itself (`numbers`), as do relations between arguments (`same_columns`).
"""

import functools
import inspect
import math
import os
import types
import typing
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar, get_args, get_origin

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")
Rule = Callable[[Any, str, Any], Any]  # rule(owner, name, value) -> value

FLOATS = (np.dtype("float32"), np.dtype("float64"))
LARGEST = 2**63 - 1  # the largest index
SHOWN = 100  # characters of a value in an error


def refuse(
    error: type[Exception], owner: Any, name: str, expected: str, value: Any, hint: str = ""
) -> NoReturn:
    """Raises the one error that every rule raises."""
    raise error(f"{owner}: {name} must be {expected}, got {shown(value)}{hint}")


def shown(value: Any) -> str:
    """`value` for an error, in one short line."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # for example of an integer of thousands of digits
        return f"an unprintable {type(value).__name__}"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


# -- the decorator ---------------------------------------------------------------------------------


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """The function, its arguments checked and converted by the rules of their annotations."""
    signature = inspect.signature(function)
    found = {name: rule_of(p.annotation) for name, p in signature.parameters.items()}
    rules = {name: rule for name, rule in found.items() if rule is not None}
    if not rules:
        return function
    name, of_object = function.__name__, "self" in signature.parameters

    @functools.wraps(function)
    def checking(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # a missing or an unknown argument: Python says which
            return function(*args, **kwargs)
        bound.apply_defaults()
        owner = f"{type(args[0]).__name__}.{name}" if of_object else name
        owner = owner.removesuffix(".__init__")
        for parameter, rule in rules.items():
            value = bound.arguments[parameter]
            bound.arguments[parameter] = rule(owner, parameter, value)
        return function(*bound.args, **bound.kwargs)

    return checking


def rule_of(annotation: Any) -> Rule | None:
    """The rule of an annotation: that of an `Annotated` type; True or False for a bool; a class
    must be an instance of it, a Sequence[Class] a list of instances, a Callable a function.

    None for what says too little or is checked further down: plain numbers, strings, arrays."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return annotation.__metadata__[0]
    if origin in (types.UnionType, typing.Union):
        alternatives = [rule_of(each) for each in inside if each is not type(None)]
        optional = len(alternatives) == 1 < len(inside) and alternatives[0] is not None
        return functools.partial(_unless_none, alternatives[0]) if optional else None
    if annotation is Callable or origin is Callable:
        return function
    if origin is Sequence and isinstance(inside[0], type):
        return functools.partial(_list_of, inside[0])
    if annotation is bool:
        return flag
    unchecked = (Any, int, float, str, object, type(None), np.ndarray)
    if isinstance(annotation, type) and annotation not in unchecked and origin is None:
        return None if annotation is inspect.Parameter.empty else instance(annotation)
    return None


def _unless_none(rule, owner, name, value):
    return None if value is None else rule(owner, name, value)


# -- numbers ---------------------------------------------------------------------------------------


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


at_least_zero = integer(0)
Count = Annotated[int, integer(1)]
CountOrZero = Annotated[int, at_least_zero]
Classes = Annotated[int, integer(2)]
TwoOrMore = Annotated[int, integer(2)]
Finite = Annotated[float, real()]
Positive = Annotated[float, real(above=0)]
not_negative, share = real(least=0), real(least=0, most=1)
NotNegative = Annotated[float, not_negative]
Decay = Annotated[float, real(least=0, below=1)]
Share = Annotated[float, share]
PositiveShare = Annotated[float, real(above=0, most=1)]
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


def extent(owner: Any, name: str, value: Any) -> tuple[float, float, float, float]:
    """(left, right, bottom, top): a box with something in it."""
    expected = "(left, right, bottom, top) with left < right and bottom < top"
    box = np.array(value) if isinstance(value, tuple | list) else as_array(owner, name, value)
    if box.shape != (4,) or box.dtype.kind not in "fiu" or not np.isfinite(box).all():
        refuse(TypeError, owner, name, expected, value)
    left, right, bottom, top = map(float, box)
    if not (left < right and bottom < top):
        refuse(ValueError, owner, name, expected, value)
    return left, right, bottom, top


def inches(owner: Any, name: str, value: Any) -> tuple[float, float]:
    """(width, height), both positive."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        refuse(TypeError, owner, name, "(width, height)", value)
    width, height = (real(above=0)(owner, name, length) for length in value)
    return width, height


Widths = Annotated[Sequence[int], sizes(0)]  # of layers; there may be none
Shape = Annotated[Sequence[int], sizes(1)]
ImageShape = Annotated[tuple[int, int, int], sizes(3, 3)]  # (H, W, C)
PartialShape = Annotated[Any, a_tuple]  # None in it stands for any length
Pair = Annotated[Any, pair]
EvenShape = Annotated[tuple[int, int, int], image_shape(2)]  # of images, (H, W, C)
QuarteredShape = Annotated[tuple[int, int, int], image_shape(4)]
Extent = Annotated[tuple[float, float, float, float], extent]
Inches = Annotated[tuple[float, float], inches]


# -- other single values ---------------------------------------------------------------------------


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
    return [function(owner, name, each) for each in found]


def instance(kind: type) -> Rule:
    expected = f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"

    def rule(owner: Any, name: str, value: Any) -> Any:
        if not isinstance(value, kind):
            refuse(TypeError, owner, name, expected, value)
        return value

    return rule


def _list_of(kind, owner, name, value):
    words = "strings" if kind is str else f"{kind.__name__} objects"
    if not isinstance(value, tuple | list) or not all(isinstance(each, kind) for each in value):
        refuse(TypeError, owner, name, f"a list of {words}, such as [a, b]", value)
    return value


def some_of(kind: type) -> Rule:
    """A list of one object of that class or more."""

    def rule(owner: Any, name: str, value: Any) -> Any:
        if not _list_of(kind, owner, name, value):
            refuse(ValueError, owner, name, f"a list of one {kind.__name__} object or more", value)
        return value

    return rule


def one_list(owner: Any, name: str, more: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuses further arguments after a list: Sequential(a, b) for Sequential([a, b])."""
    if more:
        got = f"{1 + len(more)} arguments; write {owner}([a, b])"
        raise TypeError(f"{owner}: layers must be one list, got {got}")
    return more


def having(methods: str, expected: str) -> Rule:
    """An object (not a class) with these methods, whatever its class."""

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


_LOSS = "one of minigan.losses, such as Hinge(), or have the methods discriminator and generator"
_PENALTY = "one of minigan.penalties, such as R1(1.0)"

DType = Annotated[Any, dtype]
Seed = Annotated[int | tuple[int, ...] | np.random.Generator, seed]
FilePath = Annotated[Any, path]  # a str or a Path; the function gets a Path
Functions = Annotated[Any, functions]  # None, one or a list; the function gets a list
Text = Annotated[str, instance(str)]
Texts = Annotated[Sequence[str], functools.partial(_list_of, str)]
LossLike = Annotated[Any, having("discriminator generator", _LOSS)]
PenaltyLike = Annotated[Any, having("accumulate check", _PENALTY)]
Penalties = Annotated[Sequence[Any], list_having("accumulate check", _PENALTY)]
OptimizerLike = Annotated[Any, having("step", "one of minigan.optim, such as Adam()")]
planar = having("sample extent", "one of the distributions of minigan.data")
Planar = Annotated[Any, planar]
WithDensity = Annotated[Any, having("density extent", "one of the distributions of minigan.data")]


# -- arrays ----------------------------------------------------------------------------------------


def as_array(owner: Any, name: str, value: Any) -> np.ndarray:
    """`value` as an array. Refuses rows of unequal length; a masked array, because its mask
    would be lost; a tuple of arrays, such as (images, labels)."""
    if type(value) is np.ndarray:
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{owner}: {name} must be a plain array, got a masked one; fill it first")
    if isinstance(value, tuple) and any(isinstance(v, np.ndarray) and v.ndim for v in value):
        got = f"a tuple of {len(value)}; pass one of them"
        raise TypeError(f"{owner}: {name} must be one array, got {got}")
    try:
        return np.asarray(value)
    except ValueError:
        expected = "an array, its rows of equal length"
        refuse(ValueError, owner, name, expected, value)


def numbers(
    owner: Any, name: str, value: Any, *shapes: tuple[Any, ...], finite: bool = False,
    kinds: str = "fiub", hint: str = "",
) -> np.ndarray:  # fmt: skip
    """`value` as an array of real numbers, in one of the shapes if any are given.

    In a shape, a letter stands for any length, "..." for any axes: ("N", 2), ("N", ...)."""
    array = as_array(owner, name, value)
    right_kind = array.dtype.kind in kinds
    right_shape = not shapes or any(_fits(array.shape, shape) for shape in shapes)
    if right_kind and right_shape and not (finite and not np.isfinite(array).all()):
        return array
    expected = f"{'finite ' if finite else ''}{'integers' if kinds == 'iu' else 'real numbers'}"
    if shapes:
        expected += f" of shape {' or '.join(map(_shape_in_words, shapes))}"
    if right_kind and right_shape:
        bad = np.count_nonzero(~np.isfinite(array))
        got = f"NaN or infinity in {bad} of {array.size}"
        raise ValueError(f"{owner}: {name} must be {expected}, got {got}")
    refuse(ValueError if right_kind else TypeError, owner, name, expected, value, hint)


def _fits(found, shape):
    if ... in shape:
        given = shape.index(...)
        fixed = len(shape) - 1
        if len(found) < fixed:
            return False
        shape = (*shape[:given], *("any",) * (len(found) - fixed), *shape[given + 1 :])
    return len(found) == len(shape) and all(
        isinstance(here, str) or here == there for here, there in zip(shape, found)
    )


def _shape_in_words(shape):
    inside = ", ".join("..." if size is ... else str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def layer_input(layer: Any, x: Any, shape: tuple[Any, ...]) -> np.ndarray:
    """x as a floating-point array in the dtype of the layer's parameters, and of the shape."""
    if type(x) is not np.ndarray or x.dtype.kind not in "fiub":
        x = numbers(layer, "x", x)
    dtype = layer.dtype or (x.dtype if x.dtype in FLOATS else FLOATS[0])
    if x.dtype != dtype:
        x = x.astype(dtype)
    shape = shape or ("N", ...)
    if not _fits(x.shape, shape):
        last = len(shape) == x.ndim == 4 and x.shape[1] == shape[3]
        hint = "; the channels come last: x.transpose(0, 2, 3, 1)" if last else ""
        numbers(layer, "x", x, shape, hint=hint)
    return x


def pass_of(layer: Any, result: Any) -> tuple[np.ndarray, Any]:
    """What a layer's forward returned, which must be (y, cache)."""
    if type(result) is not tuple or len(result) != 2:
        raise TypeError(f"{layer}: forward must return y and its cache, got {shown(result)}")
    return result


def signal(network: Any, name: str, value: Any, caches: Any, like: str) -> np.ndarray:
    """dy or x_dot in the network's dtype and in the shape of the y or the x of that pass: another
    shape might broadcast, to a wrong gradient."""
    if not hasattr(caches, like):
        refuse(TypeError, "Sequential", "caches", "what forward returned", caches)
    value = numbers("Sequential", name, value, getattr(caches, like))
    return value.astype(network.dtype, copy=False)


def class_numbers(owner: Any, name: str, value: Any, classes: int) -> np.ndarray:
    """Integers in [0, classes), one for each sample."""
    value = numbers(owner, name, value, ("N",), kinds="iu")
    if value.size and not 0 <= value.min() <= value.max() < classes:
        got = f"{value.min()} to {value.max()}"
        raise ValueError(f"{owner}: {name} must be in [0, {classes}), got {got}")
    return value


def at_least_features(owner: Any, x: np.ndarray, fewest: int, name: str = "x") -> np.ndarray:
    """x (N, F), F >= fewest."""
    if x.shape[1] < fewest:
        refuse(ValueError, owner, name, f"rows of at least {fewest} features", x)
    return x


def not_empty(owner: Any, name: str, x: np.ndarray) -> np.ndarray:
    if not x.size:
        refuse(ValueError, owner, name, "a batch of one sample or more", x)
    return x


def weighted(owner: Any, name: str, layer: Any) -> Any:
    """A layer whose parameters include a weight."""
    if "weight" not in getattr(layer, "params", {}):
        refuse(TypeError, owner, name, "a layer with a weight", layer)
    return layer


def samples(owner: Any, name: str, value: Any) -> np.ndarray:
    """A minibatch (N, ...) of one sample or more, as floats."""
    x = not_empty(owner, name, numbers(owner, name, value, ("N", "F", ...)))
    return x if x.dtype in FLOATS else x.astype(np.float64)


def logits(owner: Any, name: str, value: Any, width: int) -> np.ndarray:
    """Logits (N,) or (N, 1), as floats; rows (N, width) of a loss with more columns."""
    shapes = (("N",), ("N", 1)) if width == 1 else (("N", width),)
    x = not_empty(owner, name, numbers(owner, name, value, *shapes, kinds="fiu"))
    return x * 1.0  # integers become floats; a float keeps its dtype


def logits_and_labels(owner: Any, logits: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, K) and labels (N,), integers in [0, K), N >= 1."""
    logits = not_empty(owner, "logits", numbers(owner, "logits", logits, ("N", "K"), kinds="fiu"))
    labels = class_numbers(owner, "labels", labels, logits.shape[1])
    if len(labels) != len(logits):
        refuse(ValueError, owner, "labels", f"one for each of {len(logits)} logits", labels)
    return logits, labels


def paired(owner: Any, a_name: str, a: np.ndarray, b_name: str, b: np.ndarray) -> None:
    """a and b are combined row by row, so they need one shape."""
    if a.shape != b.shape:
        got = f"{a.shape} and {b.shape}"
        raise ValueError(f"{owner}: {a_name} and {b_name} must have one shape, got {got}")


def theta_and_grad(optimizer: Any, theta: Any, grad: Any) -> None:
    """Vectors of one size and dtype; theta writeable, and the one that was moved before."""
    owner = type(optimizer).__name__
    for name, array in (("theta", theta), ("grad", grad)):
        if not isinstance(array, np.ndarray) or array.dtype not in FLOATS:
            refuse(TypeError, owner, name, "a float32 or float64 array", array)
    if theta.ndim != 1 or grad.shape != theta.shape or grad.dtype != theta.dtype:
        got = f"{shown(theta)}, and {shown(grad)}"
        raise ValueError(
            f"{owner}: theta and grad must be vectors of one size and dtype, got {got}"
        )
    if not theta.flags.writeable:
        raise ValueError(f"{owner}: theta must be writeable, got a read-only array")
    if not has_moved(optimizer, theta):
        hint = "; make an optimizer for each network"
        refuse(ValueError, owner, "theta", "the vector that was moved before", theta, hint)


def has_moved(optimizer: Any, theta: np.ndarray) -> bool:
    """Whether theta is the vector that an optimizer moved before, or may take its place: a network
    that was put into another one leaves its old vector read-only."""
    moments, last = getattr(optimizer, "moments", ()), getattr(optimizer, "_theta", None)
    if getattr(optimizer, "steps", 0) and moments:
        if getattr(optimizer, moments[0]).shape != theta.shape:
            return False
    if last is None or last is theta or not last.flags.writeable:
        return True
    return theta.ctypes.data == last.ctypes.data and theta.shape == last.shape


def results_of_loss(loss: Any, logits: np.ndarray) -> None:
    """Both methods of a loss must give a value and two gradients of the logits' shape."""
    for player in ("discriminator", "generator"):
        result, owner = getattr(loss, player)(logits, logits), f"{type(loss).__name__}.{player}"
        if not isinstance(result, tuple) or len(result) != 3:
            raise TypeError(f"{owner} must return value, d_real, d_fake, got {shown(result)}")
        if not isinstance(result[0], Real) and np.shape(result[0]) != ():
            refuse(TypeError, owner, "value", "a number", result[0])
        for name, gradient in zip(("d_real", "d_fake"), result[1:]):
            numbers(owner, name, gradient, logits.shape)


def of_one_logit(owner: Any, name: str, value: Any) -> Any:
    """A loss of minigan for a D that gives one value for each sample."""
    if getattr(value, "width", 0) != 1 or isinstance(value, type):
        refuse(TypeError, owner, name, "one of minigan.losses, such as Hinge()", value)
    return value


Adversarial = Annotated[Any, of_one_logit]  # the loss around which another one is built


def changes_of_a_resumed_run(changes: Sequence[str], resume: bool) -> None:
    if changes and not resume:
        raise ValueError("train: changes must be of a run that is resumed; pass resume=True too")


def one_each(owner: Any, name: str, value: np.ndarray, of: str, rows: np.ndarray) -> None:
    """One value for each of the rows."""
    if len(value) != len(rows):
        refuse(ValueError, owner, name, f"one for each of {len(rows)} {of}", value)


def plane(owner: Any, name: str, value: Any) -> np.ndarray:
    """Finite points of the plane (m, 2), in float64."""
    return numbers(owner, name, value, ("m", 2), finite=True, kinds="fiu").astype(np.float64)


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


RegularFile = Annotated[Any, regular_file]  # a str or a Path; the function gets a Path


def folder(owner: Any, name: str, value: Any) -> Path:
    """The path of a folder that is there."""
    found = path(owner, name, value)
    if not found.is_dir():
        raise FileNotFoundError(f"{owner}: {name} must be a folder, but there is none at {found}")
    return found


Folder = Annotated[Any, folder]  # a str or a Path; the function gets a Path
PictureSize = Annotated[tuple[int, int], sizes(2, 2)]  # (height, width)
