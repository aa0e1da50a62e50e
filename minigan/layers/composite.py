"""Layers made of layers: how to walk them, and how their backward pass moves.

A network is a tree: a Sequential has layers in a row, a Residual has two side by side. So is its
second-order sweep (`minigan.penalties.second_order` derives it): a backward pass from dy, kept in
order to be differentiated along x_dot. Of any layer, `sweep_of` gives dx and a sweep, which has

    y_dot  = sweep.along(x_dot)          forward with the tangents
    dx_dot = sweep.back(dy_dot, wanted)  then backward, adding the dots of the gradients into grads
or, if all pieces are straight,
    y_dot  = sweep.merge(x_dot, slopes)  both in one, adding the gradients for the seed `slopes` too

where dx_dot need not be worked out unless it is wanted. A sweep also says whether anything in it is
`trained`, and whether all of it is `straight`.
"""

from .base import Layer


def walk(layer, prefix=""):
    """Yields (prefix, layer) for a layer and every layer inside it, in order."""
    yield prefix, layer
    for name, child in layer.children.items():
        yield from walk(child, f"{prefix}{name}.")


def count_parameters(layer):
    """How many numbers a layer, with all the layers inside it, trains."""
    return sum(value.size for _, inner in walk(layer) for value in inner.params.values())


class Composite(Layer):
    """A layer that is nothing but its children: what they are, it is.

    A subclass has `sweep(dy, cache)`, which returns (dx, the sweep of the whole); its second-order
    terms follow from that. And `caches_inside(cache)`, the cache of each child, in order.
    """

    def __init__(self, children):
        super().__init__()
        self.children = children
        self.mixes_samples = any(child.mixes_samples for child in children.values())
        self.piecewise_linear = all(child.piecewise_linear for child in children.values())

    def sweep(self, dy, cache):
        raise self._missing("sweep", "it is needed only under a gradient penalty")

    def caches_inside(self, cache):
        raise self._missing("caches_inside", "it is needed to look inside the layer")

    def curvature(self, dy, cache, x_dot):
        _, sweep = self.sweep(dy, cache)
        sweep.along(x_dot)
        return sweep.back(None, wanted=True)

    def backward_merged(self, dy, scale, cache, x_dot):
        _, sweep = self.sweep(dy, cache)
        sweep.merge(x_dot, scale)


def sweep_of(layer, dy, cache):
    """(dx, sweep) of a layer along one forward pass, from dy."""
    if isinstance(layer, Composite):
        return layer.sweep(dy, cache)
    return layer.backward_input(dy, cache), LayerSweep(layer, dy, cache)


class LayerSweep:
    """Of a single layer: by its own tangent, backward and curvature."""

    def __init__(self, layer, dy, cache):
        self.layer, self.cache = layer, cache
        self.trained, self.straight = layer.trained, layer.piecewise_linear
        self.moves = self.trained or not self.straight  # else it has no curvature, and so neither
        self.dy = dy if self.moves else None  # dy nor x_dot is read again: half of the memory

    def along(self, x_dot):
        self.x_dot = x_dot if self.moves else None
        return self.layer.tangent(x_dot, self.cache)

    def back(self, dy_dot, wanted):
        layer, dx_dot = self.layer, None
        if dy_dot is not None:
            step = layer.backward if wanted else layer.backward_params
            dx_dot = step(dy_dot, self.cache)
        if self.moves:
            dx_dot = add(dx_dot, layer.curvature(self.dy, self.cache, self.x_dot))
        return dx_dot

    def merge(self, x_dot, slopes):
        if self.trained and slopes is not None:
            self.layer.backward_merged(self.dy, slopes, self.cache, x_dot)
        elif self.trained:
            self.layer.curvature(self.dy, self.cache, x_dot)
        return self.layer.tangent(x_dot, self.cache)


class RowSweep:
    """Of layers in a row: each one's output is the next one's input.

    parts  : their sweeps, from the input to the output
    bottom : where the first trained one is; where nobody wants dx_dot, `back` stops there
    """

    def __init__(self, parts):
        self.parts = parts
        trained = [part.trained for part in parts]
        self.trained, self.straight = any(trained), all(part.straight for part in parts)
        self.bottom = trained.index(True) if self.trained else len(parts)

    def along(self, x_dot):
        for part in self.parts:
            x_dot = part.along(x_dot)
        return x_dot

    def back(self, dy_dot, wanted):
        first = 0 if wanted else self.bottom
        for index in reversed(range(first, len(self.parts))):
            dy_dot = self.parts[index].back(dy_dot, wanted or index > first)
        return dy_dot

    def merge(self, x_dot, slopes):
        for part in self.parts:
            x_dot = part.merge(x_dot, slopes)
        return x_dot


def sweep_row(layers, dy):
    """(dx, RowSweep) of layers [(layer, cache)] in a row, from dy at their end."""
    parts = []
    for layer, cache in reversed(layers):
        dy, part = sweep_of(layer, dy, cache)
        parts.append(part)
    return dy, RowSweep(parts[::-1])


class SumSweep:
    """Of y = f(x) + g(x): both move with x, and both see dy."""

    def __init__(self, f, g):
        self.f, self.g = f, g
        self.trained, self.straight = f.trained or g.trained, f.straight and g.straight

    def along(self, x_dot):
        return self.f.along(x_dot) + self.g.along(x_dot)

    def back(self, dy_dot, wanted):
        return add(self.f.back(dy_dot, wanted), self.g.back(dy_dot, wanted))

    def merge(self, x_dot, slopes):
        return self.f.merge(x_dot, slopes) + self.g.merge(x_dot, slopes)


def add(a, b):
    """a + b, None being zero."""
    if a is None or b is None:
        return b if a is None else a
    return a + b
