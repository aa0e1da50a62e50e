"""Any step of a training run, repeated and written out as a ledger.

    run = mg.ledger.Replay(gan, data, steps=3000, batch_size=128, rng=0, checkpoint="run.npz")
    run.ledger(1500).to_html("step_1500.html")

A run is a program: networks, data, options and seeds. Repeating it gives the same bits, so each of
its steps can still be looked at.
"""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ..._archive import previous
from ..._checks import Count, FilePath, Functions, Seed, Source, checked
from ...data.minibatches import Minibatches
from ...gan import GAN
from ...training import checkpoint as checkpoints
from ...training.averaging import Average
from ...training.fingerprint import describe_schedule
from ...training.history import History
from ...training.loop import next_minibatch, take_step
from ...training.plateau import Plateau
from ...training.run import Run, learning_rates
from ...training.schedules import Schedule
from .ledger import Ledger
from .record import record

Within = Callable[[], AbstractContextManager[Any]]


class Replay:
    """A training run, repeated step by step, with the same bits.

    Parameters
    ----------
    gan, data, steps, batch_size, critic_steps, average, schedule, stop, callback, rng
        What `minigan.train` was given, made anew as the program made it. The gan is trained.
    checkpoint : path, optional
        The file of the run. Every repeated step is compared with its figures there, and a run of
        another game, of other options or seeds is refused. The replay begins from the state in the
        file, or in its name.previous, where that is before the step; otherwise, from the seed. The
        files are left as they are.
    within : a function that returns a context manager, optional
        Each step is done inside it: a bug of `minigan.bugs`, or `use_backend`.

    Raises
    ------
    ValueError : for a checkpoint of another run, naming every difference, as `checkpoint.load` does
    """

    @checked
    def __init__(
        self,
        gan: GAN,
        data: Source,
        *,
        steps: Count,
        batch_size: Count = 64,
        critic_steps: Count = 1,
        average: Average | None = None,
        schedule: Schedule | None = None,
        stop: Plateau | None = None,
        callback: Functions = None,
        rng: Seed = 0,
        checkpoint: FilePath | None = None,
        within: Within = contextlib.nullcontext,
    ) -> None:
        self.steps, self.schedule, self.within = steps, schedule, within
        self.callbacks: list[Any] = callback  # type: ignore[assignment]  # as `checked` makes them
        self.run = Run(
            gan,
            Minibatches(data, batch_size, rng=rng),
            critic_steps,
            History(),
            rates=learning_rates(gan),
            average=average,
            stop=stop,
            watchers=tuple(each for each in self.callbacks if hasattr(each, "restoring")),
            schedule=describe_schedule(schedule),
        )
        self.run.begin_watching()
        self.checkpoint, self.recorded = checkpoint, History()
        if checkpoint is not None:
            self.recorded = checkpoints.recorded_history(checkpoint, self.run)

    def __repr__(self) -> str:
        return f"<Replay of {self.steps:,} steps, {self.done:,} of them done>"

    @property
    def gan(self) -> GAN:
        return self.run.gan

    @property
    def done(self) -> int:
        """The number of steps done so far."""
        return len(self.run.history)

    @property
    def over(self) -> bool:
        return self.done == self.steps or self.run.converged

    def ledger(self, step: int) -> Ledger:
        """The ledger of that step, from the state in which the step began; then takes the step.

        step : from 1 to the number of steps, after those that were done already

        Raises ValueError for a step outside the run, or one that was done already.
        """
        self._check_step(step)
        if not self.done:
            self._begin_from_file(step)
        while self.done < step - 1 and not self.over:
            self.take(self.minibatch())
        if self.over:
            raise ValueError(
                f"Replay.ledger: step must be one of the run, which ended at step {self.done}, "
                f"got {step}"
            )
        real = self.minibatch()
        with self.within():
            ledger = record(self.gan, real)
        self.take(real)
        return ledger

    def minibatch(self) -> np.ndarray:
        """The minibatch of the next step of both players, after the discriminator's extra ones."""
        with self.within():
            return next_minibatch(self.run, self.steps, self.schedule)

    def take(self, real: np.ndarray) -> dict[str, float]:
        """The next step, on its minibatch. Returns its figures, once they are those in the file."""
        with self.within():
            step, figures = take_step(self.run, real, self.callbacks)
        for name, figure in figures.items() if step <= len(self.recorded) else ():
            was = self.recorded.columns[name][step - 1]
            if figure != was:
                raise ValueError(
                    f"{self.checkpoint}: it is of another run: in its step {step}, {name} was "
                    f"{was!r}, here it is {figure!r}"
                )
        return figures

    def _check_step(self, step):
        if isinstance(step, bool) or not isinstance(step, int | np.integer):
            raise TypeError(f"Replay.ledger: step must be an integer, got {step!r}")
        if not 1 <= step <= self.steps:
            raise ValueError(
                f"Replay.ledger: step must be one of the run, from 1 to {self.steps}, got {step}"
            )
        if step <= self.done:
            raise ValueError(
                f"Replay.ledger: step must be after the {self.done} steps that were done already, "
                f"got {step}; make a new Replay to go back"
            )

    def _begin_from_file(self, step):
        """Loads the file or the one before it, if its state is before the step."""
        if self.checkpoint is None:
            return
        for path in (self.checkpoint, previous(self.checkpoint)):
            if path.is_file() and len(checkpoints.recorded_history(path, self.run)) < step:
                checkpoints.load(path, self.run)
                return
