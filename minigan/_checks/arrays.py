"""Rules for arrays, and the types that carry them."""

import functools
import math
import os
from typing import Annotated, Any

import numpy as np

from .objects import FLOATS, Classes, integer, sizes
from .words import Rule, refuse

OF_A_FOLDER = "; of a folder of pictures: minigan.data.images_from_folder(folder)"
LARGEST_POINT = 1e140  # its square, summed over many coordinates and samples, is still a float64


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

    In a shape, a letter stands for any length, ">=2" for 2 or more, "..." for any axes: ("N", 2),
    ("N", ">=2"), ("N", ...)."""
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
    if right_kind:
        refuse(ValueError, owner, name, expected, value, hint)
    refuse(TypeError, owner, name, expected, value)


@functools.lru_cache(maxsize=4096)
def _fits(found, shape):
    if ... in shape:
        given = shape.index(...)
        fixed = len(shape) - 1
        if len(found) < fixed:
            return False
        shape = (*shape[:given], *("any",) * (len(found) - fixed), *shape[given + 1 :])
    return len(found) == len(shape) and all(
        there >= _least(here) if isinstance(here, str) else here == there
        for here, there in zip(shape, found)
    )


def _least(length):
    """The least length that a string stands for: 2 for ">=2", 0 for a letter."""
    return int(length[2:]) if length.startswith(">=") else 0


def _shape_in_words(shape):
    inside = ", ".join("..." if size is ... else str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def class_numbers(owner: Any, name: str, value: Any, classes: int) -> np.ndarray:
    """Integers in [0, classes), one for each sample."""
    value = numbers(owner, name, value, ("N",), kinds="iu")
    if value.size and not 0 <= value.min() <= value.max() < classes:
        got = f"{value.min()} to {value.max()}"
        raise ValueError(f"{owner}: {name} must be in [0, {classes}), got {got}")
    return value


def not_empty(owner: Any, name: str, x: np.ndarray) -> np.ndarray:
    if not x.size:
        refuse(ValueError, owner, name, "a batch of one sample or more", x)
    return x


def samples(owner: Any, name: str, value: Any) -> np.ndarray:
    """A minibatch (N, ...) of one sample or more, as floats."""
    x = not_empty(owner, name, numbers(owner, name, value, ("N", "F", ...)))
    return x if x.dtype in FLOATS else x.astype(np.float64)


def paired_samples(owner: Any, real: Any, fake: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two such minibatches, of one shape."""
    real, fake = samples(owner, "real", real), samples(owner, "fake", fake)
    paired(owner, "real", real, "fake", fake)
    return real, fake


def plane(owner: Any, name: str, value: Any) -> np.ndarray:
    """Finite points of the plane (m, 2), in float64."""
    return numbers(owner, name, value, ("m", 2), finite=True, kinds="fiu").astype(np.float64)


def paired(owner: Any, a_name: str, a: np.ndarray, b_name: str, b: np.ndarray) -> None:
    """a and b are combined row by row, so they need one shape."""
    if a.shape != b.shape:
        got = f"{a.shape} and {b.shape}"
        raise ValueError(f"{owner}: {a_name} and {b_name} must have one shape, got {got}")


def one_each(owner: Any, name: str, value: np.ndarray, of: str, rows: np.ndarray) -> None:
    """One value for each of the rows."""
    if len(value) != len(rows):
        counted = of if of.endswith("s") else f"rows of {of}"
        refuse(ValueError, owner, name, f"one for each of {len(rows)} {counted}", value)


def array(*shapes: tuple[Any, ...], **options: Any) -> Rule:
    """The rule that is `numbers` with these shapes and options."""

    def rule(owner: Any, name: str, value: Any) -> np.ndarray:
        return numbers(owner, name, value, *shapes, **options)

    return rule


def points(fewest: int = 1) -> Rule:
    """`fewest` or more samples (n, d), finite, in float64."""
    hint = "; flatten images to one row each"

    def rule(owner: Any, name: str, value: Any) -> np.ndarray:
        x = numbers(owner, name, value, ("n", "d"), finite=True, kinds="fiu", hint=hint)
        if len(x) < fewest or not x.shape[1]:
            words = f"samples (n, d), n >= {fewest}, d >= 1"
            refuse(ValueError, owner, name, words, value)
        x = x.astype(np.float64, copy=False)
        if (largest := np.abs(x).max()) > LARGEST_POINT:
            got = f"{largest:.3g}"
            raise ValueError(
                f"{owner}: {name} must be at most {LARGEST_POINT:g} in size, got {got}"
            )
        return x

    return rule


def shares(owner: Any, name: str, value: Any) -> np.ndarray:
    """Shares (bins,), not negative, with a sum of 1, in float64."""
    x = numbers(owner, name, value, ("bins",), kinds="fiu")
    if not x.size:
        refuse(ValueError, owner, name, "shares of one bin or more", value)
    total = x.astype(np.float64).sum()
    if not (np.all(x >= 0) and abs(total - 1) <= 1e-4):  # NaN fails both
        got = f"a minimum of {x.min():.4g} and a sum of {total:.6g}"
        raise ValueError(f"{owner}: {name} must be shares >= 0 with a sum of 1, got {got}")
    return x / total  # in float32 they sum to 1 only within its rounding


def extent(owner: Any, name: str, value: Any) -> tuple[float, float, float, float]:
    """(left, right, bottom, top): a box with something in it."""
    expected = "(left, right, bottom, top) with left < right and bottom < top"
    box = as_array(owner, name, list(value) if isinstance(value, tuple) else value)
    if box.shape != (4,) or box.dtype.kind not in "fiu" or not np.isfinite(box).all():
        refuse(TypeError, owner, name, expected, value)
    left, right, bottom, top = map(float, box)
    if not (left < right and bottom < top):
        refuse(ValueError, owner, name, expected, value)
    return left, right, bottom, top


def positive_numbers(owner: Any, name: str, value: Any) -> np.ndarray:
    """One number > 0 or several, as a vector."""
    x = numbers(owner, name, value, (), ("n",), finite=True, kinds="fiu")
    if not x.size or not (x > 0).all():
        refuse(ValueError, owner, name, "one or more numbers > 0", value)
    return np.atleast_1d(x).astype(np.float64)


def series(owner: Any, name: str, value: Any) -> np.ndarray:
    """Four finite numbers or more, in float64."""
    x = numbers(owner, name, value, ("n",), finite=True, kinds="fiu")
    if len(x) < 4:
        refuse(ValueError, owner, name, "at least 4 finite numbers", value)
    return x.astype(np.float64)


def draws(owner: Any, name: str, value: Any) -> np.ndarray:
    """One set of points (m, d), or several (draws, m, d), in float64."""
    x = numbers(owner, name, value, ("m", "d"), ("draws", "m", "d"), finite=True, kinds="fiu")
    return not_empty(owner, name, x).astype(np.float64)


def input_or_shape(owner: Any, name: str, value: Any) -> Any:
    """An array, or the shape of one as a tuple."""
    return (sizes(1) if isinstance(value, tuple) else as_array)(owner, name, value)


def source(owner: Any, name: str, value: Any) -> Any:
    """What minibatches come from: an array (M, ...), or a distribution with `.sample(n, rng)`.

    The errors say what to do about common near misses: (images, labels), a table, bytes."""
    must = f"{owner}: {name} must be"
    if isinstance(value, tuple) and any(isinstance(part, np.ndarray) for part in value):
        shapes = ", ".join(str(np.shape(part)) for part in value)
        raise TypeError(
            f"{must} one array of samples, got a tuple of arrays of shapes {shapes}; of (images, "
            "labels) pass the images alone (with labels: minigan.conditional.label)"
        )
    if hasattr(value, "iloc"):  # it has a .sample too, of another meaning
        kind = type(value).__name__
        raise TypeError(f"{must} an array, got a pandas {kind}; pass its .to_numpy()")
    if hasattr(value, "sample") and not isinstance(value, type):
        return value
    if isinstance(value, str | os.PathLike):
        refuse(TypeError, owner, name, "an array of samples", value, hint=OF_A_FOLDER)
    x = as_array(owner, name, value)
    if x.dtype.kind not in "fiub" or x.ndim < 2:
        raise TypeError(
            f"{must} an array (M, ...) of numbers or have .sample(n, rng), got "
            f"{type(value).__name__} of shape {x.shape}, dtype {x.dtype}"
        )
    if x.dtype == np.uint8:
        raise TypeError(
            f"{must} scaled to the range of the generator, got bytes (uint8, 0..255); for [-1, 1]: "
            "x.astype('float32') / 127.5 - 1"
        )
    if not len(x):
        raise ValueError(f"{owner}: {name} has no samples")
    return x


def with_some(rule: Rule) -> Rule:
    """The rule, and one sample or more."""
    return lambda owner, name, value: not_empty(owner, name, rule(owner, name, value))


# -- relations: how an argument goes with those before it ------------------------------------------


def the_one_before(name: str, arguments: dict[str, Any]) -> tuple[str, Any]:
    names = list(arguments)
    other = names[names.index(name) - 1]
    return other, arguments[other]


def same_shape(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    other, first = the_one_before(name, arguments)
    paired(owner, other, first, name, arguments[name])


def same_width(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    other, first = the_one_before(name, arguments)
    expected, got = first.shape[1], arguments[name].shape[1]
    if got != expected:
        must = f"of {expected} columns, as in {other}"
        raise ValueError(f"{owner}: {name} must be {must}, got {got}")


def shaped_as_each(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    """Several sets of points, each of the shape of the one before."""
    other, first = the_one_before(name, arguments)
    if arguments[name].shape[-2:] != first.shape:
        got = f"{first.shape} and {arguments[name].shape}"
        raise ValueError(f"{owner}: each draw of {name} must have the shape of {other}, got {got}")


def one_for_each(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    other, first = the_one_before(name, arguments)
    if np.ndim(arguments[name]):  # one number is for all of them
        one_each(owner, name, arguments[name], other, first)


def in_classes(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    class_numbers(owner, name, np.atleast_1d(arguments[name]), arguments["classes"])


def ending_the_rows(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    """The rows, which are the first argument, end in a code of that many classes, behind a sample
    of the argument `shape`, where there is one."""
    rows_name, rows = next(iter(arguments.items()))
    fewest = arguments[name] + (math.prod(arguments["shape"]) if "shape" in arguments else 0)
    if rows.shape[1] < fewest:
        refuse(ValueError, owner, rows_name, f"rows of at least {fewest} features", rows)


def fewer_than_before(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    """A number of neighbours within each of the sets of points before it."""
    for other, value in arguments.items():
        if other == name:
            return
        if len(value) <= arguments[name]:
            must = f"more than {name} = {arguments[name]} samples"
            raise ValueError(f"{owner}: {other} must be {must}, got {len(value)}")


def at_most_before(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    """A number of neighbours in the set of points before it."""
    other, first = the_one_before(name, arguments)
    if len(first) < arguments[name]:
        must = f"at least {name} = {arguments[name]} samples"
        raise ValueError(f"{owner}: {other} must be {must}, got {len(first)}")


# -- types: the function gets an array, whatever was passed that can be made into one --------------

AnyArray = Annotated[Any, as_array]
InputOrShape = Annotated[Any, input_or_shape]
Numbers = Annotated[Any, array()]
Vector = Annotated[Any, array(("n",))]
FiniteVector = Annotated[Any, array(("n",), finite=True)]
OtherVector = Annotated[FiniteVector, same_shape]  # Other...: it goes with the argument before it
Rows = Annotated[Any, array(("N", "F"))]
SomeRows = Annotated[Any, with_some(array(("N", "F")))]
Pairs = Annotated[Any, array(("n", 2))]
Extent = Annotated[tuple[float, float, float, float], extent]
TwoNumbers = Annotated[Any, array((2,), finite=True, kinds="fiu")]
Series = Annotated[Any, series]
PlanePoints = Annotated[Any, plane]
Inputs = Annotated[Any, array(("N", ...))]  # of a network, N may be 0
Batch = Annotated[Any, array(("N", "F", ...), finite=True, kinds="fiu")]
Samples = Annotated[Any, with_some(array(("M", "F", ...)))]
Images = Annotated[Any, with_some(array(("M", "H", "W", "C")))]
Source = Annotated[Any, source]
Pictures = Annotated[Any, array(("n", "H", "W"), ("n", "H", "W", 1), ("n", "H", "W", 3))]
_integers = array(("N",), kinds="iu")
Labels = Annotated[Any, _integers, one_for_each]
ClassLabels = Annotated[Labels, in_classes]
CodeLength = Annotated[Classes, ending_the_rows]
LabelsOrOne = Annotated[Any, array((), ("N",), kinds="iu"), one_for_each, in_classes]
Points = Annotated[Any, points()]  # samples in rows
OtherPoints = Annotated[Points, same_width]
TwoPoints = Annotated[Any, points(2)]  # two or more
OtherTwoPoints = Annotated[TwoPoints, same_width]
EightPoints = Annotated[Any, points(8)]
OtherEightPoints = Annotated[EightPoints, same_width]
Neighbours = Annotated[int, integer(1), fewer_than_before]
NeighboursThere = Annotated[int, integer(1), at_most_before]
PositiveNumbers = Annotated[Any, positive_numbers]
Draws = Annotated[Any, draws, shaped_as_each]
Shares = Annotated[Any, shares]
OtherShares = Annotated[Shares, same_shape]
