"""The running average of a generator over training: smoother than any one of its moments."""

from . import kernels
from .layers.base import real_number
from .network import Sequential


class Average:
    """average = decay average + (1 - decay) theta, after each training step (Yazici et al. 2019)

    network  : the Sequential to follow
    decay    : in [0, 1); the average remembers about 1 / (1 - decay) steps
    .network : a copy of it whose theta (and buffers, such as running statistics) are the averages

    In the first steps the decay is held to (1 + t) / (10 + t), so that the average does not have to
    forget the first, untrained parameters. Raises TypeError for what is no Sequential.
    """

    def __init__(self, network, decay=0.999):
        if not isinstance(network, Sequential):
            raise TypeError(f"Average: network must be a Sequential, got {network!r}")
        self.decay = real_number("Average", "decay", decay, low=0, high=1, open_high=True)
        self.followed, self.network = network, network.copy()
        self.steps = 0

    def update(self):
        """Takes the followed network's parameters, as they now are, into the average."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        kernels.average_update(self.network.theta, self.followed.theta, decay)
        followed = self.followed.named_buffers()
        for (_, average), (_, value) in zip(self.network.named_buffers(), followed):
            average += (1 - decay) * (value - average)
