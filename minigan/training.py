"""Step 7 of the game: repeat until converged."""

import contextlib
import math
import numbers
import signal
import threading
from array import array

import numpy as np
from tqdm import tqdm

from . import archive, checks
from . import checkpoint as checkpoints
from .averaging import Average
from .chance import Bookmark
from .data.minibatches import Minibatches
from .diagnosis import diagnose
from .gan import GAN, check_finite
from .layers.base import positive_int, real_number
from .not_finite import first_not_finite
from .watch import Vitals


def train(
    gan,
    data,
    *,
    steps,
    batch_size=64,
    critic_steps=1,
    average=None,
    schedule=None,
    stop=None,
    callback=None,
    progress=True,
    rng=0,
    checkpoint=None,
    checkpoint_every=1000,
    resume=False,
):
    """Repeats `gan.train_step` on minibatches of `data`, until there have been `steps` of them.

    data         : an array (M, ...), or an object with `.sample(n, rng)`
    critic_steps : updates of the discriminator for each one of the generator
    average      : an `Average` of the generator, updated after each step
    schedule     : t in [0, 1] -> a factor for both learning rates (see `schedules`)
    stop         : a `Plateau`: ends the training once its measure has stopped improving
    callback     : called after each step as callback(step, gan, figures), step = 1, 2, ...; or a
                   list of such. What those of `minigan.watch` have seen is kept in the checkpoint
    progress     : show a progress bar with both losses and both gradient norms; at the end the
                   diagnosis, where one of the callbacks is a `minigan.watch.Vitals`
    rng          : a numpy Generator or a seed: draws the minibatches
    checkpoint   : a file to keep the run in: written before the first step (so that a folder that
                   cannot be written is known at once), every `checkpoint_every` steps, at the end;
                   what another run left there is overwritten
    resume       : go on from that file, to the last bit as if there had been no break. `steps` is
                   the total, and may be raised; a schedule stretches over the new total

    Returns the History. With a checkpoint, Ctrl-C ends the training after the step it is in, saves,
    says how to go on, and returns too (a second one raises KeyboardInterrupt at once).

    Raises FloatingPointError at the first loss or gradient norm that is not finite: it names it,
    the step, the first tensor that is not finite, a likely cause and the last good checkpoint.
    Raises what `checkpoint.load` does for a file that is not of this run, nothing changed.
    """
    callbacks = _as_list(callback)
    _check_parts(gan, average, stop, schedule, callbacks)
    steps = positive_int("train", "steps", steps)
    critic_steps = positive_int("train", "critic_steps", critic_steps)
    checkpoint_every = positive_int("train", "checkpoint_every", checkpoint_every)
    progress = checks.flag("train", "progress", progress)
    resume = checks.flag("train", "resume", resume)
    minibatches = Minibatches(data, batch_size, rng=rng)
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    history = History()
    run = checkpoints.Run(
        gan, minibatches, critic_steps, history, [o.lr for o in optimizers], average, stop,
        tuple(callback for callback in callbacks if hasattr(callback, "restoring")),
    )  # fmt: skip
    path = None if checkpoint is None else archive.as_path("train", checkpoint)
    if resume:
        if path is None:
            raise ValueError("train: resume=True needs checkpoint, the file to go on from")
        checkpoints.load(path, run)
    elif path is not None:
        checkpoints.save(path, run)

    bar = tqdm(
        total=steps, initial=len(history), disable=not progress, unit="step", dynamic_ncols=True
    )
    with bar, _held_interrupts(path is not None) as interrupts:

        def ended():
            return len(history) >= steps or interrupts or (stop is not None and stop.over)

        while not ended():
            step = len(history) + 1
            if schedule is not None:
                factor = schedule((step - 1) / max(1, steps - 1))
                factor = real_number("train", "schedule(t)", factor, low=0)
                for optimizer, rate in zip(optimizers, run.rates):
                    optimizer.lr = rate * factor
            figures = _one_step(gan, minibatches, critic_steps, step, path)
            history.append(step, figures)
            if average is not None:
                average.update()
            for each in callbacks:
                each(step, gan, figures)
            if step % 20 == 0 or step == steps:
                bar.set_postfix_str(_figures_in_words(figures), refresh=False)
            bar.update()
            if stop is not None:
                stop.reached(step, gan)
            if path is not None and (step % checkpoint_every == 0 or ended()):
                checkpoints.save(path, run)
    if stop is not None and stop.over:
        history.stopped = f"converged at step {len(history)}: {stop}"
    elif interrupts and len(history) < steps:
        history.stopped = f"interrupted at step {len(history)}"
        print(f"Stopped at step {len(history):,}; {path} has it: resume=True (--resume) goes on.")
    for vitals in callbacks if progress else ():
        if isinstance(vitals, Vitals) and vitals.steps:
            print(f"\n{diagnose(vitals)}\n")
    return history


def _as_list(callback):
    if callback is None:
        return []
    return list(callback) if isinstance(callback, tuple | list) else [callback]


def _check_parts(gan, average, stop, schedule, callbacks):
    checks.instance("train", "gan", gan, GAN)
    for name, part, kind in (("average", average, Average), ("stop", stop, Plateau)):
        if part is not None:
            checks.instance("train", name, part, kind)
    if schedule is not None:
        checks.function("train", "schedule", schedule)
    for callback in callbacks:
        checks.function("train", "callback", callback)


def _one_step(gan, minibatches, critic_steps, step, path):
    """The critic's extra updates and the step of both; its figures, every one of them finite."""
    updates = [gan.discriminator_step] * (critic_steps - 1) + [gan.train_step]
    for update in updates:
        real, before = minibatches.next(), Bookmark(*gan.rngs)
        try:
            figures = update(real)
        except FloatingPointError as error:
            before.restore()
            raise FloatingPointError(_explain(gan, real, step, error, path)) from None
    return figures


def _explain(gan, real, step, error, path):
    """The message for a step that went bad: what, where, why, and what is left."""
    what, cause = first_not_finite(gan, real)
    words = f"step {step}: {error}"
    words += f"; first not finite: {what}" if what else ""
    words += f"; {cause}"
    return words + (f"; the last good checkpoint is {path}" if path else "")


@contextlib.contextmanager
def _held_interrupts(hold):
    """For the length of a `with`, the first Ctrl-C is only noted, in the list that this yields: a
    step half done, one player moved and the other not, could not be saved. A second one raises.

    A program's own handler is left in place, and so is a thread's (it never sees a Ctrl-C).
    """
    noted = []

    def note(*_):
        if noted:
            raise KeyboardInterrupt
        noted.append(True)

    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not hold or not in_main_thread or before is not signal.default_int_handler:
        yield noted
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


class History:
    """The figures of every training step, as columns: history["generator_loss"] is a list.

    .columns has them as arrays of 8 bytes a number: a long run's record stays a few megabytes.
    .stopped says why training ended before its last step, if it did.
    """

    def __init__(self):
        self.columns, self.stopped = {}, None

    def append(self, step, figures):
        """Adds a row. Raises FloatingPointError for a figure that is not finite."""
        step = positive_int("History", "step", step)
        check_finite(checks.instance("History", "figures", figures, dict), f"step {step}: ")
        for name, value in {"step": step, **figures}.items():
            self.columns.setdefault(name, array(self._typecode(name))).append(value)

    @staticmethod
    def _typecode(name):
        return "q" if name == "step" else "d"

    def arrays(self):
        """The columns as NumPy arrays, which share their memory."""
        return {name: np.frombuffer(c, self.dtype(name)) for name, c in self.columns.items()}

    def dtype(self, name):
        return np.dtype(self._typecode(name))

    def restore(self, arrays):
        """Puts back what `arrays` gave."""
        self.columns = {
            name: array(self._typecode(name), values.tobytes()) for name, values in arrays.items()
        }

    def __getitem__(self, name):
        if not isinstance(name, str) or name not in self.columns:
            known = ", ".join(self.columns) or "none yet"
            raise KeyError(f"no column {checks.shown(name)}; there are: {known}")
        return self.columns[name].tolist()

    def __len__(self):
        return len(self.columns.get("step", ()))


class Plateau:
    """Convergence, measured: stop when `measure` has not improved for `patience` measurements.

    measure     : gan -> float, lower is better (a distance between its samples and held-out data;
                  the losses themselves do not tell: in a game they need not fall)
    every       : steps between measurements
    patience    : measurements without improvement that make a plateau
    improvement : the relative fall below the best value so far that counts as one
    """

    def __init__(self, measure, *, every=100, patience=5, improvement=0.01):
        self.measure = checks.function("Plateau", "measure", measure)
        self.every = positive_int("Plateau", "every", every)
        self.patience = positive_int("Plateau", "patience", patience)
        self.improvement = real_number("Plateau", "improvement", improvement, low=0)
        self.values, self.best, self.waited = [], math.inf, 0

    def reached(self, step, gan):
        """Measures if it is time to; True once the plateau is as long as the patience."""
        if positive_int("Plateau", "step", step) % self.every:
            return False
        value = self.measure(gan)
        if not isinstance(value, numbers.Real):
            raise TypeError(f"Plateau: measure must give a number, got {checks.shown(value)}")
        if not math.isfinite(value):
            raise FloatingPointError(f"step {step}: the convergence measure is {value}")
        self._judge(step, float(value))
        return self.over

    def _judge(self, step, value):
        self.values.append((step, value))
        improved = value < self.best - self.improvement * abs(self.best) or self.best == math.inf
        self.waited = 0 if improved else self.waited + 1
        self.best = min(self.best, value) if improved else self.best

    @property
    def over(self):
        """Whether the plateau is as long as the patience."""
        return self.waited >= self.patience

    def restore(self, values):
        """Judges the (step, value)s of an earlier run again, as if they had been measured now."""
        self.values, self.best, self.waited = [], math.inf, 0
        for step, value in values.tolist():
            self._judge(int(step), value)

    def __str__(self):
        return f"no better than {self.best:.4g} for {self.waited} measurements"


def _figures_in_words(figures):
    return (
        f"L_D {figures['discriminator_loss']:.3f}  L_G {figures['generator_loss']:.3f}  "
        f"|grad D| {figures['discriminator_gradient_norm']:.3f}  "
        f"|grad G| {figures['generator_gradient_norm']:.3f}"
    )
