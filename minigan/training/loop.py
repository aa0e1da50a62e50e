"""Training: repeat the step of both players (step 7 in `minigan.gan`).

`training_steps` is the loop. `train` checks the arguments and adds what a long run needs around
it: checkpoints, resuming, the progress bar, and a clean end after Ctrl-C.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .. import _interrupts as interrupts
from .._checks import Changes, Count, FilePath, Functions, Seed, Source, checked
from .._progress import Bar, say
from .._random import RandomStates
from ..data.minibatches import Minibatches
from ..gan import GAN
from ..observe.diagnosis import diagnose
from ..observe.not_finite import first_not_finite
from ..observe.watch import Vitals
from . import checkpoint as checkpoints
from .averaging import Average
from .fingerprint import describe_schedule
from .history import History
from .plateau import Plateau
from .resuming import begin, remembered_options
from .run import Run, learning_rates
from .schedules import Schedule, constant, rate_factor

Figures = dict[str, float]
Callback = Callable[[int, GAN, Figures], object]  # called as callback(step, gan, figures)


@checked
def train(
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
    progress: bool = True,
    rng: Seed = 0,
    checkpoint: FilePath | None = None,
    checkpoint_every: Count = 1000,
    resume: bool = False,
    changes: Changes = (),
) -> History:
    """Repeats `gan.train_step` on minibatches of `data`, `steps` times.

    Parameters
    ----------
    data : an array (M, ...) of samples, or an object with `.sample(n, rng)`
    critic_steps : updates of the discriminator for each update of the generator
    average : an `Average` of the generator, updated after each step
    schedule : t in [0, 1] -> a factor for both learning rates (see `schedules`); when training ends
        the optimizers have their own rates again
    stop : a `Plateau`: ends training once its measurement no longer improves
    callback : called after each step as callback(step, gan, figures), step = 1, 2, ...; or a list
        of such functions. The records of `minigan.watch` are saved in the checkpoint too; with
        "callbacks" among the changes, all of them begin anew
    progress : show a progress bar with both losses and both gradient norms and, where one of the
        callbacks is a `minigan.watch.Vitals`, the diagnosis at the end
    rng : a Generator or a seed, for the minibatches
    checkpoint : a file for the state of the run, written before the first step (so that a folder
        without permission is noticed at once), every `checkpoint_every` steps and at the end; an
        existing file is overwritten
    resume : continue from that file, with the same bits as an uninterrupted run. `steps` is the
        total and may be raised; a schedule is stretched over the new total
    changes : what may differ from the run in the file, by the names that the error uses:
        changes=["generator_optimizer.lr", "penalties[0].gamma"] continues with the new learning
        rate and gamma. Any other difference in an option, a seed or the data is an error

    Returns
    -------
    The History. With a checkpoint, Ctrl-C ends training after the present step, saves, says how to
    continue, and returns with history.interrupted True; a second Ctrl-C raises KeyboardInterrupt
    at once. Without a checkpoint, KeyboardInterrupt is raised after the present step.

    Raises
    ------
    FloatingPointError : at the first loss or gradient norm that is not finite; the message names
        it, the step, the first tensor that is not finite, a likely cause and the last checkpoint
    ValueError : as `checkpoint.load` does, for a file of another run, with nothing changed; for an
        average of another network or a callback made for another GAN; for a `Plateau` that has
        ended a training before
    """
    if stop is not None and stop.over and not resume:
        raise ValueError(
            f"train: stop must be a new Plateau, got {stop!r}, which has ended a training before"
        )
    minibatches = Minibatches(data, batch_size, rng=rng)
    path, callbacks = checkpoint, callback
    run = Run(
        gan,
        minibatches,
        critic_steps,
        History(),
        rates=learning_rates(gan),
        average=average,
        stop=stop,
        watchers=tuple(callback for callback in callbacks if hasattr(callback, "restoring")),
        schedule=None if path is None else describe_schedule(schedule),
        changes=tuple(changes),
    )
    begin(run, path, resume)
    if resume and len(run.history) >= steps and progress:
        say(f"{path} has {len(run.history):,} steps already; `steps` is the total.")
    bar = Bar(steps, initial=len(run.history), unit="step", show=progress)
    rates = _own_rates(run, schedule)
    with remembered_options(run, path), rates, bar, interrupts.held() as interrupted:
        for step, figures in training_steps(run, steps, schedule, callbacks, path):
            if step % 20 == 0 or step == steps:
                bar.figures(_figures_in_words(figures), _losses_in_words(figures))
            bar.update()
            ended = step == steps or interrupted or run.converged
            if path is not None and (ended or step % checkpoint_every == 0):
                checkpoints.save(path, run)
            if interrupted and path is None:
                raise KeyboardInterrupt(f"step {step} was finished; there is no checkpoint")
            if ended:
                break
    _note_the_end(run, steps, bool(interrupted), path)
    for vitals in callbacks if progress else ():
        if isinstance(vitals, Vitals) and vitals.steps:
            say(f"\n{diagnose(vitals)}\n")
    return run.history


def training_steps(
    run: Run,
    steps: int,
    schedule: Schedule | None,
    callbacks: list[Callback],
    path: Path | None = None,
) -> Iterator[tuple[int, Figures]]:
    """The loop: yields (step, figures) after each step of training."""
    while len(run.history) < steps and not run.converged:
        real = next_minibatch(run, steps, schedule, path)
        yield take_step(run, real, callbacks, path)


def next_minibatch(
    run: Run, steps: int, schedule: Schedule | None, path: Path | None = None
) -> np.ndarray:
    """The minibatch of the next step of both players, after the discriminator's extra updates."""
    step = len(run.history) + 1
    _set_learning_rates(run, schedule, (step - 1) / max(1, steps - 1))
    for _ in range(run.critic_steps - 1):
        _update(run.gan, run.gan.discriminator_step, run.minibatches.next(), step, path)
    return run.minibatches.next()


def take_step(
    run: Run, real: np.ndarray, callbacks: list[Callback], path: Path | None = None
) -> tuple[int, Figures]:
    """One step of both players, and all that follows it; returns (step, figures)."""
    step = len(run.history) + 1
    figures = _update(run.gan, run.gan.train_step, real, step, path)
    run.history.append(step, figures)
    if run.average is not None:
        run.average.update()
    for callback in callbacks:
        callback(step, run.gan, figures)
    if run.stop is not None:
        run.stop.reached(step, run.gan)
    return step, figures


def _set_learning_rates(run: Run, schedule: Schedule | None, t: float) -> None:
    if schedule is not None:
        factor = rate_factor(schedule, t)
        for optimizer, rate in zip(run.optimizers.values(), run.rates):
            optimizer.lr = rate * factor


@contextlib.contextmanager
def _own_rates(run: Run, schedule: Schedule | None) -> Iterator[None]:
    """On leaving the `with` block, gives the optimizers back the rates that a schedule multiplies:
    the next training would multiply what the last step of this one has left, which may be 0."""
    try:
        yield
    finally:
        if schedule is not None:
            _set_learning_rates(run, constant(), 1.0)


def _update(
    gan: GAN,
    update: Callable[[np.ndarray], Figures],
    real: np.ndarray,
    step: int,
    path: Path | None,
) -> Figures:
    """update(real). If a figure is not finite, the random generators are restored to their
    states before it, so that the failure can be examined with the same draws."""
    before = RandomStates(*gan.rngs)
    try:
        with np.errstate(under="ignore"):  # an underflow to zero is no error
            return update(real)
    except FloatingPointError as error:
        before.restore()
        raise FloatingPointError(_explain(gan, real, step, error, path)) from None


def _explain(gan: GAN, real: np.ndarray, step: int, error: Exception, path: Path | None) -> str:
    """What was not finite, where it was first, a likely cause, and the last checkpoint."""
    what, cause = first_not_finite(gan, real)
    words = f"step {step}: {error}"
    words += f"; first not finite: {what}" if what else ""
    words += f"; {cause}"
    return words + (f"; the last good checkpoint is {path}" if path else "")


def _note_the_end(run: Run, steps: int, interrupted: bool, path: Path | None) -> None:
    """Notes in the history why training ended, and says how to continue after a Ctrl-C."""
    history = run.history
    history.interrupted = interrupted
    if run.converged:
        history.stopped = f"converged at step {len(history)}: {run.stop}"
    elif interrupted and len(history) < steps:
        history.stopped = f"interrupted at step {len(history)}"
        say(f"Stopped at step {len(history):,}; {path} has it: resume=True (--resume) goes on.")


def _losses_in_words(figures: Figures) -> str:
    return f"L_D {figures['discriminator_loss']:.2f} L_G {figures['generator_loss']:.2f}"


def _figures_in_words(figures: Figures) -> str:
    return (
        f"L_D {figures['discriminator_loss']:.3f}  L_G {figures['generator_loss']:.3f}  "
        f"|grad D| {figures['discriminator_gradient_norm']:.3f}  "
        f"|grad G| {figures['generator_gradient_norm']:.3f}"
    )
