"""A film of a game in the plane: at chosen steps, the arrays from which its pictures are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..._checks import (
    Count,
    Extent,
    FilePath,
    Seed,
    TrainingSteps,
    TwoOrMore,
    checked,
    planar,
    refuse,
    shown,
)
from ..._random import random_generator
from ...data.minibatches import Minibatches
from ...gan import GAN
from ...network import Sequential
from ...training.history import History
from .counting import Counting
from .vitals import Vitals

TITLE = "A GAN, watched while it learns"
WORDS = (
    "Move the slider, press Play, or click into a chart: the pictures and all numbers are those of "
    "that training step."
)
LINES = 11  # of the latent grid, in each direction; odd, so that one passes through 0


@dataclass(frozen=True)
class Frame:
    """What is recorded after one training step.

    Attributes
    ----------
    step : int
        The training step.
    fake : (n, 2)
        Samples of the generator, from the same noise in every frame.
    push : (n, 2)
        -dL_G/dx_i, where L_G is the loss of sample i alone (without the 1/N of the mean).
    logits : (rows, columns)
        D's logits on a grid over the film's extent, from its lower left corner.
    grid : (2, LINES, points, 2)
        G's image of the lines of the latent grid: of constant z_1, then of constant z_2.
    """

    step: int
    fake: np.ndarray
    push: np.ndarray
    logits: np.ndarray
    grid: np.ndarray


@checked
class Film(Counting):
    """Records Frames during training: `minigan.train(..., callback=Film(gan, data, ...))`.

    Parameters
    ----------
    gan : GAN
        With samples and noise of two dimensions; otherwise raises ValueError.
    data : a distribution of the plane
        With `.sample(n, rng)` and `.extent`.
    moments : iterable of int
        The training steps to record; in a second training of the GAN the count goes on.
    extent : (left, right, bottom, top), optional
        Where D's logits are shown; by default the data's extent with a margin.
    samples : int
        The number of fake samples, and of real samples.
    generator : Sequential, optional
        Whose samples and grid to show, such as an `Average`'s network; by default gan.generator.
    resolution : int
        Grid points of the logits, in each direction.
    rng : numpy.random.Generator or int
        Draws the real samples and the noise.

    Attributes
    ----------
    frames : list of Frame
    real : (samples, 2)
        The real samples, the same in every frame.
    """

    def __init__(
        self,
        gan: GAN,
        data: Any,
        *,
        moments: TrainingSteps,
        extent: Extent | None = None,
        samples: Count = 400,
        generator: Sequential | None = None,
        resolution: TwoOrMore = 96,
        rng: Seed = 0,
    ) -> None:
        if gan.sample_shape != (2,) or gan.latent_dim != 2:
            raise ValueError(
                "Film: expected samples of shape (2,) and latent_dim 2, got "
                f"{gan.sample_shape} and {gan.latent_dim}"
            )
        self.gan, rng = gan, random_generator(rng, "film")
        self.moments = frozenset(moments)
        self.frames: list[Frame] = []
        self.extent = extent or _widened(planar("Film", "data", data).extent)
        self.generator = generator or gan.generator
        self.real = GAN.check_real(gan, Minibatches(data, samples, rng=rng).next())
        self.noise = rng.standard_normal((samples, 2))
        self._check_generator()
        left, right, bottom, top = self.extent
        axes = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
        self._plane = np.stack(np.meshgrid(*axes), axis=-1)
        self._lines = latent_grid()

    def _check_generator(self):
        """Raises ValueError for a generator that makes something else than gan's."""
        try:
            made = self.generator.forward(self.noise, training=False)[0].shape
        except ValueError:
            made = None
        if made != self.noise.shape:
            raise ValueError(
                "Film: generator must make samples of shape (2,) from 2 noise values, as gan's "
                f"does, got {shown(self.generator)}"
            )

    def __repr__(self) -> str:
        return f"<Film: {len(self.frames)} of {len(self.moments)} frames>"

    def __call__(self, step: int, gan: GAN, figures: dict[str, float] | None = None) -> None:
        step = self.counted(step)
        if step in self.moments:
            with np.errstate(under="ignore"):
                self.frames.append(self.record(step, gan))

    def state(self) -> tuple[dict, dict[str, np.ndarray]]:
        """(facts, arrays) for a checkpoint: the frames so far."""
        frames = self.frames
        arrays = {
            name: np.reshape([getattr(frame, name) for frame in frames], (len(frames), *shape))
            for name, shape in self._shapes().items()
        }
        steps = [frame.step for frame in frames]
        facts = {"steps": steps, "_earlier": self._earlier, "_last": self._last}
        return facts, {name: array.astype(self._dtype) for name, array in arrays.items()}

    def restoring(self, facts: dict, read: Callable[..., np.ndarray]) -> Callable[[], None]:
        """A function that restores `state`; read(name, shape, dtype) returns its arrays."""
        steps, count = self.read_steps(facts)
        parts = {
            name: read(name, (len(steps), *shape), self._dtype)
            for name, shape in self._shapes().items()
        }
        frames = [
            Frame(step=step, **{name: part[i] for name, part in parts.items()})
            for i, step in enumerate(steps)
        ]
        restored = {"frames": frames, **count}
        return lambda: vars(self).update(restored)

    @property
    def _dtype(self):
        return self.generator.dtype

    def _shapes(self):
        """The shapes of the arrays in a frame."""
        samples = self.noise.shape
        surface = self._plane.shape[:2]
        return {"fake": samples, "push": samples, "logits": surface, "grid": self._lines.shape}

    @property
    def plane_shape(self) -> tuple[int, int]:
        """(rows, columns) of the logits in a frame."""
        return self._plane.shape[:2]

    @property
    def line_shape(self) -> tuple[int, int, int]:
        """(2, lines, points) of the grid in a frame."""
        return self._lines.shape[:3]

    def to_html(
        self,
        path: FilePath,
        *,
        vitals: Vitals | None = None,
        history: History | None = None,
        title: str = TITLE,
        words: str = WORDS,
    ) -> None:
        """Writes one HTML file with a slider over the frames, and charts of all that was measured.

        It needs a browser, no network and no other file; 60 frames take about 1.3 MB.

        vitals  : a `Vitals` of the same training, whose measurements are charts
        history : its `History`, of all its steps, whose figures are charts
        title   : of the page;  words : a sentence or two below it

        Raises ValueError for a film without frames, and for a history that ends before the film.
        """
        from . import film_page  # which imports this module

        if not self.frames:
            refuse(ValueError, "Film.to_html", "film", "one with frames", self)
        if history is not None and len(history) < self.frames[-1].step:
            raise ValueError(
                f"Film.to_html: history must be of all {self.frames[-1].step} steps of the film, "
                f"got {history!r}"
            )
        path.write_text(film_page.page(self, vitals, history, title, words), encoding="utf-8")

    def record(self, step: int, gan: GAN) -> Frame:
        """A Frame of the networks as they are now."""
        if gan is not self.gan:
            raise ValueError("Film: gan must be the one it was made for; make one for each")
        fake, _ = self.generator.forward(self.noise, training=False)
        grid, _ = self.generator.forward(self._lines.reshape(-1, 2), training=False)
        plane, _ = gan.discriminator.forward(self._plane.reshape(-1, 2), training=False)
        return Frame(
            step=step,
            fake=fake,
            push=push(gan, self.real, fake),
            logits=plane.reshape(self._plane.shape[:2]),
            grid=grid.reshape(self._lines.shape),
        )


def push(gan: GAN, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """-dL_G/dx_i for each fake x_i, (N, ...), where L_G is the loss of sample i alone.

    This is the gradient that G learns from, times -N, as D's `backward_input` returns it: samples
    that were free to move would move along it.
    """
    real_logits, _ = gan.discriminator.forward(real, training=False)
    fake_logits, judged = gan.discriminator.forward(fake, training=False)
    _, _, d_fake = gan.loss.generator(real_logits, fake_logits)
    return -len(fake) * gan.discriminator.backward_input(d_fake, judged)


def latent_grid(points: int = 121) -> np.ndarray:
    """Lines of the latent plane that cut N(0, I) into cells of equal mass: (2, LINES, points, 2).

    They lie at the quantiles k / (LINES + 1) and run from the 1% to the 99% quantile.
    """
    normal = NormalDist()
    positions = np.array([normal.inv_cdf(k / (LINES + 1)) for k in range(1, LINES + 1)])
    points_of_line = np.linspace(normal.inv_cdf(0.01), normal.inv_cdf(0.99), points)
    z1, z2 = np.meshgrid(positions, points_of_line, indexing="ij")
    return np.stack([np.stack([z1, z2], axis=-1), np.stack([z2, z1], axis=-1)])


@checked
def moments(steps: Count, frames: TwoOrMore) -> list[int]:
    """About `frames` training steps from 1 to `steps`, denser at the beginning."""
    return sorted({round(steps * (i / (frames - 1)) ** 2) or 1 for i in range(frames)})


def _widened(extent, share=0.15):
    """The extent with a margin on each side, as a share of its width or height."""
    left, right, bottom, top = extent
    x, y = share * (right - left), share * (top - bottom)
    return left - x, right + x, bottom - y, top + y
