"""Argument checks of the packages that do not use `_checks` yet."""

import math
import numbers
from pathlib import Path

import numpy as np

FLOATS = (np.dtype("float32"), np.dtype("float64"))
LARGEST = 2**63 - 1  # that an index can be
SHOWN = 100  # characters of a value in an error
PLANE = "a distribution of the plane, such as those of minigan.data"


def shown(value):
    """`value` for an error, in one line and few words."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # of a number of thousands of digits, for one
        return f"an unprintable {type(value).__name__}"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def count(name, value, *, at_least=1):
    """`value` as an int of at least `at_least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected an integer, got {type(value).__name__} {shown(value)}")
    if not at_least <= value <= LARGEST:
        need = f">= {at_least}" if value < at_least else f"<= {LARGEST}"
        raise ValueError(f"{name}: expected an integer {need}, got {shown(value)}")
    return int(value)


def is_finite(value):
    """Whether a number is one that a float can hold: an int may be too large."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def number(name, value, *, above=None, at_least=None, at_most=None):
    """`value` as a finite float within the bounds that are given."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number, got {type(value).__name__} {shown(value)}")
    bounds = [
        (above, "> ", above is None or value > above),
        (at_least, ">= ", at_least is None or value >= at_least),
        (at_most, "<= ", at_most is None or value <= at_most),
    ]
    if not (is_finite(value) and all(met for *_, met in bounds)):
        need = " and ".join(f"{sign}{bound:g}" for bound, sign, _ in bounds if bound is not None)
        raise ValueError(f"{name}: expected a finite number {need}, got {shown(value)}")
    return float(value)


def generator(name, value, stream=""):
    """`value`, a seed or a Generator, as a numpy.random.Generator.

    A seed is an integer >= 0, or a tuple of them: (seed, 0), (seed, 1), ... draw independently.
    So do different streams of one seed, such as "weights" and "noise": the parts of a game that are
    all given the seed 0 do not draw the same numbers. A Generator is used as it is.
    """
    if isinstance(value, np.random.Generator):
        return value
    for seed in value if isinstance(value, tuple) and value else (value,):
        if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
            raise TypeError(
                f"{name}: expected a seed or a numpy.random.Generator, got {type(seed).__name__}"
            )
        if seed < 0:
            raise ValueError(f"{name}: expected a seed >= 0, got {shown(seed)}")
    return np.random.default_rng(np.random.SeedSequence(value, spawn_key=tuple(stream.encode())))


def float_dtype(name, value):
    """`value` as the NumPy dtype float32 or float64. (To NumPy, None is float64.)"""
    try:
        dtype = np.dtype(value)
    except (TypeError, ValueError, SyntaxError):
        dtype = np.dtype(object)
    if value is None or dtype not in FLOATS:
        raise TypeError(f"{name}: expected float32 or float64, got {shown(value)}")
    return dtype


def as_array(name, value):
    """`value` as an array; ValueError for rows of unequal length, TypeError for a masked array,
    because its mask would be lost."""
    if type(value) is np.ndarray:
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected a plain array, got a masked one; fill it first")
    if isinstance(value, tuple) and any(isinstance(v, np.ndarray) and v.ndim for v in value):
        raise TypeError(
            f"{name}: expected one array, got a tuple of {len(value)}; pass one of them"
        )
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected rows of equal length, got a ragged sequence") from None


def real_array(name, value):
    """`value` as an array of real numbers."""
    value = as_array(name, value)
    if value.dtype.kind not in "fiub":
        raise TypeError(f"{name}: expected real numbers, got dtype {value.dtype}")
    return value


def path(name, value):
    """`value` as a Path."""
    try:
        return Path(value)
    except TypeError:
        raise TypeError(f"{name}: expected a path, got {type(value).__name__}") from None


def flag(owner, name, value):
    """`value` as a bool: a "no" or an array of biases would count as yes."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{owner}: {name} must be True or False, got {shown(value)}")
    return bool(value)


def function(owner, name, value):
    """`value`, which must be something to call."""
    if not callable(value):
        raise TypeError(f"{owner}: {name} must be a function, got {shown(value)}")
    return value


def instance(owner, name, value, kind):
    """`value`, which must be an object of that class."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{owner}: {name} must be {article} {kind.__name__}, got {shown(value)}")
    return value


def extent(owner, value):
    """`value` as (left, right, bottom, top): a box with something in it."""
    box = as_array(f"{owner}: extent", value)
    if box.shape != (4,) or box.dtype.kind not in "fiu" or not np.isfinite(box).all():
        raise TypeError(f"{owner}: extent must be (left, right, bottom, top), got {shown(value)}")
    left, right, bottom, top = map(float, box)
    if not (left < right and bottom < top):
        raise ValueError(
            f"{owner}: extent must have left < right and bottom < top, got {shown(value)}"
        )
    return left, right, bottom, top


def part(owner, name, value, method, expected):
    """`value`, which must be an object (not a class, not a name) with that method."""
    if isinstance(value, type) or not hasattr(value, method):
        raise TypeError(f"{owner}: {name} must be {expected}, got {shown(value)}")
    return value


def loss(owner, value):
    """`value`, which must be a loss: the methods `discriminator` and `generator` are enough."""
    methods = [name for name in ("discriminator", "generator") if hasattr(value, name)]
    if len(methods) == 1 and not isinstance(value, type):
        raise TypeError(
            f"{owner}: loss must have the methods discriminator and generator, {shown(value)} has "
            f"{methods[0]} alone"
        )
    expected = "one of minigan.losses, such as Hinge()"
    return part(owner, "loss", value, "generator", expected)


def penalty(owner, name, value):
    """`value`, which must be a penalty."""
    return part(owner, name, value, "accumulate", "one of minigan.penalties, such as R1(1.0)")


# what was in layers/base.py


def positive_int(owner, name, value, minimum=1):
    """`value` as an int of at least `minimum`; else one clear error."""
    from ._checks import integer

    return integer(minimum)(owner, name, value)


def sizes(owner, name, value, *, fewest=0):
    """`value`, a sequence of ints of at least 1, as a tuple; at least `fewest` of them."""
    from ._checks import sizes

    return sizes(fewest)(owner, name, value)


def real_number(owner, name, value, *, low, high=np.inf, open_low=False, open_high=False):
    """`value` as a float within [low, high] (or the open interval); else one clear error."""
    from ._checks import real

    bounds = {"above" if open_low else "least": low} if low > -np.inf else {}
    bounds |= {"below" if open_high else "most": high} if high < np.inf else {}
    return real(**bounds)(owner, name, value)
