"""Step 7 of the game: repeat until converged."""

import math

from tqdm import tqdm

from .data.minibatches import Minibatches
from .layers.base import positive_int, real_number


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
):
    """Repeats `gan.train_step` on minibatches of `data`, at most `steps` times.

    data         : an array (M, ...), or an object with `.sample(n, rng)`
    critic_steps : updates of the discriminator for each one of the generator
    average      : an `Average` of the generator, updated after each step
    schedule     : t in [0, 1] -> a factor for both learning rates (see `schedules`)
    stop         : a `Plateau`: ends the training once its measure has stopped improving
    callback     : called after each step as callback(step, gan, figures), step = 1, 2, ...
    progress     : show a progress bar with both losses and both gradient norms
    rng          : a numpy Generator or a seed: draws the minibatches

    Returns the History. Raises FloatingPointError at the first loss or gradient norm that is not
    finite, naming it and the step.
    """
    steps = positive_int("train", "steps", steps)
    critic_steps = positive_int("train", "critic_steps", critic_steps)
    minibatches = Minibatches(data, batch_size, rng=rng)
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    first_rates = [optimizer.lr for optimizer in optimizers]
    history = History()
    with tqdm(total=steps, disable=not progress, unit="step", dynamic_ncols=True) as bar:
        for step in range(1, steps + 1):
            if schedule is not None:
                for optimizer, rate in zip(optimizers, first_rates):
                    optimizer.lr = rate * schedule((step - 1) / max(1, steps - 1))
            for _ in range(critic_steps - 1):
                gan.discriminator_step(minibatches.next())
            figures = gan.train_step(minibatches.next())
            history.append(step, figures)
            if average is not None:
                average.update()
            if callback is not None:
                callback(step, gan, figures)
            if step % 20 == 0 or step == steps:
                bar.set_postfix_str(_figures_in_words(figures), refresh=False)
            bar.update()
            if stop is not None and stop.reached(step, gan):
                history.stopped = f"converged at step {step}: {stop}"
                break
    return history


class History:
    """The figures of every training step, as columns: history["generator_loss"] is a list.

    .stopped says why training ended before its last step, if it did.
    """

    def __init__(self):
        self.columns, self.stopped = {}, None

    def append(self, step, figures):
        """Adds a row. Raises FloatingPointError for a figure that is not finite."""
        for name, value in figures.items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"step {step}: {name.replace('_', ' ')} is {value}; the learning rate may be "
                    "too high, or a penalty too strong"
                )
        for name, value in {"step": step, **figures}.items():
            self.columns.setdefault(name, []).append(value)

    def __getitem__(self, name):
        return self.columns[name]

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
        self.measure = measure
        self.every = positive_int("Plateau", "every", every)
        self.patience = positive_int("Plateau", "patience", patience)
        self.improvement = real_number("Plateau", "improvement", improvement, low=0)
        self.values, self.best, self.waited = [], math.inf, 0

    def reached(self, step, gan):
        """Measures if it is time to; True once the plateau is as long as the patience."""
        if step % self.every:
            return False
        value = float(self.measure(gan))
        if not math.isfinite(value):
            raise FloatingPointError(f"step {step}: the convergence measure is {value}")
        self.values.append((step, value))
        improved = value < self.best - self.improvement * abs(self.best) or self.best == math.inf
        self.waited = 0 if improved else self.waited + 1
        self.best = min(self.best, value) if improved else self.best
        return self.waited >= self.patience

    def __str__(self):
        return f"no better than {self.best:.4g} for {self.waited} measurements"


def _figures_in_words(figures):
    return (
        f"L_D {figures['discriminator_loss']:.3f}  L_G {figures['generator_loss']:.3f}  "
        f"|grad D| {figures['discriminator_gradient_norm']:.3f}  "
        f"|grad G| {figures['generator_gradient_norm']:.3f}"
    )
