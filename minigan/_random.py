"""Random generators: made from a seed, saved and restored."""

from typing import Any

import numpy as np


def random_generator(seed: Any, stream: str = "") -> np.random.Generator:
    """A generator for `seed`, an integer >= 0 or a tuple of them; a Generator is used as it is.

    (seed, 0), (seed, 1), ... draw independently. So do different streams of one seed, such as
    "weights" and "noise": parts of a game that are all given the seed 0 draw different numbers.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(stream.encode())))


class RandomStates:
    """The states of some NumPy generators, to draw the same numbers again after `restore`."""

    def __init__(self, *rngs: np.random.Generator) -> None:
        self.rngs = rngs
        self.states = [rng.bit_generator.state for rng in rngs]

    def restore(self) -> None:
        for rng, state in zip(self.rngs, self.states):
            rng.bit_generator.state = state


def same_state(a: Any, b: Any) -> bool:
    """Whether two states of a bit generator are equal; those of some kinds hold arrays."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_state(a[key], b[key]) for key in a)
    return bool(np.array_equal(a, b))


def bits_in_state(kind: type[np.random.BitGenerator], state: Any) -> np.random.BitGenerator:
    """A new bit generator of that kind in a state that comes from a file; ValueError for what is no
    state of that kind."""
    bits = kind()
    try:
        bits.state = state
        place, end = 0, 0
        if kind is np.random.MT19937:
            place, end = state["state"]["pos"], 624
        elif kind is np.random.Philox:
            place, end = state["buffer_pos"], 4
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ValueError(f"expected the state of a {kind.__name__} generator: {error}") from error
    if not 0 <= place <= end:  # NumPy takes it, and reads what lies beyond in memory
        raise ValueError(f"expected a {kind.__name__} at a place from 0 to {end}, got {place}")
    return bits
