"""Checkpoints: everything that a training run is made of, kept and put back to the last bit.

    both networks   theta; the buffers (running statistics, spectral vectors, Fourier frequencies)
    the optimizers  their moments, their counts of steps, their learning rates
    the settings    of layers and penalties, which a callback may have changed (noise, gamma)
    the average     its theta, its buffers, its count of steps
    chance          the state of every random generator: the GAN's, the networks', the minibatches'
    the data        which samples of this epoch have not been dealt out
    the record      the History, whose length is the place in a schedule; a Plateau's measurements;
                    what callbacks have seen that can say it (`minigan.watch`)

So N steps, `save`, `load` in another process and N steps more are 2 N steps, bit for bit. What is
not kept is what the program makes anew each time: the architecture, the data, the options. A
fingerprint of them is, and a checkpoint of another run is refused. (`archive` has the file itself.)
"""

import zlib
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from . import archive
from .averaging import Average
from .data.minibatches import Minibatches
from .gan import GAN
from .layers import SpectralNorm
from .layers.base import positive_int, real_number
from .network import walk


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
        """Every random generator, by name. (If two are one, each restores the other's state.)"""
        of_networks = {name: network.rng for name, network in self.networks.items()}
        return {"gan": self.gan.rng, "minibatches": self.minibatches.rng, **of_networks}

    @cached_property
    def fingerprint(self):
        """What must be the same when the run goes on, in words."""
        gan, minibatches = self.gan, self.minibatches
        optimizers = {f"{name} optimizer": _options(o) for name, o in self.optimizers.items()}
        return {
            "generator": repr(gan.generator),
            "discriminator": repr(gan.discriminator),
            "latent_dim": str(gan.latent_dim),
            "loss": type(gan.loss).__name__,
            "penalties": ", ".join(type(p).__name__ for p in gan.penalties) or "none",
            **optimizers,
            "average": f"decay {self.average.decay}" if self.average else "none",
            "batch_size": str(minibatches.batch_size),
            "critic_steps": str(self.critic_steps),
            "data": _identity(minibatches.source),
            **({"callbacks": self._watchers_in_words()} if self.watchers else {}),
        }

    def _watchers_in_words(self):
        return ", ".join(type(watcher).__name__ for watcher in self.watchers)


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
    """Bytes that are others for a distribution with other arrays, numbers or words in it."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value)
    if isinstance(value, str | int | float | tuple | np.generic):
        return repr(value).encode()
    parts = sorted(getattr(value, "__dict__", {}).items())
    return b"".join(name.encode() + bytes(_content(part)) for name, part in parts)


# -- saving ----------------------------------------------------------------------------------------


def save(path, run):
    """Writes the run's state to `path`; what was there is kept as name.previous.

    Raises FloatingPointError, and writes nothing, if the state holds a number that is not finite,
    so that the last good checkpoint stays; OSError, naming the file, if it cannot be written.
    """
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
    """[(name, part)] of the layers and penalties, whose numbers may be changed between steps."""
    layers = [(f"{n}/{p}", layer) for n, net in run.networks.items() for p, layer in walk(net)]
    return layers + [(f"penalty {i}", part) for i, part in enumerate(run.gan.penalties)]


def _settings(part):
    return {name: value for name, value in vars(part).items() if type(value) is float}


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

    Raises FileNotFoundError if there is no such file; ValueError, with nothing changed, for one
    that is torn, foreign, of another version or of another run: it names the file, what was
    expected and what came.
    """
    file = archive.Archive(path)
    try:
        put_back = list(_read(file, run))
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise file.refusal(f"expected a complete header, {error!r}") from error
    for action in put_back:
        action()


def _read(file, run):
    """Reads and checks everything; yields what is to be done once all of it was found good."""
    header = file.header
    _compare_fingerprints(file, header["fingerprint"], run.fingerprint)
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
        yield partial(vars(optimizer).update, state)
    for name, part in _adjustable(run):
        kept = header["settings"][name]
        settings = {k: _number(file, k, kept[k], low=-np.inf) for k in _settings(part)}
        yield partial(vars(part).update, settings)
    for name, rng in run.generators.items():
        _try_random(file, name, rng, header["random"][name])
        yield partial(setattr, rng.bit_generator, "state", header["random"][name])
    if run.average:
        average = _count(file, "average", header["average"])
        yield partial(setattr, run.average, "steps", average)
    yield partial(setattr, run.minibatches, "position", _read_position(file, run.minibatches))
    rates = [_number(file, "rate", rate) for rate in header["rates"]]
    if len(rates) != len(run.rates):
        raise file.refusal(f"expected {len(run.rates)} learning rates, got {len(rates)}")
    yield partial(run.rates.__setitem__, slice(None), rates)
    yield partial(run.history.restore, _read_history(file, run.history))
    for i, watcher in enumerate(run.watchers):
        read = partial(_read_seen, file, i)
        yield watcher.restoring(header["callbacks"][i], read)
    if run.stop is not None and header["plateau"]:
        yield partial(run.stop.restore, file.array("plateau", (None, 2), np.float64))


def _compare_fingerprints(file, found, expected):
    for name, value in expected.items():
        if found.get(name) != value:
            raise file.refusal(
                f"it is of another run: expected {name} {value}, got {found.get(name)}"
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
    """What a callback has seen need not be finite: it may be there to see what goes wrong."""
    return file.array(f"callback {i}/{name}", shape, dtype, finite=False)


def _try_random(file, name, rng, state):
    """Tries the state on another generator of that kind first: it may be no state at all."""
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
