"""The base class of the compiled stages."""

from ..layers.base import Layer


class Stage(Layer):
    """Stands for a layer: has its contract, uses its parameters and adds to its gradients."""

    def __init__(self, layer):
        super().__init__()
        self.children = {"layer": layer}
        self.layer = layer
        self.mixes_samples = layer.mixes_samples
        self.piecewise_linear = layer.piecewise_linear

    def __repr__(self):
        return f"compiled {self.layer}"
