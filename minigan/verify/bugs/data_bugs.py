"""Bugs of the data: which samples the discriminator gets as real ones."""

from ...data.minibatches import Minibatches
from ...data.mixtures import gaussian_ring
from .mutants import Bug, Edit

BUGS = [
    Bug(
        "first_minibatches",
        "Every minibatch consists of the same first samples of the data.",
        (
            Edit(
                Minibatches.next,
                "dealt, self._order = np.split(self._order, [self.batch_size])",
                "dealt = self._order[: self.batch_size]",
            ),
        ),
        seen="numpy-ml, WGAN_GP.fit",
        survives="The losses look good: a few samples are easily learned by heart.",
        caught_by="epoch_coverage",
    ),
    Bug(
        "closed_ring",
        "The angles run from 0 to 2 pi inclusive: two of the eight modes coincide.",
        (
            Edit(
                gaussian_ring,
                "angle = 2 * np.pi * np.arange(modes) / modes",
                "angle = np.linspace(0, 2 * np.pi, modes)",
            ),
        ),
        seen="the Unrolled GAN demo; GDPP",
        survives="It looks like a ring, and a GAN that finds seven modes of eight looks normal.",
        caught_by="distinct_modes",
    ),
]
