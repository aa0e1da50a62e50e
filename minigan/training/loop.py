"""Training: repeat the step of both players until it is enough (step 7 in `minigan.gan`)."""

import contextlib
import math
import numbers
import warnings
import weakref
import zlib
from array import array

import numpy as np

from .. import _archive as archive
from .. import _checks as checks
from .. import _interrupts as interrupts
from .._progress import Bar, say
from .._random_states import RandomStates
from ..data.minibatches import Minibatches
from ..gan import GAN, check_finite
from ..layers import Sigmoid, Tanh
from ..layers.base import positive_int, real_number
from ..observe.diagnosis import diagnose
from ..observe.not_finite import first_not_finite
from ..observe.watch import Vitals
from . import checkpoint as checkpoints
from .averaging import Average

_LEFT = weakref.WeakKeyDictionary()  # GAN -> the options its training was given, and has left


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
    changes=(),
):
    """Repeats `gan.train_step` on minibatches of `data`, until there have been `steps` of them.

    data         : an array (M, ...) of samples, or an object with `.sample(n, rng)`
    critic_steps : updates of the discriminator for each one of the generator
    average      : an `Average` of the generator, updated after each step
    schedule     : t in [0, 1] -> a factor for both learning rates (see `schedules`)
    stop         : a `Plateau`: ends the training once its measure has stopped improving
    callback     : called after each step as callback(step, gan, figures), step = 1, 2, ...; or a
                   list of such. Those of `minigan.watch` have their records in the checkpoint too
    progress     : show a progress bar with both losses and both gradient norms; at the end the
                   diagnosis, where one of the callbacks is a `minigan.watch.Vitals`
    rng          : a numpy Generator or a seed: draws the minibatches
    checkpoint   : a file to keep the run in: written before the first step (so that a folder that
                   cannot be written is known at once), every `checkpoint_every` steps, at the end;
                   what another run left there is overwritten
    resume       : go on from that file, to the last bit as if there had been no break. `steps` is
                   the total, and may be raised; a schedule stretches over the new total
    changes      : what may differ from the run in the file, by the names that the error uses:
                   changes=["generator_optimizer.lr", "penalties[0].gamma"] goes on with the new
                   learning rate and gamma. Any other difference in an option, in a seed or in the
                   data is an error

    Returns the History. With a checkpoint, Ctrl-C ends the training after the step it is in, saves,
    says how to go on, and returns with history.interrupted True (a second one raises
    KeyboardInterrupt at once). Without one, it raises KeyboardInterrupt after that step.

    Raises FloatingPointError at the first loss or gradient norm that is not finite: it names it,
    the step, the first tensor that is not finite, a likely cause and the last good checkpoint.
    Raises ValueError, as `checkpoint.load` does, for a file that is not of this run, with nothing
    changed. Warns of data outside of the range of a generator that ends in Tanh or Sigmoid.
    """
    callbacks = _as_list(callback)
    _check_parts(gan, average, stop, schedule, callbacks)
    steps = positive_int("train", "steps", steps)
    critic_steps = positive_int("train", "critic_steps", critic_steps)
    checkpoint_every = positive_int("train", "checkpoint_every", checkpoint_every)
    progress = checks.flag("train", "progress", progress)
    resume = checks.flag("train", "resume", resume)
    minibatches = Minibatches(data, batch_size, rng=rng)
    _warn_of_range(gan, minibatches.source)
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    history = History()
    path = None if checkpoint is None else archive.as_path("train", "checkpoint", checkpoint)
    run = checkpoints.Run(
        gan, minibatches, critic_steps, history, [o.lr for o in optimizers], average, stop,
        tuple(callback for callback in callbacks if hasattr(callback, "restoring")),
        schedule=None if path is None else _factors(schedule), changes=_names(changes, resume),
    )  # fmt: skip
    if resume:
        if path is None:
            raise ValueError("train: resume=True needs checkpoint, the file to go on from")
        _recall(run)
        checkpoints.load(path, run)
        if len(history) >= steps and progress:
            say(f"{path} has {len(history):,} steps already; `steps` is the total.")
    elif path is not None:
        _recall(run)
        checkpoints.save(path, run)

    bar = Bar(steps, initial=len(history), unit="step", show=progress)
    with _noted(run, path), bar, interrupts.held() as interrupted:

        def ended():
            return len(history) >= steps or interrupted or (stop is not None and stop.over)

        while not ended():
            step = len(history) + 1
            if schedule is not None:
                factor = _factor(schedule, (step - 1) / max(1, steps - 1))
                for optimizer, rate in zip(optimizers, run.rates):
                    optimizer.lr = rate * factor
            figures = _one_step(gan, minibatches, critic_steps, step, path)
            history.append(step, figures)
            if average is not None:
                average.update()
            for each in callbacks:
                each(step, gan, figures)
            if step % 20 == 0 or step == steps:
                bar.figures(_figures_in_words(figures), _losses_in_words(figures))
            bar.update()
            if stop is not None:
                stop.reached(step, gan)
            if path is not None and (step % checkpoint_every == 0 or ended()):
                checkpoints.save(path, run)
            if interrupted and path is None:
                raise KeyboardInterrupt(f"step {step} was finished; there is no checkpoint")
    history.interrupted = bool(interrupted)
    if stop is not None and stop.over:
        history.stopped = f"converged at step {len(history)}: {stop}"
    elif interrupted and len(history) < steps:
        history.stopped = f"interrupted at step {len(history)}"
        say(f"Stopped at step {len(history):,}; {path} has it: resume=True (--resume) goes on.")
    for vitals in callbacks if progress else ():
        if isinstance(vitals, Vitals) and vitals.steps:
            say(f"\n{diagnose(vitals)}\n")
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


def _factor(schedule, t):
    return real_number("train", "schedule(t)", schedule(t), low=0)


def _factors(schedule):
    """A schedule in words, for a checkpoint: a function has no name that says what it computes."""
    if schedule is None:
        return "none"
    factors = [f"{_factor(schedule, i / 16):.9g}" for i in range(17)]
    checksum = zlib.crc32(" ".join(factors).encode())
    return f"of factors {', '.join(factors[::4])} at t = 0, 1/4, ..., 1, CRC {checksum:08x}"


def _names(changes, resume):
    if not isinstance(changes, tuple | list) or not all(isinstance(n, str) for n in changes):
        raise TypeError(f"train: changes must be a list of names, got {checks.shown(changes)}")
    if changes and not resume:
        raise ValueError("train: changes are from a run that is resumed; pass resume=True too")
    return tuple(changes)


def _recall(run):
    """Puts into the run's fingerprint what its parts were given at first, where training has since
    moved them: in one process the next call of `train` finds a gamma or a rate as the one before
    left it, and the file has it as it was in the beginning."""
    given, left = _LEFT.get(run.gan, ({}, {}))
    run.fingerprint = {
        name: given.get(name, value) if left.get(name) == value else value
        for name, value in run.fingerprint.items()
    }


@contextlib.contextmanager
def _noted(run, path):
    """Notes how a kept run has left its parts, for `_recall`."""
    try:
        yield
    finally:
        if path is not None:
            _LEFT[run.gan] = run.fingerprint, run.options | _rates_now(run)


def _rates_now(run):
    """run.options has the rates that a schedule multiplies; the next call finds the product."""
    return {
        f"{name}_optimizer.lr": repr(float(optimizer.lr))
        for name, optimizer in run.optimizers.items()
    }


def _warn_of_range(gan, data):
    """A generator that ends in Tanh or Sigmoid reaches [-1, 1] or [0, 1], and no other data."""
    last = gan.generator.layers[-1]
    if not isinstance(data, np.ndarray) or not isinstance(last, Tanh | Sigmoid):
        return
    low, high = float(data.min()), float(data.max())
    floor = 0.0 if isinstance(last, Sigmoid) else -1.0
    if low < floor - 1e-3 or high > 1 + 1e-3:
        what = f"the data, from {low:g} to {high:g}, are outside of it"
    elif floor < 0 <= low and len(data) >= 16:
        what = f"none of the data, from {low:g} to {high:g}, is below 0; is 2 x - 1 missing?"
    else:
        return
    warnings.warn(f"train: G ends in {last}, so it reaches [{floor:g}, 1]: {what}", stacklevel=3)


def _one_step(gan, minibatches, critic_steps, step, path):
    """The critic's extra updates and the step of both; its figures, every one of them finite."""
    updates = [gan.discriminator_step] * (critic_steps - 1) + [gan.train_step]
    for update in updates:
        real, before = minibatches.next(), RandomStates(*gan.rngs)
        try:
            with np.errstate(under="ignore"):  # an underflow to zero is no error
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


class History:
    """The figures of every training step, as columns: history["generator_loss"] is a list.

    .columns has them as arrays of 8 bytes a number: a long run's record stays a few megabytes.
    .stopped says in words why training ended before its last step, None if it did not;
    .interrupted is True if that was, or would have been, a Ctrl-C.
    """

    def __init__(self):
        self.columns, self.stopped, self.interrupted = {}, None, False

    def __repr__(self):
        last = [f"{n} {c[-1]:.4g}" for n, c in self.columns.items() if n.endswith("_loss")]
        ended = f"; {self.stopped}" if self.stopped else ""
        words = f" at the end: {', '.join(last)}" if last else ""
        return f"<History of {len(self):,} steps,{words}{ended}>" if last else "<History, empty>"

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

    def __repr__(self):
        options = f"every={self.every}, patience={self.patience}, improvement={self.improvement:g}"
        best = f"; best {self.best:.4g} of {len(self.values)}" if self.values else ""
        return f"<Plateau {options}{best}>"

    def __str__(self):
        return f"no better than {self.best:.4g} for {self.waited} measurements"


def _losses_in_words(figures):
    return f"L_D {figures['discriminator_loss']:.2f} L_G {figures['generator_loss']:.2f}"


def _figures_in_words(figures):
    return (
        f"L_D {figures['discriminator_loss']:.3f}  L_G {figures['generator_loss']:.3f}  "
        f"|grad D| {figures['discriminator_gradient_norm']:.3f}  "
        f"|grad G| {figures['generator_gradient_norm']:.3f}"
    )
