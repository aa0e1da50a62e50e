"""The float64 copy of a game, which draws the same random numbers as the game itself.

A Generator draws other numbers for float64 than for float32. So that the ledger of a step is of the
noise that the step had, the copy of a float32 game draws in float32 and converts.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ...gan import GAN

FLOAT32 = np.dtype("float32")


class DrawsInFloat32(np.random.Generator):
    """Draws what a Generator draws for float32, whatever dtype is asked for."""

    def standard_normal(
        self, size: Any = None, dtype: npt.DTypeLike = float, out: Any = None
    ) -> Any:
        return np.asarray(super().standard_normal(size, np.float32)).astype(dtype)

    def random(self, size: Any = None, dtype: npt.DTypeLike = float, out: Any = None) -> Any:
        return np.asarray(super().random(size, np.float32)).astype(dtype)

    def __reduce__(self):  # a Generator's own would make the copy a plain one
        return DrawsInFloat32, (self.bit_generator,)


def in_float64(gan: GAN) -> GAN:
    """A float64 copy of the GAN, in the same state, that draws the same numbers."""
    twin = gan.copy("float64")
    if gan.generator.dtype == FLOAT32:
        twin.rng = DrawsInFloat32(twin.rng.bit_generator)
        for network in (twin.generator, twin.discriminator):
            network.lay_out(network.dtype, DrawsInFloat32(network.rng.bit_generator))
    return twin
