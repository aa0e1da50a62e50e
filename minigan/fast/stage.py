"""The base class of the compiled stages."""

from ..layers.base import Layer


class Stage(Layer):
    """Replaces a layer in the passes: has the methods of a layer, uses the parameters of the layer
    that it replaces, and adds to that layer's gradients."""

    def __init__(self, layer):
        super().__init__()
        self.children = {"layer": layer}
        self.layer = layer
        self.mixes_samples = layer.mixes_samples
        self.piecewise_linear = layer.piecewise_linear

    def __repr__(self):
        return f"compiled {self.layer}"
