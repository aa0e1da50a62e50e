"""Descriptions of the parts of a run, by which a checkpoint recognises its own run."""

import zlib
from typing import Any

import numpy as np

from .schedules import Schedule, rate_factor

FLOATING = float, np.floating  # a callback may compute a setting with NumPy


def describe_schedule(schedule: Schedule | None) -> str:
    """A schedule by its values: the name of a function does not say what it computes."""
    if schedule is None:
        return "none"
    factors = [f"{rate_factor(schedule, i / 16):.9g}" for i in range(17)]
    checksum = zlib.crc32(" ".join(factors).encode())
    return f"of factors {', '.join(factors[::4])} at t = 0, 1/4, ..., 1, CRC {checksum:08x}"


def rate_name(player: str) -> str:
    """The name of a player's learning rate in the options."""
    return f"{player}_optimizer.lr"


def rng_name(name: str) -> str:
    """The name of a random generator in the options, as callers of train and GAN know it."""
    return "rng" if name == "minibatches" else f"{name}.rng"


def describe_seed(rng: np.random.Generator) -> str | None:
    """The seed of a random generator; None if the system chose it, or if it is unknown."""
    seeds: Any = getattr(rng.bit_generator, "seed_seq", None)
    entropy = getattr(seeds, "entropy", None)
    if entropy is None or (isinstance(entropy, int) and entropy >= 2**64):
        return None
    entropy = entropy if isinstance(entropy, int) else tuple(map(int, entropy))
    spawned = "".join(f", spawn {key}" for key in [tuple(map(int, seeds.spawn_key))] if key)
    return f"seed {entropy}{spawned}"


def describe_part(part: Any) -> str:
    """A loss or a penalty: its class, its options other than floats, and the losses inside it.

    Its floats are compared one by one: see `settings`.
    """
    options = {name: value for name, value in _public(part) if type(value) in (int, bool, str)}
    options |= {name: describe_part(inner) for name, inner in inner_losses(part)}
    inside = ", ".join(f"{name}={value}" for name, value in sorted(options.items()))
    return type(part).__name__ + (f"({inside})" if inside else "")


def _public(part: Any) -> list[tuple[str, Any]]:
    return [(k, v) for k, v in getattr(part, "__dict__", {}).items() if not k.startswith("_")]


def inner_losses(part: Any) -> list[tuple[str, Any]]:
    """[(attribute, loss)] of the losses that a loss is made of."""
    return [(k, v) for k, v in _public(part) if hasattr(v, "generator_sees_real")]


def describe_optimizer(optimizer: Any) -> str:
    """An optimizer's class and options, without its learning rate and what changes in training."""
    if not hasattr(optimizer, "moments") or not hasattr(optimizer, "steps"):
        raise TypeError(
            f"checkpoint: {type(optimizer).__name__} must say what it keeps between steps, in "
            ".moments and .steps (see minigan.optim)"
        )
    changes = {"lr", "steps", *optimizer.moments}
    options = [
        f"{k}={v!r}" for k, v in sorted(vars(optimizer).items()) if k not in changes and k[0] != "_"
    ]
    return f"{type(optimizer).__name__}({', '.join(options)})"


def describe_data(source: Any) -> str:
    """An array by its shape and checksum, a distribution by its class and a checksum."""
    if not isinstance(source, np.ndarray):
        return f"{type(source).__name__}, CRC {zlib.crc32(_content(source)):08x}"
    checksum = zlib.crc32(np.ascontiguousarray(source).data)
    return f"array {source.shape} {source.dtype}, CRC {checksum:08x}"


def _content(value: Any) -> bytes:
    """Bytes that differ whenever the distribution's contents differ."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"{value.shape} {value.dtype}".encode() + value.tobytes()
    if isinstance(value, str | int | float | complex | bytes | np.generic | None):
        return repr(value).encode()
    if isinstance(value, dict):
        return b"{" + b",".join(_content(k) + b":" + _content(v) for k, v in value.items()) + b"}"
    if isinstance(value, list | tuple | np.ndarray):
        return b"[" + b",".join(map(_content, value)) + b"]"
    if callable(value):
        return getattr(value, "__qualname__", type(value).__name__).encode()
    parts = sorted(getattr(value, "__dict__", {}).items())
    return b"".join(name.encode() + b"=" + _content(part) for name, part in parts)


def settings(part: Any) -> dict[str, float]:
    """The numbers of a part that may be changed between steps, such as R1's gamma."""
    return {name: float(value) for name, value in _public(part) if isinstance(value, FLOATING)}


def numbers_to_keep(part: Any) -> dict[str, Any]:
    """Its settings, and its integers: a callback may have set one of them to 2, not 2.0."""
    kinds = (*FLOATING, int, np.integer)
    return {name: value for name, value in _public(part) if isinstance(value, kinds)}
