"""The running average of a generator over training: less noisy than its weights at any step."""

from .._checks import Decay, checked
from ..layers.composite import walk
from ..layers.spectral import SpectralNorm
from ..network import Sequential


class Average:
    """average = decay average + (1 - decay) theta, after each training step (Yazici et al. 2019)

    In the first steps the decay is at most (1 + t) / (10 + t), so that the untrained parameters
    have little weight in the average.

    Parameters
    ----------
    network : the Sequential to average
    decay : in [0, 1); the average is over about 1 / (1 - decay) steps

    Attributes
    ----------
    network : a copy whose theta and buffers (such as running statistics) are the averages; the
        singular vectors of a SpectralNorm are those of the averaged weight
    """

    @checked
    def __init__(self, network: Sequential, decay: Decay = 0.999) -> None:
        self.decay = decay
        self.followed, self.network = network, network.copy()
        self.steps = 0

    def update(self) -> None:
        """Updates the average with the followed network's present parameters."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        average, theta = self.network.theta, self.followed.theta
        average += (1 - decay) * (theta - average)
        for (_, average), (_, layer) in zip(walk(self.network), walk(self.followed)):
            if isinstance(average, SpectralNorm):
                average.iterate()  # a mean of unit vectors is not a unit vector
                continue
            for name, value in layer.buffers.items():
                average.buffers[name] += (1 - decay) * (value - average.buffers[name])

    def __repr__(self) -> str:
        size = f"{self.network.theta.size:,} parameters"
        return f"Average(decay={self.decay:g}, steps={self.steps}, {size})"
