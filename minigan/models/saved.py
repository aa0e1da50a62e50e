"""Trained networks and GANs in one file, from which they are made again in another program.

    network.save("generator.npz")                gan.save("gan.npz", average=average)
    network = minigan.load("generator.npz")      minigan.load("gan.npz").sample(16)

The file is NumPy's .npz. Its member "header" is JSON: the architecture (see `described`), and the
states of the random generators, so that a loaded GAN draws the noise that the saved one would have
drawn next. Its other members are the arrays: the parameters by the names of `named_parameters`, the
buffers, of a GAN both players' behind "generator/" and "discriminator/". There is no code in it and
no pickled object. `load` runs none of the networks.

Optimizers and all else that training needs are in a checkpoint (`minigan.training`), not here: a
loaded GAN has new optimizers.
"""

import inspect
from pathlib import Path
from typing import Any

import numpy as np

from .. import _archive as archive
from .. import _checks as checks
from .._checks import FilePath, Seed, checked
from .._random import bits_in_state, random_generator
from ..gan import GAN
from ..layers.composite import walk
from ..network import Sequential
from ..training.averaging import Average
from .described import build, describe

SMALLEST = 4  # bytes of a value in the file
# what a header of something else makes the constructors raise
REFUSED = KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError


def save_network(network: Sequential, path: str | Path) -> None:
    """See `Sequential.save`."""
    _write("Sequential.save", path, describe(network), {"": network}, {"": network.rng})


@checked
def save_gan(gan: GAN, path: str | Path, average: Average | None = None) -> None:
    """See `GAN.save`."""
    players = {"generator/": gan.generator, "discriminator/": gan.discriminator}
    if average is not None:
        if average.followed is not gan.generator:
            raise ValueError("GAN.save: average must be one of this GAN's generator")
        players["generator/"] = average.network
    facts: dict[str, Any] = {n.rstrip("/"): describe(player) for n, player in players.items()}
    facts |= {"latent_dim": gan.latent_dim, "sample_shape": list(gan.sample_shape)}
    facts |= {"loss": describe(gan.loss), "penalties": [describe(p) for p in gan.penalties]}
    rngs = {name: network.rng for name, network in players.items()} | {"noise": gan.rng}
    _write("GAN.save", path, {"type": "GAN"} | facts, players, rngs)


def _write(owner, path, facts, networks, rngs):
    path, arrays = checks.path(owner, "path", path), {}
    for prefix, network in networks.items():
        arrays |= {prefix + name: value for name, value, _ in network.named_parameters()}
        arrays |= {prefix + name: value for name, value in network.named_buffers()}
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FloatingPointError(f"{owner}: {name} is not finite, so it was not saved")
    apart = list({id(rng): rng for rng in rngs.values()}.values())  # two may share one
    header = {
        "architecture": facts,
        "random": [rng.bit_generator.state for rng in apart],
        "draws": {n: next(i for i, r in enumerate(apart) if r is rng) for n, rng in rngs.items()},
    }
    archive.write(path, header, arrays, archive.MODEL)


@checked
def load(path: FilePath, *, rng: Seed | None = None) -> Sequential | GAN:
    """The network or the GAN in a file that `Sequential.save` or `GAN.save` wrote.

    Parameters
    ----------
    rng : a seed or a Generator to draw noise and dropout's masks from; None: go on drawing where
        the saved one was, so that a GAN's samples are the same each time it is loaded

    Returns
    -------
    A Sequential or a GAN, equal to the saved one to the last bit: its weights, its dtype, its
    samples. A GAN has its loss and penalties. Its optimizers are not in the file: they are new,
    with Adam's defaults, whatever it was trained with.

    Raises
    ------
    FileNotFoundError : there is no such file
    ValueError : a file that is damaged, of something else, of a newer version of minigan, or with a
        layer that is not known (see `minigan.models.register`); the message names the file
    """
    file = archive.Archive(path, archive.MODEL)
    try:
        return _read(file, None if rng is None else random_generator(rng, "noise"))
    except REFUSED as error:
        if str(error).startswith(f"{file.kind.name} {file.path}: "):
            raise
        what = f"expected a complete header, {error!r}" if isinstance(error, KeyError) else error
        raise file.refusal(f"{what or type(error).__name__}") from error


def _read(file, rng):
    facts, room = dict(file.header["architecture"]), file.size // SMALLEST
    states = [_random(state) for state in _a_list("random", file.header["random"])]
    draws = {name: states[_index(name, at, states)] for name, at in file.header["draws"].items()}
    if rng is not None:
        draws = dict.fromkeys(draws, rng)
    if facts.get("type") != "GAN":
        return _network(file, facts, "", room, draws[""])
    players = {
        name: _network(file, facts[name], f"{name}/", room, draws[f"{name}/"])
        for name in ("generator", "discriminator")
    }
    return GAN(
        **players,
        latent_dim=facts["latent_dim"],
        sample_shape=facts["sample_shape"],
        loss=build(facts["loss"], 0),
        penalties=build(_a_list("penalties", facts["penalties"]), 0),
        rng=draws["noise"],
    )


def _network(file, facts, prefix, room, rng):
    """The network of a description, with the parameters and buffers that the file has for it."""
    network = build(facts, room)
    if not isinstance(network, Sequential):
        raise ValueError(f"expected a network, got {type(network).__name__}")
    for name, value, _ in network.named_parameters():
        value[...] = file.array(prefix + name, value.shape, value.dtype)
    for inside, layer in walk(network):
        layer.rng = rng
        for name, value in layer.buffers.items():
            layer.buffers[name] = file.array(prefix + inside + name, value.shape, value.dtype)
    return network


def _random(state):
    """The random generator of a state, of one of NumPy's kinds."""
    kind = getattr(np.random, str(state["bit_generator"]), None)
    bit_generator = np.random.BitGenerator
    if not (inspect.isclass(kind) and issubclass(kind, bit_generator)) or kind is bit_generator:
        raise ValueError(f"expected a random generator of NumPy, got {state['bit_generator']!r}")
    return np.random.Generator(bits_in_state(kind, state))


def _index(name, value, states):
    if type(value) is not int or not 0 <= value < len(states):
        raise ValueError(f"expected the number of a random generator for {name!r}, got {value!r}")
    return value


def _a_list(name, value):
    if not isinstance(value, list):
        raise ValueError(f"expected {name} to be a list, got {type(value).__name__}")
    return value
