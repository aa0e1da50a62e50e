"""Saves and restores the states of random generators."""


class Bookmark:
    """Where numpy Generators stand; `restore` puts them back there, to draw the same again."""

    def __init__(self, *rngs):
        self.rngs = rngs
        self.states = [rng.bit_generator.state for rng in rngs]

    def restore(self):
        for rng, state in zip(self.rngs, self.states):
            rng.bit_generator.state = state
