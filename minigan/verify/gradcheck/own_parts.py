"""What layers and penalties of one's own return: looked at before a whole step is checked.

Otherwise the step would stop in the middle, in some other layer that gets what they returned.
"""

import copy
from typing import Any

import numpy as np

from ..._checks import shown
from ...backend import use_backend
from ...gan import GAN

PACKAGE = __name__.partition(".")[0]


@use_backend("numpy")
def check_returned(gan: GAN, real: np.ndarray) -> None:
    """Raises TypeError or ValueError, naming the layer or penalty and its method."""
    gan = copy.deepcopy(gan)  # random generators and running statistics move
    noise = gan.draw_noise(len(real))
    for network, x in ((gan.generator, noise), (gan.discriminator, real)):
        if not any(map(_own, network.layers)):
            continue
        for layer in network.layers:
            y, cache = layer.forward(x, True)
            if _own(layer):
                dx = layer.backward_input(np.ones_like(y), cache)
                if dx is not None or layer is not network.layers[0]:  # see `_checks.passed_on`
                    returned("check_step", layer, "backward_input", "dx", dx, x.shape)
            x = y
    for penalty in filter(_own, gan.penalties):
        value = penalty.accumulate(gan.discriminator, real, gan.sample(len(real)), gan.rng)
        penalty_value("check_step", penalty, "accumulate", value)


def returned(
    owner: str, layer: Any, method: str, what: str, value: Any, shape: tuple[int, ...]
) -> np.ndarray:
    """`value`, which the method returned, as an array; its kind and shape checked."""
    name = f"{owner}: {type(layer).__name__}.{method}"
    expected = f"{name} must return {what}, an array of real numbers"
    if not isinstance(value, np.ndarray | np.number) or value.dtype.kind not in "fiub":
        raise TypeError(f"{expected}, got {shown(value)}")
    if value.shape != shape:
        like = "x" if what == "dx" else "y"
        raise ValueError(f"{expected} of the shape of {like}, {shape}, got {value.shape}")
    return np.asarray(value)


def penalty_value(owner: str, penalty: Any, method: str, value: Any) -> Any:
    """`value`, which that method of the penalty returned and which must be a number."""
    if np.ndim(value) or np.asarray(value).dtype.kind not in "fiub":
        name = f"{owner}: {type(penalty).__name__}.{method}"
        raise TypeError(f"{name} must return a number, got {shown(value)}")
    return value


def _own(part: Any) -> bool:
    """Whether its class is not minigan's."""
    return type(part).__module__.partition(".")[0] != PACKAGE
