"""One forward pass, layer by layer, kept so that it can be walked back, or begun again midway."""

from ...network import Sequential


class Pass:
    """A training pass of a network over x (N, ...), and the gradients that come back along it.

    layers    : [(name, layer)], n of them; networks inside the network are taken apart
    values    : [x, y_1, ..., y_n]: the input, and what each layer made of it
    gradients : [dL/dx, dL/dy_1, ..., dL/dy_n], after `backward`
    """

    def __init__(self, network, x):
        self.network, self.layers = network, list(leaves(network))
        self.values, self.gradients = [x], []
        self._caches, self._random = [], []
        for _, layer in self.layers:
            self._random.append(network.rng.bit_generator.state)
            y, cache = layer.forward(self.values[-1], True)
            self.values.append(y)
            self._caches.append(cache)

    @property
    def output(self):
        return self.values[-1]

    def backward(self, dy, *, held=False):
        """Walks back from dy = dL/dy_n. Adds the parameters' gradients into the layers' grads,
        unless the network is held."""
        self.gradients = [dy]
        for (_, layer), cache in zip(reversed(self.layers), reversed(self._caches)):
            step = layer.backward_input if held else layer.backward
            self.gradients.append(step(self.gradients[-1], cache))
        self.gradients.reverse()

    def output_from(self, position, value):
        """The output, were values[position] `value`: the rest of the network, run again with the
        same dropout masks, the buffers left as they are."""
        if position == len(self.layers):
            return value
        self.network.rng.bit_generator.state = self._random[position]
        with self.network.held_buffers():
            for _, layer in self.layers[position:]:
                value, _ = layer.forward(value, True)
        return value


def leaves(network, prefix=""):
    """Yields (name, layer), names as in `named_parameters`, without the networks around them."""
    for name, layer in network.children.items():
        if isinstance(layer, Sequential):
            yield from leaves(layer, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", layer
