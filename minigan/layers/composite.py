"""Layers made of layers: walking through them."""

from collections.abc import Iterator
from typing import Any

from .base import Array, Layer


def walk(layer: Layer, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields (prefix, layer) for a layer and every layer inside it, in order."""
    yield prefix, layer
    for name, child in layer.children.items():
        yield from walk(child, f"{prefix}{name}.")


def count_parameters(layer: Layer) -> int:
    """The number of trained values of a layer and of the layers inside it."""
    return sum(value.size for _, inner in walk(layer) for value in inner.params.values())


class Composite(Layer):
    """A layer made of other layers: it mixes samples if one of them does, and is piecewise linear
    if all of them are."""

    def __init__(self, children: dict[str, Layer]) -> None:
        super().__init__()
        self.children = children
        self.mixes_samples = any(child.mixes_samples for child in children.values())
        self.piecewise_linear = all(child.piecewise_linear for child in children.values())


def add(a: Array | None, b: Array | None) -> Array | None:
    """a + b, None standing for zero."""
    if a is None or b is None:
        return b if a is None else a
    return a + b
