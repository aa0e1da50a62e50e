"""Input checks of the pictures: one error that names the function, the argument and what came."""

from matplotlib.axes import Axes

from ... import _old_checks as checks
from ..watch import Film, Frame


def axes(owner, value):
    return checks.instance(owner, "axes", value, Axes)


def numbers(owner, name, value, shape):
    """`value` as a real array of that shape; a letter in it stands for any length."""
    found = checks.as_array(f"{owner}: {name}", value)
    if found.dtype.kind not in "fiub":
        raise TypeError(f"{owner}: {name} must be real numbers, got dtype {found.dtype}")
    fits = len(found.shape) == len(shape) and all(
        isinstance(here, str) or here == there for here, there in zip(shape, found.shape)
    )
    if not fits:
        need = ", ".join(map(str, shape))
        raise ValueError(f"{owner}: {name} must have shape ({need}), got {found.shape}")
    return found


def distribution(owner, name, value):
    checks.part(owner, name, value, "extent", checks.PLANE)
    return checks.part(owner, name, value, "density", checks.PLANE)


def film(owner, value):
    """A Film with something on it."""
    if not checks.instance(owner, "film", value, Film).frames:
        raise ValueError(f"{owner}: film must have frames, but nothing was recorded")
    return value


def shot(owner, value):
    return checks.instance(owner, "shot", value, Frame)
