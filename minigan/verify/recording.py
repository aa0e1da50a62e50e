"""Watching the passes of a network, layer by layer, without repeating them.

    with recording(network, note):
        gan.train_step(real)

calls note(method, name, layer, arguments, result) after each call of a layer's `forward`,
`backward`, `backward_input` and `backward_params`, in the order in which they are made. Names are
those of `named_parameters` without the parameter: "0", "2.branch". Layers run one by one, on NumPy:
fused stages have no values in between to show. A SpectralNorm is reported as a whole, because its
passes run on copies of the layer in it.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator

from ..backend import use_backend
from ..layers.base import Layer
from ..layers.spectral import SpectralNorm
from ..network import Sequential

Note = Callable[..., None]
METHODS = "forward", "backward", "backward_input", "backward_params"


@contextlib.contextmanager
def recording(network: Sequential, note: Note) -> Iterator[None]:
    """Within a `with` block, reports each call of a layer of `network` to `note`."""
    layers = list(_reported(network))
    with use_backend("numpy"):
        try:
            for name, layer in layers:
                for method in METHODS:
                    setattr(layer, method, _reporting(note, method, name, layer))
            yield
        finally:
            for _, layer in layers:
                for method in METHODS:
                    vars(layer).pop(method, None)


def _reported(layer: Layer, prefix: str = "") -> Iterator[tuple[str, Layer]]:
    for name, child in layer.children.items():
        yield prefix + name, child
        if not isinstance(child, SpectralNorm):
            yield from _reported(child, f"{prefix}{name}.")


def _reporting(note, method, name, layer):
    run = getattr(layer, method)

    @functools.wraps(run)
    def reported(*arguments, **options):
        result = run(*arguments, **options)
        note(method, name, layer, arguments, result)
        return result

    return reported
