"""Argument checks that several rooms share: one error that names what was wrong."""

import numbers

import numpy as np


def count(name, value, *, at_least=1):
    """`value` as an int of at least `at_least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected an integer, got {type(value).__name__} {value!r}")
    if value < at_least:
        raise ValueError(f"{name}: expected an integer >= {at_least}, got {value}")
    return int(value)


def generator(name, value):
    """`value`, a seed or a Generator, as a numpy.random.Generator."""
    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{name}: expected a seed or a numpy.random.Generator, got {type(value).__name__}"
        )
    if value < 0:
        raise ValueError(f"{name}: expected a seed >= 0, got {value}")
    return np.random.default_rng(int(value))
