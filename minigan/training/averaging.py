"""The running average of a generator over training: less noisy than its weights at any step."""

from .._checks import instance
from ..layers.base import real_number
from ..layers.spectral import SpectralNorm
from ..network import Sequential, walk


class Average:
    """average = decay average + (1 - decay) theta, after each training step (Yazici et al. 2019)

    network  : the Sequential to follow
    decay    : in [0, 1); the average remembers about 1 / (1 - decay) steps
    .network : a copy of it whose theta (and buffers, such as running statistics) are the averages;
               the singular vectors of a SpectralNorm are those of the averaged weight

    In the first steps the decay is held to (1 + t) / (10 + t), so that the average does not have to
    forget the first, untrained parameters. Raises TypeError for what is no Sequential.
    """

    def __init__(self, network, decay=0.999):
        instance("Average", "network", network, Sequential)
        self.decay = real_number("Average", "decay", decay, low=0, high=1, open_high=True)
        self.followed, self.network = network, network.copy()
        self.steps = 0

    def update(self):
        """Updates the average with the followed network's present parameters."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        average, theta = self.network.theta, self.followed.theta
        average += (1 - decay) * (theta - average)
        for (_, average), (_, layer) in zip(walk(self.network), walk(self.followed)):
            if isinstance(average, SpectralNorm):
                average.iterate()  # of the averaged weight: a mean of unit vectors is none
                continue
            for name, value in layer.buffers.items():
                average.buffers[name] += (1 - decay) * (value - average.buffers[name])

    def __repr__(self):
        size = f"{self.network.theta.size:,} parameters"
        return f"Average(decay={self.decay:g}, steps={self.steps}, {size})"
