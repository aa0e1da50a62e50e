"""Checkpoints: the state of a training run, saved and restored to the last bit.

    both networks   theta; the buffers (running statistics, spectral vectors, Fourier frequencies)
    the optimizers  their moments, their counts of steps, their learning rates
    the settings    of layers and penalties, which a callback may have changed (noise, gamma)
    the average     its theta, its buffers, its count of steps
    random numbers  the states of the random generators of the GAN, the networks, the minibatches
    the data        which samples of this epoch have not been dealt out
    the record      the History, whose length is the place in a schedule; a Plateau's measurements;
                    the records of callbacks with `state` and `restoring` (`minigan.watch`)

So N steps, `save`, `load` in another process and N steps more are 2 N steps, bit for bit. What is
not kept is what the program makes anew each time: the architecture, the data, the options. A
fingerprint of them is, as they were when the training began (a schedule or a callback may change
some on the way): a checkpoint of another run is refused, and every difference is named with both
values. (`archive` has the file itself.)
"""

import zlib
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from .. import _archive as archive
from ..data.minibatches import Minibatches
from ..gan import GAN
from ..layers import SpectralNorm
from ..layers.base import positive_int, real_number
from ..network import walk
from .averaging import Average


@dataclass
class Run:
    """The parts of one training run; `rates` are the learning rates that a schedule multiplies."""

    gan: GAN
    minibatches: Minibatches
    critic_steps: int
    history: object
    rates: list
    average: Average | None = None
    stop: object = None
    watchers: tuple = ()  # callbacks that have `state` and `restoring`
    schedule: str | None = None  # in words; None where it is not to be compared
    changes: tuple = ()  # names in the fingerprint that may differ from the file's

    @property
    def networks(self):
        players = {"generator": self.gan.generator, "discriminator": self.gan.discriminator}
        return players | ({"average": self.average.network} if self.average else {})

    @property
    def optimizers(self):
        return {
            "generator": self.gan.generator_optimizer,
            "discriminator": self.gan.discriminator_optimizer,
        }

    @property
    def generators(self):
        """The random generators of the run, by name. (Two names may be of one generator.)"""
        of_networks = {name: network.rng for name, network in self.networks.items()}
        return {"gan": self.gan.rng, "minibatches": self.minibatches.rng, **of_networks}

    @property
    def options(self):
        """What must be the same when the run goes on, by name, as it stands now; not the data."""
        gan = self.gan
        found = {"generator": repr(gan.generator), "discriminator": repr(gan.discriminator)}
        found["latent_dim"] = str(gan.latent_dim)
        found["loss"] = _described(gan.loss)
        found["penalties"] = ", ".join(map(_described, gan.penalties)) or "none"
        for name, optimizer in self.optimizers.items():
            found[f"{name} optimizer"] = _options(optimizer)
        found["average"] = f"decay {self.average.decay}" if self.average else "none"
        found["batch_size"] = str(self.minibatches.batch_size)
        found["critic_steps"] = str(self.critic_steps)
        found["callbacks"] = ", ".join(type(w).__name__ for w in self.watchers) or "none"
        if self.schedule is not None:
            found["schedule"] = self.schedule
        for name, rate in zip(self.optimizers, self.rates):
            found[_rate(name)] = repr(float(rate))
        for name, part in _adjustable(self):
            if not name.startswith("average/"):  # a copy of the generator
                found |= {f"{name}.{key}": repr(value) for key, value in _settings(part).items()}
        for name, rng in self.generators.items():
            if name != "average" and (seed := _seed(rng)) is not None:
                found[_rng(name)] = seed
        return found

    @cached_property
    def fingerprint(self):
        """`options` and the data, as they were when this was first asked for."""
        return self.options | {"data": _identity(self.minibatches.source)}


def _rate(player):
    return f"{player}_optimizer.lr"


def _rng(name):
    """What train's and GAN's callers know a random generator by."""
    return "rng" if name == "minibatches" else f"{name}.rng"


def _seed(rng):
    """The seed of a random generator, in words; None where it was seeded by the system, or says
    nothing of its seed."""
    seeds = getattr(rng.bit_generator, "seed_seq", None)
    entropy = getattr(seeds, "entropy", None)
    if entropy is None or (isinstance(entropy, int) and entropy >= 2**64):
        return None
    entropy = entropy if isinstance(entropy, int) else tuple(map(int, entropy))
    spawned = "".join(f", spawn {key}" for key in [tuple(map(int, seeds.spawn_key))] if key)
    return f"seed {entropy}{spawned}"


def _described(part):
    """A loss or a penalty: its class, its options that are no floats, the losses inside it. (Its
    floats are compared one by one: see `_settings`.)"""
    options = {name: value for name, value in _public(part) if type(value) in (int, bool, str)}
    options |= {name: _described(inner) for name, inner in _inner_losses(part)}
    inside = ", ".join(f"{name}={value}" for name, value in sorted(options.items()))
    return type(part).__name__ + (f"({inside})" if inside else "")


def _public(part):
    return [(k, v) for k, v in getattr(part, "__dict__", {}).items() if not k.startswith("_")]


def _inner_losses(part):
    return [(k, v) for k, v in _public(part) if hasattr(v, "generator_sees_real")]


def _options(optimizer):
    """An optimizer's class and options; not what changes as it goes, nor its learning rate."""
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


def _identity(source):
    """A data set by its shape and checksum, a distribution by its class and what it is made of: a
    ring and a grid of Gaussians are of one class."""
    if not isinstance(source, np.ndarray):
        return f"{type(source).__name__}, CRC {zlib.crc32(_content(source)):08x}"
    checksum = zlib.crc32(np.ascontiguousarray(source))
    return f"array {source.shape} {source.dtype}, CRC {checksum:08x}"


def _content(value):
    """Bytes that differ between distributions that are made of other arrays, numbers or words."""
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


# -- saving ----------------------------------------------------------------------------------------


def save(path, run):
    """Writes the run's state to `path`; what was there is kept as name.previous.

    Raises FloatingPointError, and writes nothing, if the state holds a number that is not finite,
    so that the last good checkpoint stays; OSError, naming the file, if it cannot be written.
    """
    path = archive.as_path("checkpoint.save", "path", path)
    fingerprint, step = run.fingerprint, len(run.history)
    arrays = _state(run)
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FloatingPointError(
                f"step {step}: {name} is not finite, so it was not saved; the learning rate may be "
                "too high"
            )
    series = {f"history/{name}": column for name, column in run.history.arrays().items()}
    series["position"] = run.minibatches.position
    if run.stop is not None:
        series["plateau"] = np.array(run.stop.values, np.float64).reshape(-1, 2)
    seen = [watcher.state() for watcher in run.watchers]
    for i, (_, kept) in enumerate(seen):
        series |= {f"callback {i}/{name}": array for name, array in kept.items()}
    header = {
        "step": step,
        "fingerprint": fingerprint,
        "columns": list(run.history.columns),
        "rates": run.rates,
        "optimizers": {n: {"lr": o.lr, "steps": o.steps} for n, o in run.optimizers.items()},
        "average": run.average.steps if run.average else 0,
        "random": {name: rng.bit_generator.state for name, rng in run.generators.items()},
        "iterated": [name for name, layer in _spectral(run) if _iterated(layer)],
        "plateau": run.stop is not None,
        "settings": {name: _settings(part) for name, part in _adjustable(run)},
        "callbacks": [facts for facts, _ in seen],
    }
    archive.write(path, header, arrays | series)


def _state(run):
    """name -> array, of everything whose shape the architecture decides."""
    arrays = {}
    for name, network in run.networks.items():
        arrays[f"{name}/theta"] = network.theta
        arrays |= {f"{name}/{buffer}": value for buffer, value in network.named_buffers()}
    for name, optimizer in run.optimizers.items():
        if optimizer.steps:
            arrays |= {f"{name}/optimizer/{m}": getattr(optimizer, m) for m in optimizer.moments}
    return arrays


def _adjustable(run):
    """[(name, part)] of the parts of the run whose numbers may be changed between steps: layers,
    penalties, the loss and losses inside it."""
    found = [
        (f"{player}/{prefix.rstrip('.')}", layer)
        for player, network in run.networks.items()
        for prefix, layer in walk(network)
    ]
    found += [(f"penalties[{i}]", part) for i, part in enumerate(run.gan.penalties)]
    losses = [("loss", run.gan.loss)]
    for name, loss in losses:  # grows as losses inside of losses are met
        losses += [(f"{name}.{inside}", inner) for inside, inner in _inner_losses(loss)]
    return found + losses


def _settings(part):
    return {name: value for name, value in _public(part) if type(value) is float}


def _spectral(run):
    """[(name, layer)] of the layers under spectral normalisation."""
    return [
        (f"{name}/{prefix}", layer)
        for name, network in run.networks.items()
        for prefix, layer in walk(network)
        if isinstance(layer, SpectralNorm)
    ]


def _iterated(layer):
    """Whether the power iteration has been done for the present weight."""
    return np.array_equal(layer.iterated_on, layer.children["layer"].params["weight"])


# -- loading ---------------------------------------------------------------------------------------


def load(path, run):
    """Puts the state at `path` into a run of the same architecture, data and options.

    An option that `run.changes` names may differ, and keeps the run's value.

    Raises FileNotFoundError if there is no such file; ValueError, with nothing changed, for one
    that is torn, foreign, of another version or of another run: it names the file, what was
    expected and what came.
    """
    file = archive.Archive(archive.as_path("checkpoint.load", "path", path))
    try:
        put_back = list(_read(file, run))
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise file.refusal(f"expected a complete header, {error!r}") from error
    for action in put_back:
        action()


def _read(file, run):
    """Reads and checks everything; yields what is to be done once all of it was found good."""
    header, changes = file.header, run.changes
    _compare_fingerprints(file, header["fingerprint"], run)
    for name, network in run.networks.items():
        theta = file.array(f"{name}/theta", network.theta.shape, network.dtype)
        yield partial(np.copyto, network.theta, theta)
        for prefix, layer in walk(network):
            for buffer, value in layer.buffers.items():
                kept = file.array(f"{name}/{prefix}{buffer}", value.shape, value.dtype)
                yield partial(layer.buffers.__setitem__, buffer, kept)
    for name, layer in _spectral(run):  # once the weights are there
        yield partial(_mark, layer, name in header["iterated"])
    for name, optimizer in run.optimizers.items():
        state = _read_optimizer(file, name, optimizer, run.networks[name].theta)
        if _rate(name) in changes:
            del state["lr"]
        yield partial(vars(optimizer).update, state)
    for name, part in _adjustable(run):
        kept = header["settings"][name]
        option = name.replace("average/", "generator/")
        names = [key for key in _settings(part) if f"{option}.{key}" not in changes]
        settings = {key: _number(file, key, kept[key], low=-np.inf) for key in names}
        yield partial(getattr(part, "__dict__", {}).update, settings)
    for name, rng in run.generators.items():
        _try_random(file, name, rng, header["random"][name])
        if _rng(name) not in changes:
            yield partial(setattr, rng.bit_generator, "state", header["random"][name])
    if run.average:
        average = _count(file, "average", header["average"])
        yield partial(setattr, run.average, "steps", average)
    if "data" not in changes:  # other data begin with an epoch of their own
        yield partial(setattr, run.minibatches, "position", _read_position(file, run.minibatches))
    rates = [_number(file, "rate", rate) for rate in header["rates"]]
    if len(rates) != len(run.rates):
        raise file.refusal(f"expected {len(run.rates)} learning rates, got {len(rates)}")
    for i, name in enumerate(run.optimizers):
        if _rate(name) not in changes:
            yield partial(run.rates.__setitem__, i, rates[i])
    yield partial(run.history.restore, _read_history(file, run.history))
    for i, watcher in enumerate(run.watchers):
        read = partial(_read_seen, file, i)
        yield watcher.restoring(header["callbacks"][i], read)
    if run.stop is not None and header["plateau"]:
        yield partial(run.stop.restore, file.array("plateau", (None, 2), np.float64))


def _compare_fingerprints(file, found, run):
    expected = run.fingerprint
    unknown = [name for name in run.changes if name not in expected]
    if unknown:
        raise ValueError(
            f"changes: there is no {', '.join(unknown)}; there are: {', '.join(expected)}"
        )
    if not all(_rate(name) in found for name in run.optimizers):
        raise file.refusal("expected the options of its run, but an earlier minigan kept none")
    names = [name for name in expected if name not in run.changes]
    seeds = {_rng(name) for name in run.generators}  # found or expected there may be none
    differ = [n for n in names if found.get(n) != expected[n] and (n in found or n not in seeds)]
    if differ:
        words = [f"expected {n} {expected[n]}, got {found.get(n)}" for n in differ]
        raise file.refusal(
            f"it is of another run: {'; '.join(words)}. Expected is what this run was given, got "
            f"what the file has; changes={differ!r} would go on with what was given"
        )


def _read_optimizer(file, name, optimizer, theta):
    kept = file.header["optimizers"][name]
    lr, steps = _number(file, "lr", kept["lr"]), _count(file, "steps", kept["steps"])
    state = {"lr": lr, "steps": steps}
    if steps:
        for moment in optimizer.moments:
            state[moment] = file.array(f"{name}/optimizer/{moment}", theta.shape, theta.dtype)
    return state


def _read_position(file, minibatches):
    size = len(minibatches.source) if isinstance(minibatches.source, np.ndarray) else 0
    position = file.array("position", (None,), np.int64)
    if position.size and not 0 <= position.min() <= position.max() < size:
        raise file.refusal(f"expected samples in [0, {size}), got {position.max()}")
    return position


def _read_history(file, history):
    step, names = _count(file, "step", file.header["step"]), file.header["columns"]
    if step and "step" not in names:
        raise file.refusal(f"expected the history of {step} steps, got none")
    return {name: file.array(f"history/{name}", (step,), history.dtype(name)) for name in names}


def _read_seen(file, i, name, shape, dtype):
    """An array of a callback's record; it need not be finite, as it may record what goes wrong."""
    return file.array(f"callback {i}/{name}", shape, dtype, finite=False)


def _try_random(file, name, rng, state):
    """Tries the state on another generator of that kind first: the file may hold something else."""
    kind = type(rng.bit_generator)
    try:
        kind().state = state
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise file.refusal(
            f"expected the state of {name}'s {kind.__name__} generator, got another: {error}"
        ) from error


def _mark(layer, done):
    layer.iterated_on = layer.children["layer"].params["weight"].copy() if done else None


def _count(file, name, value):
    try:
        return positive_int("header", name, value, minimum=0)
    except (TypeError, ValueError) as error:
        raise file.refusal(str(error)) from error


def _number(file, name, value, low=0):
    try:
        return real_number("header", name, value, low=low)
    except (TypeError, ValueError) as error:
        raise file.refusal(str(error)) from error
