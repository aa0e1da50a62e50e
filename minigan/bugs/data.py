"""Bugs of the data: what the discriminator is shown as real."""

from ..data.minibatches import Minibatches
from ..data.mixtures import gaussian_ring
from .mutants import Bug, Edit

BUGS = [
    Bug(
        "first_minibatches",
        "The data are never dealt out: D sees the same first samples again and again.",
        (
            Edit(
                Minibatches.next,
                "dealt, self._order = np.split(self._order, [self.batch_size])",
                "dealt = self._order[: self.batch_size]",
            ),
        ),
        seen="numpy-ml, WGAN_GP.fit",
        survives="The losses look better than ever: a few samples are easily told from the rest.",
        caught_by="epoch_coverage",
    ),
    Bug(
        "closed_ring",
        "The angles run from 0 to 2 pi, both included: eight modes, two of them in one place.",
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
