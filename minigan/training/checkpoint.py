"""Checkpoints: the state of a training run, saved and restored to the last bit.

    both networks   theta; the buffers (running statistics, spectral vectors, Fourier frequencies)
    the optimizers  their moments, their counts of steps, their learning rates
    the settings    of layers and penalties, which a callback may have changed (noise, gamma)
    the average     its theta, its buffers, its count of steps
    random numbers  the states of the random generators of the GAN, the networks, the minibatches
    the data        which samples of this epoch are still to come
    the record      the History, whose length is the place in a schedule; a Plateau's measurements;
                    the records of callbacks with `state` and `restoring` (`minigan.watch`)

So N steps, `save`, `load` in another process and N steps more give the same bits as 2 N steps. The
architecture, the data and the options are not saved, since the program makes them anew. A
fingerprint of them is, as they were when training began (a schedule or a callback may change some
later): a checkpoint of another run is refused, and the error names every difference with both
values. `run` has the fingerprint, `_archive` the format of the file.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from .. import _archive as archive
from .. import _checks as checks
from .._random import bits_in_state
from ..layers import SpectralNorm
from ..layers.composite import walk
from .fingerprint import describe_schedule, numbers_to_keep, rate_name, rng_name
from .history import History
from .run import Run

__all__ = ["Run", "load", "save"]

STATEFUL = "average", "generator optimizer", "discriminator optimizer"  # among a run's options

# -- saving ----------------------------------------------------------------------------------------


def save(path: str | Path, run: Run) -> None:
    """Writes the run's state to `path`; what was there is kept as name.previous.

    Raises FloatingPointError, and writes nothing, if the state holds a number that is not finite,
    so that the last good checkpoint stays; OSError, naming the file, if it cannot be written.
    """
    path = checks.path("checkpoint.save", "path", path)
    fingerprint, step = run.fingerprint, len(run.history)
    arrays = state_arrays(run)
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
    records = [watcher.state() for watcher in run.watchers]
    for i, (_, kept) in enumerate(records):
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
        "settings": {name: numbers_to_keep(part) for name, part in run.adjustable_parts()},
        "callbacks": [facts for facts, _ in records],
    }
    archive.write(path, header, arrays | series)


def state_arrays(run: Run) -> dict[str, np.ndarray]:
    """name -> array, of the arrays whose shapes follow from the architecture."""
    arrays = {}
    for name, network in run.networks.items():
        arrays[f"{name}/theta"] = network.theta
        arrays |= {f"{name}/{buffer}": value for buffer, value in network.named_buffers()}
    for name, optimizer in run.optimizers.items():
        if optimizer.steps:
            arrays |= {f"{name}/optimizer/{m}": getattr(optimizer, m) for m in optimizer.moments}
    return arrays


def _spectral(run: Run) -> list[tuple[str, SpectralNorm]]:
    """[(name, layer)] of the SpectralNorm layers."""
    return [
        (f"{name}/{prefix}", layer)
        for name, network in run.networks.items()
        for prefix, layer in walk(network)
        if isinstance(layer, SpectralNorm)
    ]


def _iterated(layer: SpectralNorm) -> bool:
    """Whether the power iteration has been done for the present weight."""
    weight = layer.children["layer"].params["weight"]
    return layer.iterated_on is not None and np.array_equal(layer.iterated_on, weight)


# -- loading ---------------------------------------------------------------------------------------


def load(path: str | Path, run: Run) -> None:
    """Restores the state at `path` in a run of the same architecture, data and options.

    An option named in `run.changes` may differ; it keeps the run's value.

    Raises FileNotFoundError if there is no such file; ValueError, with nothing changed, for a file
    that is damaged, of another kind, of another version or of another run. The message names the
    file, what was expected and what was found.
    """
    file = archive.Archive(checks.path("checkpoint.load", "path", path))
    try:
        actions = list(_read(file, run))
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise file.refusal(f"expected a complete header, {error!r}") from error
    for action in actions:
        action()


def recorded_history(path: str | Path, run: Run) -> History:
    """The History of the run at `path`, up to where it was saved. Raises as `load` does."""
    file, history = archive.Archive(path), History()
    try:
        _compare_fingerprints(file, file.header["fingerprint"], run)
        history.restore(_read_history(file, history))
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise file.refusal(f"expected a complete header, {error!r}") from error
    return history


def _read(file: archive.Archive, run: Run) -> Iterator[Callable[[], object]]:
    """Reads and checks everything; yields the assignments to make once all checks have passed."""
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
    rates = [_checked(file, checks.not_negative, "rate", rate) for rate in header["rates"]]
    if len(rates) != len(run.rates):
        raise file.refusal(f"expected {len(run.rates)} learning rates, got {len(rates)}")
    for rate, (name, optimizer) in zip(rates, run.optimizers.items()):
        state = _read_optimizer(file, name, optimizer, run.networks[name].theta)
        if rate_name(name) in changes:
            del state["lr"]
        elif "schedule" in changes and run.schedule == describe_schedule(None):
            state["lr"] = rate  # without the factor that the schedule of the file had reached
        yield partial(vars(optimizer).update, state)
    options = [name.rpartition(".") for name in header["fingerprint"] if name not in changes]
    for name, part in run.adjustable_parts():
        owner = name.replace("average/", "generator/")
        keys = [key for of, _, key in options if of == owner and hasattr(part, key)]
        kept = {
            key: _checked(file, checks.finite, key, header["settings"][name][key]) for key in keys
        }
        yield partial(getattr(part, "__dict__", {}).update, kept)
    for name, rng in run.generators.items():
        _try_random(file, name, rng, header["random"][name])
        if rng_name(name) not in changes:
            yield partial(setattr, rng.bit_generator, "state", header["random"][name])
    if run.average:
        average = _checked(file, checks.at_least_zero, "average", header["average"])
        yield partial(setattr, run.average, "steps", average)
    if "data" not in changes:  # other data begin with an epoch of their own
        yield partial(setattr, run.minibatches, "position", _read_position(file, run.minibatches))
    for i, name in enumerate(run.optimizers):
        if rate_name(name) not in changes:
            yield partial(run.rates.__setitem__, i, rates[i])
    yield partial(run.history.restore, _read_history(file, run.history))
    yield run.begin_watching
    for i, watcher in enumerate(() if "callbacks" in changes else run.watchers):
        yield _restoring(file, watcher, i)
    if run.stop is not None and header["plateau"]:
        yield partial(run.stop.restore, file.array("plateau", (None, 2), np.float64))


def _compare_fingerprints(file: archive.Archive, found: dict[str, str], run: Run) -> None:
    expected = run.fingerprint
    unknown = [name for name in run.changes if name not in expected]
    if unknown:
        raise ValueError(
            f"changes: there is no {', '.join(unknown)}; there are: {', '.join(expected)}"
        )
    if not all(rate_name(name) in found for name in run.optimizers):
        raise file.refusal("expected the options of its run, but an earlier minigan kept none")
    names = [name for name in expected if name not in run.changes]
    seeds = {rng_name(name) for name in run.generators}  # a seed may be unknown on either side
    differ = [n for n in names if found.get(n) != expected[n] and (n in found or n not in seeds)]
    stateless = [name for name in STATEFUL if _of_another_kind(name, expected, found)]
    if differ:
        words = [f"expected {n} {expected[n]}, got {found.get(n)}" for n in differ]
        advice = "" if stateless else f"; changes={differ!r} would go on with what was given"
        raise file.refusal(
            f"it is of another run: {'; '.join(words)}. Expected is what this run was given, got "
            f"what the file has{advice}"
        )
    for name in stateless:
        raise file.refusal(
            f"it has no state for this {name}: expected {expected[name]}, got {found[name]}"
        )


def _of_another_kind(name: str, expected: dict[str, str], found: dict[str, str]) -> bool:
    """Whether the state of a part, such as an optimizer's moments, is not what the file has."""
    kinds = [options[name].partition("(")[0].split()[0] for options in (expected, found)]
    return kinds[0] not in ("none", kinds[1])


def _read_optimizer(file, name, optimizer, theta):
    kept = file.header["optimizers"][name]
    lr = _checked(file, checks.not_negative, "lr", kept["lr"])
    steps = _checked(file, checks.at_least_zero, "steps", kept["steps"])
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
    step = _checked(file, checks.at_least_zero, "step", file.header["step"])
    names = file.header["columns"]
    if step and "step" not in names:
        raise file.refusal(f"expected the history of {step} steps, got none")
    return {name: file.array(f"history/{name}", (step,), history.dtype(name)) for name in names}


def _restoring(file, watcher, i):
    """What restores a callback's record."""
    try:
        return watcher.restoring(file.header["callbacks"][i], partial(_read_record, file, i))
    except ValueError as error:
        if str(file.path) in str(error):
            raise
        raise file.refusal(str(error)) from error


def _read_record(file, i, name, shape, dtype):
    """An array of a callback's record; not necessarily finite, as it may record a divergence."""
    return file.array(f"callback {i}/{name}", shape, dtype, finite=False)


def _try_random(file, name, rng, state):
    """Tries the state on a new generator of the same kind, as the file may hold something else."""
    try:
        bits_in_state(type(rng.bit_generator), state)
    except ValueError as error:
        raise file.refusal(f"{name}'s random generator: {error}") from error


def _mark(layer, done):
    layer.iterated_on = layer.children["layer"].params["weight"].copy() if done else None


def _checked(file, rule, name, value):
    """A number of the header, by a rule of `_checks`."""
    try:
        return rule("header", name, value)
    except (TypeError, ValueError) as error:
        raise file.refusal(str(error)) from error
