"""The layers of a network in order, with networks inside it taken apart."""

from collections.abc import Iterator

from ...layers.base import Layer
from ...network import Sequential


def leaves(network: Sequential, prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Yields (name, layer), names as in `named_parameters`, without the networks around them."""
    for name, layer in network.children.items():
        if isinstance(layer, Sequential):
            yield from leaves(layer, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", layer
