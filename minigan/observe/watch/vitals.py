"""Vital signs: measurements of both players, taken every few training steps."""

from collections.abc import Callable

import numpy as np

from ..._checks import Count, ProbeSize, Seed, Source, checked
from ..._random import random_generator
from ...backend import norm
from ...data.minibatches import Minibatches
from ...gan import GAN
from ...layers import LeakyReLU
from ...layers.composite import walk
from ...metrics._distances import squared_distances
from ...network import Sequential
from ...verify.recording import recording
from .counting import Counting

PLAYERS = ("discriminator", "generator")
CELLS = 16  # regions of the data that `variety` counts; few, so that narrow modes still count
FEW = 128  # samples for the energy distance, whose cost grows with their square


class Vitals(Counting):
    """Measures a GAN during training: `minigan.train(..., callback=Vitals(gan, data))`.

    In a second training of the GAN the count of the steps goes on.

    Parameters
    ----------
    gan : GAN
    data
        As for `minigan.train`.
    every : int
        Training steps between measurements; the first is after step 1.
    probe : int
        The number of real samples and of noise vectors, drawn once, that measurements use.
    rng : numpy.random.Generator or int
        Draws both.

    Notes
    -----
    .steps holds the steps of the measurements and .columns[name] a number for each:

    discriminator_signal    sum of |dL_D/dlogit|, over what it is where all logits are 0: near 1,
                            D cannot tell; near 0, it is sure of every sample
    generator_signal        the same of L_G: near 0, the loss gives G nothing to learn from
    logit_spread            standard deviation of D's logits, real and fake together
    logit_low, logit_high   the smallest and the largest of D's logits
    discriminator_step      how far one training step moves D's logits, root mean square, in units
                            of their standard deviation or of 1, the larger; each logit f counts
                            with weight |dL_D/df|, so that moves where the loss is flat do not count
    generator_step          how far one training step moves G's samples, in units of the data's
                            spread (root mean square distance from the mean)
    distance                of G's samples from the data's mean, root mean square, in the same
                            units: 1 for a perfect sampler (.first_distance, before training)
    energy                  energy distance of the samples and the data, 2 E|x - y| - E|x - x'| -
                            E|y - y'| of 128 each (Szekely and Rizzo 2013), in the same units: 0
                            on average for a perfect sampler, so it may be negative
    width                   the samples' own spread, in the same units: 1 for a perfect sampler
    variety                 the effective number of regions that the samples reach, over that of
                            the data: 1 for a perfect sampler, 1/8 for one of eight equal modes
    {player}_gradient_norm  of all its parameters, at that step
    {player}_layer_ratio    the largest gradient norm of its layers, over the smallest

    .layers[player][name] holds columns for each layer that has something to measure:

    gradient    |gradient of its parameters|, as the optimizer got it
    update      |change of its parameters in one training step| / |its parameters|
    off         after a ReLU or LeakyReLU: the share of units that are <= 0 for the whole probe.
                A ReLU's unit is then dead: no gradient passes. A LeakyReLU's is merely linear.
    """

    @checked
    def __init__(
        self,
        gan: GAN,
        data: Source,
        *,
        every: Count = 20,
        probe: ProbeSize = 512,
        rng: Seed = 0,
    ) -> None:
        self.gan, self.every = gan, every
        with np.errstate(all="ignore"):
            self._prepare(gan, data, probe, random_generator(rng, "vitals"))

    def _prepare(self, gan, data, probe, rng):
        """Draws the probe and measures the data and the untrained networks, for comparison."""
        # GAN's own: that of a ParallelGAN gives this rank's rows alone
        self.real = GAN.check_real(gan, Minibatches(data, probe, rng=rng).next())
        self.noise = rng.standard_normal((probe, gan.latent_dim)).astype(gan.generator.dtype)
        flat = _flat(self.real)
        self.centre = flat.mean(axis=0)
        self.spread = _rms(flat - self.centre)
        if not self.spread:
            raise ValueError("Vitals: data must vary, but all samples are equal")
        self._cells, rest = flat[:CELLS], flat[CELLS:]
        self._real_variety = effective_number(self._occupancy(rest))
        self.steps: list[int] = []
        self.columns: dict[str, list[float]] = {}
        self.layers: dict[str, dict] = {player: {} for player in PLAYERS}
        self.begin()
        fake, _ = gan.generator.forward(self.noise, training=False)
        self.first_distance = self._distance(fake)
        self._few = flat[:FEW]

    def __repr__(self) -> str:
        last = f", the last after step {self.steps[-1]:,}" if self.steps else ""
        return f"<Vitals: {len(self.steps):,} measurements, every {self.every} steps{last}>"

    def __call__(self, step: int, gan: GAN, figures: dict[str, float]) -> None:
        if gan is not self.gan:
            raise ValueError("Vitals: gan must be the one it was made for; make one for each")
        step = self.counted(step)
        if step == 1 or step % self.every == 0:
            with np.errstate(all="ignore"):  # a diverging network is a result, not an error
                self._measure(step, figures)
        if (step + 1) % self.every == 0:
            self.begin()

    def begin(self) -> None:
        """Keeps the networks as they are: one step before the next measurement, or before a
        training, whose first step may be measured."""
        self._before = self._copies()

    def state(self) -> tuple[dict, dict[str, np.ndarray]]:
        """(facts, arrays) for a checkpoint: the measurements so far, and the networks as they were
        one step before the next one. (A later callback may have moved them since.)"""
        names = "steps", "columns", "layers", "first_distance", "_earlier", "_last"
        return {name: getattr(self, name) for name in names}, {
            f"{player}/{name}": value
            for player, network in self._before.items()
            for name, value in [("theta", network.theta), *network.named_buffers()]
        }

    def restoring(self, facts: dict, read: Callable[..., np.ndarray]) -> Callable[[], None]:
        """A function that restores `state`; read(name, shape, dtype) returns its arrays."""
        before = self._copies()
        for player, network in before.items():
            network.theta[...] = read(f"{player}/theta", network.theta.shape, network.dtype)
            for prefix, layer in walk(network):
                for name, value in layer.buffers.items():
                    layer.buffers[name] = read(f"{player}/{prefix}{name}", value.shape, value.dtype)
        steps, count = self.read_steps(facts)
        measured = {
            "steps": steps,
            "columns": _numbers(facts["columns"], steps),
            "layers": {
                player: {
                    name: _numbers(columns, steps)
                    for name, columns in facts["layers"][player].items()
                }
                for player in PLAYERS
            },
            "first_distance": float(facts["first_distance"]),
            **count,
        }
        return lambda: vars(self).update(measured, _before=before)

    def players(self) -> dict[str, Sequential]:
        """{"discriminator": D, "generator": G}, as they are now."""
        return {player: getattr(self.gan, player) for player in PLAYERS}

    def _copies(self):
        return {player: network.copy() for player, network in self.players().items()}

    def _measure(self, step, figures):
        gan, now = self.gan, self.players()
        fake, _ = now["generator"].forward(self.noise, training=False)
        fake_before, _ = self._before["generator"].forward(self.noise, training=False)
        both = np.concatenate([self.real, fake])
        logits, _ = now["discriminator"].forward(both, training=False)
        logits_before, _ = self._before["discriminator"].forward(both, training=False)
        real_logits, fake_logits = np.split(logits, 2)
        row = {
            "discriminator_signal": _signal(gan.loss.discriminator, real_logits, fake_logits),
            "generator_signal": _signal(gan.loss.generator, real_logits, fake_logits),
            "logit_spread": float(np.std(logits[:, :1], dtype=np.float64)),
            "logit_low": float(logits[:, 0].min()),
            "logit_high": float(logits[:, 0].max()),
            "discriminator_step": _logit_step(gan.loss, logits_before, logits),
            "generator_step": _rms(fake - fake_before) / self.spread,
            "distance": self._distance(fake),
            "energy": energy_distance(_flat(fake[:FEW]), self._few) / self.spread,
            "width": _rms(_flat(fake) - _flat(fake).mean(axis=0)) / self.spread,
            "variety": effective_number(self._occupancy(_flat(fake))) / self._real_variety,
        }
        for player, x in zip(PLAYERS, (both, self.noise)):
            network, columns = now[player], self.layers[player]
            row[f"{player}_gradient_norm"] = figures[f"{player}_gradient_norm"]
            gradients = _by_layer(network, gradients=True)
            after, before = _by_layer(network).values(), _by_layer(self._before[player]).values()
            for (name, gradient), new, old in zip(gradients.items(), after, before):
                _append(columns, name, "gradient", norm(gradient))
                _append(columns, name, "update", norm(new - old) / max(norm(old), 1e-12))
            norms = [norm(gradient) for gradient in gradients.values()]
            row[f"{player}_layer_ratio"] = max(norms) / max(min(norms), 1e-30)
            for name, y in _rectified(network, x):
                off = np.all(y.reshape(-1, y.shape[-1]) <= 0, axis=0)
                _append(columns, name, "off", float(off.mean()))
        self.steps.append(step)
        for name, value in row.items():
            self.columns.setdefault(name, []).append(value)

    def _distance(self, samples):
        return _rms(_flat(samples) - self.centre) / self.spread

    def _occupancy(self, samples):
        """How many samples lie nearest to each of the first CELLS real samples."""
        nearest = squared_distances(samples, self._cells).argmin(axis=1)
        return np.bincount(nearest, minlength=CELLS)


def energy_distance(x: np.ndarray, y: np.ndarray) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'|, over pairs of different samples, so that
    it is unbiased and may be negative."""

    def mean(a, b, pairs):
        squared = squared_distances(a, b)
        if a is b:
            np.fill_diagonal(squared, 0.0)
        return float(np.sqrt(np.maximum(squared, 0.0)).sum() / pairs)

    n, m = len(x), len(y)
    return 2 * mean(x, y, n * m) - mean(x, x, n * (n - 1)) - mean(y, y, m * (m - 1))


def effective_number(counts: np.ndarray) -> float:
    """1 / the probability that two different samples share a cell: n (n - 1) / sum c (c - 1).

    It is k for k equally likely cells (Simpson 1949), and n (n - 1) if no two samples share a cell.
    """
    n = counts.sum()
    return float(n * (n - 1) / max(1, np.sum(counts * (counts - 1))))


def _slopes(loss, real, fake):
    """|dL/dlogit| for each sample, (2 N, 1); the logit is the first of D's outputs."""
    _, d_real, d_fake = loss(real, fake)
    return np.abs(np.concatenate([d_real, d_fake])[:, :1], dtype=np.float64)


def _signal(loss, real, fake):
    """sum |dL/dlogit| at these logits, divided by the same at logits of 0."""
    undecided = np.zeros_like(real)
    return float(_slopes(loss, real, fake).sum() / _slopes(loss, undecided, undecided).sum())


def _logit_step(loss, before, after):
    """sqrt(mean((after - before)^2)) / max(std(before), 1), logits weighted by |dL_D/dbefore|."""
    weights = _slopes(loss.discriminator, *np.split(before, 2))
    if not weights.any():
        return 0.0
    weights /= weights.sum()
    before, after = before[:, :1], after[:, :1]
    spread = np.sqrt(np.sum(weights * (before - np.sum(weights * before)) ** 2))
    return float(np.sqrt(np.sum(weights * (after - before) ** 2)) / np.maximum(spread, 1.0))


def _by_layer(network, *, gradients=False):
    """{"0 Linear(2, 64)": its parameters, or their gradients, as one vector}, in order."""
    found = {}
    for prefix, layer in walk(network):
        arrays = (layer.grads if gradients else layer.params).values()
        if arrays:
            found[f"{prefix[:-1]} {layer}"] = np.concatenate([a.ravel() for a in arrays])
    return found


def _rectified(network, x):
    """[("1 ReLU()", its output)] for each ReLU and LeakyReLU, in evaluation mode, at x."""
    found = []

    def note(method, name, layer, arguments, result):
        if method == "forward" and isinstance(layer, LeakyReLU):
            found.append((f"{name} {layer}", result[0]))

    with recording(network, note):
        network.forward(x, training=False)
    return found


def _numbers(columns, steps):
    if any(len(values) != len(steps) for values in columns.values()):
        raise ValueError(f"Vitals: expected {len(steps)} values of each of {', '.join(columns)}")
    return {name: [float(value) for value in values] for name, values in columns.items()}


def _append(columns, layer, name, value):
    """A layer keeps its first name, if a callback changes an option that the name shows."""
    number, *_ = layer.split(" ")
    layer = next((known for known in columns if known.split(" ")[0] == number), layer)
    columns.setdefault(layer, {}).setdefault(name, []).append(value)


def _flat(samples):
    return samples.reshape(len(samples), -1).astype(np.float64)


def _rms(difference):
    """The root mean square of the rows' lengths."""
    return float(np.sqrt(np.mean(np.sum(_flat(difference) ** 2, axis=1))))
