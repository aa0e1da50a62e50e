"""The parts of a training run, and the options by which a checkpoint recognises it."""

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from .._checks import shown
from ..data.minibatches import Minibatches
from ..gan import GAN
from ..layers.composite import walk
from ..network import Sequential
from .averaging import Average
from .fingerprint import (
    describe_data,
    describe_optimizer,
    describe_part,
    describe_seed,
    inner_losses,
    rate_name,
    rng_name,
    settings,
)
from .history import History
from .plateau import Plateau


def learning_rates(gan: GAN) -> list[float]:
    """The learning rates of G and D. Raises TypeError or ValueError for an optimizer of one's own
    whose lr is no number >= 0, or that has none."""
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    for player, optimizer in zip(("generator", "discriminator"), optimizers):
        if not hasattr(optimizer, "lr"):
            raise TypeError(
                f"train: {player}_optimizer must have a learning rate, lr, got {shown(optimizer)}"
            )
        number = isinstance(optimizer.lr, Real)
        if not number or not optimizer.lr >= 0:
            raise (ValueError if number else TypeError)(
                f"train: {player}_optimizer.lr must be a number >= 0, got {shown(optimizer.lr)}"
            )
    return [optimizer.lr for optimizer in optimizers]


@dataclass
class Run:
    """The parts of one training run.

    rates     : the learning rates that a schedule multiplies
    watchers  : callbacks whose records are saved: they have `state` and `restoring`, and may have
                `begin`, called before the first step
    schedule  : its description; None if it is not compared
    changes   : names in the fingerprint that may differ from the file's
    """

    gan: GAN
    minibatches: Minibatches
    critic_steps: int
    history: History
    rates: list[float]
    average: Average | None = None
    stop: Plateau | None = None
    watchers: tuple[Any, ...] = ()
    schedule: str | None = None
    changes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.average is not None and self.average.followed is not self.gan.generator:
            raise ValueError(
                f"train: average must follow gan.generator, got {self.average} of another network"
            )
        for watcher in self.watchers:
            if getattr(watcher, "gan", self.gan) is not self.gan:
                raise ValueError(
                    "train: callback must be made for gan, got a "
                    f"{type(watcher).__name__} that was made for another GAN"
                )

    def begin_watching(self) -> None:
        """Tells the watchers that a training begins, with the networks as they are now."""
        for watcher in self.watchers:
            if hasattr(watcher, "begin"):
                watcher.begin()

    @property
    def converged(self) -> bool:
        return self.stop is not None and self.stop.over

    @property
    def networks(self) -> dict[str, Sequential]:
        players = {"generator": self.gan.generator, "discriminator": self.gan.discriminator}
        return players | ({"average": self.average.network} if self.average else {})

    @property
    def optimizers(self) -> dict[str, Any]:
        return {
            "generator": self.gan.generator_optimizer,
            "discriminator": self.gan.discriminator_optimizer,
        }

    @property
    def generators(self) -> dict[str, np.random.Generator]:
        """The random generators of the run by name; two names may share one generator."""
        of_networks = {name: network.rng for name, network in self.networks.items()}
        return {"gan": self.gan.rng, "minibatches": self.minibatches.rng, **of_networks}

    @property
    def options(self) -> dict[str, str]:
        """What must be the same when the run is resumed, as it is now; without the data."""
        gan = self.gan
        found = {"generator": repr(gan.generator), "discriminator": repr(gan.discriminator)}
        found["latent_dim"] = str(gan.latent_dim)
        found["step"] = getattr(gan, "steps_of", type(gan)).__name__
        found["loss"] = describe_part(gan.loss)
        found["penalties"] = ", ".join(map(describe_part, gan.penalties)) or "none"
        for name, optimizer in self.optimizers.items():
            found[f"{name} optimizer"] = describe_optimizer(optimizer)
        found["average"] = f"decay {self.average.decay}" if self.average else "none"
        found["batch_size"] = str(self.minibatches.batch_size)
        found["critic_steps"] = str(self.critic_steps)
        found["callbacks"] = ", ".join(type(w).__name__ for w in self.watchers) or "none"
        if self.schedule is not None:
            found["schedule"] = self.schedule
        for name, rate in zip(self.optimizers, self.rates):
            found[rate_name(name)] = repr(float(rate))
        for name, part in self.adjustable_parts():
            if not name.startswith("average/"):  # a copy of the generator
                found |= {f"{name}.{key}": repr(value) for key, value in settings(part).items()}
        for name, rng in self.generators.items():
            if name != "average" and (seed := describe_seed(rng)) is not None:
                found[rng_name(name)] = seed
        return found

    @cached_property
    def fingerprint(self) -> dict[str, str]:
        """`options` and the data, as they were when this was first read."""
        return self.options | {"data": describe_data(self.minibatches.source)}

    def adjustable_parts(self) -> list[tuple[str, Any]]:
        """[(name, part)] of what has numbers that may be changed between steps (see `settings`):
        layers, penalties, the loss and the losses inside it."""
        found = [
            (f"{player}/{prefix.rstrip('.')}", layer)
            for player, network in self.networks.items()
            for prefix, layer in walk(network)
        ]
        found += [(f"penalties[{i}]", part) for i, part in enumerate(self.gan.penalties)]
        losses = [("loss", self.gan.loss)]
        for name, loss in losses:  # grows while it is read
            losses += [(f"{name}.{inside}", inner) for inside, inner in inner_losses(loss)]
        return found + losses
