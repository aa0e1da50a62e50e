"""Saves and restores the states of random generators."""

import numpy as np


class RandomStates:
    """The states of some NumPy generators, to draw the same numbers again after `restore`."""

    def __init__(self, *rngs: np.random.Generator) -> None:
        self.rngs = rngs
        self.states = [rng.bit_generator.state for rng in rngs]

    def restore(self) -> None:
        for rng, state in zip(self.rngs, self.states):
            rng.bit_generator.state = state
