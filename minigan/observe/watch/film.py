"""A film of a game in the plane: at chosen steps, the arrays from which its pictures are drawn."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ... import _checks as checks
from ...data.minibatches import Minibatches
from ...gan import GAN
from ...layers.base import positive_int
from ...network import Sequential

LINES = 11  # of the latent grid, each way; an odd number, so that one goes through 0


@dataclass(frozen=True)
class Frame:
    """What is recorded at one training step.

    step    : after which training step
    fake    : (n, 2) samples of the generator, of the same noise in every frame
    push    : (n, 2) where D's gradient pushes each: -dL_G/dx_i, with L_G the loss of sample i
              alone, so without the 1/N of the mean
    logits  : (rows, columns) D's logits over the film's extent, from its lower left corner
    grid    : (2, LINES, points, 2) the generator's image of the latent grid's lines: those of
              constant z_1, and those of constant z_2
    """

    step: int
    fake: np.ndarray
    push: np.ndarray
    logits: np.ndarray
    grid: np.ndarray


class Film:
    """Records Frames during training: `minigan.train(..., callback=Film(gan, data, ...))`.

    data      : a distribution of the plane, with `.sample(n, rng)` and `.extent`
    moments   : the training steps at which to record
    extent    : (left, right, bottom, top) of the surface; by default the data's, and a margin
    samples   : how many fakes, and how many real samples
    generator : whose samples and grid to show: by default gan.generator; or an `Average`'s network

    .frames is the list of Frames, .real (n, 2) the real samples, the same in every frame.
    Raises ValueError unless samples and noise are both of two dimensions.
    """

    def __init__(
        self, gan, data, *, moments, extent=None, samples=400, generator=None, resolution=96, rng=0
    ):
        checks.instance("Film", "gan", gan, GAN)
        if gan.sample_shape != (2,) or gan.latent_dim != 2:
            raise ValueError(
                "Film: expected samples of shape (2,) and latent_dim 2, got "
                f"{gan.sample_shape} and {gan.latent_dim}"
            )
        rng = checks.generator("rng", rng, "film")
        samples = positive_int("Film", "samples", samples)
        resolution = positive_int("Film", "resolution", resolution, minimum=2)
        if isinstance(moments, str) or not hasattr(moments, "__iter__"):
            raise TypeError(f"Film: moments must be a list of steps, got {checks.shown(moments)}")
        self.moments = frozenset(positive_int("Film", "each of moments", step) for step in moments)
        self.frames = []
        if extent is None:
            extent = _widened(checks.part("Film", "data", data, "extent", checks.PLANE).extent)
        self.extent = checks.extent("Film", extent)
        self.generator = gan.generator
        if generator is not None:
            self.generator = checks.instance("Film", "generator", generator, Sequential)
        self.real = gan.check_real(Minibatches(data, samples, rng=rng).next())
        self.noise = rng.standard_normal((samples, 2))
        left, right, bottom, top = self.extent
        axes = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
        self._plane = np.stack(np.meshgrid(*axes), axis=-1)
        self._lines = latent_grid()

    def __repr__(self):
        return f"<Film: {len(self.frames)} of {len(self.moments)} frames>"

    def __call__(self, step, gan, figures=None):
        if step in self.moments:
            with np.errstate(under="ignore"):
                self.frames.append(self.record(step, gan))

    def state(self):
        """(facts, arrays) for a checkpoint: the frames so far."""
        frames = self.frames
        arrays = {
            name: np.reshape([getattr(frame, name) for frame in frames], (len(frames), *shape))
            for name, shape in self._shapes().items()
        }
        facts = {"steps": [frame.step for frame in frames]}
        return facts, {name: array.astype(self._dtype) for name, array in arrays.items()}

    def restoring(self, facts, read):
        """What puts back what `state` gave; read(name, shape, dtype) gives the arrays."""
        steps = [positive_int("Film", "step", step) for step in facts["steps"]]
        parts = {
            name: read(name, (len(steps), *shape), self._dtype)
            for name, shape in self._shapes().items()
        }
        frames = [
            Frame(step=step, **{name: part[i] for name, part in parts.items()})
            for i, step in enumerate(steps)
        ]
        return lambda: setattr(self, "frames", frames)

    @property
    def _dtype(self):
        return self.generator.dtype

    def _shapes(self):
        """Of the arrays in a frame."""
        samples = self.noise.shape
        surface = self._plane.shape[:2]
        return {"fake": samples, "push": samples, "logits": surface, "grid": self._lines.shape}

    def record(self, step, gan):
        """The Frame of this moment."""
        checks.instance("Film", "gan", gan, GAN)
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


def push(gan, real, fake):
    """-dL_G/dx_i for each fake x_i, (N, ...), L_G the loss of sample i alone (N times the mean's).

    Down the gradient that G learns from, as it comes out of D's `backward_input`: a generator
    whose samples were free to move would move them along these arrows.
    """
    real_logits, _ = gan.discriminator.forward(real, training=False)
    fake_logits, judged = gan.discriminator.forward(fake, training=False)
    _, _, d_fake = gan.loss.generator(real_logits, fake_logits)
    return -len(fake) * gan.discriminator.backward_input(d_fake, judged)


def latent_grid(points=121):
    """Lines of the latent plane that cut N(0, I) into cells of equal mass: (2, LINES, points, 2).

    Lines stand at the quantiles k / (LINES + 1), and run from the 1% to the 99% quantile.
    """
    normal = NormalDist()
    at = np.array([normal.inv_cdf(k / (LINES + 1)) for k in range(1, LINES + 1)])
    along = np.linspace(normal.inv_cdf(0.01), normal.inv_cdf(0.99), points)
    z1, z2 = np.meshgrid(at, along, indexing="ij")
    return np.stack([np.stack([z1, z2], axis=-1), np.stack([z2, z1], axis=-1)])


def moments(steps, frames):
    """About `frames` steps from 1 to `steps`, denser at the beginning, where more happens."""
    steps = positive_int("moments", "steps", steps)
    frames = positive_int("moments", "frames", frames, minimum=2)
    return sorted({round(steps * (i / (frames - 1)) ** 2) or 1 for i in range(frames)})


def _widened(extent, share=0.15):
    left, right, bottom, top = extent
    x, y = share * (right - left), share * (top - bottom)
    return left - x, right + x, bottom - y, top + y
